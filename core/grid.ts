// The grid as the rest of Ovid sees it: all boxes and agents of one config file, parsed and checked.

import type { Json } from "./data.ts";
import type { AgentId, BoxId, VirtualId } from "./id.ts";

/** One agent behind a virtual destination, and the port at which text reaches it. */
export interface Target {
  readonly agent: AgentId;
  readonly port: number;
}

/** An agent of the grid. */
export interface AgentEntry {
  readonly id: AgentId;
  /** A built-in name, an entry of `plugins`, a file of a plugin folder, or a relative path. */
  readonly type: string;
  readonly box: BoxId;
  /** As the file has them; the agent's schema turns them into what its handlers see. */
  readonly attrs: { readonly [name: string]: Json };
  readonly routes: ReadonlyMap<VirtualId, readonly Target[]>;
  /** Whether the code of its type, a plugin, is run in a sandbox; default false. */
  readonly sandbox?: boolean;
}

/** A whole grid. */
export interface Grid {
  /** Where it was read from, absolute; empty for a grid made by a program. */
  readonly file: string;
  readonly agents: ReadonlyMap<AgentId, AgentEntry>;
  /** The boxes that agents live on, ascending by bytes. */
  readonly boxes: readonly BoxId[];
  /** Plugin name -> path, as written. */
  readonly plugins: ReadonlyMap<string, string>;
}

/** The agents of one box, in the grid's order. */
export function agentsOf(grid: Grid, box: BoxId): AgentEntry[] {
  return [...grid.agents.values()].filter((entry) => entry.box === box);
}
