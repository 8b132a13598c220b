// State transfer: the answering half of section 5.2, and what becomes of an answer. A replica that lacks more than
// anybody's log holds gets a checkpoint first: section 5.1.

import { commitTo } from "./commit.ts";
import { beginEpoch, beginRetreat } from "./epoch.ts";
import { decodeApplication, encodeApplication } from "./execute.ts";
import { enterNormal } from "./phase.ts";
import { partLengthMax, type Vr } from "./protocol.ts";
import { opNumber, type Transfer } from "./state.ts";
import { firstPart, primaryOf, stampOf, type Step } from "./step.ts";
import { askForState, beginTransfer, transferEnd } from "./transfer.ts";
import { replaceLog, startView } from "./view_change.ts";

/** Somebody lacks a part of the log. */
export function onGetState(step: Step, message: Vr<"getState">): void {
  const { state, ctx } = step;
  const { durable } = state;
  const { after, part } = message;
  if (!durable.complete || durable.incarnation < 0) return;
  const wanted = logFor(step, message);
  if (wanted === undefined) return;
  const { want, lastNormal, op, commit } = wanted;
  const answer = { type: "newState", ...stampOf(step), want, lastNormal, op, commit } as const;
  if (after < durable.base) {
    const checkpoint = partOfCheckpoint(step, part);
    return ctx.reply({ ...answer, after: checkpoint.op, entries: [], part: checkpoint });
  }
  const entries = firstPart(
    durable.log.slice(after - durable.base, Math.max(after, op) - durable.base),
  );
  ctx.reply({ ...answer, after, entries });
}

/** Which log to send, and how far it goes; undefined if the one that was asked for is not here. */
function logFor(
  step: Step,
  message: Vr<"getState">,
): Pick<Vr<"newState">, "want" | "lastNormal" | "op" | "commit"> | undefined {
  const { status, view, commit, durable } = step.state;
  const { lastNormal } = durable;
  const op = opNumber(durable);
  if (message.want === "view") {
    // Only the log of the view that was asked for: once this view has begun, it is another log.
    const takesPart = status === "normal" || status === "viewChange";
    if (!takesPart || message.view !== view || message.lastNormal !== lastNormal) return undefined;
    return { want: "view", lastNormal, op, commit };
  }
  // Section 7.1.1: all that the epoch began with is committed.
  const { epochOp } = durable;
  if (message.after >= durable.base || durable.checkpoint.op <= epochOp) {
    return { want: "epoch", lastNormal: 0, op: epochOp, commit: epochOp };
  }
  // A checkpoint holds more than that, and goes with the log of the view in which the rest was prepared: whoever
  // took it for the log of view 0 would acknowledge operations of that view which it does not hold.
  return status === "normal" ? { want: "view", lastNormal, op, commit } : undefined;
}

function partOfCheckpoint({ state }: Step, asked: Vr<"getState">["part"]) {
  const { base, checkpoint } = state.durable;
  const begun = state.checkpointText;
  // A newer checkpoint does not make the older one worse, as long as the log goes on from there.
  if (begun === undefined || asked?.op !== begun.op || begun.op < base) {
    if (begun?.op !== checkpoint.op) {
      const text = encodeApplication(checkpoint.application);
      state.checkpointText = { op: checkpoint.op, text };
    }
  }
  const { op, text } = state.checkpointText ?? { op: 0, text: "" };
  const offset = asked?.op === op ? Math.min(asked.offset, text.length) : 0;
  return { op, offset, length: text.length, text: text.slice(offset, offset + partLengthMax) };
}

/** A part of the log that this replica lacks. */
export function onNewState(step: Step, message: Vr<"newState">): void {
  const { state, ctx } = step;
  if (state.transfer?.want === "epoch" && message.want === "view") takeLaterLog(step, message);
  const { transfer } = state;
  if (transfer === undefined || transfer.want !== message.want) return;
  if (transfer.lastNormal !== message.lastNormal) return;
  if (transfer.want === "view" && message.view !== transfer.view) return;
  if (transfer.from !== undefined && transfer.from !== ctx.from) return;
  const came = message.part === undefined
    ? takeEntries(step, transfer, message)
    : takePart(transfer, message.part);
  transfer.until ??= message.op;
  transfer.commit = Math.max(transfer.commit, message.commit);
  if (transfer.part === undefined && transferEnd(transfer) >= transfer.until) {
    finish(step, transfer);
  } else if (came) askForState(step, ctx.from);
}

