// How a member begins, with what its disk holds: what it has promised and accepted it still knows: section 4.3.

import { beginRetirement } from "./hand_over.ts";
import { bottom } from "./ballot.ts";
import { renewForgottenGrants } from "./lease.ts";
import { performAgain } from "./perform.ts";
import { startScout } from "./scout.ts";
import { agentsOf, beginPatience, configurationOf, isAcceptor, type Step } from "./step.ts";

/** Begins. */
export function onStart(step: Step): void {
  const { state, ctx, rules } = step;
  const { durable } = state;
  const first = durable.incarnation < 0;
  const incarnation = first
    ? rules.firstIncarnation(ctx.attrs.bootstrap, 1 + Math.floor(ctx.random() * 2 ** 31))
    : durable.incarnation;
  // Nothing that this member says leaves before this is on disk, so no two of its lives have the same number.
  ctx.append({ kind: "start", incarnation, window: ctx.attrs.window });
  performAgain(step);
  const { epoch, members } = configurationOf(step);
  const { promise } = durable;
  state.promised = state.ballot = promise.epoch === epoch ? promise.ballot : bottom;
  state.backOffMs = ctx.attrs.viewChangeMs;
  if (!first) renewForgottenGrants(step);
  if (!isAcceptor(step)) {
    beginRetirement(step);
    return ctx.note("paxos.standing_by", { incarnation, retiring: state.retiring });
  }
  // Somebody has to be the first: whoever comes first in the order, unless there is a leader already.
  const leads = members.length === 1 || (first && agentsOf(step)[0] === ctx.self);
  if (leads) startScout(step);
  else beginPatience(step);
}
