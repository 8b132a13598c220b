// The member: an agent that keeps a machine together with the others of its group, collocating the replica, the leader
// and the acceptor of the paper: section 4.4. Here is only what a grid and its host have to know of it.

import { type AgentDefinition, defineAgent } from "../../core/define.ts";
import { builtInMachines, type Machines } from "../machine/registry.ts";
import { paxosAttrs } from "./attrs.ts";
import { checkMember } from "./invariants.ts";
import { paxosProtocol } from "./protocol.ts";
import { makeRoles } from "./roles.ts";
import { type PaxosRules, paxosRules } from "./rules.ts";
import { newVolatile, recordSchema } from "./state.ts";

/** What a type of member is made of. */
export interface PaxosMemberOptions {
  /** Default: the rules of the protocol. A test replaces one to see who notices. */
  readonly rules?: PaxosRules;
  /** The machines that can be replicated; default: the built-in ones. */
  readonly machines?: Machines;
}

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
  const roles = makeRoles(rules, machines);
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
    durable: roles.durable,
    apply: roles.apply,
    init: newVolatile,
    start: roles.start,
    on: { ...roles.onClient, ...roles.onMember },
    onTimer: roles.onTimer,
    check: checkMember,
  });
}

/** The built-in `paxos_member`. */
export const paxosMember = makePaxosMember();
