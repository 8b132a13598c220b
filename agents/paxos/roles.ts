// The roles of a member: section 4.4 collocates replica, leader and acceptor. Here is only who gets which message; what
// each role does with it is in the files beside.

import type { Done } from "../../core/agent.ts";
import type { DeepReadonly } from "../../core/data.ts";
import { assert } from "../../core/error.ts";
import type { Machines } from "../machine/registry.ts";
import { onP1a, onP2a } from "./acceptor.ts";
import { onLook } from "../vr/look.ts";
import type { Vr } from "../vr/protocol.ts";
import type { PaxosAttrs } from "./attrs.ts";
import { onP2b, propose, resendP2a } from "./commander.ts";
import { onDecisions, onLearn } from "./decisions.ts";
import { onHeartbeat, onPatienceEnd, onPing, onPong } from "./failure_detector.ts";
import { followEpoch, informOfEpoch, onHandOver, onTakenOver, urgeMembers } from "./hand_over.ts";
import { askNext, endLearning } from "./learn.ts";
import { perform } from "./perform.ts";
import { applyRecord } from "./records.ts";
import { onRequest, redirect, takeHeld } from "./requests.ts";
import type { PaxosRules } from "./rules.ts";
import { onLead, onP1b, resendP1a, tryLead } from "./scout.ts";
import { onStart } from "./start.ts";
import { type Durable, newDurable, type PaxosRecord, type PaxosState } from "./state.ts";
import {
  applicationOf,
  configurationOf,
  isAcceptor,
  type PaxosContext,
  type Step,
} from "./step.ts";

type Handler<M> = (step: Step, message: M) => void;

/** What a type of agent that plays the roles is made of. */
export function makeRoles(rules: PaxosRules, machines: Machines) {
  /** What the handlers work with. */
  const stepOf = (state: PaxosState, ctx: PaxosContext): Step => ({
    state,
    ctx,
    rules,
    machine: machineOf(machines, state.durable.machine),
  });

  /** A handler of what anybody may send, whatever configuration it knows of. */
  function open<M>(handler: Handler<M>) {
    return (state: PaxosState, message: M, ctx: PaxosContext): Done => {
      const step = stepOf(state, ctx);
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

  return {
    stepOf,
    durable(attrs: PaxosAttrs) {
      const machine = machineOf(machines, attrs.machine);
      return newDurable(machine.name, machine.initial(), attrs.replicas, attrs.window);
    },
    apply(durable: Durable, record: DeepReadonly<PaxosRecord>): Done {
      applyRecord(durable, record, machineOf(machines, durable.machine), rules);
    },
    start: (state: PaxosState, ctx: PaxosContext) =>
      open<undefined>(onStart)(state, undefined, ctx),
    /** What clients say. */
    onClient: {
      request: open(onRequest),
      locate: open((step: Step) => redirect(step, step.ctx.from)),
      lead: open(onLead),
      look(state: PaxosState, message: Vr<"look">, ctx: PaxosContext): Done {
        const { machine } = stepOf(state, ctx);
        onLook({ machine, application: applicationOf({ state }), ctx }, message);
      },
    },
    /** What members say. */
    onMember: {
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
  };
}

function machineOf(machines: Machines, name: string) {
  const machine = machines.get(name);
  assert(machine !== undefined, `the machine ${name} is one of those that can be replicated`);
  return machine;
}

/** What follows from what a handler has done. */
export function settle(step: Step): void {
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
