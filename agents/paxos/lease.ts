// Reads at the leader without a slot: section 4.5. Off unless a grid says `leaseMs`.
//
// An acceptor that answers a leader promises to promise no other leader's ballot for `leaseMs`, and says which message
// it answers. The leader counts from the moment at which it sent that message, by its own clock, which is earlier; and
// it counts less, by what both clocks may be wrong. No two clocks are ever compared.

import type { AgentId } from "../../core/id.ts";
import type { AnyMachine } from "../machine/machine.ts";
import { countedMs } from "../vr/lease.ts";
import { type Ballot, isSameBallot } from "./ballot.ts";
import type { Paxos } from "./protocol.ts";
import type { Leader } from "./state.ts";
import { isAcceptor, isLeading, quorumOf, type Step } from "./step.ts";

type Stamp = Pick<Paxos<"p2b">, "lease">;

/** What the leader adds to its messages so that their answers renew its lease. */
export function leaseStamp({ state, ctx }: Step): Stamp {
  const { starts } = state.durable;
  return ctx.attrs.leaseMs > 0 ? { lease: { start: starts, sentAt: ctx.now } } : {};
}

/** An acceptor promises to the leader of the latest ballot, by answering the message that carried `lease`. */
export function grant(step: Step, ballot: Ballot, { lease }: Stamp): Stamp {
  const { state, ctx } = step;
  const { leaseMs } = ctx.attrs;
  if (lease === undefined || leaseMs === 0 || !isAcceptor(step)) return {};
  if (!isSameBallot(ballot, state.ballot) || !mayGrant(step, ballot.leader)) return {};
  state.promisedUntil = Math.max(state.promisedUntil, ctx.now + leaseMs);
  state.promisedTo = ballot.leader;
  return { lease };
}

/** Whether a leader has the lease, or nobody has it. */
export function mayGrant(step: Step, leader: AgentId): boolean {
  return leader === step.state.promisedTo || promisedMs(step) === 0;
}

/** What was granted before a crash is not on the disk; none of it lasts longer than what is granted now. */
export function renewForgottenGrants({ state, ctx }: Step): void {
  state.promisedUntil = ctx.now + ctx.attrs.leaseMs;
  state.promisedTo = undefined;
}

/** How long this acceptor may promise no other ballot yet; 0 if it may. */
export function promisedMs({ state, ctx }: Step): number {
  return Math.max(0, state.promisedUntil - ctx.now);
}

/** The leader takes note of a grant. */
export function takeGrant({ state, ctx }: Step, leader: Leader, { lease }: Stamp): void {
  const { leaseMs, clockDriftPpm } = ctx.attrs;
  // The clock of another life was another clock.
  if (lease === undefined || lease.start !== state.durable.starts) return;
  const until = lease.sentAt + countedMs(leaseMs, clockDriftPpm);
  leader.grants.set(ctx.from, Math.max(until, leader.grants.get(ctx.from) ?? 0));
}

/** Whether this member may answer a read from what it has carried out. */
export function mayRead(
  step: Step,
  machine: AnyMachine,
  operation: Parameters<AnyMachine["isRead"]>[0],
): boolean {
  const { state, ctx, rules } = step;
  const { leader } = state;
  return ctx.attrs.leaseMs > 0 && leader !== undefined && isLeading(step) &&
    machine.isRead(operation) &&
    // What an earlier leader has answered may still be on its way to being carried out here.
    state.executed >= leader.adoptedTop &&
    rules.holdsLease(leader.grants.values(), ctx.now, quorumOf(step));
}
