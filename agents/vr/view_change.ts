// View changes: section 4.2. A primary that fails is replaced by the next in the configuration's order, which takes
// the place once a quorum has voted for its view, and with the log that cannot lack what was committed.

import type { DeepReadonly } from "../../core/data.ts";
import type { AgentId } from "../../core/id.ts";
import { commitTo } from "./commit.ts";
import { promisedMs } from "./lease.ts";
import { enterNormal, leaveView } from "./phase.ts";
import type { Entry, Vr } from "./protocol.ts";
import { opNumber, type Transfer } from "./state.ts";
import {
  applicationOf,
  beginPatience,
  isActingPrimary,
  isReplica,
  othersOf,
  primaryOf,
  quorumOf,
  sendToOthers,
  stampOf,
  type Step,
  suffixAfter,
} from "./step.ts";
import { beginTransfer, joinView, voteFor } from "./transfer.ts";

/** How many committed operations DOVIEWCHANGE carries besides those that are not. */
const overlapOperations = 200;

/** A log to put in the place of the own one, from op-number `after` on. */
export interface Replacement {
  readonly after: number;
  readonly entries: readonly DeepReadonly<Entry>[];
  readonly checkpoint?: Transfer["checkpoint"];
}

/** Section 4.2, step 1: votes for a view, and asks the others to do so. */
export function startViewChange(step: Step, view: number): void {
  const { state, ctx } = step;
  voteFor(step, view);
  leaveView(step, "viewChange");
  state.attempts++;
  beginPatience(step);
  ctx.setTimer("resend", ctx.attrs.resendMs);
  ctx.note("vr.view_change.started", { epoch: state.durable.epoch, view });
  sendToOthers(step, { type: "startViewChange", ...stampOf(step) });
  sendVote(step);
}

/**
 * Somebody who shares this replica's box would rather have the primary here. A view may be as much later as this
 * replica's turn is: nothing in section 4.2 needs the views between.
 */
export function onLead(step: Step): void {
  const { state, ctx } = step;
  const isReady = state.status === "normal" && state.transfer === undefined;
  if (!isReady || isActingPrimary(step) || !mayVote(step)) return;
  const count = state.durable.replicas.length;
  for (let view = state.view + 1; view <= state.view + count; view++) {
    if (primaryOf(step, view) === ctx.self) return startViewChange(step, view);
  }
}

/** Whether this replica votes for `view`, which is later than its own: not while it has promised otherwise. */
function mayVote(step: Step): boolean {
  const { status } = step.state;
  // Who lacks operations of the epoch before cannot vouch for anything in this one: section 7.1.1.
  if (status === "transitioning") return false;
  return promisedMs(step) === 0;
}

/** A replica has voted for a view. */
export function onStartViewChange(step: Step, { view }: Vr<"startViewChange">): void {
  const { state, ctx } = step;
  if (!isReplica(step, ctx.from) || view < state.view) return;
  if (view > state.view) {
    if (!mayVote(step)) return;
    startViewChange(step, view);
  }
  if (helpLatecomer(step, ctx.from)) return;
  // After a restart the vote for this view is still on disk.
  if (state.status === "recovering" && state.durable.lastNormal < view) {
    if (!mayVote(step)) return;
    startViewChange(step, view);
  }
  if (state.status !== "viewChange") return;
  state.startViewChanges.add(ctx.from);
  sendVote(step);
}

/** The view has begun already: its primary tells a replica that has missed it. */
function helpLatecomer(step: Step, agent: AgentId): boolean {
  if (!isActingPrimary(step)) return false;
  sendStartView(step, agent, step.state.commit);
  return true;
}

/** Section 4.2, step 2: with the votes of f others, sends DOVIEWCHANGE to the primary of the view. */
export function sendVote(step: Step): void {
  const { state, ctx } = step;
  if (state.startViewChanges.size < quorumOf(step) - 1) return;
  const { durable } = state;
  const vote = {
    type: "doViewChange",
    ...stampOf(step),
    lastNormal: durable.lastNormal,
    op: opNumber(durable),
    commit: state.commit,
    ...suffixForPrimary(step),
  } as const;
  const primary = primaryOf(step);
  if (primary !== ctx.self) return ctx.sendTo(primary, vote);
  if (state.doViewChanges.has(ctx.self)) return;
  state.doViewChanges.set(ctx.self, vote);
  tryStart(step);
}

/**
 * Section 5.3: not the whole log, but enough of it that the new primary will hardly ever have to ask for more. It may
 * know of a few commits less than this replica.
 */
function suffixForPrimary(step: Step): ReturnType<typeof suffixAfter> {
  const { commit, durable } = step.state;
  const long = suffixAfter(step, Math.max(0, commit - overlapOperations));
  const isWhole = long.after + long.entries.length === opNumber(durable);
  return isWhole ? long : suffixAfter(step, commit);
}

