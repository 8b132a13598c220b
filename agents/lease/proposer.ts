// The proposer: asks all acceptors whether they are open, and proposes itself as the owner if a majority is. Sections
// 3 and 5 to 7.

import type { DirectMessage } from "../../core/agent.ts";
import type { AgentId } from "../../core/id.ts";
import { acceptedLease } from "./acceptor.ts";
import type { Ballot, Lease, LeaseProtocol } from "./protocol.ts";
import {
  type AcceptedLease,
  type Attempt,
  isSame,
  type LeaseState,
  type OwnedLease,
} from "./state.ts";
import type { LeaseStep } from "./step.ts";

// Whole numbers up to this are exact as JSON.
const lifeCount = 2 ** 52;

/** How often the pause after an attempt that was thwarted doubles, at most. */
const doublingsMax = 4;

/** The longest pause after an attempt that was thwarted. */
export function pauseMsMax(retryMs: number): number {
  return retryMs * 2 ** doublingsMax;
}

/** A proposer that has just started owns nothing. */
export function startProposer({ state, ctx }: LeaseStep): void {
  // No ballot may be used twice, also by two lives of a node. Section 2 keeps a counter of starts on the disk; here
  // each life is known by a number of 52 bits that it draws. The host gives every start of a box a stream of its own,
  // so that lives of one node draw alike with a chance of one in 4 * 10^15.
  state.proposer.life = Math.floor(ctx.random() * lifeCount);
  state.proposer.nextAt = ctx.now;
}

/** The lease that the node owns, if it is not over. */
export function ownedLease({ proposer }: LeaseState, now: number): OwnedLease | undefined {
  return proposer.owned !== undefined && now < proposer.owned.until ? proposer.owned : undefined;
}

/** From now on the node wants the lease. */
export function acquire({ state: { proposer }, ctx }: LeaseStep): void {
  if (proposer.wants) return;
  proposer.wants = true;
  proposer.nextAt = ctx.now;
}

/** Section 7: the node does not want the lease any more, and gives it up if it has it. */
export function release(step: LeaseStep): void {
  const { state: { proposer }, ctx } = step;
  const { owned, attempt } = proposer;
  proposer.wants = false;
  // First it stops to own it, and only then tells the acceptors.
  proposer.owned = proposer.attempt = undefined;
  const ballot = attempt?.ballot ?? owned?.ballot;
  if (ballot === undefined) return;
  if (owned !== undefined) ctx.note("lease.released", { ballot });
  sendToAll(step, { type: "released", ballot });
}

/** Does what is due by now. */
export function advance(step: LeaseStep): void {
  const { state: { acceptor, proposer }, ctx, options } = step;
  const { owned, attempt } = proposer;
  if (owned !== undefined && ownedLease(step.state, ctx.now) === undefined) {
    proposer.owned = undefined;
    ctx.note("lease.expired", { ballot: owned.ballot });
  }
  if (attempt !== undefined && ctx.now >= attempt.endsAt) giveUp(step, attempt);
  if (!proposer.wants || proposer.attempt !== undefined) return;
  // Rivals that thwarted each other do so no more when one has won: from then on everybody has its turn again.
  const isDue = ctx.now >= proposer.nextAt;
  if (!isDue && proposer.thwarted === 0) return;
  if (isDue && proposer.owned !== undefined) return prepare(step);
  // While its own acceptor holds another's lease, to ask would only raise the ballots that the owner has to outbid.
  const held = heldByAnother(step);
  if (held !== undefined) {
    proposer.thwarted = 0;
    proposer.nextAt = held.until + turnMs(step, held.ballot.node);
    return;
  }
  if (!isDue) return;
  // Another has just asked: it gets its chance, and is not thwarted by a higher ballot half-way.
  const { retryMs } = options;
  const rivalUntil = (acceptor.rivalAt ?? -Infinity) + retryMs;
  if (ctx.now >= rivalUntil) prepare(step);
  else proposer.nextAt = rivalUntil + Math.floor(ctx.random() * retryMs);
}

