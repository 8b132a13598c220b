// Scouts: section 2.4. A member that wants to lead has a quorum promise its ballot, and learns from it what may have been
// chosen in earlier ones.

import type { AgentId } from "../../core/id.ts";
import { answerP1a } from "./acceptor.ts";
import { hearBallot, resign } from "./leadership.ts";
import { beginLearning } from "./learn.ts";
import { promisedMs } from "./lease.ts";
import type { Paxos } from "./protocol.ts";
import type { Leader, PaxosState, Scout } from "./state.ts";
import {
  beginPatience,
  configurationOf,
  hasQuorum,
  isAcceptor,
  newPoll,
  othersOf,
  type Step,
} from "./step.ts";

/** Sets out to lead, with a ballot that is later than all that were heard of. */
export function startScout(step: Step): void {
  const { state, ctx } = step;
  resign(step);
  // What this member has promised is on its disk, so that no ballot of an earlier life comes again.
  const ballot = { round: state.ballot.round + 1, leader: ctx.self };
  const after = state.decided;
  const scout: Scout = {
    ...newPoll(step),
    after,
    reported: new Map(),
    pvalues: new Map(),
    decided: after,
  };
  state.ballot = ballot;
  state.leader = newLeader(ballot, scout);
  ctx.note("paxos.scout", { epoch: configurationOf(step).epoch, round: ballot.round });
  beginPatience(step);
  for (const acceptor of scout.acceptors) askForPromise(step, scout, acceptor);
}

/** Somebody who shares this member's box would rather have the leader here. One that is behind would keep all waiting. */
export function onLead(step: Step): void {
  const { leader, learning } = step.state;
  if (!isAcceptor(step) || leader !== undefined || learning !== undefined) return;
  if (promisedMs(step) === 0) startScout(step);
}

function newLeader(ballot: Leader["ballot"], scout: Scout): Leader {
  return {
    ballot,
    scout,
    commanders: new Map(),
    adopted: new Map(),
    adoptedTop: 0,
    next: 0,
    heard: new Map(),
    grants: new Map(),
    announced: 0,
  };
}

function askForPromise(step: Step, scout: Scout, acceptor: AgentId): void {
  const { state, ctx } = step;
  const { ballot } = state;
  const after = scout.reported.get(acceptor) ?? scout.after;
  scout.asked.add(acceptor);
  if (acceptor !== ctx.self) {
    const { epoch } = configurationOf(step);
    return ctx.sendTo(acceptor, { type: "p1a", epoch, ballot, after });
  }
  const answer = answerP1a(step, { ballot, after });
  if (answer !== undefined) takeP1b(step, ctx.self, answer);
}

/** Asks again those that have not answered. */
export function resendP1a(step: Step, scout: Scout): void {
  scout.askedAt = step.ctx.now;
  for (const acceptor of scout.acceptors) {
    if (!scout.answered.has(acceptor)) askForPromise(step, scout, acceptor);
  }
}

/** An acceptor has answered a scout. */
export function onP1b(step: Step, message: Paxos<"p1b">): void {
  hearBallot(step, message.ballot);
  takeP1b(step, step.ctx.from, message);
}

function takeP1b(step: Step, from: AgentId, message: Paxos<"p1b">): void {
  const { state, rules } = step;
  const { leader } = state;
  const scout = leader?.scout;
  if (leader === undefined || scout === undefined) return;
  if (!rules.isConsent(leader.ballot, message) || !scout.acceptors.includes(from)) return;
  const reported = scout.reported.get(from) ?? scout.after;
  // The part before is not here yet, and was asked for.
  if (message.after > reported) return;
  for (const { slot, ballot, value } of message.pvalues) {
    scout.pvalues.set(slot, rules.latest(scout.pvalues.get(slot), { ballot, value }));
  }
  scout.reported.set(from, Math.max(reported, message.until));
  scout.decided = Math.max(scout.decided, message.decided);
  if (!message.more) scout.answered.add(from);
  else if (message.until > reported) askForPromise(step, scout, from);
  if (message.decided > state.decided) {
    beginLearning(step, from, message.decided);
  }
  if (hasQuorum(step, scout)) tryLead(step);
}

/** Section 2.4: a quorum has promised. What it may have chosen is proposed again, once all is known that it has decided. */
export function tryLead(step: Step): void {
  const { state, ctx, rules } = step;
  const { leader } = state;
  const scout = leader?.scout;
  if (leader === undefined || scout === undefined || !hasQuorum(step, scout)) return;
  const decided = state.decided;
  if (!rules.mayLead(decided, scout)) return;
  leader.scout = undefined;
  leader.next = decided + 1;
  leader.adoptedTop = decided;
  adopt(state, leader, scout, decided);
  for (const agent of othersOf(step)) leader.heard.set(agent, ctx.now);
  state.learning = undefined;
  beginPatience(step);
  ctx.setTimer("heartbeat", 0);
  ctx.note("paxos.leads", {
    epoch: configurationOf(step).epoch,
    round: leader.ballot.round,
    decided,
    adopted: leader.adopted.size,
  });
}

function adopt(state: PaxosState, leader: Leader, { pvalues }: Scout, decided: number): void {
  for (const [slot, { value }] of pvalues) {
    if (slot <= decided) continue;
    leader.adopted.set(slot, value);
    leader.adoptedTop = Math.max(leader.adoptedTop, slot);
    // What is on its way to its slot must not be given another one.
    for (const { client, session, request } of value) {
      state.pending.set(client, { session, request });
    }
  }
}
