// The replica: an agent that keeps a machine together with the others of its group. Here is only who gets which
// message; the protocol is in the files beside this one.

import type { Done, StartReason } from "../../core/agent.ts";
import { assert } from "../../core/error.ts";
import { type AgentDefinition, defineAgent } from "../../core/define.ts";
import { builtInMachines, type Machines } from "../machine/registry.ts";
import { replicaAttrs } from "./attrs.ts";
import { informOfEpoch } from "./epoch.ts";
import { checkReplica } from "./invariants.ts";
import { promisedMs } from "./lease.ts";
import { onLook } from "./look.ts";
import { advance, onCommit, onHeartbeat, onPauseEnd, onPrepare, onPrepareOk } from "./normal.ts";
import { vrProtocol } from "./protocol.ts";
import { onEpochStarted, onStartEpoch, urgeNewReplicas } from "./reconfiguration.ts";
import { applyRecord } from "./records.ts";
import { onRecovery, onRecoveryResponse, onStart, sendRecovery } from "./recovery.ts";
import { onRequest, redirect, takeHeld } from "./requests.ts";
import { type VrRules, vrRules } from "./rules.ts";
import { newDurable, newVolatile, recordSchema, type ReplicaState } from "./state.ts";
import { onGetState, onNewState } from "./state_transfer.ts";
import {
  applicationOf,
  drawPatienceMs,
  isActingPrimary,
  othersOf,
  quorumOf,
  type ReplicaContext,
  sendToOthers,
  stampOf,
  type Step,
} from "./step.ts";
import { askForEpoch, askForState } from "./transfer.ts";
import {
  onDoViewChange,
  onLead,
  onStartView,
  onStartViewChange,
  sendVote,
  startViewChange,
} from "./view_change.ts";

/** What a type of replica is made of. */
export interface VrReplicaOptions {
  /** Default: the rules of the protocol. A test replaces one to see who notices. */
  readonly rules?: VrRules;
  /** The machines that can be replicated; default: the built-in ones. */
  readonly machines?: Machines;
}

type Handler<M> = (step: Step, message: M) => void;

/**
 * Makes the type of agent that keeps a machine together with others like it, by Viewstamped Replication.
 *
 * @example A grid that replicates a machine of its own.
 * ```ts
 * import { type AnyMachine, builtInMachines, defineMachine, makeVrReplica } from "ovid";
 * import { z } from "zod";
 *
 * const largest = defineMachine({
 *   name: "largest",
 *   doc: "The largest number so far.",
 *   operation: z.object({ number: z.int() }),
 *   result: z.object({ largest: z.int() }),
 *   initial: () => ({ largest: 0 }),
 *   apply(state, { number }) {
 *     state.largest = Math.max(state.largest, number);
 *     return { largest: state.largest };
 *   },
 *   isRead: () => false,
 * });
 * const machines = new Map<string, AnyMachine>([...builtInMachines, [largest.name, largest]]);
 * const replica = makeVrReplica({ machines }); // To be the default export of a plugin.
 * ```
 */
