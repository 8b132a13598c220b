// The acceptor: section 2.2. It promises ballots and accepts in them, and has both on disk before anybody hears of it.

import { type Ballot, isSameBallot } from "./ballot.ts";
import { partLengthMax } from "../vr/protocol.ts";
import { writeDecisions } from "./known.ts";
import { hearBallot, hearLeader } from "./leadership.ts";
import { learnUpTo } from "./learn.ts";
import { grant, mayGrant } from "./lease.ts";
import { type Paxos, windowMax } from "./protocol.ts";
import { configurationOf, type Step } from "./step.ts";

/** A scout's question, less who it is from. */
export type P1a = Pick<Paxos<"p1a">, "ballot" | "after">;

/** A commander's question, less who it is from. */
export type P2a = Pick<Paxos<"p2a">, "ballot" | "slot" | "value">;

/** A scout asks for a promise. */
export function onP1a(step: Step, message: Paxos<"p1a">): void {
  const { ctx } = step;
  if (message.ballot.leader !== ctx.from) return;
  const answer = answerP1a(step, message);
  if (answer !== undefined) ctx.reply(answer);
}

/** What to answer a scout, which may be this member's own; undefined if it has to wait. */
export function answerP1a(step: Step, { ballot, after }: P1a): Paxos<"p1b"> | undefined {
  const { state, rules } = step;
  if (rules.mayPromise(ballot, state.promised)) {
    // Whoever has a lease has it until it ends. The scout asks again.
    if (!mayGrant(step, ballot.leader)) return undefined;
    hearBallot(step, ballot);
    promise(step, ballot);
  }
  const answer = {
    type: "p1b",
    epoch: configurationOf(step).epoch,
    ballot: state.promised,
    asked: ballot,
    decided: state.decided,
    after,
  } as const;
  return isSameBallot(ballot, state.promised)
    ? { ...answer, ...acceptedAfter(step, after) }
    : { ...answer, until: after, more: false, pvalues: [] };
}

function promise(step: Step, ballot: Ballot): void {
  const { state, ctx, rules } = step;
  if (isSameBallot(ballot, state.promised)) return;
  const record = rules.promiseRecord(configurationOf(step).epoch, ballot);
  if (record !== undefined) {
    writeDecisions(step);
    ctx.append(record);
  }
  state.promised = ballot;
}

/** What was accepted in slots later than `after`, as much of it as one message carries. */
function acceptedAfter(
  { state: { durable, decided } }: Step,
  after: number,
): Pick<Paxos<"p1b">, "until" | "more" | "pvalues"> {
  // That a slot is decided says more than what was accepted in it.
  const from = Math.max(after, decided);
  const accepted = [...durable.accepted].filter(([slot]) => slot > from).sort(([a], [b]) => a - b);
  const pvalues: Paxos<"p1b">["pvalues"][number][] = [];
  let until = after;
  let length = 0;
  for (const [slot, pvalue] of accepted) {
    length += JSON.stringify(pvalue).length;
    if (length > partLengthMax && pvalues.length > 0) return { until, more: true, pvalues };
    pvalues.push({ slot, ...pvalue });
    until = slot;
  }
  return { until, more: false, pvalues };
}

/** A commander asks to accept. */
export function onP2a(step: Step, message: Paxos<"p2a">): void {
  const { state, ctx } = step;
  const { ballot, slot, decided } = message;
  if (ballot.leader !== ctx.from) return;
  // Too far ahead to be kept; what was decided before is learned first, and the commander asks again.
  if (slot <= state.decided + windowMax) {
    const accepts = accept(step, message);
    hearLeader(step, ballot);
    ctx.reply({
      type: "p2b",
      epoch: configurationOf(step).epoch,
      // Section 2.2: the acceptor's own ballot number; if it is another, it has not accepted.
      ballot: accepts ? ballot : state.promised,
      asked: ballot,
      slot,
      ...grant(step, ballot, message),
    });
  }
  learnUpTo(step, ctx.from, ballot, decided);
}

/** Accepts, unless a later ballot was promised. Whether it did. */
export function accept(step: Step, { ballot, slot, value }: P2a): boolean {
  const { state, ctx, rules } = step;
  const { durable } = state;
  if (!rules.mayAccept(ballot, state.promised)) return false;
  if (slot <= state.decided) {
    promise(step, ballot);
    return true;
  }
  state.promised = ballot;
  if (isSameBallot(ballot, durable.accepted.get(slot)?.ballot)) return true;
  writeDecisions(step);
  ctx.append({ kind: "accept", epoch: configurationOf(step).epoch, ballot, slot, value });
  return true;
}
