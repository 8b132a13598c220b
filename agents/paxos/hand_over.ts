// How one configuration hands over to the next: whoever knows that the next has begun tells those who do not, and those
// who were replaced stay until a quorum of it can do without them.

import type { AgentId } from "../../core/id.ts";
import { resign } from "./leadership.ts";
import { beginLearning } from "./learn.ts";
import type { Paxos } from "./protocol.ts";
import {
  applicationOf,
  configurationOf,
  isAcceptor,
  isMember,
  isOneOf,
  othersOf,
  quorumOf,
} from "./step.ts";
import type { Step } from "./step.ts";

/** Tells an agent which configuration it is, and how far all is decided. */
export function informOfEpoch(step: Step, agent: AgentId): void {
  const { epoch } = configurationOf(step);
  step.ctx.sendTo(agent, { type: "handOver", epoch, decided: step.state.decided });
}

/** Somebody is in a later configuration: all slots of this one are decided, and can be learned. */
export function followEpoch(step: Step, agent: AgentId): void {
  if (step.state.leader !== undefined) resign(step);
  beginLearning(step, agent, step.state.decided + 1);
}

/** A configuration has begun, says one who knows all decisions before it. */
export function onHandOver(step: Step, { epoch, decided }: Paxos<"handOver">): void {
  const { ctx } = step;
  const own = configurationOf(step).epoch;
  if (epoch > own) return followEpoch(step, ctx.from);
  beginLearning(step, ctx.from, decided);
  if (isAcceptor(step)) ctx.reply({ type: "takenOver", epoch: own });
}

/** A member of the configuration takes part in it. */
export function onTakenOver(step: Step, { epoch }: Paxos<"takenOver">): void {
  const { state, ctx } = step;
  if (!state.retiring || !isMember(step, ctx.from)) return;
  if (epoch < configurationOf(step).epoch) return;
  state.takenOver.add(ctx.from);
  if (state.takenOver.size < quorumOf(step)) return;
  state.retiring = false;
  ctx.note("paxos.replaced", { epoch });
}

/** Whoever was replaced begins to retire. */
export function beginRetirement(step: Step): void {
  const { state } = step;
  state.takenOver.clear();
  state.retiring = !isAcceptor(step) && isOneOf(step, applicationOf(step).old);
  if (state.retiring) urgeMembers(step);
}

/** Tells the members of the new configuration who were not heard of. */
export function urgeMembers(step: Step): void {
  for (const agent of othersOf(step)) {
    if (!step.state.takenOver.has(agent)) informOfEpoch(step, agent);
  }
}
