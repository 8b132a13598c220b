// Reads that may be old, at any server: from the copy of the replica on its own box, with how old that is at most.
//
// How old: now and then the server asks the master how far it is, and remembers when it asked, by its own clock. What
// the master answers, while it owns the lease, has all that was acknowledged before (server_reads.ts says why), and so
// before the question left. A copy that is as far is not older than the question is, however late that shows; and no
// two clocks are compared. Nothing that a replica hears from its leader would do: that one may be deposed, and not
// know what others have carried out since.

import type { AgentId } from "../../core/id.ts";
import { isRead } from "./machine.ts";
import type { GobbyOperation } from "./machine_operation.ts";
import type { ServerMessage } from "./protocol.ts";
import { readsOf } from "./server_reads.ts";
import {
  type Evidence,
  evidenceMax,
  isMaster,
  questionsMax,
  type ServerStep,
  type StaleRead,
  staleReadsMax,
} from "./server_state.ts";
import type { GobbyResult } from "./machine_result.ts";

/** Asks whoever is taken for the master how far it is. */
export function askHowFar({ state, ctx }: ServerStep, master: AgentId | null): void {
  if (master === null || master === ctx.self) return;
  const number = ++state.asked;
  for (const old of state.questions.keys()) {
    if (state.questions.size < questionsMax) break;
    state.questions.delete(old);
  }
  state.questions.set(number, ctx.now);
  ctx.sendTo(master, { type: "howFar", number });
}

/** Says how far it is, if it is the master. */
export function onHowFar(step: ServerStep, { number }: ServerMessage<"howFar">): void {
  if (isMaster(step)) step.ctx.reply({ type: "soFar", number, place: step.state.place });
}

/** The master has said how far it was. */
export function onSoFar(step: ServerStep, { number, place }: ServerMessage<"soFar">): void {
  const { state: { questions }, ctx, rules } = step;
  const askedAt = questions.get(number);
  if (askedAt === undefined || !ctx.attrs.servers.includes(ctx.from)) return;
  questions.delete(number);
  learn(step, { place, at: rules.freshSince(askedAt, ctx.now) });
}

/** A later moment, at which the place was no earlier. */
function learn({ state }: ServerStep, found: Evidence): void {
  const last = state.evidence.at(-1);
  // An answer that was overtaken.
  if (last !== undefined && (found.at < last.at || found.place < last.place)) return;
  if (last?.place === found.place) state.evidence.pop();
  // Not the first: it is the latest that the replica is known to have reached.
  else if (state.evidence.length >= evidenceMax) state.evidence.splice(1, 1);
  state.evidence.push(found);
}

/** Reads what the replica has. */
export function onStaleRead(
  step: ServerStep,
  { client, number, operation }: ServerMessage<"staleRead">,
): void {
  const { state, ctx } = step;
  const { staleReads } = state;
  const { replica } = ctx.attrs;
  const read = { from: ctx.from, client, number };
  // What was taken from a message is JSON, and nobody changes it.
  if (replica === undefined || !isRead(operation as GobbyOperation)) return answer(step, read);
  for (const [oldest, left] of staleReads) {
    if (staleReads.size < staleReadsMax) break;
    staleReads.delete(oldest);
    answer(step, left);
  }
  const id = ++state.asked;
  staleReads.set(id, read);
  ctx.sendTo(replica, { type: "look", id, operation: { kind: "reads", operations: [operation] } });
}

/** Takes what the replica has answered. */
export function onStaleLooked(step: ServerStep, { id, result }: ServerMessage<"looked">): void {
  const { state, ctx, rules } = step;
  const read = state.staleReads.get(id);
  if (read === undefined) return;
  state.staleReads.delete(id);
  const found = readsOf(result);
  const [done] = found?.answers ?? [];
  if (found === undefined || done?.kind !== "done") return answer(step, read);
  // The master need not ask itself.
  if (isMaster(step)) learn(step, { place: state.place, at: ctx.now });
  const reached = state.evidence.findLastIndex(({ place }) => rules.includes(found.place, place));
  const since = state.evidence[reached];
  if (since === undefined) return answer(step, read);
  state.evidence.splice(0, reached);
  const ageMs = rules.lastedMs(ctx.now - since.at, ctx.attrs.clockDriftPpm);
  const { result: copied } = done;
  ctx.note("gobby.old_read", { revision: "revision" in copied ? copied.revision : null, ageMs });
  answer(step, read, { result: copied, ageMs });
}

/** Answers, or says that it cannot. */
function answer(
  { ctx }: ServerStep,
  { from, client, number }: StaleRead,
  { result, ageMs }: { result: GobbyResult | null; ageMs: number | null } = unknown,
): void {
  ctx.sendTo(from, { type: "staleReply", client, number, result, ageMs });
}

const unknown = { result: null, ageMs: null };
