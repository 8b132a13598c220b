// Normal operation: section 4.1, with the batches of section 6.2.

import { commitTo } from "./commit.ts";
import { leaseStamp, promise, takeGrant } from "./lease.ts";
import { type Entry, partLengthMax, type Vr } from "./protocol.ts";
import { opNumber } from "./state.ts";
import {
  isActingPrimary,
  isReplica,
  othersOf,
  primaryOf,
  quorumOf,
  sendToOthers,
  stampOf,
  type Step,
} from "./step.ts";
import { fetchEpoch, fetchMissing, joinView } from "./transfer.ts";

/** Section 4.1, step 3: the primary gives the waiting requests their op-numbers, and sends PREPARE. */
export function sendPrepares(step: Step): void {
  const { state, ctx } = step;
  if (state.pausing) return;
  state.batches = state.batches.filter((end) => end > state.commit);
  // Section 6.2: while enough is under way, requests gather for one larger PREPARE.
  while (state.queue.length > 0 && state.batches.length < ctx.attrs.batch.prepares) {
    const entries = takeBatch(step);
    const after = opNumber(state.durable);
    ctx.append({ kind: "log", entries });
    state.batches.push(opNumber(state.durable));
    sendToOthers(step, {
      type: "prepare",
      ...stampOf(step),
      after,
      entries,
      commit: state.commit,
      ...leaseStamp(step),
    });
  }
}

function takeBatch({ state, ctx }: Step): Entry[] {
  let count = 0;
  let length = 0;
  for (const queued of state.queue) {
    length += queued.length;
    if (count === ctx.attrs.batch.operations || (count > 0 && length > partLengthMax)) break;
    count++;
  }
  return state.queue.splice(0, count).map(({ entry }) => entry);
}

/** Section 4.1, step 4: a backup adds the operations to its log and says so, unless some before them are missing. */
export function onPrepare(step: Step, message: Vr<"prepare">): void {
  const { state, ctx, rules } = step;
  if (!follows(step, message.view)) return;
  const fresh = rules.fitting(opNumber(state.durable), message);
  if (fresh === undefined) fetchMissing(step, ctx.from);
  else if (fresh.length > 0) ctx.append({ kind: "log", entries: [...fresh] });
  acknowledge(step, message);
  commitTo(step, message.commit);
}

/** Section 4.1, step 6: a primary that has nothing to prepare says how far it has committed. */
export function onCommit(step: Step, message: Vr<"commit">): void {
  const { state, ctx } = step;
  if (!follows(step, message.view)) return;
  // The paper's primary sends PREPARE again; ours says where its log ends, and the backup asks for what it lacks.
  if (message.op > opNumber(state.durable)) fetchMissing(step, ctx.from);
  acknowledge(step, message);
  commitTo(step, message.commit);
}

function acknowledge(step: Step, message: Vr<"prepare" | "commit">): void {
  const { state, ctx } = step;
  ctx.reply({
    type: "prepareOk",
    ...stampOf(step),
    op: opNumber(state.durable),
    ...promise(step, message),
  });
}

/** Whether the sender is this replica's primary. If it is that of a later view, this replica sets out to join it. */
function follows(step: Step, view: number): boolean {
  const { state, ctx } = step;
  if (ctx.from !== primaryOf(step, view) || view < state.view) return false;
  if (state.status === "transitioning") {
    // The log of an earlier view was being fetched, which nobody will send any more.
    if (state.transfer?.want === "view" && view > state.transfer.view) fetchEpoch(step);
    return false;
  }
  if (view > state.view || (state.status !== "normal" && state.durable.lastNormal < view)) {
    joinView(step, view, ctx.from);
    return false;
  }
  if (state.status !== "normal") return false;
  state.heardAt = ctx.now;
  return true;
}

/** Section 4.1, step 5: the primary counts who holds what. */
export function onPrepareOk(step: Step, message: Vr<"prepareOk">): void {
  const { state, ctx } = step;
  const { view, op } = message;
  if (!isActingPrimary(step) || view !== state.view || !isReplica(step, ctx.from)) return;
  const own = opNumber(state.durable);
  if (op > own) {
    ctx.fail(
      `${ctx.from} holds operation ${op} of view ${view}, and its primary only ${own}: ` +
        "what this box had synced was lost",
    );
  }
  state.heard.set(ctx.from, ctx.now);
  const before = state.acknowledged.get(ctx.from) ?? 0;
  if (op > before) state.acknowledged.set(ctx.from, op);
  takeGrant(step, ctx.from, message);
}

/** Commits what a quorum holds, and sends what may follow it. */
export function advance(step: Step): void {
  const { state, rules } = step;
  while (isActingPrimary(step)) {
    sendPrepares(step);
    // What was appended in this step counts: nobody hears of it before it is on disk.
    const held = [opNumber(state.durable)];
    for (const agent of othersOf(step)) held.push(state.acknowledged.get(agent) ?? 0);
    const committed = rules.committedOp(held, quorumOf(step));
    if (committed <= state.commit) return;
    commitTo(step, committed);
    pause(step);
  }
}

/**
 * All that a step sends waits until what it appends is on disk. Answers do not need the log of the next PREPARE, and
 * must not wait for it: so that one has a step of its own.
 */
function pause(step: Step): void {
  const { state, ctx } = step;
  if (state.pausing || state.queue.length === 0 || !isActingPrimary(step)) return;
  state.pausing = true;
  ctx.setTimer("prepare", 0);
}

/** The answers are on their way. */
export function onPauseEnd(step: Step): void {
  step.state.pausing = false;
  advance(step);
}

/** The primary shows that it is there. */
export function onHeartbeat(step: Step): void {
  const { state, ctx } = step;
  if (!isActingPrimary(step)) return;
  sendToOthers(step, {
    type: "commit",
    ...stampOf(step),
    op: opNumber(state.durable),
    commit: state.commit,
    ...leaseStamp(step),
  });
  ctx.setTimer("heartbeat", ctx.attrs.heartbeatMs);
}
