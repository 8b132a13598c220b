// Routes: who stands behind a destination. An agent names virtual destinations, and only the router knows the
// agents; none, one or many may stand behind each.

import type { Grid, Target } from "./grid.ts";
import type { AgentId, BoxId, VirtualId } from "./id.ts";

const nobody: readonly Target[] = [];

/** The routing tables of all agents of a grid, and the box on which each agent lives. */
export class Router {
  readonly #routes = new Map<AgentId, ReadonlyMap<string, readonly Target[]>>();
  readonly #boxes = new Map<AgentId, BoxId>();
  /** Who was asked for last: agents nearly always write to the same one many times. */
  #last: AgentId | undefined;
  #lastBox: BoxId | undefined;

  constructor(grid: Grid) {
    for (const entry of grid.agents.values()) {
      this.#routes.set(entry.id, entry.routes);
      this.#boxes.set(entry.id, entry.box);
    }
  }

  /** Who stands behind `route` as `agent` sees it: none, one or many. Never somebody else by default. */
  resolve(agent: AgentId, route: string | VirtualId): readonly Target[] {
    return this.#routes.get(agent)?.get(route) ?? nobody;
  }

  /** The box of an agent; undefined if the grid has no such agent. */
  boxOf(agent: AgentId): BoxId | undefined {
    if (agent !== this.#last) {
      this.#lastBox = this.#boxes.get(agent);
      this.#last = agent;
    }
    return this.#lastBox;
  }

  /** The id that `text` spells, if an agent of the grid has it. */
  agent(text: string): AgentId | undefined {
    return this.#boxes.has(text as AgentId) ? text as AgentId : undefined;
  }
}
