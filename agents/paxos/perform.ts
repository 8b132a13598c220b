// The replica: section 2.1. What is decided is carried out in the order of the slots, answered, and in time checkpointed.

import type { DeepReadonly } from "../../core/data.ts";
import { copyData } from "../../core/data.ts";
import { assert } from "../../core/error.ts";
import type { AgentId } from "../../core/id.ts";
import type { Outcome } from "../vr/protocol.ts";
import { viewOf } from "./ballot.ts";
import { enterConfiguration } from "./configuration.ts";
import { execute } from "./execute.ts";
import { writeDecisions } from "./known.ts";
import type { Entry, Paxos } from "./protocol.ts";
import { type Application, logEnd, valueAt } from "./state.ts";
import { applicationOf, configurationOf, type Step } from "./step.ts";

/** Carries out all that is decided. */
export function perform(step: Step): void {
  const { state, ctx, machine, rules } = step;
  const { durable } = state;
  if (durable.checkpoint.slot > state.executed) installSnapshot(step);
  while (state.executed < state.decided) {
    const slot = ++state.executed;
    const value = valueAt(durable, slot);
    assert(value !== undefined, "what is not carried out is in the log");
    const application = applicationOf(step);
    const { epoch } = application.configuration;
    const outcomes = execute(application, slot, value, machine, rules);
    for (const [index, entry] of value.entries()) answer(step, entry, outcomes[index]);
    if (application.configuration.epoch > epoch) enterConfiguration(step);
  }
  const { operations } = durable.checkpoint.application;
  if (applicationOf(step).operations - operations >= ctx.attrs.checkpointOperations) {
    checkpoint(step);
  }
}

/** Carries out what the disk has, at the start: nobody waits for it any more. */
export function performAgain({ state, machine, rules }: Step): void {
  const { durable } = state;
  state.executed = durable.checkpoint.slot;
  state.decided = logEnd(durable);
  const application = state.application = copyOf(durable.checkpoint.application);
  while (state.executed < state.decided) {
    const slot = ++state.executed;
    const value = valueAt(durable, slot);
    assert(value !== undefined, "the log has no hole");
    execute(application, slot, value, machine, rules);
  }
}

/** Goes on from what another member has sent, instead of carrying out all that leads to it. */
function installSnapshot(step: Step): void {
  const { state, ctx } = step;
  const { epoch } = configurationOf(step);
  const { slot, application } = state.durable.checkpoint;
  state.application = copyOf(application);
  state.executed = slot;
  ctx.note("paxos.snapshot_installed", { slot });
  if (configurationOf(step).epoch > epoch) enterConfiguration(step);
}

function copyOf(application: DeepReadonly<Application>): Application {
  return copyData(application) as Application;
}

function answer(step: Step, entry: DeepReadonly<Entry>, outcome: Outcome | undefined): void {
  const { state, rules } = step;
  state.pending.delete(entry.client);
  const key = rules.replyKey(entry);
  const waiting = state.waiting.get(key);
  state.waiting.delete(key);
  if (waiting === undefined || outcome === undefined) return;
  const { client, session, request, command } = entry;
  if (command.kind === "reconfigure" && outcome.kind === "epoch") {
    // It is answered when it has taken effect.
    state.held.set(client, { from: waiting, message: { type: "request", ...entry } });
  } else reply(step, waiting, { client, session, request }, outcome);
}

/** A copy of the state now and then, so that the log need not be kept for ever. */
function checkpoint(step: Step): void {
  const { state, ctx } = step;
  writeDecisions(step);
  const { base } = state.durable;
  ctx.append({ kind: "checkpoint", slot: state.executed, keep: ctx.attrs.keepOperations });
  ctx.note("paxos.checkpoint", { slot: state.executed });
  if (state.durable.base === base) return;
  ctx.note("paxos.truncated", { base: state.durable.base });
  // Whoever is still getting an older snapshot would find that the log does not go on from there.
  if ((state.snapshot?.slot ?? 0) < state.durable.base) state.snapshot = undefined;
}

/** What clients are told of where the group is. */
export function clientStampOf(step: Step): { epoch: number; view: number } {
  const { epoch, members } = configurationOf(step);
  return { epoch, view: viewOf(step.state.ballot, members) };
}

/** Tells a client what came of its request. */
export function reply(
  step: Step,
  to: AgentId,
  { client, session, request }: Pick<Paxos<"request">, "client" | "session" | "request">,
  outcome: Outcome,
): void {
  const stamp = clientStampOf(step);
  step.ctx.sendTo(to, { type: "reply", client, session, request, ...stamp, outcome });
}
