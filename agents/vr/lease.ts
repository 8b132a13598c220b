// Reads at the primary without a PREPARE: section 6.3.1. Off unless a grid says `leaseMs`.
//
// A backup that acknowledges a message of its primary promises not to vote for another one for `leaseMs`, and says
// which message it was. The primary counts from the moment at which it sent that message, by its own clock, which is
// earlier; and it counts less, by what both clocks may be wrong. No two clocks are ever compared.

import type { AgentId } from "../../core/id.ts";
import type { AnyMachine } from "../machine/machine.ts";
import type { Vr } from "./protocol.ts";
import { isActingPrimary, quorumOf, type Step } from "./step.ts";

const million = 1_000_000;

type Stamp = Pick<Vr<"prepareOk">, "lease">;

/**
 * How long the primary may count on a promise of `leaseMs`. The backup's clock may run fast, and end the promise
 * after leaseMs / (1 + drift); the primary's may run slow, and measure that as leaseMs (1 - drift) / (1 + drift).
 */
export function countedMs(leaseMs: number, clockDriftPpm: number): number {
  return Math.floor(leaseMs * (million - clockDriftPpm) / (million + clockDriftPpm));
}

/** What the primary adds to its messages so that their acknowledgements renew its lease. */
export function leaseStamp({ state, ctx }: Step): Stamp {
  const { starts } = state.durable;
  return ctx.attrs.leaseMs > 0 ? { lease: { start: starts, sentAt: ctx.now } } : {};
}

/** A backup promises to its primary, by acknowledging the message that carried `lease`. */
export function promise({ state, ctx }: Step, { lease }: Stamp): Stamp {
  const { leaseMs } = ctx.attrs;
  if (lease === undefined || leaseMs === 0) return {};
  state.promisedUntil = Math.max(state.promisedUntil, ctx.now + leaseMs);
  return { lease };
}

/**
 * The promises that a replica may have made before it crashed are not on its disk; none of them lasts longer than
 * one that is made now.
 */
export function renewForgottenPromises({ state, ctx }: Step): void {
  state.promisedUntil = ctx.now + ctx.attrs.leaseMs;
}

/** How long this replica may not vote for another primary yet; 0 if it may. */
export function promisedMs({ state, ctx }: Step): number {
  return Math.max(0, state.promisedUntil - ctx.now);
}

/** The primary takes note of a backup's promise. */
export function takeGrant({ state, ctx }: Step, from: AgentId, { lease }: Stamp): void {
  const { leaseMs, clockDriftPpm } = ctx.attrs;
  // The clock of another life was another clock.
  if (lease === undefined || lease.start !== state.durable.starts) return;
  const until = lease.sentAt + countedMs(leaseMs, clockDriftPpm);
  state.grants.set(from, Math.max(until, state.grants.get(from) ?? 0));
}

/** Whether this replica may answer a read from what it has executed. */
export function mayRead(
  step: Step,
  machine: AnyMachine,
  operation: Parameters<AnyMachine["isRead"]>[0],
) {
  const { state, ctx, rules } = step;
  return ctx.attrs.leaseMs > 0 && isActingPrimary(step) && machine.isRead(operation) &&
    // What an earlier primary has answered may still be on its way to being executed here.
    state.commit >= state.viewOp &&
    rules.holdsLease(state.grants.values(), ctx.now, quorumOf(step));
}
