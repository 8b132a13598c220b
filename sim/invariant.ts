// What must be true of a simulated grid, whatever happens to it: a user's own words on the states of agents, asked
// after every event. It looks and changes nothing.

import type { Done } from "../core/agent.ts";
import type { DeepReadonly } from "../core/data.ts";
import type { AgentDefinition } from "../core/define.ts";
import { messageOf } from "../core/error.ts";
import type { Grid } from "../core/grid.ts";
import type { AgentId } from "../core/id.ts";
import { ReadOnly } from "./read_only.ts";
import type { World } from "./world.ts";
import type { WorldEvent } from "./world_event.ts";

/** An agent as an invariant sees it. */
export interface AgentView<S> {
  readonly id: string;
  readonly box: string;
  readonly type: string;
  /** What it has in memory, some of which a crash may still take back while `synced` is false. */
  readonly state: DeepReadonly<S>;
  /** Whether all that its box has appended is on disk. */
  readonly synced: boolean;
}

/** A grid as an invariant sees it. */
export interface View {
  /** Virtual milliseconds since the run began. */
  readonly now: number;
  /** The agents of the file that run, in its order; those of boxes that are down have no state. */
  readonly agents: readonly AgentView<unknown>[];
  /** Those of one type, by its definition, from which their states have their types. */
  of<S>(definition: AgentDefinition<S>): readonly AgentView<S>[];
  /** The lines that an agent has printed so far, through all crashes: what was let out and cannot be taken back. */
  printed(agent: string): readonly string[];
}

/** Something that must be true. Give it to {@linkcode defineInvariant}. */
export interface Invariant<M = unknown> {
  /** What must be true, a sentence. */
  readonly doc: string;
  /** What it remembers from one look to the next; new for each run. */
  memory?(): M;
  /** Looks at the grid after every event, and throws an error if something is there that must never be. */
  always?(view: View, memory: M): Done;
  /** Whether what must come about has: asked after every event once the faults are over and all is answered. */
  eventually?(view: View, memory: M): boolean;
  /** Looks at the grid for the last time, and throws as `always` does. */
  atEnd?(view: View, memory: M): Done;
}

/**
 * Makes an invariant of its definition, for a module that the "simulation" of a grid names.
 *
 * @example Two agents never hold the same lock.
 * ```ts
 * import { defineAgent, defineInvariant } from "ovid";
 * import { z } from "zod";
 *
 * const worker = defineAgent({
 *   type: "worker",
 *   version: 1,
 *   doc: "Works while it holds the lock.",
 *   attrs: z.object({}),
 *   protocol: { grant: z.object({}) },
 *   init: () => ({ holds: false }),
 *   on: { grant: (state) => void (state.holds = true) },
 * });
 *
 * const exclusion = defineInvariant({ // To be the default export of a file.
 *   doc: "One worker at a time holds the lock.",
 *   always(view) {
 *     const holders = view.of(worker).filter(({ state }) => state.holds);
 *     if (holders.length > 1) throw new Error(`${holders.map(({ id }) => id)} hold the lock`);
 *   },
 * });
 * ```
 *
 * @throws {TypeError} if the definition contradicts itself.
 */
export function defineInvariant<M = undefined>(invariant: Invariant<M>): Invariant {
  const fault = findInvariantFault(invariant);
  if (fault !== undefined) throw new TypeError(`Cannot define an invariant: ${fault}`);
  return Object.freeze(invariant);
}

/** Whether `value` is an invariant, as the default export of a module should be. */
export function isInvariant(value: unknown): value is Invariant {
  return findInvariantFault(value) === undefined;
}

/** What is wrong with an invariant, or undefined. */
export function findInvariantFault(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return "it is not an object";
  const { doc, memory, always, eventually, atEnd } = value as Partial<Invariant>;
  if (typeof doc !== "string" || doc === "") {
    return "doc is empty, want a sentence on what must be true";
  }
  for (const [name, part] of Object.entries({ memory, always, eventually, atEnd })) {
    if (part !== undefined && typeof part !== "function") return `${name} is not a function`;
  }
  return always === undefined && eventually === undefined && atEnd === undefined
    ? "it looks at nothing, want always, eventually or atEnd"
    : undefined;
}

