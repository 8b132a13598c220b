// A grid made by a program rather than read from a file, for tests and for the rig.

import type { Json } from "../core/data.ts";
import type { AgentEntry, Grid, Target } from "../core/grid.ts";
import {
  type AgentId,
  agentId,
  type BoxId,
  compareBytes,
  type VirtualId,
  virtualId,
} from "../core/id.ts";

/** Who stands behind virtual destinations: agents, or agents and the ports at which text reaches them. */
export type PlainRoutes = {
  readonly [destination: string]: readonly string[] | { readonly [agent: string]: number };
};

/** An agent of a {@linkcode plainGrid}. */
export interface PlainAgent {
  readonly type: string;
  readonly box: string;
  readonly attrs?: { readonly [name: string]: Json };
  readonly routes?: PlainRoutes;
}

/**
 * A grid of agents by their ids. Boxes may have any names.
 *
 * @example
 * ```ts
 * import { plainGrid } from "ovid";
 *
 * const grid = plainGrid({
 *   client: { type: "client", box: "b1", routes: { counter: ["counter"] } },
 *   counter: { type: "counter", box: "b2" },
 * });
 * ```
 *
 * @throws {SyntaxError} if an id is no token, or a route leads to an agent that the grid does not have.
 */
export function plainGrid(agents: { readonly [id: string]: PlainAgent }): Grid {
  const entries = new Map<AgentId, AgentEntry>();
  for (const [name, { type, box, attrs = {}, routes = {} }] of Object.entries(agents)) {
    const id = agentId(name);
    entries.set(id, { id, type, box: boxId(box), attrs, routes: routingTable(routes) });
  }
  for (const { id, routes } of entries.values()) {
    for (const [destination, targets] of routes) {
      for (const { agent } of targets) {
        if (entries.has(agent)) continue;
        const known = [...entries.keys()].join(", ");
        throw new SyntaxError(
          `Cannot make a grid: ${id}.routes.${destination} leads to "${agent}", want one of ${known}`,
        );
      }
    }
  }
  const boxes = [...new Set([...entries.values()].map((entry) => entry.box))].sort(compareBytes);
  return { file: "", agents: entries, boxes, plugins: new Map() };
}

/** Routes in the form that hosts use. */
export function routingTable(routes: PlainRoutes): Map<VirtualId, readonly Target[]> {
  const table = new Map<VirtualId, readonly Target[]>();
  for (const [destination, targets] of Object.entries(routes)) {
    const ports = isList(targets)
      ? targets.map((target) => [target, 0] as const)
      : Object.entries(targets);
    table.set(
      virtualId(destination),
      ports.map(([target, port]) => ({ agent: agentId(target), port })),
    );
  }
  return table;
}

// Array.isArray does not narrow read-only arrays.
function isList(targets: PlainRoutes[string]): targets is readonly string[] {
  return Array.isArray(targets);
}

/** A box's name as its id: in a world without sockets it need not be an address. */
export function boxId(name: string): BoxId {
  return agentId(name) as string as BoxId;
}
