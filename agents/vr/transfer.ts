// How a replica asks others for the part of a log that it lacks: the asking half of section 5.2.

import type { DeepReadonly } from "../../core/data.ts";
import type { AgentId } from "../../core/id.ts";
import { leaveView } from "./phase.ts";
import { opNumber, type Transfer } from "./state.ts";
import { beginPatience, primaryOf, stampOf, type Step } from "./step.ts";

/** Begins to fetch a log, and asks `first` before all others. */
export function beginTransfer(
  step: Step,
  wanted: Pick<Transfer, "want" | "view" | "lastNormal" | "from">,
  after: number,
  first: AgentId | undefined,
): void {
  const { state, ctx } = step;
  state.transfer = {
    ...wanted,
    until: undefined,
    after,
    entries: [],
    checkpoint: undefined,
    part: undefined,
    commit: 0,
    turn: 0,
  };
  ctx.note("vr.state_transfer", { want: wanted.want, lastNormal: wanted.lastNormal, after });
  askForState(step, wanted.from ?? first);
}

/** Asks for the next part, of `agent` or of whoever's turn it is, and will ask again if nothing comes. */
export function askForState(step: Step, agent?: AgentId): void {
  const { state, ctx, rules } = step;
  const { transfer } = state;
  if (transfer === undefined) return;
  ctx.setTimer("resend", ctx.attrs.resendMs);
  const asked = agent ?? transfer.from ?? nextToAsk(step, transfer);
  if (asked === undefined) return;
  const { want, lastNormal, part } = transfer;
  ctx.sendTo(asked, {
    type: "getState",
    epoch: state.durable.epoch,
    view: rules.requestedView(transfer.view, state.durable.lastNormal),
    want,
    lastNormal,
    after: transferEnd(transfer),
    part: part && { op: part.op, offset: part.text.length },
  });
}

/** How far the log reaches that was fetched so far. */
export function transferEnd({ after, entries }: DeepReadonly<Transfer>): number {
  return after + entries.length;
}

/** Section 5.2 lets any replica be asked; for the state before an epoch, also those of the epoch before. */
function nextToAsk(step: Step, transfer: Transfer): AgentId | undefined {
  const { durable } = step.state;
  const all = [
    primaryOf(step),
    ...durable.replicas.map(({ agent }) => agent),
    ...transfer.want === "epoch" ? durable.old.map(({ agent }) => agent) : [],
  ];
  const agents = [...new Set(all)].filter((agent) => agent !== step.ctx.self);
  return agents[transfer.turn++ % agents.length];
}

/**
 * Section 5.2: `from` shows that a later view has begun, or the own one, without this replica. It takes part in that
 * view as soon as it has its log.
 *
 * The paper drops everything after the commit-number before it asks. But others may be doing the same, and if then
 * the primary fails, an operation that a quorum held is nowhere. So the own log stays, as that of the view it
 * belongs to, until the new one can take its place in a single record.
 */
export function joinView(step: Step, view: number, from: AgentId): void {
  const { state, ctx } = step;
  if (view === state.view && state.transfer?.want === "view") return;
  if (view > state.view) voteFor(step, view);
  leaveView(step, "viewChange");
  beginPatience(step);
  ctx.note("vr.view_missed", { view });
  beginTransfer(
    step,
    { want: "view", view, lastNormal: view, from: undefined },
    state.commit,
    from,
  );
}

/** Section 5.2: entries of the own view are missing, between the op-number and what `from` has. */
export function fetchMissing(step: Step, from: AgentId): void {
  const { state } = step;
  if (state.transfer !== undefined) return;
  beginTransfer(
    step,
    { want: "view", view: state.view, lastNormal: state.view, from: undefined },
    opNumber(state.durable),
    from,
  );
}

/** Section 7.1.1, step 2: gets what the epoch before has committed, before anything else. */
export function fetchEpoch(step: Step): void {
  const { commit } = step.state;
  const wanted = { want: "epoch", view: 0, lastNormal: 0, from: undefined } as const;
  beginTransfer(step, wanted, commit, undefined);
}

/** Advances the view-number, on disk before any message of this step says so. */
export function voteFor({ state, ctx, rules }: Step, view: number): void {
  const record = rules.voteRecord(view);
  if (record !== undefined) ctx.append(record);
  state.view = view;
}

/** Asks whoever speaks of an epoch that this replica has not heard of: the answer is STARTEPOCH, section 7.2. */
export function askForEpoch(step: Step, agent: AgentId): void {
  step.ctx.sendTo(agent, {
    type: "getState",
    ...stampOf(step),
    want: "epoch",
    lastNormal: 0,
    after: step.state.commit,
  });
}
