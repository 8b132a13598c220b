// Reads that may be old: they wait for no turn, and any server will do. The servers are asked in turn, beginning with
// any. If those that answer cannot say what is young enough, the master is asked as for any other read; while nobody
// answers at all, there is hope of the next.

import type { Json } from "../../core/data.ts";
import type { AgentId } from "../../core/id.ts";
import { answer, ask, failed } from "./client_requests.ts";
import { asksMax, type ClientStep, type StaleAsk } from "./client_state.ts";
import { isRead } from "./machine.ts";
import { gobbyOperation } from "./machine_operation.ts";
import type { ClientMessage } from "./protocol.ts";

/** What is asked, and how old the answer may be. */
export interface WantedStale {
  readonly user: AgentId;
  readonly id: number;
  readonly operation: Json;
  readonly maxAgeMs: number;
  readonly deadlineMs?: number | undefined;
}

/** Asks for something that may be old. */
export function askStale(step: ClientStep, wanted: WantedStale): void {
  const { state, ctx } = step;
  const { user, id, operation, maxAgeMs, deadlineMs = ctx.attrs.deadlineMs } = wanted;
  const number = ++state.asked;
  const asked = { number, user, id, operation, session: false };
  const parsed = gobbyOperation.safeParse(operation);
  if (!parsed.success || !isRead(parsed.data)) {
    return answer(step, asked, failed(true, "only a read can be old"));
  }
  if (state.stale.size >= asksMax) {
    return answer(step, asked, failed(true, `${asksMax} reads are under way`));
  }
  const first = Math.floor(ctx.random() * ctx.attrs.servers.length);
  const { now: askedAt } = ctx;
  const stale = { ask: asked, read: parsed.data, maxAgeMs, deadlineMs, askedAt, sentAt: askedAt };
  state.stale.set(number, { ...stale, first, tries: 0, refused: false });
  ctx.setTimer("deadline", deadlineMs, String(number));
  send(step, number);
}

/** Asks the next server. */
function send(step: ClientStep, number: number): void {
  const { state, ctx } = step;
  const { servers, retryMs, retryMsMax } = ctx.attrs;
  const stale = state.stale.get(number);
  if (stale === undefined) return;
  const round = Math.floor(stale.tries / servers.length);
  if (round > 0 && stale.refused) return askMaster(step, stale);
  stale.sentAt = ctx.now;
  const { read: operation } = stale;
  ctx.sendTo(serverOf(step, stale), {
    type: "staleRead",
    client: state.name,
    number,
    operation,
  });
  const ms = Math.min(retryMs * (round + 1), retryMsMax);
  ctx.setTimer("stale", [ms, 1.5 * ms], String(number));
}

/** Whom it is asked of. */
function serverOf({ ctx: { self, attrs: { servers } } }: ClientStep, { first, tries }: StaleAsk) {
  return servers[(first + tries) % servers.length] ?? self;
}

function askMaster(step: ClientStep, { ask: asked, askedAt, deadlineMs }: StaleAsk): void {
  const { ctx } = step;
  endStale(step, asked.number);
  const leftMs = Math.max(1, Math.ceil(askedAt + deadlineMs - ctx.now));
  ask(step, { ...asked, saysAge: true, deadlineMs: leftMs });
}

/** The server that was asked last has not answered, or could not. */
export function askNextServer(step: ClientStep, number: number): void {
  const stale = step.state.stale.get(number);
  if (stale === undefined) return;
  stale.tries++;
  send(step, number);
}

/** Takes an answer. */
export function onStaleReply(
  step: ClientStep,
  { number, result, ageMs }: ClientMessage<"staleReply">,
): void {
  const { state, ctx, rules } = step;
  const stale = state.stale.get(number);
  if (stale === undefined) return;
  const isLast = serverOf(step, stale) === ctx.from;
  // It has grown older on its way, which did not begin before the question was sent.
  const sinceMs = ctx.now - (isLast ? stale.sentAt : stale.askedAt);
  const totalMs = (ageMs ?? Infinity) + rules.lastedMs(sinceMs, ctx.attrs.clockDriftPpm);
  if (result === null || totalMs > stale.maxAgeMs) {
    stale.refused = true;
    if (isLast) askNextServer(step, number);
    return;
  }
  endStale(step, number);
  answer(step, stale.ask, { kind: "done", result, ageMs: totalMs });
}

/** There was no answer in time. Gives whether that is what was asked under this number. */
export function onStaleDeadline(step: ClientStep, number: number): boolean {
  const stale = step.state.stale.get(number);
  if (stale === undefined) return false;
  endStale(step, number);
  answer(step, stale.ask, failed(true, "there was no answer in time"));
  return true;
}

function endStale({ state, ctx }: ClientStep, number: number): void {
  state.stale.delete(number);
  ctx.clearTimer("stale", String(number));
  ctx.clearTimer("deadline", String(number));
}
