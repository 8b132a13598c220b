// Who is taken for dead: section 3. A leader pings, and whoever does not hear it for long enough sets out to lead.

import { announce, backOff, hearBallot, hearLeader, resign } from "./leadership.ts";
import { isSameBallot } from "./ballot.ts";
import { writeDecisions } from "./known.ts";
import { learnUpTo } from "./learn.ts";
import { grant, leaseStamp, promisedMs, takeGrant } from "./lease.ts";
import type { Paxos } from "./protocol.ts";
import { startScout } from "./scout.ts";
import type { Leader } from "./state.ts";
import {
  beginPatience,
  configurationOf,
  drawPatienceMs,
  hasQuorum,
  isAcceptor,
  isLeading,
  isMember,
  othersOf,
  quorumOf,
  sendToOthers,
  stampOf,
  type Step,
} from "./step.ts";

/** The leader shows that it is there, and says how far all is decided. */
export function onHeartbeat(step: Step): void {
  const { state, ctx } = step;
  const { leader } = state;
  if (leader === undefined || !isLeading(step)) return;
  const { epoch } = configurationOf(step);
  const { ballot } = leader;
  const decided = announce(step, leader);
  sendToOthers(step, { type: "ping", epoch, ballot, decided, ...leaseStamp(step) });
  leader.announced = state.decided;
  writeDecisions(step);
  ctx.setTimer("heartbeat", ctx.attrs.heartbeatMs);
}

/** A leader is there. Whoever is no acceptor listens as well, and answers nothing. */
export function onPing(step: Step, message: Paxos<"ping">): void {
  const { state, ctx } = step;
  const { ballot, decided } = message;
  if (ballot.leader !== ctx.from) return;
  hearLeader(step, ballot);
  learnUpTo(step, ctx.from, ballot, decided);
  if (!isAcceptor(step)) return;
  ctx.reply({
    type: "pong",
    ...stampOf(step),
    decided: state.decided,
    ...grant(step, ballot, message),
  });
}

/** An acceptor is there. */
export function onPong(step: Step, message: Paxos<"pong">): void {
  const { state, ctx } = step;
  hearBallot(step, message.ballot);
  const { leader } = state;
  if (leader === undefined || !isMember(step, ctx.from)) return;
  // It may have heard of this ballot only, or promised nothing: it is there all the same.
  leader.heard.set(ctx.from, ctx.now);
  if (isSameBallot(leader.ballot, message.ballot)) takeGrant(step, leader, message);
}

/** The time that a silent leader has is over. */
export function onPatienceEnd(step: Step): void {
  const { state, ctx, rules } = step;
  const { leader } = state;
  if (!isAcceptor(step)) return;
  if (leader?.scout !== undefined) return onScoutDelayed(step, leader);
  const heardAt = leader === undefined ? state.heardAt : quorumHeardAt(step, leader);
  if (heardAt + state.patienceMs > ctx.now) {
    // This leader has lasted.
    state.backOffMs = rules.decreasedBackOff(state.backOffMs, ctx.attrs.viewChangeMs);
    state.patienceMs = drawPatienceMs(step);
  }
  const restMs = Math.max(heardAt + state.patienceMs - ctx.now, promisedMs(step));
  if (restMs > 0) return ctx.setTimer("patience", restMs);
  backOff(step);
  if (leader === undefined) return startScout(step);
  // A leader whose messages arrive, and who hears nobody, would keep the others from finding one that can decide.
  ctx.note("paxos.unheard", { round: leader.ballot.round });
  resign(step);
  beginPatience(step);
}

/**
 * A scout without a quorum asks on in the same ballot, and pre-empts nobody but once. One that has a quorum waits for
 * decisions, and whoever knew them may be dead by now: another quorum may know what was accepted instead.
 */
function onScoutDelayed(step: Step, { scout }: Leader): void {
  if (scout !== undefined && hasQuorum(step, scout)) {
    backOff(step);
    startScout(step);
  } else beginPatience(step);
}

/** Until when a quorum was heard. */
function quorumHeardAt(step: Step, { heard }: Leader): number {
  const others = othersOf(step).map((agent) => heard.get(agent) ?? 0).sort((a, b) => b - a);
  const missing = quorumOf(step) - 1;
  return missing === 0 ? step.ctx.now : others[missing - 1] ?? step.ctx.now;
}
