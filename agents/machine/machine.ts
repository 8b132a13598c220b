// What can be replicated: a deterministic machine on plain data. Protocols carry its operations and results without
// looking into them.

import type { Data, Json } from "../../core/data.ts";
import { QuickChecks } from "../../core/quick_check.ts";
import { type Schema, validate } from "../../core/schema.ts";

/**
 * A deterministic machine with states `S`, operations `Op` and results `Result`. Give it to
 * {@linkcode defineMachine}. Operations and results are JSON; the state is plain data, and is its own snapshot.
 */
export interface Machine<S, Op, Result> {
  /** The name by which a grid asks for it. */
  readonly name: string;
  /** What it keeps, a sentence. */
  readonly doc: string;
  /** What may be asked. Every replica trusts that an operation in the log has passed it. */
  readonly operation: Schema<Op>;
  readonly result: Schema<Result>;
  initial(): S;
  /**
   * Carries out an operation, changing `state` in place. The same state and operation give the same state and
   * result on every machine and at every time: no clock, no chance, no throwing.
   */
  apply(state: S, operation: Op): Result;
  /** Whether the operation leaves every state as it is, so that it need not be in the log. */
  isRead(operation: Op): boolean;
  /** The part of the state that the operation concerns alone; histories are checked part by part. */
  key?(operation: Op): string;
}

/** A machine whose types are erased, as protocols hold it. Only {@linkcode defineMachine} makes one. */
export type AnyMachine = Machine<Data, Json, Json>;

/**
 * Makes a machine from its definition.
 *
 * @example A machine that remembers the largest number it was told.
 * ```ts
 * import { z } from "zod";
 *
 * export const largest = defineMachine({
 *   name: "largest",
 *   doc: "The largest number so far.",
 *   operation: z.object({ kind: z.literal("tell"), number: z.int() }),
 *   result: z.object({ largest: z.int() }),
 *   initial: () => ({ largest: 0 }),
 *   apply(state, { number }) {
 *     state.largest = Math.max(state.largest, number);
 *     return { largest: state.largest };
 *   },
 *   isRead: () => false,
 * });
 * ```
 */
export function defineMachine<S, Op, Result>(machine: Machine<S, Op, Result>): AnyMachine {
  // The one place where the types of a machine are erased: an operation is held against its schema before it enters
  // a log, and states come from `initial` and `apply` alone.
  return Object.freeze(machine) as unknown as AnyMachine;
}

const quick = new QuickChecks();

/** Whether something is an operation of a machine. */
export function isOperation({ operation: schema }: AnyMachine, value: Json): boolean {
  return quick.of(schema)(value) || validate(schema, value).ok;
}
