// How replicas learn of a new epoch, and leave an old one: section 7.

import { commitTo } from "./commit.ts";
import { informOfEpoch } from "./epoch.ts";
import { resetView } from "./phase.ts";
import type { Vr } from "./protocol.ts";
import { beginTransition } from "./recovery.ts";
import { isReplica, type Step } from "./step.ts";
import { statusInEpoch } from "./epoch.ts";

/** A new epoch has begun. */
export function onStartEpoch(step: Step, message: Vr<"startEpoch">): void {
  const { state, ctx } = step;
  const { durable } = state;
  if (message.epoch < durable.epoch) return informOfEpoch(step, ctx.from);
  if (message.epoch > durable.epoch) return learnEpoch(step, message);
  // Section 7.1.1: whoever has begun the epoch already says so again.
  if (state.status === "transitioning" || !durable.complete || !isReplica(step, ctx.self)) return;
  ctx.reply({ type: "epochStarted", epoch: durable.epoch });
}

function learnEpoch(step: Step, message: Vr<"startEpoch">): void {
  const { state, ctx, rules } = step;
  const { durable } = state;
  const { epoch, op, view, replicas, old } = message;
  const next = epoch === durable.epoch + 1 && durable.complete && state.status !== "spare";
  if (next && rules.isComplete(durable, message)) {
    // Its log ends as the epoch did, so all of it is committed: executing the last entry begins the next epoch.
    return commitTo(step, op);
  }
  ctx.append({
    kind: "epoch",
    epoch,
    op,
    view,
    replicas: [...replicas],
    old: [...old],
    complete: false,
  });
  resetView(step, "spare");
  state.status = statusInEpoch(step);
  ctx.note("vr.epoch_learned", { epoch, status: state.status });
  if (state.status !== "spare") beginTransition(step);
}

/** Section 7.1.2, step 2: a replica that was replaced ends once f' + 1 of the new ones can do without it. */
export function onEpochStarted(step: Step, { epoch }: Vr<"epochStarted">): void {
  const { state, ctx, rules } = step;
  const { durable } = state;
  if (state.status !== "replaced" || epoch !== durable.epoch || !isReplica(step, ctx.from)) return;
  state.epochStarted.add(ctx.from);
  if (state.epochStarted.size < rules.quorum(durable.replicas.length)) return;
  resetView(step, "spare");
  ctx.note("vr.replaced", { epoch });
}

/** Section 7.1.2, step 3: tells the new replicas that were not heard of. */
export function urgeNewReplicas(step: Step): void {
  const { state, ctx } = step;
  for (const { agent } of state.durable.replicas) {
    if (!state.epochStarted.has(agent) && agent !== ctx.self) informOfEpoch(step, agent);
  }
}