/** An invariant with the name by which it is told of. */
export interface NamedInvariant {
  readonly name: string;
  readonly invariant: Invariant;
}

/** Keeps the invariants of one run. */
export class InvariantWatch {
  readonly #world: World;
  readonly #grid: Grid;
  readonly #violated: (what: string) => never;
  readonly #kept: readonly (NamedInvariant & { readonly memory: unknown })[];
  readonly #readOnly = new ReadOnly();
  /** How many records of each box a crash could still take. */
  readonly #unsynced = new Map<string, number>();

  /** @param grid The agents that are looked at: those of a file, and not whoever asks them. */
  constructor(
    world: World,
    invariants: readonly NamedInvariant[],
    violated: (what: string) => never,
    grid: Grid = world.grid,
  ) {
    this.#world = world;
    this.#grid = grid;
    this.#violated = violated;
    this.#kept = invariants.map((each) => ({ ...each, memory: each.invariant.memory?.() }));
    if (invariants.length > 0) world.observe((event) => this.#see(event));
  }

  /** Looks, as after every event. */
  look(): void {
    this.#ask("always");
  }

  /** Looks for the last time. */
  end(): void {
    this.#ask("always");
    this.#ask("atEnd");
  }

  /** The first invariant that waits for what must come about; undefined if all of it has. */
  waitsFor(): string | undefined {
    if (!this.#kept.some(({ invariant }) => invariant.eventually)) return undefined;
    const view = this.#view();
    const waiting = this.#kept.find(({ name, invariant, memory }) =>
      invariant.eventually !== undefined &&
      this.#run(name, () => invariant.eventually?.(view, memory)) !== true
    );
    return waiting && `${waiting.name}: ${waiting.invariant.doc}`;
  }

  #ask(when: "always" | "atEnd"): void {
    if (this.#kept.length === 0) return;
    const view = this.#view();
    for (const { name, invariant, memory } of this.#kept) {
      this.#run(name, () => invariant[when]?.(view, memory));
    }
  }

  #run(name: string, look: () => unknown): unknown {
    let broken: string;
    try {
      const answer = look();
      if (!(answer instanceof Promise)) return answer;
      answer.catch(() => {});
      broken = "it returned a promise, want it to finish at once";
    } catch (error) {
      // An error of another kind is likely to be the invariant's own.
      broken = error instanceof Error && error.name !== "Error"
        ? `${error.name}: ${error.message}`
        : messageOf(error);
    }
    return this.#violated(`Invariant ${name} is broken: ${broken}`);
  }

  #view(): View {
    const world = this.#world;
    let agents: readonly AgentView<unknown>[] | undefined;
    const all = () => agents ??= this.#agents();
    return {
      now: world.now,
      get agents() {
        return all();
      },
      of<S>({ type }: AgentDefinition<S>): readonly AgentView<S>[] {
        // A definition's type names its states.
        return all().filter((each) => each.type === type) as readonly AgentView<S>[];
      },
      printed: (agent) => [...world.printed(agent)],
    };
  }

  #agents(): AgentView<unknown>[] {
    const views: AgentView<unknown>[] = [];
    for (const { id, box } of this.#grid.agents.values()) {
      const view = this.#agent(id, box);
      if (view !== undefined) views.push(view);
    }
    return views;
  }

  #agent(id: AgentId, box: string): AgentView<unknown> | undefined {
    const inspected = this.#world.inspect(id);
    if (inspected?.status !== "running") return undefined;
    return {
      id,
      box,
      type: inspected.definition.type,
      state: this.#readOnly.show(inspected.state),
      synced: (this.#unsynced.get(box) ?? 0) === 0,
    };
  }

  #see(event: WorldEvent): void {
    if (event.kind === "append") this.#add(event.box, 1);
    else if (event.kind === "sync") this.#add(event.box, -event.records);
    else if (event.kind === "crash" || event.kind === "start") this.#unsynced.delete(event.box);
  }

  #add(box: string, records: number): void {
    this.#unsynced.set(box, (this.#unsynced.get(box) ?? 0) + records);
  }
}
