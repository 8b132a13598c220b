// The grid of Gobby's scenarios: servers, each with a replica of the group and its client, and users.

import type { GobbyLimits } from "../../agents/gobby/machine_limits.ts";
import { makeGobbyClient } from "../../agents/gobby/client.ts";
import { makeGobbyServer } from "../../agents/gobby/server.ts";
import { makeGobbyService } from "../../agents/gobby/service.ts";
import { type GobbyRules, gobbyRules } from "../../agents/gobby/rules.ts";
import type { AnyMachine } from "../../agents/machine/machine.ts";
import { makePaxosMember } from "../../agents/paxos/member.ts";
import { type PaxosRules, paxosRules } from "../../agents/paxos/rules.ts";
import { vrClient } from "../../agents/vr/client.ts";
import { makeVrReplica } from "../../agents/vr/replica.ts";
import { type VrRules, vrRules } from "../../agents/vr/rules.ts";
import type { Json } from "../../core/data.ts";
import type { AgentDefinition } from "../../core/define.ts";
import { type PlainAgent, plainGrid } from "../plain_grid.ts";
import { gobbyAsker } from "./gobby_actor.ts";
import { vrAsker } from "./vr_agents.ts";

/** What a grid of Gobby is made of. */
export interface GobbyGridOptions {
  readonly servers: number;
  /** How many of them have a replica that is a spare at first; default 0. */
  readonly spares?: number;
  /** How many of the servers the others know of, which is by how many the lease is voted for; default all. */
  readonly seated?: number;
  /** Whether there is an administrator, who may change the group; default no. */
  readonly hasAdministrator?: boolean;
  readonly clients: number;
  /** What keeps the state: `vr_replica` or `paxos_member`. */
  readonly engine: string;
  /** Whether it is the very first start of the group. */
  readonly isFirst: boolean;
  /** Whether the master reads from the replica on its own box; default true. */
  readonly readsLocally?: boolean;
  readonly replica?: { readonly [attr: string]: Json };
  readonly group?: { readonly [attr: string]: Json };
  readonly server?: { readonly [attr: string]: Json };
  readonly client?: { readonly [attr: string]: Json };
}

/** The box of the server or user so called. */
export const boxOf = (name: string): string => `box_${name}`;

/** The names of servers and users. */
export function namesOf(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`);
}

/** See {@linkcode GobbyGridOptions}. */
export function gobbyGrid(options: GobbyGridOptions) {
  const servers = namesOf("s", options.servers);
  const replicas = namesOf("r", options.servers);
  const seated = servers.slice(0, options.seated);
  const founders = replicas.slice(0, options.servers - (options.spares ?? 0));
  const agents: Record<string, PlainAgent> = {};
  const { readsLocally = true } = options;
  for (const [index, server] of servers.entries()) {
    const box = boxOf(server);
    const replica = replicas[index] ?? "";
    agents[server] = {
      type: "gobby_server",
      box,
      attrs: {
        servers: seated.includes(server) ? seated : servers,
        group: `${server}_group`,
        ...readsLocally ? { replica } : {},
        ...options.server,
      },
    };
    agents[`${server}_group`] = {
      type: "vr_client",
      box,
      attrs: { replicas, ...options.group },
    };
    agents[replica] = {
      type: options.engine,
      box,
      attrs: {
        replicas: founders,
        machine: "gobby_service",
        bootstrap: options.isFirst && founders.includes(replica),
        ...options.replica,
      },
    };
  }
  for (const user of namesOf("c", options.clients)) {
    const box = boxOf(user);
    agents[`${user}_client`] = { type: "gobby_client", box, attrs: { servers, ...options.client } };
    agents[user] = { type: "gobby_asker", box, attrs: { client: `${user}_client` } };
  }
  if (options.hasAdministrator === true) {
    const box = boxOf("admin");
    agents.admin_client = { type: "vr_client", box, attrs: { replicas, deadlineMs: 20_000 } };
    agents.admin = { type: "vr_asker", box, attrs: { client: "admin_client" } };
  }
  return plainGrid(agents);
}

/** What a test may break, to see whether it is found out; default: nothing is. */
export interface GobbyParts {
  readonly rules?: GobbyRules;
  /** What is replicated, made with the rules and limits. */
  readonly service?: (service: AnyMachine) => AnyMachine;
  readonly vr?: VrRules;
  readonly paxos?: PaxosRules;
  /** How many servers are seated or unseated by one change of the grid; default 1. */
  readonly reseated?: number;
}

/** The agents of such a grid. */
export function gobbyAgents(
  { rules = gobbyRules, service = (as) => as, vr = vrRules, paxos = paxosRules }: GobbyParts,
  limits: GobbyLimits,
): AgentDefinition[] {
  const machine = service(makeGobbyService({ limits, rules }));
  const machines = new Map([[machine.name, machine]]);
  return [
    makeGobbyServer(rules),
    makeGobbyClient(rules),
    makeVrReplica({ machines, rules: vr }),
    makePaxosMember({ machines, rules: paxos }),
    vrClient,
    vrAsker,
    gobbyAsker,
  ];
}
