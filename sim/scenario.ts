// A scenario: what a simulated run is about. A grid of some size, somebody who asks things of it, and what must be
// true of the answers. The faults are not its business; it says only which ones it does not promise to survive.

import type { FaultKind } from "../core/config/fault_kinds.ts";
import type { AgentDefinition } from "../core/define.ts";
import { isToken } from "../core/id.ts";
import type { Grid } from "../core/grid.ts";
import type { Random } from "../core/random.ts";
import type { History } from "./history.ts";
import type { Model } from "./linearizable_model.ts";
import type { Count, Quorum } from "./injector.ts";
import type { Climate } from "./swarm.ts";
import type { World } from "./world.ts";

/** The numbers that give a run its size, by their names. */
export type Sizes<S extends string> = { readonly [K in S]: number };

/** Where faults may strike. */
export interface Exposure {
  /** Boxes that may crash, stand still and so on; default: all. */
  readonly victims?: readonly string[];
  /** Boxes whose disks may be lost, and how many in one run; default: none. */
  readonly disks?: { readonly boxes: readonly string[]; readonly max: number };
  /** Of these so many are needed; after the safety phase a random set of boxes that holds them is healed. Default: all. */
  readonly quorum?: Quorum;
  /** Moments worth a crash: `append`, `sync`, and names of notes; default: `append` and `sync`. */
  readonly ambushes?: readonly string[];
  /** Faults that a grid of these sizes does not promise to survive, besides those of the scenario. */
  readonly spares?: readonly FaultKind[];
}

/** What a play gets to work with. */
export interface Stage<S extends string> {
  readonly world: World;
  readonly sizes: Sizes<S>;
  /** How long the faults last, from the beginning on, in virtual milliseconds. */
  readonly safetyMs: number;
  /** For the play alone. */
  readonly random: Random;
  /** Where the play notes what the clients saw. */
  readonly history: History;
  /** Counts something that the run has reached, or that has bitten. */
  readonly count: Count;
  /**
   * Ends the run: something was wrong that must never be. May be called at any time, by an observer as well.
   *
   * @throws {Error} always.
   */
  violated(what: string): never;
}

/** What is asked of the grid in one run, and what is checked. */
export interface Play {
  /** How many operations were answered; a run that ends with none has failed. */
  committed(): number;
  /** Whether all that was asked is answered: asked after every event. */
  done(): boolean;
  /** What is still to be answered, for whoever waited for it in vain. */
  waitsFor?(): string | undefined;
  /** Tells that the faults are over for `core`, and for the others never end. Who waits for them must not any more. */
  healed?(core: readonly string[]): void;
  /** Whether the disk of a box may be lost now, without a loss of what the grid promises to keep; default: always. */
  mayLose?(box: string): boolean;
  /** Which boxes are to be healed, if not any that hold a quorum. */
  core?(random: Random): readonly string[];
  /** Whether all of the core has caught up and agrees: asked after every event once all is answered. */
  converged?(): boolean;
  /** What the history must be explained by; without it nobody asks. */
  readonly model?: Model<unknown>;
  /** Judges the whole run, by throwing or by `violated`. */
  conclude?(): void;
}

/** What a run is about. Give it to {@linkcode defineScenario}. */
export interface Scenario<S extends string = string> extends Climate {
  readonly name: string;
  /** What it shows, a sentence or two. */
  readonly doc: string;
  /** The least and the most of each number; a seed draws from between, and shrinking goes towards the least. */
  readonly sizes: { readonly [K in S]: readonly [least: number, most: number] };
  grid(sizes: Sizes<S>): Grid;
  /** See `WorldOptions.laterGrid`. */
  laterGrid?(sizes: Sizes<S>): Grid;
  readonly definitions: readonly AgentDefinition[] | ReadonlyMap<string, AgentDefinition>;
  /** Faults that it does not promise to survive. */
  readonly spares?: readonly FaultKind[];
  exposure?(sizes: Sizes<S>): Exposure;
  /** How long nothing goes wrong at first, in virtual milliseconds; default 20. */
  readonly calmMs?: number;
  /** How long the faults last, least and most; default 500 to 3000. */
  readonly safetyMs?: readonly [least: number, most: number];
  /** How long all may take after the faults; default 60,000. */
  readonly livenessMs?: number;
  play(stage: Stage<S>): Play;
  /** Lets boxes send before they sync, which is wrong: for those who want to see it found out. */
  readonly sendBeforeSync?: boolean;
  /**
   * What must have been counted at least once over a batch of runs: the marks of `count`, `note.` and `fault.`. What
   * fewer than one in eight seeds reach comes with its share, and is asked of batches that are large enough for it.
   */
  readonly sometimes?: readonly (string | Seldom)[];
}

