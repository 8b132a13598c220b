// What every handler of a replica works with, and the few things that nearly all of them do.

import type { Context, DirectMessage } from "../../core/agent.ts";
import type { DeepReadonly } from "../../core/data.ts";
import { assert } from "../../core/error.ts";
import type { AgentId } from "../../core/id.ts";
import type { AnyMachine } from "../machine/machine.ts";
import type { ReplicaAttrs } from "./attrs.ts";
import { type Member, partLengthMax, type Vr, type VrProtocol } from "./protocol.ts";
import type { VrRules } from "./rules.ts";
import type { Application, ReplicaState, VrRecord } from "./state.ts";

/** The timers of a replica. */
export type ReplicaTimer = "prepare" | "heartbeat" | "viewChange" | "resend";

/** The context of a replica's handlers. */
export type ReplicaContext = Context<
  ReplicaAttrs,
  VrProtocol,
  never,
  ReplicaTimer,
  VrRecord,
  never
>;

/** One step of a replica. */
export interface Step {
  readonly state: ReplicaState;
  readonly ctx: ReplicaContext;
  readonly rules: VrRules;
  readonly machine: AnyMachine;
}

/** The epoch and view that a message carries. */
export function stampOf({ state }: Step): { epoch: number; view: number } {
  return { epoch: state.durable.epoch, view: state.view };
}

/** How many replicas make a quorum of the configuration. */
export function quorumOf({ state, rules }: Step): number {
  return rules.quorum(state.durable.replicas.length);
}

/** The primary of a view of the current epoch. */
export function primaryOf({ state, rules }: Step, view = state.view): AgentId {
  const primary = rules.primaryOf(state.durable.replicas, view);
  assert(primary !== undefined, "a configuration has replicas");
  return primary;
}

/** Whether this replica is the primary, and its status normal. */
export function isActingPrimary(step: Step): boolean {
  return step.state.status === "normal" && primaryOf(step) === step.ctx.self;
}

/** Whether this very incarnation stands in a configuration. */
export function isMember({ state, ctx }: Step, members: readonly DeepReadonly<Member>[]): boolean {
  return members.some(({ agent, incarnation }) =>
    agent === ctx.self && incarnation === state.durable.incarnation
  );
}

/** Whether an agent stands in the configuration. */
export function isReplica({ state }: Step, agent: AgentId): boolean {
  return state.durable.replicas.some((member) => member.agent === agent);
}

/** The other replicas of the configuration. */
export function othersOf({ state, ctx }: Step): AgentId[] {
  return state.durable.replicas.map(({ agent }) => agent).filter((agent) => agent !== ctx.self);
}

/** Sends to all other replicas of the configuration. */
export function sendToOthers(step: Step, message: DirectMessage<VrProtocol>): void {
  for (const agent of othersOf(step)) step.ctx.sendTo(agent, message);
}

/** The replicated state, which is there from `start` on. */
export function applicationOf({ state }: Pick<Step, "state">): Application {
  assert(state.application !== undefined, "the replicated state is there from the start on");
  return state.application;
}

/** A silent primary has so much time from now on. */
export function beginPatience(step: Step): void {
  const { state, ctx } = step;
  state.heardAt = ctx.now;
  state.patienceMs = drawPatienceMs(step);
  ctx.setTimer("viewChange", state.patienceMs);
}

/**
 * How long to wait for a silent primary. Not the same for all, lest they all become impatient at once; and twice as
 * long after each view that did not last, so that there is a view that does however slow the links are.
 */
export function drawPatienceMs({ state, ctx }: Step): number {
  const ms = ctx.attrs.viewChangeMs * 2 ** Math.min(state.attempts, 6);
  return ms + Math.floor(ctx.random() * ms / 2);
}

/** The first of `entries`, as many as one message carries. */
export function firstPart<E>(entries: readonly E[]): readonly E[] {
  let length = 0;
  for (const [index, entry] of entries.entries()) {
    length += JSON.stringify(entry).length;
    if (length > partLengthMax && index > 0) return entries.slice(0, index);
  }
  return entries;
}

/** A suffix of the log after op-number `after`, as much of it as one message carries. */
export function suffixAfter({ state }: Step, after: number): Pick<Vr<"startView">, "entries"> & {
  readonly after: number;
} {
  const { base, log } = state.durable;
  const start = Math.max(after, base);
  return { after: start, entries: firstPart(log.slice(start - base)) };
}