export function makeVrReplica(options: VrReplicaOptions = {}): AgentDefinition {
  const { rules = vrRules, machines = builtInMachines } = options;

  function stepOf(state: ReplicaState, ctx: ReplicaContext): Step {
    return { state, ctx, rules, machine: machineOf(machines, state.durable.machine) };
  }

  /** A handler of what clients and administrators send, who know nothing of epochs and views. */
  function open<M>(handler: Handler<M>) {
    return (state: ReplicaState, message: M, ctx: ReplicaContext): Done => {
      const step = stepOf(state, ctx);
      handler(step, message);
      settle(step);
    };
  }

  /**
   * A handler of what replicas of one epoch say to each other. Section 7.2: nothing of an earlier epoch is taken, its
   * sender is told of the later one; and who is in a later epoch is asked for it.
   */
  function inEpoch<M extends { readonly epoch: number }>(handler: Handler<M>) {
    return open<M>((step, message) => {
      const { epoch } = step.state.durable;
      if (message.epoch < epoch) return informOfEpoch(step, step.ctx.from);
      if (message.epoch > epoch) return askForEpoch(step, step.ctx.from);
      handler(step, message);
    });
  }

  /** A handler of what only those in the configuration take. */
  function asMember<M extends { readonly epoch: number }>(handler: Handler<M>) {
    return inEpoch<M>((step, message) => {
      const { status } = step.state;
      if (status !== "spare" && status !== "replaced") handler(step, message);
    });
  }

  return defineAgent({
    type: "vr_replica",
    version: 1,
    doc:
      "Keeps a machine, such as kv, together with other replicas: as long as a majority of them runs and is " +
      "connected, no operation is lost, and all agree.",
    attrs: replicaAttrs(machines),
    protocol: vrProtocol,
    timers: ["prepare", "heartbeat", "viewChange", "resend"],
    record: recordSchema,
    durable(attrs) {
      const machine = machineOf(machines, attrs.machine);
      return newDurable(machine.name, machine.initial(), attrs.replicas);
    },
    apply(durable, record) {
      applyRecord(durable, record, machineOf(machines, durable.machine), rules);
    },
    init: newVolatile,
    start(state, ctx, why: StartReason) {
      const step = stepOf(state, ctx);
      onStart(step, why);
      settle(step);
    },
    on: {
      request: open(onRequest),
      locate: open((step: Step) => redirect(step, step.ctx.from)),
      look(state, message, ctx) {
        const { machine } = stepOf(state, ctx);
        onLook({ machine, application: applicationOf({ state }), ctx }, message);
      },
      lead: open(onLead),
      prepare: asMember(onPrepare),
      prepareOk: asMember(onPrepareOk),
      commit: asMember(onCommit),
      startViewChange: asMember(onStartViewChange),
      doViewChange: asMember(onDoViewChange),
      startView: asMember(onStartView),
      recovery: asMember(onRecovery),
      recoveryResponse: asMember(onRecoveryResponse),
      getState: inEpoch(onGetState),
      newState: inEpoch(onNewState),
      startEpoch: open(onStartEpoch),
      epochStarted: inEpoch(onEpochStarted),
    },
    onTimer: {
      prepare: (state, ctx) => onPauseEnd(stepOf(state, ctx)),
      heartbeat: (state, ctx) => onHeartbeat(stepOf(state, ctx)),
      viewChange(state, ctx) {
        const step = stepOf(state, ctx);
        onPatienceEnd(step);
        settle(step);
      },
      resend(state, ctx) {
        const step = stepOf(state, ctx);
        onResend(step);
        settle(step);
      },
    },
    check: checkReplica,
  });
}

/** The built-in `vr_replica`. */
export const vrReplica = makeVrReplica();

function machineOf(machines: Machines, name: string) {
  const machine = machines.get(name);
  assert(machine !== undefined, `the machine ${name} is one of those that can be replicated`);
  return machine;
}

/** What follows from what a handler has done. */
function settle(step: Step): void {
  takeHeld(step);
  advance(step);
}

/** Section 4.2, step 1: the primary has been silent for too long, or a view change has come to nothing. */
function onPatienceEnd(step: Step): void {
  const { state, ctx } = step;
  const { status, view } = state;
  if (status !== "normal" && status !== "viewChange" && status !== "recovering") return;
  const heardAt = isActingPrimary(step) ? quorumHeardAt(step) : state.heardAt;
  if (status === "normal" && heardAt + state.patienceMs > ctx.now) {
    // This view has lasted.
    state.attempts = 0;
    state.patienceMs = drawPatienceMs(step);
  }
  const restMs = Math.max(heardAt + state.patienceMs - ctx.now, promisedMs(step));
  if (restMs > 0) ctx.setTimer("viewChange", restMs);
  else startViewChange(step, view + 1);
}

/**
 * Until when a quorum was heard. A primary whose messages arrive, and who hears nobody, would keep its backups from
 * electing one that can commit.
 */
function quorumHeardAt(step: Step): number {
  const { state, ctx } = step;
  const others = othersOf(step).map((agent) => state.heard.get(agent) ?? 0).sort((a, b) => b - a);
  const missing = quorumOf(step) - 1;
  return missing === 0 ? ctx.now : others[missing - 1] ?? ctx.now;
}

/** Says again what was not answered. */
function onResend(step: Step): void {
  const { state, ctx } = step;
  if (state.transfer !== undefined) askForState(step);
  switch (state.status) {
    case "recovering":
      return sendRecovery(step);
    case "viewChange":
      ctx.setTimer("resend", ctx.attrs.resendMs);
      sendToOthers(step, { type: "startViewChange", ...stampOf(step) });
      return sendVote(step);
    case "replaced":
      ctx.setTimer("resend", ctx.attrs.resendMs);
      return urgeNewReplicas(step);
    default:
      return;
  }
}
