// What a simulated world is made of, and what its runs tell.

import type { AgentDefinition } from "../core/define.ts";
import type { Fault } from "../core/envelope.ts";
import type { Grid } from "../core/grid.ts";
import type { BoxId } from "../core/id.ts";
import { seedMax } from "../core/random.ts";
import { requireProbability } from "./chance.ts";
import type { DiskOptions } from "./disk.ts";
import type { NetworkOptions } from "./network.ts";

/** What a simulated world is made of. */
export interface WorldOptions {
  readonly grid: Grid;
  /**
   * What a box goes by at every start but its first, for attrs that hold for the first start of a grid alone; default:
   * `grid`. It has the same agents on the same boxes.
   */
  readonly laterGrid?: Grid;
  /** The definition of each type that an agent of the grid has; a list, or by the name that the grid uses. */
  readonly definitions: readonly AgentDefinition[] | ReadonlyMap<string, AgentDefinition>;
  /** From 0 to 2^64 - 1: all chance comes from it, and equal seeds give equal runs. */
  readonly seed: bigint;
  readonly network?: NetworkOptions;
  readonly disk?: DiskOptions;
  /** The probability that any message is lost, mail within a box included, as with `--loss` of a box; default 0. */
  readonly loss?: number;
  /** Whether each agent's `check` runs after every handler; default true. */
  readonly checks?: boolean;
  /** Whether a run goes on after an agent has faulted; default false. Faults are in `failures` either way. */
  readonly allowFaults?: boolean;
  /** How many events the transcript keeps; default 1000. */
  readonly transcriptLines?: number;
  /**
   * Lets boxes send and show things before their records are durable, which is wrong; default false. A test of
   * durability that passes with it tests nothing.
   */
  readonly sendBeforeSync?: boolean;
}

/** An agent that faulted. */
export interface Failure {
  readonly atMs: number;
  readonly box: BoxId;
  readonly fault: Fault;
}

/** How long `World.runUntil` waits, and for what. */
export interface RunUntilOptions {
  /** In virtual milliseconds; default 60,000. */
  readonly withinMs?: number;
  /** What is waited for, for the error: `the answer`. */
  readonly what?: string;
}

/** @throws {TypeError} if the grid has an agent whose type is not defined. */
export function definitionsOf(
  { definitions, grid }: WorldOptions,
): ReadonlyMap<string, AgentDefinition> {
  const byType = isMap(definitions)
    ? definitions
    : new Map(definitions.map((definition) => [definition.type, definition]));
  for (const { id, type } of grid.agents.values()) {
    if (byType.has(type)) continue;
    const types = [...byType.keys()].join(", ");
    throw new TypeError(
      `Cannot simulate agent "${id}": its type is "${type}", want one of ${types}`,
    );
  }
  return byType;
}

function isMap(
  definitions: WorldOptions["definitions"],
): definitions is ReadonlyMap<string, AgentDefinition> {
  return definitions instanceof Map;
}

/** @throws {RangeError} if the seed or the loss is none. */
export function requireInRange({ seed, loss = 0 }: WorldOptions): void {
  if (seed < 0n || seed > seedMax) {
    throw new RangeError(`Cannot simulate: seed is ${seed}, want 0 to ${seedMax}`);
  }
  requireProbability(loss, "loss");
}
