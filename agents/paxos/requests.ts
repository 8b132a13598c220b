// What becomes of a client's request before it has a slot. Collocated as in section 4.4, the replica that gets it is the
// leader, or says who is.

import type { AgentId } from "../../core/id.ts";
import { waitingMax } from "../vr/protocol.ts";
import { findAnswer, findFault } from "../vr/requests.ts";
import { mayRead } from "./lease.ts";
import { clientStampOf, reply } from "./perform.ts";
import type { Entry, Paxos } from "./protocol.ts";
import { applicationOf, configurationOf, isAcceptor, isLeading, type Step } from "./step.ts";

/** A request from a client. */
export function onRequest(step: Step, message: Paxos<"request">): void {
  const { state, ctx } = step;
  if (isReady(step, message)) return take(step, ctx.from, message);
  if (!isWaiting(step)) return redirect(step, ctx.from);
  if (state.held.size < waitingMax) state.held.set(message.client, { from: ctx.from, message });
}

/** Takes the requests that came while nobody led, now that somebody may. */
export function takeHeld(step: Step): void {
  const { state } = step;
  if (state.held.size === 0) return;
  const held = [...state.held.values()];
  state.held.clear();
  for (const { from, message } of held) {
    if (isReady(step, message)) take(step, from, message);
    else if (isWaiting(step)) state.held.set(message.client, { from, message });
    else redirect(step, from);
  }
}

/** Whether this member leads, and may judge a request: a reconfiguration waits for the one before it. */
function isReady(step: Step, { command }: Paxos<"request">): boolean {
  if (!isLeading(step)) return false;
  return command.kind !== "reconfigure" || applicationOf(step).next === null;
}

/** Whether this member may soon lead, or know who does. */
function isWaiting(step: Step): boolean {
  const { state } = step;
  if (state.leader !== undefined) return true;
  return isAcceptor(step) && state.ballot.round === 0;
}

function take(step: Step, from: AgentId, message: Paxos<"request">): void {
  const { state, ctx, rules, machine } = step;
  const { client, session, request, command } = message;
  const length = JSON.stringify(command).length;
  const fault = findFault(step.machine, message.command, length);
  if (fault !== undefined) return reply(step, from, message, { kind: "refused", why: fault });
  if (command.kind === "apply" && mayRead(step, machine, command.operation)) {
    const result = machine.apply(applicationOf(step).state, command.operation);
    ctx.note("paxos.lease_read");
    return reply(step, from, message, { kind: "applied", result });
  }
  const repeated = findAnswer(applicationOf(step).sessions, message, step.rules);
  if (repeated === "stale") return;
  if (repeated !== undefined) return reply(step, from, message, repeated);
  const pending = state.pending.get(client);
  // A client awaits one answer at a time; its next request comes again.
  if (pending !== undefined && (pending.session !== session || pending.request !== request)) return;
  if (pending === undefined && state.pending.size >= waitingMax) {
    return ctx.note("paxos.overloaded", { client });
  }
  state.waiting.set(rules.replyKey(message), from);
  if (pending === undefined) enqueue(step, { client, session, request, command }, length);
}

/** Lets a command wait for its slot, which has `length` characters; at a leader that has no command of its client yet. */
export function enqueue({ state }: Step, entry: Entry, length: number): void {
  const { client, session, request } = entry;
  state.pending.set(client, { session, request });
  // Enough for the fields around the command; the message as a whole has been accepted by its schema.
  state.queue.push({ entry, length: length + 64 + client.length });
}

/** Tells a client who leads, and who belongs to the group. */
export function redirect(step: Step, client: AgentId): void {
  const { state, ctx } = step;
  const { members } = configurationOf(step);
  const { leader } = state.ballot;
  const [first] = members;
  const known = members.some(({ agent }) => agent === leader) ? leader : first?.agent ?? ctx.self;
  ctx.sendTo(client, {
    type: "group",
    ...clientStampOf(step),
    primary: known,
    replicas: members,
    incarnation: state.durable.incarnation,
  });
}
