// Reads of the master at the replica on its own box, which cost neither a slot of the log nor a sync.
//
// Why such a read is linearizable. It is answered in a step in which this server owns the lease, from a state that is
// not behind what the server knew when it asked for it (`knownPlace`). Take anything that was acknowledged before the
// read came. If another server did, it owned the lease then; and since this server has owned the lease without a break
// from before it began its term, that was before this term was begun, and is in every state that has the term. If this
// server did, it knew the place of what it acknowledged. Either way the state has it. So it is with Chubby's reads at
// its master under the master lease (Burrows, 2006, section 2.1; Chandra et al., "Paxos Made Live", section 5.2).
//
// Nor does a later operation see less: all that a replica has executed is committed, so that whoever begins a term
// after it has it too; and this server remembers how far the state was that it has answered from.
//
// That no other server answers meanwhile is what the lease promises, within the drift of clocks that it is told of. A
// step has one moment: a box that stands still between it and the sending of the answer is late, and as right.

import type { AgentId } from "../../core/id.ts";
import { isRead } from "./machine.ts";
import type { GobbyOperation } from "./machine_operation.ts";
import type { ServerMessage } from "./protocol.ts";
import {
  batchCallsMax,
  batchLengthMax,
  isMaster,
  type ServerState,
  type ServerStep,
  type WaitingRequest,
} from "./server_state.ts";
import { readServiceResult, type ServiceOutcome } from "./service_operation.ts";

type Operation = WaitingRequest["operation"];

/**
 * For how long the replica is not asked after it was behind. One that does not lead the group always is while others
 * write, and who asked it each time would wait twice.
 */
const behindMs = 20;

/** Whether an operation may be answered without the log. */
export function isLocal({ state, ctx }: ServerStep, operation: Operation): boolean {
  // What was taken from a message is JSON, and nobody changes it.
  return ctx.attrs.replica !== undefined && ctx.now >= state.behindUntil &&
    operation !== undefined && isRead(operation as GobbyOperation);
}

/** Asks the replica for whatever may be read there, one look at a time. */
export function look(step: ServerStep): void {
  const { state, ctx, rules } = step;
  const { replica } = ctx.attrs;
  if (replica === undefined || state.look !== undefined || state.reads.size === 0) return;
  if (!rules.mayRead(isMaster(step))) return;
  const parts: { client: string; request: number }[] = [];
  const operations: Exclude<Operation, undefined>[] = [];
  let length = 0;
  for (const client of state.reads) {
    const waiting = state.waiting.get(client);
    if (parts.length >= batchCallsMax || length >= batchLengthMax) break;
    state.reads.delete(client);
    if (waiting?.operation === undefined || waiting.byLog) continue;
    parts.push({ client, request: waiting.request });
    operations.push(waiting.operation);
    length += waiting.length;
  }
  if (parts.length === 0) return;
  const id = ++state.asked;
  state.look = { id, parts, knownPlace: state.place };
  ctx.sendTo(replica, { type: "look", id, operation: { kind: "reads", operations } });
}

/** What a replica's own copy says, if that is what it was asked for. */
export function readsOf(result: unknown): ServiceOutcome<"reads"> | undefined {
  const read = readServiceResult(result);
  return read?.kind === "reads" ? read : undefined;
}

/** Takes what the replica has answered. */
export function onLooked(step: ServerStep, { id, result }: ServerMessage<"looked">): void {
  const { state, ctx, rules } = step;
  const { look: asked } = state;
  if (asked === undefined || asked.id !== id) return;
  state.look = undefined;
  const found = readsOf(result);
  if (
    found === undefined || !rules.isOfTerm(found.term, state.term) ||
    !rules.includes(found.place, asked.knownPlace)
  ) {
    ctx.note("gobby.replica_behind");
    state.behindUntil = ctx.now + behindMs;
    return leaveToLog(state, asked.parts);
  }
  state.place = Math.max(state.place, found.place);
  for (const [index, { client, request }] of asked.parts.entries()) {
    const waiting = state.waiting.get(client);
    if (waiting === undefined || waiting.request !== request) continue;
    const outcome = found.answers[index];
    // There was no room for it.
    if (outcome === undefined) state.reads.add(client);
    else {
      state.waiting.delete(client);
      answer(step, waiting.from, { client, request, outcome });
    }
  }
}

function answer(
  step: ServerStep,
  to: AgentId,
  reply: Pick<ServerMessage<"reply">, "client" | "request" | "outcome">,
): void {
  const { state, ctx, rules } = step;
  if (!rules.mayRead(isMaster(step))) return;
  state.answers++;
  ctx.note("gobby.lease_read");
  ctx.sendTo(to, { type: "reply", ...reply, term: state.term });
}

/** A client asks again for what may be read: the replica may be stopped, or answer too late, so that the log has to. */
export function readByLog(state: ServerState, client: string): void {
  const { look: asked } = state;
  state.reads.delete(client);
  const waiting = state.waiting.get(client);
  if (waiting !== undefined) waiting.byLog = true;
  if (asked?.parts.some((part) => part.client === client) !== true) return;
  state.look = undefined;
  leaveToLog(state, asked.parts);
}

function leaveToLog(
  { waiting }: ServerState,
  parts: readonly { readonly client: string; readonly request: number }[],
): void {
  for (const { client, request } of parts) {
    const left = waiting.get(client);
    if (left?.request === request) left.byLog = true;
  }
}
