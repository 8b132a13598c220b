// How a replica comes back after a crash: section 4.3, with a journal. What it had promised it still knows; what it
// needs is to learn which view it is now, and to catch up. And how it begins at its very first start.

import type { StartReason } from "../../core/agent.ts";
import { copyData } from "../../core/data.ts";
import { beginRetreat, statusInEpoch } from "./epoch.ts";
import { renewForgottenPromises } from "./lease.ts";
import { enterNormal, leaveView } from "./phase.ts";
import type { Vr } from "./protocol.ts";
import type { Application } from "./state.ts";
import {
  beginPatience,
  isMember,
  isReplica,
  primaryOf,
  quorumOf,
  sendToOthers,
  stampOf,
  type Step,
} from "./step.ts";
import { fetchEpoch, joinView } from "./transfer.ts";
import { startViewChange } from "./view_change.ts";

/** Begins with what the disk holds. */
export function onStart(step: Step, why: StartReason): void {
  const { state, ctx, rules } = step;
  const { durable } = state;
  const first = durable.incarnation < 0;
  const incarnation = first
    ? rules.firstIncarnation(ctx.attrs.bootstrap, 1 + Math.floor(ctx.random() * 2 ** 31))
    : durable.incarnation;
  // Nothing this replica says leaves before this is on disk, so no two of its lives have the same number.
  ctx.append({ kind: "start", incarnation });
  state.view = durable.view;
  state.commit = durable.checkpoint.op;
  state.application = copyData(durable.checkpoint.application) as Application;
  renewForgottenPromises(step);
  if (isMember(step, durable.replicas)) {
    if (!durable.complete) return beginTransition(step);
    if (first || quorumOf(step) === 1) return enterNormal(step);
    return beginRecovery(step);
  }
  state.status = statusInEpoch(step);
  ctx.note("vr.standing_by", { why, incarnation, status: state.status });
  if (state.status !== "replaced") return;
  if (durable.complete) beginRetreat(step);
  else beginTransition(step);
}

/** Waits for what the epoch before has committed. */
export function beginTransition(step: Step): void {
  leaveView(step, statusInEpoch(step));
  fetchEpoch(step);
}

/** Section 4.3, step 1. */
function beginRecovery(step: Step): void {
  const { state, ctx } = step;
  leaveView(step, "recovering");
  beginPatience(step);
  ctx.note("vr.recovery.started", { epoch: state.durable.epoch, view: state.view });
  sendRecovery(step);
}

/** Asks the others which view it is. */
export function sendRecovery(step: Step): void {
  const { state, ctx } = step;
  sendToOthers(step, { type: "recovery", ...stampOf(step), nonce: state.durable.starts });
  ctx.setTimer("resend", ctx.attrs.resendMs);
}

/** Section 4.3, step 2: a replica answers only if its status is normal. */
export function onRecovery(step: Step, { nonce }: Vr<"recovery">): void {
  const { state, ctx } = step;
  if (state.status !== "normal" || !isReplica(step, ctx.from)) return;
  // The log does not come with the answer, but by state transfer: section 5.1.
  ctx.reply({ type: "recoveryResponse", ...stampOf(step), nonce });
}

/**
 * Section 4.3, step 3. The paper waits for f + 1 answers besides its own, for it remembers nothing. Here the journal
 * remembers, so that this replica is itself one of the quorum.
 */
export function onRecoveryResponse(step: Step, { view, nonce }: Vr<"recoveryResponse">): void {
  const { state, ctx, rules } = step;
  const { durable } = state;
  // An answer to an earlier life may be older than a view that this replica has voted for since.
  if (state.status !== "recovering" || nonce !== durable.starts) return;
  if (!isReplica(step, ctx.from)) return;
  state.recoveries.set(ctx.from, view);
  if (state.recoveries.size < quorumOf(step) - 1) return;
  const latest = rules.recoveredView(state.view, state.recoveries.values());
  const begun = Math.max(...state.recoveries.values());
  ctx.note("vr.recovery.completed", { epoch: durable.epoch, view: latest });
  if (durable.lastNormal === latest) {
    // Its log is that of this view. If it is the primary, it has forgotten nothing it ever sent, and goes on.
    state.view = latest;
    return enterNormal(step);
  }
  const primary = primaryOf(step, latest);
  if (begun === latest && primary !== ctx.self) return joinView(step, latest, primary);
  // This replica has voted for a view that has not begun; its vote stands.
  startViewChange(step, begun === latest ? latest + 1 : latest);
}
