// How one epoch passes into the next: sections 7.1 and 7.1.1.

import type { DeepReadonly } from "../../core/data.ts";
import type { AgentId } from "../../core/id.ts";
import { enterNormal, resetView } from "./phase.ts";
import type { Entry, Member } from "./protocol.ts";
import type { Status } from "./state.ts";
import { isMember, type Step } from "./step.ts";

/** A RECONFIGURATION that was executed. */
export type Reconfiguration = Extract<Entry["command"], { kind: "reconfigure" }>;

/** Ends the epoch: its last entry, with op-number `op`, was executed here. */
export function enterEpoch(
  step: Step,
  op: number,
  { view }: DeepReadonly<Entry>,
  { epoch, replicas }: DeepReadonly<Reconfiguration>,
): void {
  const { state, ctx } = step;
  const old = [...state.durable.replicas];
  ctx.append({
    kind: "epoch",
    epoch: epoch + 1,
    op,
    view,
    replicas: [...replicas],
    old,
    complete: true,
  });
  ctx.note("vr.reconfigured", { epoch: epoch + 1, replicas: replicas.map(({ agent }) => agent) });
  // Section 7.1 tells the old replicas by COMMIT and the new ones by STARTEPOCH. By the viewstamp in STARTEPOCH the
  // old ones see whether their log is whole, so that it can tell both.
  const told = new Set([...replicas, ...old].map(({ agent }) => agent));
  told.delete(ctx.self);
  for (const agent of told) informOfEpoch(step, agent);
  resetView(step, "spare");
  if (isMember(step, replicas)) beginEpoch(step);
  else beginRetreat(step);
}

/** Section 7.1.1, step 3: the log is whole, and normal processing begins. */
export function beginEpoch(step: Step): void {
  const { state, ctx } = step;
  enterNormal(step);
  for (const agent of replacedAgents(step)) {
    ctx.sendTo(agent, { type: "epochStarted", epoch: state.durable.epoch });
  }
}

/** Section 7.1.2: a replica that was replaced serves the new ones until they can do without it. */
export function beginRetreat({ state, ctx }: Step): void {
  state.status = "replaced";
  ctx.setTimer("resend", ctx.attrs.resendMs);
}

/** What a replica is in the epoch that it knows of, while it lacks the log of the one before. */
export function statusInEpoch(step: Step): Status {
  const { durable } = step.state;
  if (isMember(step, durable.replicas)) return "transitioning";
  return isMember(step, durable.old) ? "replaced" : "spare";
}

/** Sends STARTEPOCH for the epoch that this replica knows of. */
export function informOfEpoch({ state, ctx }: Step, agent: AgentId): void {
  const { epoch, epochOp, epochView, replicas, old } = state.durable;
  // Nobody need be told of the first.
  if (epoch === 0) return;
  ctx.sendTo(agent, { type: "startEpoch", epoch, op: epochOp, view: epochView, replicas, old });
}

function replacedAgents({ state }: Step): AgentId[] {
  const staying = new Set(state.durable.replicas.map(({ agent }) => agent));
  return state.durable.old.map(({ agent }: DeepReadonly<Member>) => agent)
    .filter((agent) => !staying.has(agent));
}