function heldByAnother(step: LeaseStep): AcceptedLease | undefined {
  const { state: { proposer: { life } }, ctx: { self }, rules } = step;
  const accepted = acceptedLease(step);
  if (accepted === undefined) return undefined;
  const own: Ballot = { number: 0, node: self, life };
  return rules.isOpen(accepted.ballot, own) ? undefined : accepted;
}

/** When {@linkcode advance} has something to do again; undefined if never. */
export function nextMoment({ proposer }: LeaseState): number | undefined {
  const { owned, attempt, wants, nextAt } = proposer;
  const moments: number[] = [];
  if (owned !== undefined) moments.push(owned.until);
  if (attempt !== undefined) moments.push(attempt.endsAt);
  else if (wants) moments.push(nextAt);
  return moments.length === 0 ? undefined : Math.min(...moments);
}

/** Section 3, step 1. */
function prepare(step: LeaseStep): void {
  const { state: { acceptor, proposer }, ctx, options: { nodes, leaseMs, roundMs } } = step;
  // Acceptors that do not hold the owner's lease yet listen to its rivals, each of whom may have raised the ballot since
  // the owner heard of it last; the owner outbids them all, so that they come to hold it.
  const heard = Math.max(proposer.number, acceptor.promised?.number ?? 0);
  proposer.number = heard + (proposer.won ? nodes.length : 1);
  const ballot: Ballot = { number: proposer.number, node: ctx.self, life: proposer.life };
  proposer.attempt = {
    ballot,
    askedAt: ctx.now,
    endsAt: ctx.now + roundMs,
    renews: ownedLease(step.state, ctx.now) !== undefined,
    phase: "prepare",
    open: [],
    accepted: [],
    held: new Map(),
    refused: new Set(),
  };
  sendToAll(step, { type: "prepareRequest", ballot, leaseMs });
}

/** Section 3, step 3. */
export function onPrepareResponse(
  step: LeaseStep,
  from: AgentId,
  { ballot, answer }: Lease<"prepareResponse">,
): void {
  const attempt = attemptOf(step, from, ballot, "prepare");
  if (attempt === undefined) return;
  const { options, rules, state: { proposer } } = step;
  switch (answer.kind) {
    case "open":
      attempt.open = rules.countAnswer(attempt.open, from);
      if (attempt.open.length < rules.majority(options.nodes.length)) return;
      attempt.phase = "propose";
      attempt.refused.clear();
      return sendToAll(step, { type: "proposeRequest", ballot, leaseMs: options.leaseMs });
    case "held":
      proposer.number = Math.max(proposer.number, answer.number);
      attempt.held.set(from, answer.leftMs);
      return giveUpIfHopeless(step, attempt);
    case "refused":
      proposer.number = Math.max(proposer.number, answer.number);
      attempt.refused.add(from);
      return giveUpIfHopeless(step, attempt);
  }
}

/** Section 3, step 5. */
export function onProposeResponse(
  step: LeaseStep,
  from: AgentId,
  { ballot, accepted, number }: Lease<"proposeResponse">,
): void {
  const attempt = attemptOf(step, from, ballot, "propose");
  if (attempt === undefined) return;
  const { options, rules, state: { proposer } } = step;
  if (!accepted) {
    proposer.number = Math.max(proposer.number, number);
    attempt.refused.add(from);
    return giveUpIfHopeless(step, attempt);
  }
  attempt.accepted = rules.countAnswer(attempt.accepted, from);
  if (attempt.accepted.length >= rules.majority(options.nodes.length)) own(step, attempt);
}

/** A majority has accepted. */
function own({ state, ctx, options, rules }: LeaseStep, attempt: Attempt): void {
  const { proposer } = state;
  const { leaseMs, clockDriftPpm, renewMs } = options;
  const until = rules.countedFrom(attempt, ctx.now) + rules.countedMs(leaseMs, clockDriftPpm);
  proposer.attempt = undefined;
  proposer.won = true;
  proposer.thwarted = 0;
  proposer.nextAt = attempt.askedAt + renewMs;
  // The answers took so long that the lease is over by now.
  if (until <= ctx.now) return;
  const before = ownedLease(state, ctx.now);
  proposer.owned = { ballot: attempt.ballot, until: Math.max(until, before?.until ?? 0) };
  ctx.note(before === undefined ? "lease.acquired" : "lease.renewed", { ballot: attempt.ballot });
}