/** A mark that few seeds reach. */
export interface Seldom {
  readonly mark: string;
  /** At least this share of all seeds, above 0 and below 1. */
  readonly share: number;
}

/**
 * Makes a scenario of its definition, for `ovid sim FILE`, where FILE exports it as its default.
 *
 * @example An agent of one's own under every fault.
 * ```ts
 * import { defineAgent, defineScenario, plainGrid } from "ovid";
 * import { z } from "zod";
 *
 * const echo = defineAgent({
 *   type: "echo",
 *   version: 1,
 *   doc: "Prints what is typed.",
 *   attrs: z.object({}),
 *   protocol: {},
 *   devices: ["terminal"],
 *   init: () => ({}),
 *   on: {},
 *   onDevice: {
 *     terminal(_state, event, ctx) {
 *       if (event.type === "line") ctx.output("terminal", { type: "print", text: event.text });
 *     },
 *   },
 * });
 *
 * const scenario = defineScenario({ // To be the default export of a file.
 *   name: "echo",
 *   doc: "Types lines, and reads them again.",
 *   sizes: { lines: [1, 9] },
 *   grid: () => plainGrid({ echo: { type: "echo", box: "b1" } }),
 *   definitions: [echo],
 *   // What is typed while the box is down is lost.
 *   spares: ["kill", "powerCut", "ambush", "fullDisk"],
 *   play({ world, sizes, violated }) {
 *     for (let i = 1; i <= sizes.lines; i++) world.at(10 * i, () => world.line("echo", `${i}`));
 *     const answers = () => world.printed("echo");
 *     return {
 *       committed: () => answers().length,
 *       done: () => answers().length >= sizes.lines,
 *       conclude() {
 *         if (answers().some((line, index) => line !== `${index + 1}`)) violated("out of order");
 *       },
 *     };
 *   },
 * });
 * ```
 *
 * @throws {TypeError} if the definition contradicts itself.
 */
export function defineScenario<const S extends string>(scenario: Scenario<S>): Scenario {
  const fault = findScenarioFault(scenario);
  if (fault !== undefined) {
    throw new TypeError(`Cannot define scenario ${JSON.stringify(scenario.name)}: ${fault}`);
  }
  return Object.freeze(scenario);
}

/** Whether `value` is a scenario, as the default export of a file should be. */
export function isScenario(value: unknown): value is Scenario {
  return typeof value === "object" && value !== null &&
    findScenarioFault(value as Scenario) === undefined;
}

/** What is wrong with a scenario, or undefined. */
export function findScenarioFault(scenario: Scenario<never>): string | undefined {
  const { name, doc, sizes, grid, definitions, play } = scenario;
  if (typeof name !== "string" || !isToken(name)) return "name is not a name without white space";
  if (typeof doc !== "string" || doc === "") {
    return "doc is empty, want a sentence on what it shows";
  }
  const fault = findSizesFault(sizes);
  if (fault !== undefined) return fault;
  if (typeof grid !== "function") return "grid is not a function";
  if (typeof definitions !== "object" || definitions === null) return "definitions is not a list";
  if (typeof play !== "function") return "play is not a function";
  const wrong = scenario.sometimes?.find((wanted) =>
    typeof wanted !== "string" && !(wanted.share > 0 && wanted.share < 1)
  );
  if (wrong === undefined) return undefined;
  return `sometimes has ${JSON.stringify(wrong)}, want a share above 0 and below 1`;
}

/** What is wrong with ranges of sizes, or undefined. */
export function findSizesFault(sizes: unknown): string | undefined {
  if (typeof sizes !== "object" || sizes === null) return "sizes is not an object of ranges";
  for (const [size, range] of Object.entries(sizes)) {
    const [least, most]: unknown[] = Array.isArray(range) ? range : [];
    if (!isSize(least) || !isSize(most) || least > most) {
      return `sizes.${size} is not a range of whole numbers, want [least, most]`;
    }
  }
  return undefined;
}

function isSize(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
