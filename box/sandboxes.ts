// The agents of a box that run in sandboxes. To the host of all others they live on a box of their own, so that mail
// for them is let out like any, once what was appended before it is on disk.

import type { DurableImage, Fault, Input, Note } from "../core/envelope.ts";
import { type AgentEntry, agentsOf, type Grid } from "../core/grid.ts";
import type { AgentDefinition } from "../core/define.ts";
import type { AgentId, BoxId } from "../core/id.ts";
import type { Snapshot } from "../core/journal_format.ts";
import { deriveSeed } from "../core/random.ts";
import type { Carried, Elsewhere } from "./driver.ts";
import { type Held, SandboxAgent } from "./sandbox_agent.ts";
import { sandboxBox } from "./sandbox_limits.ts";
import type { SandboxedType, SandboxOptions } from "./sandbox_type.ts";

/** What runs in sandboxes, and how. */
export interface BoxSandboxes extends SandboxOptions {
  readonly types: ReadonlyMap<string, SandboxedType>;
}

/** What sandboxes need of their box. */
export interface SandboxesOptions {
  readonly box: BoxId;
  readonly grid: Grid;
  /** Undefined if nothing runs in any. */
  readonly sandboxes: BoxSandboxes | undefined;
  readonly definitions: ReadonlyMap<string, AgentDefinition>;
  readonly seed: bigint;
  readonly loss: number;
  readonly now: () => number;
  readonly takesTyped: (box: BoxId) => boolean;
  readonly read: (agent: AgentId) => Promise<DurableImage>;
  readonly carry: (batch: Carried) => void;
  readonly fault: (fault: Fault) => void;
  readonly note: (note: Note) => void;
  readonly said: (agent: AgentId, words: string) => void;
  readonly revived: (agent: AgentId) => void;
  readonly failed: (error: unknown) => void;
}

/** The agents of one box that run in sandboxes. */
export class Sandboxes implements Elsewhere {
  readonly #options: SandboxesOptions;
  readonly #entries: ReadonlyMap<AgentId, AgentEntry>;
  readonly #agents = new Map<AgentId, SandboxAgent>();

  constructor(options: SandboxesOptions) {
    this.#options = options;
    const { grid, box, sandboxes } = options;
    const own = agentsOf(grid, box).filter(({ type }) => sandboxes?.types.has(type));
    this.#entries = new Map(own.map((entry) => [entry.id, entry]));
  }

  has(agent: AgentId): boolean {
    return this.#entries.has(agent);
  }

  /** The grid as the host of the other agents sees it. */
  get rest(): Grid {
    const { grid } = this.#options;
    if (this.#entries.size === 0) return grid;
    const agents = new Map(Array.from(grid.agents, ([id, entry]) => [
      id,
      this.has(id) ? { ...entry, box: sandboxBox } : entry,
    ]));
    return { ...grid, agents };
  }

  /** Starts all of them. */
  boot(images: ReadonlyMap<AgentId, DurableImage>): void {
    const { sandboxes } = this.#options;
    for (const [id, entry] of this.#entries) {
      const type = sandboxes?.types.get(entry.type);
      if (sandboxes === undefined || type === undefined) continue;
      this.#agents.set(id, this.#make(entry, { ...sandboxes, type }, images.get(id)));
    }
  }

  take(agent: AgentId, input: Input): void {
    this.#agents.get(agent)?.take(input);
  }

  /**
   * Gives those of a type another plugin, all of them or, if it throws, none.
   *
   * @throws {Error} if the plugin cannot take the state of one of them.
   */
  async replace(type: string, sandboxed: SandboxedType): Promise<void> {
    const agents = Array.from(this.#agents).filter(([id]) => this.#entries.get(id)?.type === type);
    const prepared = await Promise.allSettled(agents.map(([, agent]) => agent.prepare(sandboxed)));
    const failed = prepared.find((each) => each.status === "rejected");
    await Promise.all(prepared.map(async (each) => {
      if (each.status === "fulfilled") await each.value(failed === undefined);
    }));
    if (failed !== undefined) throw failed.reason;
  }

  async hold(): Promise<{ parts: Snapshot; release(): void } | undefined> {
    const held = new Map<AgentId, Held | undefined>();
    await Promise.all(Array.from(this.#agents, async ([id, agent]) => {
      held.set(id, await agent.hold());
    }));
    const release = () => {
      for (const each of held.values()) each?.release();
    };
    const parts = new Map<AgentId, { version: number; durable: string }>();
    for (const [id, each] of held) {
      if (each === undefined) return void release();
      if (each.part !== null) parts.set(id, each.part);
    }
    return { parts, release };
  }

  async close(): Promise<void> {
    await Promise.all(Array.from(this.#agents.values(), (agent) => agent.close()));
  }

  #make(
    entry: AgentEntry,
    { type, start, limits }: SandboxOptions & { readonly type: SandboxedType },
    image: DurableImage | undefined,
  ): SandboxAgent {
    const { box, grid, definitions, seed, loss, takesTyped } = this.#options;
    const { now, carry, fault, note, failed } = this.#options;
    const agent = entry.id;
    const others = [...grid.agents.values()].filter(({ id }) => id !== agent)
      .map(({ id, type, box }) => ({ id, type, box }));
    const takes = Object.fromEntries(
      Array.from(definitions, ([type, { on }]) => [type, Object.keys(on)]),
    );
    // A stranger who knew the box's seed would know what all others draw.
    const own = String(deriveSeed(seed, `sandbox ${agent}`));
    return new SandboxAgent({
      ...{ box, entry, type, start, limits, now, carry, fault, note, failed },
      surroundings: () => ({
        ...{ box, others, takes, loss, seed: own },
        untyped: grid.boxes.filter((peer) => peer !== box && !takesTyped(peer)),
      }),
      read: () => this.#options.read(agent),
      said: (words) => this.#options.said(agent, words),
      revived: () => this.#options.revived(agent),
    }, image);
  }
}
