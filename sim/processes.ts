// The simulated device `process`: boxes of the world that agents start and kill. Those that an agent has started go down
// with its box, as processes do with their parent.

import type { ProcessEvent } from "../core/devices.ts";
import type { Output } from "../core/envelope.ts";
import type { Grid } from "../core/grid.ts";
import type { AgentId, BoxId } from "../core/id.ts";
import type { Observer } from "./transcript.ts";
import type { WorldEvent } from "./world_event.ts";

/** What the device uses of its world. */
export interface ProcessWorld {
  readonly grid: Grid;
  readonly now: number;
  isUp(box: string): boolean;
  crash(box: string): void;
  at(ms: number, act: () => void): void;
  observe(observer: Observer): void;
}

/** What the device does with the boxes of its world. */
export interface ProcessActs {
  readonly start: (box: BoxId, loss: number) => void;
  readonly tell: (agent: AgentId, event: ProcessEvent) => void;
}

/** Lets agents of a world start and kill its boxes. */
export function observeProcesses(world: ProcessWorld, acts: ProcessActs): void {
  const processes = new Processes(world, acts);
  world.observe((event) => processes.see(event));
}

interface Parent {
  readonly agent: AgentId;
  readonly box: BoxId;
}

class Processes {
  readonly #world: ProcessWorld;
  readonly #acts: ProcessActs;
  /** Whose the boxes are that run because an agent has started them. */
  readonly #parents = new Map<BoxId, Parent>();

  constructor(world: ProcessWorld, acts: ProcessActs) {
    this.#world = world;
    this.#acts = acts;
  }

  see(event: WorldEvent): void {
    if (event.kind === "crash") this.#soon(() => this.#crashed(event.box));
    else if (event.kind === "output" && event.output.output.device === "process") {
      this.#soon(() => this.#take(event.box, event.output));
    }
  }

  /** Does something when the step in hand is over. */
  #soon(act: () => void): void {
    this.#world.at(this.#world.now, act);
  }

  #take(from: BoxId, { agent, output: { device, output } }: Output): void {
    if (device !== "process") return;
    const world = this.#world;
    const { boxes } = world.grid;
    if (output.type === "end") return world.isUp(from) ? world.crash(from) : undefined;
    const box = boxes.find((each) => each === output.box);
    const fail = (reason: string) =>
      this.#acts.tell(agent, { type: "failed", box: output.box, reason });
    if (box === undefined) return fail(`want one of ${boxes.join(", ")}`);
    if (output.type === "start") return this.#start({ agent, box: from }, box, output.loss);
    if (!this.#parents.has(box)) return fail("it was not started from here, or has ended");
    world.crash(box);
  }

  #start(parent: Parent, box: BoxId, loss: number): void {
    const { start, tell } = this.#acts;
    const { agent } = parent;
    if (this.#world.isUp(box)) {
      return tell(agent, { type: "failed", box, reason: "it runs already" });
    }
    // Its parent went down while this was under way.
    if (!this.#world.isUp(parent.box)) return;
    this.#parents.set(box, parent);
    start(box, loss);
    tell(agent, { type: "started", box });
  }

  #crashed(ended: BoxId): void {
    const world = this.#world;
    const parent = this.#parents.get(ended);
    this.#parents.delete(ended);
    if (parent !== undefined) {
      this.#acts.tell(parent.agent, { type: "exited", box: ended, code: null });
    }
    for (const [box, { box: home }] of this.#parents) {
      if (home === ended && world.isUp(box)) world.crash(box);
    }
  }
}
