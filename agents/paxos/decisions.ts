// What members tell each other of what was decided, and what becomes of it. Whoever lacks more than anybody's log holds
// gets a snapshot.

import { firstPart } from "../vr/step.ts";
import { partLengthMax } from "../vr/protocol.ts";
import { encodeApplication } from "./execute.ts";
import { decisionsAfter, takeDecisions } from "./known.ts";
import { ask, beginLearning } from "./learn.ts";
import type { Paxos } from "./protocol.ts";
import type { Learning } from "./state.ts";
import { applicationOf, isLeading, type Step } from "./step.ts";

/** Somebody lacks decisions. Whoever has them may tell, since nobody will ever know others. */
export function onLearn(step: Step, { after, part }: Paxos<"learn">): void {
  const { state, ctx } = step;
  const { durable } = state;
  const { configuration: { epoch }, window } = applicationOf(step);
  const answer = { type: "decisions", epoch, decided: state.decided, window } as const;
  if (after < durable.base) {
    const snapshot = partOfSnapshot(step, part);
    return ctx.reply({ ...answer, after: snapshot.slot, values: [], part: snapshot });
  }
  ctx.reply({ ...answer, after, values: firstPart(decisionsAfter(step, after)) });
}

function partOfSnapshot({ state }: Step, asked: Paxos<"learn">["part"]) {
  const { base, checkpoint } = state.durable;
  const begun = state.snapshot;
  // A newer checkpoint does not make the older one worse, as long as the log goes on from there.
  if (begun === undefined || asked?.slot !== begun.slot || begun.slot < base) {
    if (begun?.slot !== checkpoint.slot) {
      const text = encodeApplication(checkpoint.application);
      state.snapshot = { slot: checkpoint.slot, text };
    }
  }
  const { slot, text } = state.snapshot ?? { slot: 0, text: "" };
  const offset = asked?.slot === slot ? Math.min(asked.offset, text.length) : 0;
  return { slot, offset, length: text.length, text: text.slice(offset, offset + partLengthMax) };
}

/** Decisions that this member may lack. */
export function onDecisions(step: Step, message: Paxos<"decisions">): void {
  const { state, ctx } = step;
  const { learning } = state;
  // A leader that took decisions from others might take those of a later leader for its own.
  if (learning === undefined || isLeading(step)) return;
  const { window } = applicationOf(step);
  if (message.window !== window) {
    ctx.fail(`the window of the group is ${message.window}, and that of this member ${window}`);
  }
  const came = message.part === undefined
    ? takeValues(step, learning, message)
    : takePart(step, learning, message.part);
  beginLearning(step, ctx.from, message.decided);
  if (came && state.decided < learning.until) ask(step, learning, ctx.from);
}

/** Takes what follows on what is here. Whether any did. */
function takeValues(
  step: Step,
  learning: Learning,
  message: Paxos<"decisions">,
): boolean {
  const { state, ctx, rules } = step;
  const fresh = rules.fitting(state.decided, message);
  if (fresh === undefined || fresh.length === 0) return false;
  takeDecisions(step, fresh);
  ctx.note("paxos.learned", { values: fresh.length });
  // A snapshot of which another member has sent a part is not needed any more.
  learning.part = undefined;
  return true;
}

/** A snapshot comes in parts, each of which must fit to those before. Whether this one did. */
function takePart(
  { state, ctx }: Step,
  learning: Learning,
  { slot, offset, length, text }: NonNullable<Paxos<"decisions">["part"]>,
): boolean {
  if (slot <= state.decided) return false;
  // The one who is asked has a newer one by now, or another one was asked.
  if (learning.part?.slot !== slot || learning.part.length !== length) {
    learning.part = { slot, length, text: "" };
  }
  const { part } = learning;
  if (offset !== part.text.length) return offset > 0 && part.text === "";
  part.text += text;
  if (part.text.length < length) return true;
  learning.part = undefined;
  ctx.append({ kind: "snapshot", slot, text: part.text });
  state.decided = slot;
  return true;
}