/** Section 4.2, step 3: the new primary gathers the votes of a quorum, itself included. */
export function onDoViewChange(step: Step, message: Vr<"doViewChange">): void {
  const { state, ctx } = step;
  const { view } = message;
  if (!isReplica(step, ctx.from) || view < state.view) return;
  if (primaryOf(step, view) !== ctx.self) return;
  if (view > state.view) {
    if (!mayVote(step)) return;
    startViewChange(step, view);
  }
  if (helpLatecomer(step, ctx.from)) return;
  if (state.status !== "viewChange") return;
  state.startViewChanges.add(ctx.from);
  state.doViewChanges.set(ctx.from, message);
  sendVote(step);
  tryStart(step);
}

/** Starts the view if a quorum has voted, and the log with which it begins is here. */
function tryStart(step: Step): void {
  const { state, ctx, rules } = step;
  const votes = state.doViewChanges;
  if (state.status !== "viewChange" || state.transfer !== undefined) return;
  if (votes.size < quorumOf(step) || !votes.has(ctx.self)) return;
  const best = rules.chooseLog(votes);
  const vote = best === undefined ? undefined : votes.get(best);
  if (best === undefined || vote === undefined) return;
  const own = opNumber(state.durable);
  if (best === ctx.self) return startView(step, { after: own, entries: [] });
  const { after, entries, lastNormal, op } = vote;
  // Logs of the same view are equal as far as both reach; of any two, the committed parts are.
  const shared = lastNormal === state.durable.lastNormal ? own : state.commit;
  if (after <= shared && after + entries.length >= op) {
    return startView(step, { after, entries });
  }
  // Section 5.3: more than the messages carried is missing, and is fetched from the replica that has it.
  const wanted = { want: "view", view: state.view, lastNormal, from: best } as const;
  beginTransfer(step, wanted, state.commit, best);
}

/** Section 4.2, steps 3 and 4: the new primary has the log of its view, and tells the others. */
export function startView(step: Step, replacement: Replacement): void {
  const { state, ctx } = step;
  const votes = [...state.doViewChanges];
  replaceLog(step, replacement);
  enterNormal(step);
  ctx.note("vr.view_change.completed", { epoch: state.durable.epoch, view: state.view });
  for (const agent of othersOf(step)) {
    const vote = votes.find(([from]) => from === agent)?.[1];
    sendStartView(step, agent, vote?.commit ?? state.commit);
  }
  // The largest commit-number that any of them knew of.
  for (const [, { commit }] of votes) commitTo(step, commit);
}

function sendStartView(step: Step, agent: AgentId, commit: number): void {
  const { state, ctx } = step;
  ctx.sendTo(agent, {
    type: "startView",
    ...stampOf(step),
    op: opNumber(state.durable),
    commit: state.commit,
    ...suffixAfter(step, Math.min(commit, state.commit)),
  });
}

/** Section 4.2, step 5: a view has begun, with this log. */
export function onStartView(step: Step, message: Vr<"startView">): void {
  const { state, ctx } = step;
  const { view, op, after, entries, commit } = message;
  if (ctx.from !== primaryOf(step, view) || view < state.view) return;
  if (state.status === "transitioning") return;
  if (view === state.view && (state.status === "normal" || state.durable.lastNormal === view)) {
    return;
  }
  if (after > state.commit || after + entries.length < op) return joinView(step, view, ctx.from);
  state.view = view;
  replaceLog(step, { after, entries });
  enterNormal(step);
  ctx.sendTo(ctx.from, { type: "prepareOk", ...stampOf(step), op: opNumber(state.durable) });
  commitTo(step, commit);
}

/**
 * Puts the log of the view `state.view` in the place of the own one: from here on a vote vouches for that view. What
 * was executed stays; it is the same in both.
 */
export function replaceLog(step: Step, { after, entries, checkpoint }: Replacement): void {
  const { state, ctx, rules } = step;
  const end = after + entries.length;
  if (end < state.commit) {
    // Committed is committed: either a disk has lost what it had synced, or this program is wrong.
    ctx.fail(
      `operation ${state.commit} is committed, and the log of view ${state.view} ends at ${end}`,
    );
  }
  const application = applicationOf(step);
  const sessions = rules.sessionsAfterViewChange(application.sessions);
  state.application = { ...application, sessions };
  const overlap = state.commit - after;
  const record = { kind: "normal", view: state.view } as const;
  if (overlap <= 0) ctx.append({ ...record, after, entries: [...entries], checkpoint });
  else ctx.append({ ...record, after: state.commit, entries: entries.slice(overlap) });
}
