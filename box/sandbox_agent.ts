// An agent that runs in a sandbox: what comes for it waits here until its sandbox has answered for what came before,
// and what it asks for becomes a batch of its box. A sandbox that ends, for whatever reason, is a fault of its agent,
// which starts again in another from what the disk holds.

import type { DurableImage, Fault, Input, Note } from "../core/envelope.ts";
import type { AgentEntry } from "../core/grid.ts";
import { faultsMax, faultWindowMs } from "../core/host.ts";
import type { BoxId } from "../core/id.ts";
import { startTimer, stopTimer } from "../transport/timer.ts";
import type { Carried } from "./driver.ts";
import { Sandbox } from "./sandbox.ts";
import { outputsOf, sendsOf } from "./sandbox_batch.ts";
import type { SandboxedType, SandboxOptions } from "./sandbox_type.ts";
import type { SandboxAnswer, SandboxBatch, StartRequest } from "./sandbox_words.ts";

/** What an agent in a sandbox needs of its box. */
export interface SandboxAgentOptions extends SandboxOptions {
  readonly box: BoxId;
  readonly entry: AgentEntry;
  readonly type: SandboxedType;
  readonly now: () => number;
  /** What it is told at a start, but for what the plugin and the disk have to say. */
  readonly surroundings: () => Omit<StartRequest, "do" | "code" | "image" | "now" | "agent">;
  /** What the disk holds of it, once all that it appended is there. */
  readonly read: () => Promise<DurableImage>;
  readonly carry: (batch: Carried) => void;
  readonly fault: (fault: Fault) => void;
  readonly note: (note: Note) => void;
  /** It wrote to its console. */
  readonly said: (words: string) => void;
  readonly revived: () => void;
  /** The belief of this box broke. */
  readonly failed: (error: unknown) => void;
}

/** The durable state of an agent, as a snapshot holds it; null for one without. */
export type Part = { readonly version: number; readonly durable: string } | null;

/** An agent that is held still. */
export interface Held {
  readonly part: Part;
  release(): void;
}

/** How many inputs may wait for a sandbox; further ones are dropped, as mail may be. */
export const sandboxQueueMax = 10_000;

/** How many inputs it is handed at once. */
const inputsMax = 256;

/** Ends an agent, with what it or its sandbox said. */
class AgentFault extends Error {
  constructor(words: string, readonly final: boolean) {
    super(words);
  }
}

/** Something to be done between two steps: with its sandbox, which another may replace. */
interface Errand {
  run(
    sandbox: Sandbox,
  ): Promise<{ readonly sandbox: Sandbox; readonly batch: SandboxBatch } | void>;
  /** It will not be done. */
  drop(): void;
}

/** One agent and its sandboxes, one after the other. */
export class SandboxAgent {
  readonly #options: SandboxAgentOptions;
  #running: Promise<void>;
  readonly #faultsAt: number[] = [];
  #type: SandboxedType;
  #inputs: Input[] = [];
  #dropped = 0;
  #errands: Errand[] = [];
  #wake = Promise.withResolvers<void>();
  readonly #open = new Set<Sandbox>();
  /** What it had when it ended in peace. */
  #last: Part | undefined;
  #over = false;
  #closed = false;

  constructor(options: SandboxAgentOptions, image: DurableImage | undefined) {
    this.#options = options;
    this.#type = options.type;
    this.#running = this.#begun(image);
  }

  take(input: Input): void {
    if (this.#over || this.#closed) return;
    if (this.#inputs.length < sandboxQueueMax) this.#inputs.push(input);
    else this.#dropped++;
    this.#wake.resolve();
  }

  /** Holds it still between two steps, with its state; undefined if it does not run. */
  async hold(): Promise<Held | undefined> {
    if (this.#over) {
      return this.#last === undefined ? undefined : { part: this.#last, release() {} };
    }
    const held = Promise.withResolvers<Held | undefined>();
    this.#errand({
      run: async (sandbox) => {
        const part = await this.#snapshot(sandbox);
        const { promise, resolve } = Promise.withResolvers<void>();
        held.resolve(part === undefined ? undefined : { part, release: resolve });
        if (part !== undefined) await promise;
      },
      drop: () => held.resolve(undefined),
    });
    return await held.promise;
  }

