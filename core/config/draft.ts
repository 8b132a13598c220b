// A grid that may still be wrong: it keeps what could be read, so that later checks can add their errors.

import type { Json } from "../data.ts";
import type { AgentEntry, Grid, Target } from "../grid.ts";
import { type AgentId, type BoxId, compareBytes, type VirtualId } from "../id.ts";

/** An agent as far as it could be read; what is undefined is wrong in the file. */
export interface DraftEntry {
  readonly id: AgentId;
  readonly type: string | undefined;
  readonly box: BoxId | undefined;
  readonly attrs: { readonly [name: string]: Json } | undefined;
  readonly routes: ReadonlyMap<VirtualId, readonly Target[]>;
  /** Whether its code is run in a sandbox. */
  readonly sandbox?: boolean;
}

/** A grid as far as it could be read. Every `Grid` is one. */
export interface Draft {
  readonly agents: ReadonlyMap<AgentId, DraftEntry>;
  readonly plugins: ReadonlyMap<string, string>;
  /** What stands under "simulation", as it is: a box takes no notice of it, `checkSimulation` judges it. */
  readonly simulation?: Json;
}

/** The grid of a draft; undefined if anything of an agent is missing. */
export function gridOf(draft: Draft, file: string): Grid | undefined {
  const agents = new Map<AgentId, AgentEntry>();
  const boxes = new Set<BoxId>();
  for (const { id, type, box, attrs, routes, sandbox } of draft.agents.values()) {
    if (type === undefined || box === undefined || attrs === undefined) return undefined;
    agents.set(id, { id, type, box, attrs, routes, ...sandbox ? { sandbox } : {} });
    boxes.add(box);
  }
  return { file, agents, boxes: [...boxes].sort(compareBytes), plugins: draft.plugins };
}