/** Nobody has the log as it was when the epoch began; that of a later view has all of it. */
function takeLaterLog(step: Step, { view, lastNormal }: Vr<"newState">): void {
  const { state, ctx } = step;
  if (state.status !== "transitioning" || view !== lastNormal) return;
  const wanted = { want: "view", view, lastNormal, from: undefined } as const;
  beginTransfer(step, wanted, state.commit, ctx.from);
}

/** Section 5.2: entries join those that are here only where they belong. Whether any did. */
function takeEntries({ rules }: Step, transfer: Transfer, message: Vr<"newState">): boolean {
  const fresh = rules.fitting(transferEnd(transfer), message);
  if (fresh === undefined || fresh.length === 0) return false;
  transfer.entries.push(...fresh as Transfer["entries"]);
  // A checkpoint of which another replica has sent a part is not needed any more.
  transfer.part = undefined;
  return true;
}

/** A checkpoint comes in parts, each of which must fit to those before. Whether this one did. */
function takePart(transfer: Transfer, part: NonNullable<Vr<"newState">["part"]>): boolean {
  const { op, offset, length, text } = part;
  if (op <= transferEnd(transfer)) return false;
  // The one who is asked has a newer checkpoint by now, or another one was asked.
  if (transfer.part?.op !== op || transfer.part.length !== length) {
    transfer.part = { op, length, text: "" };
  }
  if (offset !== transfer.part.text.length) return offset > 0 && transfer.part.text === "";
  transfer.part.text += text;
  if (transfer.part.text.length < length) return true;
  transfer.checkpoint = { op, text: transfer.part.text };
  transfer.part = undefined;
  transfer.after = op;
  transfer.entries.length = 0;
  return true;
}

/** All is there that was asked for. */
function finish(step: Step, transfer: Transfer): void {
  const { state, ctx } = step;
  const { want, lastNormal, after, entries } = transfer;
  const { status } = state;
  state.transfer = undefined;
  ctx.clearTimer("resend");
  ctx.note("vr.state_transferred", { want, after, entries: entries.length });
  install(step, transfer);
  if (status === "normal") extend(step, transfer);
  else if (want === "view" && lastNormal < state.view) startView(step, transfer);
  else {
    state.view = transfer.view;
    replaceLog(step, transfer);
    if (status === "transitioning") beginEpoch(step);
    else if (status === "replaced") beginRetreat(step);
    else enterNormal(step);
  }
  commitTo(step, transfer.commit);
  if (want === "view") acknowledge(step);
}

/** Section 5.1: goes on from a checkpoint instead of executing all that leads to it. */
function install({ state, ctx }: Step, { checkpoint }: Transfer): void {
  if (checkpoint === undefined || checkpoint.op <= state.commit) return;
  state.application = decodeApplication(checkpoint.text);
  state.commit = checkpoint.op;
  ctx.note("vr.checkpoint_installed", { op: checkpoint.op });
}

/** Section 5.2, first case: the log of the own view grows. */
function extend({ state, ctx, rules }: Step, { after, entries, checkpoint }: Transfer): void {
  const op = opNumber(state.durable);
  if (checkpoint !== undefined && checkpoint.op > op) {
    return ctx.append({ kind: "normal", view: state.view, after, entries, checkpoint });
  }
  const fresh = rules.fitting(op, { after, entries });
  if (fresh === undefined || fresh.length === 0) return;
  ctx.append({ kind: "log", entries: [...fresh] as Transfer["entries"] });
}

function acknowledge(step: Step): void {
  const { state, ctx } = step;
  const primary = primaryOf(step);
  if (state.status !== "normal" || primary === ctx.self) return;
  ctx.sendTo(primary, { type: "prepareOk", ...stampOf(step), op: opNumber(state.durable) });
}