/** Section 7: whoever waits for a lease to run out that is given up need not any more. */
export function onRivalReleased(step: LeaseStep, from: AgentId): void {
  const { state: { proposer }, ctx } = step;
  // Who was thwarted has another reason to wait.
  if (proposer.owned !== undefined || proposer.thwarted > 0 || from === ctx.self) return;
  proposer.nextAt = Math.min(proposer.nextAt, ctx.now + turnMs(step, from));
}

/** The attempt that an answer of an acceptor is for, if it is for the one under way. */
function attemptOf(
  { state: { proposer: { attempt } }, options }: LeaseStep,
  from: AgentId,
  ballot: Ballot,
  phase: Attempt["phase"],
): Attempt | undefined {
  if (attempt === undefined || attempt.phase !== phase) return undefined;
  return isSame(attempt.ballot, ballot) && options.nodes.includes(from) ? attempt : undefined;
}

/** Gives an attempt up as soon as too many have said no. */
function giveUpIfHopeless(step: LeaseStep, attempt: Attempt): void {
  const { options: { nodes, retryMs }, ctx, rules } = step;
  // Those who have not answered by then are dead, or as good as that: no use to wait for them against one who says no.
  attempt.endsAt = Math.min(attempt.endsAt, ctx.now + retryMs);
  // Who holds another's lease when it is asked may hold it no more when the proposal comes.
  const no = new Set(attempt.refused);
  if (attempt.phase === "prepare") { for (const node of attempt.held.keys()) no.add(node); }
  if (nodes.length - no.size >= rules.majority(nodes.length)) return;
  if (attempt.refused.size > 0) ctx.note("lease.preempted", { ballot: attempt.ballot });
  giveUp(step, attempt);
}

function giveUp(step: LeaseStep, attempt: Attempt): void {
  const { state, ctx, options: { nodes, retryMs }, rules } = step;
  const { proposer } = state;
  proposer.attempt = undefined;
  proposer.won = false;
  // Some may have accepted, and would refuse all others for a lease that nobody will own. While an earlier lease is
  // owned they must not forget that.
  if (attempt.phase === "propose" && ownedLease(state, ctx.now) === undefined) {
    sendToAll(step, { type: "released", ballot: attempt.ballot });
  }
  // As many of those who hold another's lease as a majority lacks must be free of it first.
  const left = [...attempt.held.values()].sort((a, b) => a - b);
  const missing = rules.majority(nodes.length) - attempt.open.length;
  const heldMs = left[Math.min(missing, left.length) - 1] ?? 0;
  if (heldMs > 0) {
    proposer.thwarted = 0;
    // Whose it is the answers do not say, but whose the own acceptor held last is as good a guess as any.
    const owner = state.acceptor.accepted?.ballot.node;
    proposer.nextAt = ctx.now + Math.ceil(heldMs) + turnMs(step, owner);
    return;
  }
  // Who merely hears nothing has no rival to give way to.
  if (attempt.refused.size > 0) proposer.thwarted++;
  // Left to chance, and longer each time, lest two proposers thwart each other for ever: section 5.
  const pauseMs = retryMs * 2 ** Math.min(proposer.thwarted, doublingsMax);
  proposer.nextAt = ctx.now + Math.floor(ctx.random() * pauseMs);
}

/**
 * How long after the end of another's lease a node asks for it. Each has its turn, so that the first that is there gets
 * the lease before the next asks, and they do not thwart each other. Whoever comes next in the order is first, and the
 * owner is last: it may be dead, and nobody waits for the turn of a dead one.
 */
function turnMs(
  { ctx, options: { nodes, retryMs } }: LeaseStep,
  owner: AgentId | undefined,
): number {
  const place = Math.max(0, nodes.indexOf(ctx.self));
  // Without an owner the first in the order is first.
  const after = owner === undefined ? -1 : nodes.indexOf(owner);
  return (place - after - 1 + nodes.length) % nodes.length * retryMs;
}

function sendToAll({ ctx, options }: LeaseStep, message: DirectMessage<LeaseProtocol>): void {
  for (const node of options.nodes) ctx.sendTo(node, message);
}
