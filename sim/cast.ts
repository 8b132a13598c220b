// A cast: who plays in the stories of a protocol, and how what they say and write down is put into words.

import type { AnyMessage } from "../core/agent.ts";
import type { Json } from "../core/data.ts";
import type { AgentDefinition } from "../core/define.ts";
import type { Grid } from "../core/grid.ts";

/** What a story may choose about its grid, with what holds if it does not. */
export type CastOptions = { readonly [name: string]: number | string };

/** A line to be typed at an agent's terminal. */
export interface Typed {
  readonly agent: string;
  readonly line: string;
}

/** The grid of a protocol for golden transcripts. Give it to {@linkcode defineCast}. */
export interface Cast<O extends CastOptions = CastOptions> {
  /** What `grid` calls it. */
  readonly name: string;
  /** Options of `grid` besides `seed`, `latency` and `sync`, with their defaults, which also say of which type each is. */
  readonly options: O;
  /** @param isFirst Whether a box starts by it for the first time, see `WorldOptions.laterGrid`. */
  grid(options: O, isFirst: boolean): Grid;
  readonly definitions: readonly AgentDefinition[];
  /**
   * What `client NAME WORDS...` types, and where; without it, the words at the terminal of the agent of that name.
   *
   * @throws {Error} if the words ask for nothing there is.
   */
  ask?(client: string, words: readonly string[]): Typed;
  /** What a message says besides its type; default: its fields. */
  message?(message: AnyMessage): string;
  /** What a record says; default: its fields. */
  record?(record: Json): string;
  /** What a note says besides its name; default: its fields. */
  note?(detail: Json): string;
  /** A line that an agent printed; default: as it is. */
  printed?(text: string): string;
  /** Types of messages that are left out where they say what the last one on the same way said, as heartbeats do. */
  readonly repeated?: readonly string[];
  /**
   * Commands that show the state of agents, in words without line ends; `state` is what `until` waits for, and its
   * default shows all there is.
   */
  readonly views?: { readonly [command: string]: (state: object, agent: string) => string };
  /** The agents that a view shows if none is named; default: all. */
  shown?(options: O): readonly string[];
  /** Lets boxes send before they sync, which is wrong: for those who want to see it in the transcript. */
  readonly sendBeforeSync?: boolean;
}

/**
 * Makes a cast of its definition.
 *
 * @example A cast of one agent, and a story of it.
 * ```ts
 * import { defineAgent, defineCast, plainGrid, retell, storyOf } from "ovid";
 * import { assertEquals } from "@std/assert";
 * import { z } from "zod";
 *
 * const echo = defineAgent({
 *   type: "echo",
 *   version: 1,
 *   doc: "Prints what is typed.",
 *   attrs: z.object({}),
 *   protocol: {},
 *   devices: ["terminal"],
 *   init: () => ({ lines: 0 }),
 *   on: {},
 *   onDevice: {
 *     terminal(state, event, ctx) {
 *       if (event.type !== "line") return;
 *       state.lines++;
 *       ctx.output("terminal", { type: "print", text: event.text });
 *     },
 *   },
 * });
 * const cast = defineCast({
 *   name: "echo",
 *   options: {},
 *   grid: () => plainGrid({ echo: { type: "echo", box: "b1" } }),
 *   definitions: [echo],
 * });
 *
 * const text = `grid echo
 * start
 * client echo hello
 * stabilize
 * state echo
 * ----
 * b1       :: starts with an empty disk
 * echo     >  hello
 * echo     =  lines=1
 * `;
 * assertEquals(retell(text, { file: "echo.txt", teller: storyOf([cast]) }), text);
 * ```
 */
export function defineCast<O extends CastOptions>(cast: Cast<O>): Cast {
  return Object.freeze(cast);
}
