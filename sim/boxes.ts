// The boxes of a simulated world, and how they and their agents are found by what a test calls them.

import type { AgentEntry, Grid } from "../core/grid.ts";
import { agentId, type BoxId } from "../core/id.ts";
import type { SimulatedBox } from "./simulated_box.ts";

/** Whether something concerns one direction of a link alone; default false. */
export interface OneWay {
  readonly oneWay?: boolean;
}

/** All boxes of a grid. */
export class Boxes {
  readonly #grid: Grid;
  readonly #boxes = new Map<string, SimulatedBox>();

  constructor(grid: Grid, make: (box: BoxId) => SimulatedBox) {
    this.#grid = grid;
    for (const box of grid.boxes) this.#boxes.set(box, make(box));
  }

  all(): Iterable<SimulatedBox> {
    return this.#boxes.values();
  }

  of(id: BoxId): SimulatedBox | undefined {
    return this.#boxes.get(id);
  }

  /** @throws {RangeError} if there is no such box to `act` on. */
  get(act: string, name: string): SimulatedBox {
    const box = this.#boxes.get(name);
    if (box !== undefined) return box;
    const names = [...this.#boxes.keys()].join(", ");
    throw new RangeError(`Cannot ${act} box "${name}", want one of ${names}`);
  }

  /** @throws {Error} if the box is down. */
  up(act: string, name: string): SimulatedBox {
    const box = this.get(act, name);
    if (!box.up) throw new Error(`Cannot ${act} box "${name}": it is down`);
    return box;
  }

  /** The links between two boxes in both directions or one; those of all boxes where names are left out. */
  links(
    act: string,
    a: string | undefined,
    b: string | undefined,
    { oneWay = false }: OneWay,
  ): [from: BoxId, to: BoxId][] {
    const froms = a === undefined ? this.#grid.boxes : [this.get(act, a).id];
    const tos = b === undefined ? this.#grid.boxes : [this.get(act, b).id];
    const links: [BoxId, BoxId][] = [];
    for (const from of froms) {
      for (const to of tos) {
        if (from === to) continue;
        links.push([from, to]);
        if (!oneWay) links.push([to, from]);
      }
    }
    return links;
  }

  /** @throws {RangeError} if the grid has no such agent. */
  entry(name: string): AgentEntry {
    const entry = this.#grid.agents.get(agentId(name));
    if (entry !== undefined) return entry;
    const names = [...this.#grid.agents.keys()].join(", ");
    throw new RangeError(`Cannot find agent "${name}", want one of ${names}`);
  }
}
