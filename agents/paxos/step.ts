// What every handler of a member works with, and the few things that nearly all of them do.

import type { Context, DirectMessage } from "../../core/agent.ts";
import type { DeepReadonly } from "../../core/data.ts";
import { assert } from "../../core/error.ts";
import type { AgentId } from "../../core/id.ts";
import type { AnyMachine } from "../machine/machine.ts";
import type { Member } from "../vr/protocol.ts";
import type { PaxosAttrs } from "./attrs.ts";
import type { Ballot } from "./ballot.ts";
import type { PaxosProtocol } from "./protocol.ts";
import type { PaxosRules } from "./rules.ts";
import type { Application, Configuration, PaxosRecord, PaxosState, Poll } from "./state.ts";

/** The timers of a member. */
export type PaxosTimer = "heartbeat" | "patience" | "resend";

type OwnContext = Context<PaxosAttrs, PaxosProtocol, never, PaxosTimer, PaxosRecord, never>;

/** The context of a member's handlers, and of others that do more than members do: it is named by what it can do. */
export type PaxosContext = Pick<OwnContext, keyof OwnContext>;

/** One step of a member. */
export interface Step {
  readonly state: PaxosState;
  readonly ctx: PaxosContext;
  readonly rules: PaxosRules;
  readonly machine: AnyMachine;
}

/** The replicated state, which is there from `start` on. */
export function applicationOf({ state }: Pick<Step, "state">): Application {
  assert(state.application !== undefined, "the replicated state is there from the start on");
  return state.application;
}

/** The configuration of the slot that is carried out next. */
export function configurationOf(step: Pick<Step, "state">): Configuration {
  return applicationOf(step).configuration;
}

/** The configuration that this member is in, and the latest ballot of it that it knows. */
export function stampOf(step: Step): { epoch: number; ballot: Ballot } {
  return { epoch: configurationOf(step).epoch, ballot: step.state.ballot };
}

/** Whether this very incarnation is one of `members`. */
export function isOneOf({ state, ctx }: Step, members: readonly DeepReadonly<Member>[]): boolean {
  return members.some(({ agent, incarnation }) =>
    agent === ctx.self && incarnation === state.durable.incarnation
  );
}

/** Whether this member is an acceptor, and may lead. Whoever has lost its disk is another one than is named. */
export function isAcceptor(step: Step): boolean {
  return isOneOf(step, configurationOf(step).members);
}

/** Whether an agent stands in the configuration. */
export function isMember(step: Step, agent: AgentId): boolean {
  return configurationOf(step).members.some((member) => member.agent === agent);
}

/** All agents of the configuration. */
export function agentsOf(step: Step): AgentId[] {
  return configurationOf(step).members.map(({ agent }) => agent);
}

/** All agents of the configuration but this one. */
export function othersOf(step: Step): AgentId[] {
  return agentsOf(step).filter((agent) => agent !== step.ctx.self);
}

/** How many acceptors make a quorum of the configuration. */
export function quorumOf(step: Step): number {
  return step.rules.quorum(configurationOf(step).members.length);
}

/** Sends to all other members of the configuration. */
export function sendToOthers(step: Step, message: DirectMessage<PaxosProtocol>): void {
  for (const agent of othersOf(step)) step.ctx.sendTo(agent, message);
}

/** Whether this member leads: its ballot was adopted, and it has heard of no later one. */
export function isLeading({ state }: Step): boolean {
  return state.leader !== undefined && state.leader.scout === undefined;
}

/** A poll of all acceptors, none of whom has been asked. */
export function newPoll(step: Step): Poll {
  return {
    acceptors: agentsOf(step),
    asked: new Set(),
    answered: new Set(),
    askedAt: step.ctx.now,
  };
}

/** Whether a quorum has answered as it should. */
export function hasQuorum({ rules }: Step, poll: Poll): boolean {
  return poll.answered.size >= rules.quorum(rules.pollSize(poll));
}

/** A silent leader has so much time from now on. */
export function beginPatience(step: Step): void {
  const { state, ctx } = step;
  state.heardAt = ctx.now;
  state.patienceMs = drawPatienceMs(step);
  ctx.setTimer("patience", state.patienceMs);
}

/** How long to wait for a silent leader. Not the same for all, lest they all become leaders at once. */
export function drawPatienceMs({ state, ctx }: Step): number {
  return state.backOffMs + Math.floor(ctx.random() * state.backOffMs / 2);
}
