// What a host is made of.

import type { AgentDefinition } from "./define.ts";
import type { Grid } from "./grid.ts";
import type { AgentId, BoxId } from "./id.ts";

/** What a host is made of. */
export interface HostOptions {
  readonly box: BoxId;
  readonly grid: Grid;
  /**
   * The definition of each type that an agent of this box has. With those of other boxes as well, `ctx.accepts`
   * knows what their agents take.
   */
  readonly definitions: ReadonlyMap<string, AgentDefinition>;
  /** An unsigned 64-bit number, from which every agent's randomness and the losses are drawn. */
  readonly seed: bigint;
  /** The probability that a message between agents is lost, mail within the box included; default 0. */
  readonly loss?: number;
  /** Whether a box takes typed mail; asked at the moment of sending. Default: every box does. */
  readonly takesTyped?: (box: BoxId) => boolean;
  /**
   * Whether an id that no agent of the grid has is a guest: a program that sends to agents of this box, and to whom
   * they may answer. Mail for guests is handed out as mail for this very box. Default: there are none.
   */
  readonly isGuest?: (agent: AgentId) => boolean;
  /** Whether each agent's `check` runs after every handler; default false. */
  readonly checks?: boolean;
  /**
   * Whether all steps give the same batch: for a driver that has carried out each before it asks for the next, or keeps
   * a copy. Default false.
   */
  readonly reuseBatch?: boolean;
  /** How many messages a step delivers before its driver gets its turn; default 1024. */
  readonly stepMailMax?: number;
  /** How many messages may wait inside the host; default 100,000. What comes on top is dropped and counted. */
  readonly queueMax?: number;
}
