// Who leads: the latest ballot that was heard of, and how a leader gives way to a later one.

import { type Ballot, compareBallots, isSameBallot } from "./ballot.ts";
import type { Leader } from "./state.ts";
import { beginPatience, type Step } from "./step.ts";

/** How many times the least patience leaders that duel may come to wait. */
const backOffMax = 64;

/** A ballot was heard of. Section 2.2: a leader of an earlier one is pre-empted. */
export function hearBallot(step: Step, ballot: Ballot): void {
  const { state, ctx, rules } = step;
  const { leader } = state;
  if (compareBallots(ballot, state.ballot) > 0) state.ballot = ballot;
  if (leader === undefined || !rules.isPreempted(leader.ballot, ballot)) return;
  ctx.note("paxos.preempted", { round: leader.ballot.round, by: { ...ballot } });
  backOff(step);
  resign(step);
  beginPatience(step);
}

/** The leader of a ballot was heard, which leads if there is no later one. */
export function hearLeader(step: Step, ballot: Ballot): void {
  const { state, ctx } = step;
  hearBallot(step, ballot);
  if (isSameBallot(ballot, state.ballot)) state.heardAt = ctx.now;
}

/** How far a leader says that all is decided, in every message that it sends to acceptors. */
export function announce({ state, rules }: Step, leader: Leader): number {
  return rules.announcement(state.decided, leader.announced);
}

/** Section 3: leaders that duel wait longer and longer, until one of them has the time that it needs. */
export function backOff({ state, ctx, rules }: Step): void {
  const { viewChangeMs } = ctx.attrs;
  state.backOffMs = rules.increasedBackOff(state.backOffMs, backOffMax * viewChangeMs);
}

/** Leads no longer. What was proposed may still be decided, by the next leader. */
export function resign({ state, ctx }: Step): void {
  state.leader = undefined;
  // The clients ask again, and the sessions answer.
  state.queue = [];
  state.pending.clear();
  state.waiting.clear();
  ctx.clearTimer("heartbeat");
}
