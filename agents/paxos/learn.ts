// How a member learns decisions: from what it has accepted itself, once the leader says that it is decided, and else by
// asking others. No later decision is needed for that: every ping says how far all is decided.

import type { AgentId } from "../../core/id.ts";
import type { Ballot } from "./ballot.ts";
import { writeDecisions } from "./known.ts";
import type { Learning } from "./state.ts";
import { applicationOf, configurationOf, isLeading, type Step } from "./step.ts";

/**
 * The leader of a ballot, having adopted it, says that all is decided up to a slot.
 *
 * What was accepted here in that very ballot is what was decided: a leader proposes one value in a slot, knows decisions
 * of slots that it proposes in from its own commanders alone, and proposes in none that was decided before.
 */
export function learnUpTo(step: Step, from: AgentId, ballot: Ballot, decided: number): void {
  const { state, rules } = step;
  const { durable } = state;
  if (isLeading(step)) return;
  const known = state.decided;
  let to = known;
  while (to < decided && rules.isDecision(durable.accepted.get(to + 1)?.ballot, ballot)) to++;
  state.decided = to;
  if (to > known) writeDecisions(step);
  if (to < decided) beginLearning(step, from, decided);
}

/** Others know decisions that this member does not; `from` is one of them. */
export function beginLearning(step: Step, from: AgentId, until: number): void {
  const { state, ctx } = step;
  // A leader knows what is decided before anybody else does, or it is none any more and will hear so.
  if (isLeading(step) || until <= state.decided) return;
  if (state.learning !== undefined) {
    state.learning.until = Math.max(until, state.learning.until);
    return;
  }
  state.learning = { until, part: undefined, turn: 0, askedAt: ctx.now };
  ctx.note("paxos.behind", { decided: state.decided, until });
  ask(step, state.learning, from);
}

/** Asks `agent` for what comes next. */
export function ask({ state, ctx }: Step, learning: Learning, agent: AgentId): void {
  learning.askedAt = ctx.now;
  const { part } = learning;
  ctx.sendTo(agent, {
    type: "learn",
    epoch: configurationOf({ state }).epoch,
    after: state.decided,
    part: part && { slot: part.slot, offset: part.text.length },
  });
}

/** Asks the next of all who may know, since the one before has not answered. */
export function askNext(step: Step, learning: Learning): void {
  const { ctx } = step;
  const { configuration, old } = applicationOf(step);
  const members = [...configuration.members, ...old].map(({ agent }) => agent);
  const agents = [...new Set([...members, ...ctx.attrs.replicas])]
    .filter((agent) => agent !== ctx.self);
  const agent = agents[learning.turn++ % agents.length];
  if (agent !== undefined) ask(step, learning, agent);
}

/** Stops asking when all is here that was asked for. */
export function endLearning(step: Step): void {
  const { state, ctx } = step;
  if (state.learning === undefined) return;
  const decided = state.decided;
  if (!isLeading(step) && decided < state.learning.until) return;
  state.learning = undefined;
  ctx.note("paxos.caught_up", { decided });
}
