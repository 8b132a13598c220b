// The grid of Gobby's scenarios: servers, each with a replica of the group and its client, and users.

import type { GobbyLimits } from "../../agents/gobby/machine_limits.ts";
import { makeGobbyClient } from "../../agents/gobby/client.ts";
import { makeGobbyServer } from "../../agents/gobby/server.ts";
import { makeGobbyService } from "../../agents/gobby/service.ts";
import type { GobbyRules } from "../../agents/gobby/rules.ts";
import { makePaxosMember } from "../../agents/paxos/member.ts";
import { vrClient } from "../../agents/vr/client.ts";
import { makeVrReplica } from "../../agents/vr/replica.ts";
import type { Json } from "../../core/data.ts";
import type { AgentDefinition } from "../../core/define.ts";
import { type PlainAgent, plainGrid } from "../plain_grid.ts";
import { gobbyAsker } from "./gobby_actor.ts";

/** What a grid of Gobby is made of. */
export interface GobbyGridOptions {
  readonly servers: number;
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
  const agents: Record<string, PlainAgent> = {};
  const { readsLocally = true } = options;
  for (const [index, server] of servers.entries()) {
    const box = boxOf(server);
    const replica = replicas[index] ?? "";
    agents[server] = {
      type: "gobby_server",
      box,
      attrs: {
        ...{ servers, group: `${server}_group` },
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
        replicas,
        machine: "gobby_service",
        bootstrap: options.isFirst,
        ...options.replica,
      },
    };
  }
  for (const user of namesOf("c", options.clients)) {
    const box = boxOf(user);
    agents[`${user}_client`] = { type: "gobby_client", box, attrs: { servers, ...options.client } };
    agents[user] = { type: "gobby_asker", box, attrs: { client: `${user}_client` } };
  }
  return plainGrid(agents);
}

/** The agents of such a grid, made with rules that a test may break. */
export function gobbyAgents(rules: GobbyRules, limits: GobbyLimits): AgentDefinition[] {
  const service = makeGobbyService({ limits, rules });
  const machines = new Map([[service.name, service]]);
  return [
    makeGobbyServer(rules),
    makeGobbyClient(rules),
    makeVrReplica({ machines }),
    makePaxosMember({ machines }),
    vrClient,
    gobbyAsker,
  ];
}
