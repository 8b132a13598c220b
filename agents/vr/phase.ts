// How a replica passes from one status to another, and what it forgets on the way.

import { opNumber, type Status } from "./state.ts";
import { beginPatience, isActingPrimary, othersOf, type Step } from "./step.ts";

/** Leaves whatever was under way in the view before. */
export function leaveView({ state, ctx }: Step, status: Status): void {
  state.status = status;
  state.pending.clear();
  // Section 4.2 would let the new primary reply; here the clients ask again, and the client table answers.
  state.waiting.clear();
  state.queue = [];
  state.batches = [];
  state.pausing = false;
  state.acknowledged.clear();
  state.heard.clear();
  state.grants.clear();
  state.startViewChanges.clear();
  state.doViewChanges.clear();
  state.recoveries.clear();
  state.epochStarted.clear();
  state.transfer = undefined;
  state.viewOp = 0;
  ctx.clearTimer("heartbeat");
  ctx.clearTimer("prepare");
  ctx.clearTimer("viewChange");
  ctx.clearTimer("resend");
}

/** Takes part in a view whose log this replica has: as its primary, if it is that, and else as a backup. */
export function enterNormal(step: Step): void {
  const { state, ctx } = step;
  leaveView(step, "normal");
  if (isActingPrimary(step)) beginPrimacy(step);
  beginPatience(step);
  ctx.note("vr.normal", {
    epoch: state.durable.epoch,
    view: state.view,
    op: opNumber(state.durable),
    primary: isActingPrimary(step),
  });
}

function beginPrimacy(step: Step): void {
  const { state, ctx } = step;
  const { durable } = state;
  state.viewOp = opNumber(durable);
  // Section 4.2, step 5: what is in the log and not executed yet must not enter it a second time.
  for (const { client, session, request } of durable.log.slice(state.commit - durable.base)) {
    state.pending.set(client, { session, request });
  }
  for (const agent of othersOf(step)) state.heard.set(agent, ctx.now);
  ctx.setTimer("heartbeat", ctx.attrs.heartbeatMs);
}

/** Every epoch begins in view 0, with nobody to blame. */
export function resetView(step: Step, status: Status): void {
  leaveView(step, status);
  step.state.view = 0;
  step.state.attempts = 0;
}
