// The grid of a paxos_chatroom, as GoOvid's generator wrote it: 2F + 1 replicas from port 5001 on, clients from port 8100
// on, and a controller.

import type { Json } from "../../core/data.ts";

/** What {@linkcode generateGrid} is told. */
export interface GridOptions {
  /** How many replicas may fail. */
  readonly failures: number;
  readonly clients: number;
  readonly mode: "script" | "manual";
}

/** The largest number of failures. */
export const failuresMax = 49;

/** The largest number of clients of a generated grid. */
export const generatedClientsMax = 100;

/** The controller's id. */
export const controllerId = 999;

/** An agent of a generated grid. */
export interface GeneratedAgent {
  readonly type: string;
  readonly box: string;
  readonly attrs: { readonly [name: string]: Json };
  readonly routes: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** The grid, by the ids of its agents. Each virtual destination has the id of the agent behind it. */
export function generateGrid(
  { failures, clients: count, mode }: GridOptions,
): Record<string, GeneratedAgent> {
  const replicas = Array.from({ length: 2 * failures + 1 }, (_, index) => 1 + index);
  const clients = Array.from({ length: count }, (_, index) => 100 + index);
  const agents: Record<string, GeneratedAgent> = {};
  for (const id of replicas) {
    const others = replicas.filter((each) => each !== id);
    agents[id] = {
      type: "paxos_replica",
      box: `127.0.0.1:${5000 + id}`,
      attrs: { myid: id, replicas, clients, output: `tmp/replica${id}.output` },
      routes: { ...routesTo(others, 1), ...routesTo(clients, 1) },
    };
  }
  for (const id of clients) {
    agents[id] = {
      type: "paxos_client",
      box: `127.0.0.1:${8000 + id}`,
      attrs: { myid: id, replicas, mode },
      routes: routesTo(replicas, 2),
    };
  }
  agents[controllerId] = {
    type: "paxos_controller",
    box: "127.0.0.1:9999",
    attrs: { replicas, clients },
    routes: { ...routesTo(replicas, 9), ...routesTo(clients, 9) },
  };
  return agents;
}

function routesTo(ids: readonly number[], port: number): GeneratedAgent["routes"] {
  return Object.fromEntries(ids.map((id) => [id, { [id]: port }]));
}