  /**
   * Readies another plugin for it, with the durable state that it has, and holds it still until it is decided
   * whether it goes on with that one.
   *
   * @throws {Error} if the plugin cannot take the state.
   */
  async prepare(type: SandboxedType): Promise<(take: boolean) => Promise<void>> {
    if (this.#over) return (take) => take ? this.#again(type) : Promise.resolve();
    const ready = Promise.withResolvers<(take: boolean) => Promise<void>>();
    this.#errand({
      run: async (sandbox) => {
        const next = await this.#successor(sandbox, type).catch((error) => {
          // Whoever has died meanwhile is asked again in its next life.
          sandbox.check();
          ready.reject(error);
        });
        if (next === undefined) return;
        const [decided, settled] = [
          Promise.withResolvers<boolean>(),
          Promise.withResolvers<void>(),
        ];
        ready.resolve((take) => (decided.resolve(take), settled.promise));
        const taken = await decided.promise;
        await this.#end(taken ? sandbox : next.sandbox);
        if (taken) this.#type = type;
        settled.resolve();
        return taken ? next : undefined;
      },
      drop: () => ready.reject(new Error("its agent has just been stopped")),
    });
    return await ready.promise;
  }

  async #successor(sandbox: Sandbox, type: SandboxedType) {
    const part = await this.#snapshot(sandbox);
    if (part === undefined) throw new Error("its state cannot be had");
    const image = part === null ? undefined : { snapshot: part, records: [] };
    const next = this.#begin();
    try {
      return { sandbox: next, batch: batchOf(await this.#start(next, type, image)) };
    } catch (error) {
      await this.#end(next);
      throw new Error(type.source.messageOf(error));
    }
  }

  /** Another life, after the last, by another plugin. */
  async #again(type: SandboxedType): Promise<void> {
    await this.#running;
    if (this.#closed) return;
    this.#type = type;
    this.#over = false;
    this.#last = undefined;
    this.#faultsAt.length = 0;
    this.#running = this.#begun(await this.#options.read());
  }

  /** Ends it with its box. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#wake.resolve();
    for (const errand of this.#errands.splice(0)) errand.drop();
    await Promise.all(Array.from(this.#open, (sandbox) => this.#end(sandbox)));
    await this.#running;
  }

  /** All its lives; never rejects. */
  async #begun(first: DurableImage | undefined): Promise<void> {
    let image = first;
    try {
      while (await this.#livesOn(image)) image = await this.#options.read();
    } catch (error) {
      if (!this.#closed) this.#options.failed(error);
    } finally {
      this.#over = true;
      this.#inputs = [];
      for (const errand of this.#errands.splice(0)) errand.drop();
    }
  }

  async #livesOn(image: DurableImage | undefined): Promise<boolean> {
    if (this.#closed) return false;
    try {
      await this.#live(image);
      return false;
    } catch (error) {
      // Also what a step that was under way would have said is gone.
      return !this.#closed && !this.#fault(error);
    }
  }

  /** One life of it: until it ends in peace, or throws. */
  async #live(image: DurableImage | undefined): Promise<void> {
    let sandbox = this.#begin();
    try {
      let batch = batchOf(await this.#start(sandbox, this.#type, image), true);
      if (this.#faultsAt.length > 0) this.#options.revived();
      for (;;) {
        this.#carryOut(batch);
        if (batch.ended) {
          this.#last = await this.#snapshot(sandbox).catch(() => undefined);
          return;
        }
        await this.#something(batch, sandbox);
        if (this.#closed) return;
        const errand = this.#errands.shift();
        if (errand === undefined) {
          batch = await this.#step(sandbox);
          continue;
        }
        const next = await errand.run(sandbox).catch((error) => {
          this.#errands.unshift(errand);
          throw error;
        });
        batch = { ...batch, ...nothing };
        if (next !== undefined) ({ sandbox, batch } = next);
      }
    } finally {
      await this.#end(sandbox);
    }
  }

  #begin(): Sandbox {
    const { start, limits } = this.#options;
    const sandbox = new Sandbox(start(limits));
    this.#open.add(sandbox);
    sandbox.over.then(() => this.#wake.resolve());
    return sandbox;
  }

  async #end(sandbox: Sandbox): Promise<void> {
    await sandbox.end();
    this.#open.delete(sandbox);
  }

  async #start(
    sandbox: Sandbox,
    { bundle }: SandboxedType,
    image: DurableImage | undefined,
  ): Promise<SandboxAnswer> {
    const { entry: { id, attrs, routes }, limits, now, surroundings } = this.#options;
    const agent = { id, attrs, routes: [...routes] };
    const about = { code: bundle.code, agent, image, now: now() };
    return await sandbox.ask({ do: "start", ...surroundings(), ...about }, limits.loadMs);
  }

  async #step(sandbox: Sandbox): Promise<SandboxBatch> {
    const { limits, now, surroundings, note, entry } = this.#options;
    sandbox.check();
    // Gone from the queue before it is known what they do: whoever kills its agent does so once.
    const inputs = this.#inputs.splice(0, inputsMax);
    const { untyped } = surroundings();
    const batch = batchOf(
      await sandbox.ask({ do: "step", now: now(), inputs, untyped }, limits.stepMs),
    );
    this.#inputs.unshift(...inputs.slice(batch.taken));
    if (this.#dropped > 0) {
      note({ agent: entry.id, event: "mail.overflow", detail: this.#dropped });
      this.#dropped = 0;
    }
    return batch;
  }

  async #snapshot(sandbox: Sandbox): Promise<Part | undefined> {
    const answer = await sandbox.ask({ do: "snapshot" }, this.#options.limits.stepMs);
    return "snapshot" in answer ? answer.snapshot : undefined;
  }

  #carryOut(batch: SandboxBatch): void {
    const { entry, carry, said, note } = this.#options;
    const agent = entry.id;
    for (const words of batch.said) said(words);
    const notes = batch.notes.map(({ event, detail }): Note =>
      detail === undefined ? { agent, event } : { agent, event, detail }
    );
    const outputs = outputsOf(agent, batch, this.#type.definition);
    for (const refused of outputs.refused) {
      note({ agent, event: "output.refused", detail: refused });
    }
    carry({
      appends: batch.appends.map((record) => ({ agent, record })),
      sends: sendsOf(agent, batch).map((envelope) => ({ box: this.#options.box, ...envelope })),
      outputs: outputs.taken,
      notes,
      endings: batch.ended ? [agent] : [],
    });
    if (batch.fault !== undefined) throw new AgentFault(batch.fault.words, batch.fault.final);
  }

  /** Resolves when there is something to do: an input, an errand, a timer that is due, an end. */
  async #something({ busy, wakeAt }: SandboxBatch, sandbox: Sandbox): Promise<void> {
    if (
      busy || sandbox.isOver || this.#closed || this.#inputs.length > 0 || this.#errands.length > 0
    ) return;
    this.#wake = Promise.withResolvers();
    const ms = wakeAt === undefined
      ? undefined
      : Math.max(0, Math.ceil(wakeAt - this.#options.now()));
    const timer = ms === undefined ? undefined : startTimer(ms, () => this.#wake.resolve());
    await this.#wake.promise;
    stopTimer(timer);
  }

  #errand(errand: Errand): void {
    if (this.#closed) return errand.drop();
    this.#errands.push(errand);
    this.#wake.resolve();
  }

  /** Whether it was its last. */
  #fault(error: unknown): boolean {
    const { entry: { id: agent }, fault, now, note } = this.#options;
    const at = now();
    this.#faultsAt.push(at);
    while ((this.#faultsAt[0] ?? at) < at - faultWindowMs) this.#faultsAt.shift();
    const stopped = (error instanceof AgentFault && error.final) ||
      this.#faultsAt.length >= faultsMax;
    const words = error instanceof Error ? error.message : String(error);
    fault({ agent, error: words, then: stopped ? "stopped" : "rebuild" });
    const [why = ""] = words.split("\n", 1);
    note({ agent, event: stopped ? "agent.stopped" : "agent.faulted", detail: { why } });
    return stopped;
  }
}

/** What is left of a batch that has been carried out. */
const nothing = {
  ...{ appends: [], sends: [], outputs: [], notes: [], said: [], taken: 0 },
  ...{ fault: undefined, ended: false },
} satisfies Partial<SandboxBatch>;

function batchOf(answer: SandboxAnswer, first = false): SandboxBatch {
  if ("batch" in answer) return answer.batch;
  const words = "failed" in answer ? answer.failed : "It gave no batch";
  // What cannot be started once cannot be started twice.
  throw new AgentFault(words, first);
}
