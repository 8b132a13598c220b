// A workload: somebody who asks things of a grid in simulated runs. What must be true of the answers, and what goes
// wrong meanwhile, is said by the grid's "simulation".

import type { AgentDefinition } from "../../core/define.ts";
import type { PlainAgent } from "../plain_grid.ts";
import { findSizesFault, type Play, type Sizes, type Stage } from "../scenario.ts";

/** Who asks what of a grid. Give it to {@linkcode defineWorkload}. */
export interface Workload<S extends string = string> {
  /** The numbers that give a run its size; a seed draws from between, and shrinking goes towards the least. */
  readonly sizes: { readonly [K in S]: readonly [least: number, most: number] };
  /** Agents that are put into the grid to ask; their boxes do not crash. */
  agents?(sizes: Sizes<S>): { readonly [id: string]: PlainAgent };
  /** The types of these agents. */
  readonly definitions?: readonly AgentDefinition[];
  play(stage: Stage<S>): Play;
}

/**
 * Makes a workload of its definition, for a module that the "simulation" of a grid names.
 *
 * @example Types numbers, and counts what is printed.
 * ```ts
 * import { defineWorkload } from "ovid";
 *
 * const counting = defineWorkload({ // To be the default export of a file.
 *   sizes: { lines: [1, 9] },
 *   play({ world, sizes }) {
 *     for (let i = 1; i <= sizes.lines; i++) world.at(10 * i, () => world.line("echo", `${i}`));
 *     return {
 *       committed: () => world.printed("echo").length,
 *       done: () => world.printed("echo").length >= sizes.lines,
 *     };
 *   },
 * });
 * ```
 *
 * @throws {TypeError} if the definition contradicts itself.
 */
export function defineWorkload<const S extends string>(workload: Workload<S>): Workload {
  const fault = findWorkloadFault(workload);
  if (fault !== undefined) throw new TypeError(`Cannot define a workload: ${fault}`);
  return Object.freeze(workload);
}

/** Whether `value` is a workload, as the default export of a module should be. */
export function isWorkload(value: unknown): value is Workload {
  return findWorkloadFault(value) === undefined;
}

/** What is wrong with a workload, or undefined. */
export function findWorkloadFault(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return "it is not an object";
  const { sizes, agents, definitions, play } = value as Partial<Workload>;
  const fault = findSizesFault(sizes);
  if (fault !== undefined) return fault;
  if (agents !== undefined && typeof agents !== "function") return "agents is not a function";
  if (definitions !== undefined && !Array.isArray(definitions)) return "definitions is not a list";
  return typeof play === "function" ? undefined : "play is not a function";
}
