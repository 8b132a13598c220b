// The member: an agent that keeps a machine together with the others of its group, collocating the replica, the leader
// and the acceptor of the paper: section 4.4. Here is only who gets which message; the roles are in the files beside.

import type { Done } from "../../core/agent.ts";
import { type AgentDefinition, defineAgent } from "../../core/define.ts";
import { assert } from "../../core/error.ts";
import { builtInMachines, type Machines } from "../machine/registry.ts";
import { onP1a, onP2a } from "./acceptor.ts";
import { paxosAttrs } from "./attrs.ts";
import { onP2b, propose, resendP2a } from "./commander.ts";
import { onDecisions, onLearn } from "./decisions.ts";
import { onHeartbeat, onPatienceEnd, onPing, onPong } from "./failure_detector.ts";
import { followEpoch, informOfEpoch, onHandOver, onTakenOver, urgeMembers } from "./hand_over.ts";
import { checkMember } from "./invariants.ts";
import { askNext, endLearning } from "./learn.ts";
import { perform } from "./perform.ts";
import { paxosProtocol } from "./protocol.ts";
import { applyRecord } from "./records.ts";
import { onRequest, redirect, takeHeld } from "./requests.ts";
import { type PaxosRules, paxosRules } from "./rules.ts";
import { onP1b, resendP1a, tryLead } from "./scout.ts";
import { onStart } from "./start.ts";
import { newDurable, newVolatile, type PaxosState, recordSchema } from "./state.ts";
import { configurationOf, isAcceptor, type PaxosContext, type Step } from "./step.ts";

/** What a type of member is made of. */
export interface PaxosMemberOptions {
  /** Default: the rules of the protocol. A test replaces one to see who notices. */
  readonly rules?: PaxosRules;
  /** The machines that can be replicated; default: the built-in ones. */
  readonly machines?: Machines;
}

type Handler<M> = (step: Step, message: M) => void;

/**
 * Makes the type of agent that keeps a machine together with others like it, by Multi-Paxos. It takes the place of a
 * `vr_replica` in a grid by its name alone, and `vr_client`s ask it as they ask that one.
 *
 * @example A grid that replicates a machine of its own.
 * ```ts
 * import { type AnyMachine, builtInMachines, defineMachine, makePaxosMember } from "ovid";
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
 * const member = makePaxosMember({ machines }); // To be the default export of a plugin.
 * ```
 */
export function makePaxosMember(options: PaxosMemberOptions = {}): AgentDefinition {
  const { rules = paxosRules, machines = builtInMachines } = options;

  /** A handler of what anybody may send, whatever configuration it knows of. */
  function open<M>(handler: Handler<M>) {
    return (state: PaxosState, message: M, ctx: PaxosContext): Done => {
      const step = { state, ctx, rules, machine: machineOf(machines, state.durable.machine) };
      handler(step, message);
      settle(step);
    };
  }

  /**
   * A handler of what the members of one configuration say to each other. Whoever is in an earlier one is told so, and
   * whoever is in a later one is asked for the decisions before it.
   */
  function inEpoch<M extends { readonly epoch: number }>(handler: Handler<M>) {
    return open<M>((step, message) => {
      const { epoch } = configurationOf(step);
      if (message.epoch < epoch) informOfEpoch(step, step.ctx.from);
      else if (message.epoch > epoch) followEpoch(step, step.ctx.from);
      else handler(step, message);
    });
  }

  /** A handler of what only acceptors take. */
  function asAcceptor<M extends { readonly epoch: number }>(handler: Handler<M>) {
    return inEpoch<M>((step, message) => {
      if (isAcceptor(step)) handler(step, message);
    });
  }

  function onTimer(handler: (step: Step) => void) {
    const handle = open<undefined>(handler);
    return (state: PaxosState, ctx: PaxosContext): Done => handle(state, undefined, ctx);
  }

  return defineAgent({
    type: "paxos_member",
    version: 1,
    doc:
      "Keeps a machine, such as kv, together with other members by Multi-Paxos: as long as a majority of them runs and " +
      "is connected, no operation is lost, and all agree.",
    attrs: paxosAttrs(machines),
    protocol: paxosProtocol,
    timers: ["heartbeat", "patience", "resend"],
    record: recordSchema,
    durable(attrs) {
      const machine = machineOf(machines, attrs.machine);
      return newDurable(machine.name, machine.initial(), attrs.replicas, attrs.window);
    },
    apply(durable, record) {
      applyRecord(durable, record, machineOf(machines, durable.machine), rules);
    },
    init: newVolatile,
    start: (state, ctx) => open<undefined>(onStart)(state, undefined, ctx),
    on: {
      request: open(onRequest),
      locate: open((step: Step) => redirect(step, step.ctx.from)),
      p1a: asAcceptor(onP1a),
      p1b: asAcceptor(onP1b),
      p2a: asAcceptor(onP2a),
      p2b: asAcceptor(onP2b),
      ping: inEpoch(onPing),
      pong: asAcceptor(onPong),
      learn: open(onLearn),
      decisions: open(onDecisions),
      handOver: open(onHandOver),
      takenOver: open(onTakenOver),
    },
    onTimer: {
      heartbeat: onTimer(onHeartbeat),
      patience: onTimer(onPatienceEnd),
      resend: onTimer(onResend),
    },
    check: checkMember,
  });
}

/** The built-in `paxos_member`. */
export const paxosMember = makePaxosMember();

function machineOf(machines: Machines, name: string) {
  const machine = machines.get(name);
  assert(machine !== undefined, `the machine ${name} is one of those that can be replicated`);
  return machine;
}

/** What follows from what a handler has done. */
function settle(step: Step): void {
  do {
    perform(step);
    tryLead(step);
    takeHeld(step);
  } while (propose(step));
  endLearning(step);
  const { state, ctx } = step;
  if (state.resends || !hasToResend(state)) return;
  state.resends = true;
  ctx.setTimer("resend", ctx.attrs.resendMs);
}

/** Whether anything was asked that is not answered. */
function hasToResend({ leader, learning, retiring }: PaxosState): boolean {
  if (learning !== undefined || retiring) return true;
  return leader !== undefined && (leader.scout !== undefined || leader.commanders.size > 0);
}

/** Says again what was not answered. */
function onResend(step: Step): void {
  const { state, ctx } = step;
  const { leader, learning } = state;
  state.resends = false;
  const isLate = (askedAt: number) => askedAt + ctx.attrs.resendMs <= ctx.now;
  if (learning !== undefined && isLate(learning.askedAt)) askNext(step, learning);
  if (leader?.scout !== undefined && isLate(leader.scout.askedAt)) resendP1a(step, leader.scout);
  if (leader !== undefined) resendP2a(step, leader);
  if (state.retiring) urgeMembers(step);
}
