// The driver of a real host: syncs what a batch appends, only then lets out what it sends, and keeps one timer.
// While one sync is under way the host goes on; the next sync covers all that came meanwhile (group commit).

import { compactBytesDefault, isCompactionDue } from "../core/compaction.ts";
import type { AgentDefinition } from "../core/define.ts";
import type { DurableImage, Fault, Input, Note, Outgoing, Output } from "../core/envelope.ts";
import type { Batch } from "../core/envelope.ts";
import type { Host } from "../core/host.ts";
import type { AgentId } from "../core/id.ts";
import type { Snapshot } from "../core/journal_format.ts";
import { startTimer, stopTimer, type Timer } from "../transport/timer.ts";
import type { Journal } from "./journal.ts";

/** What a driver drives, and where it lets things out. */
export interface DriverOptions {
  readonly host: Host;
  readonly journal: Journal;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly send: (outgoing: Outgoing) => void;
  readonly output: (output: Output) => void;
  readonly note: (note: Note) => void;
  readonly fault: (fault: Fault) => void;
  /** An agent that threw runs again. */
  readonly revived: (agent: AgentId) => void;
  /** An agent ended in peace, and everything it asked for has been let out. */
  readonly ended: (agent: AgentId) => void;
  /** The journal failed, or the host's own belief broke: this box's state is ahead of its disk, and it must end. */
  readonly failed: (error: unknown) => void;
  /** Told when each step began and ended; without it no clock is asked. */
  readonly stepped?: ((begunAt: number, endedAt: number) => void) | undefined;
  /** Default: there are none. */
  readonly elsewhere?: Elsewhere;
  /** The shortest journal that is compacted; default {@linkcode compactBytesDefault}. */
  readonly compactBytes?: number;
}

/** A batch of an agent that another host runs. */
export type Carried = Omit<Batch, "faults" | "wakeAt" | "busy">;

/** Agents whose records are in the journal, and whose state is not in the host. */
export interface Elsewhere {
  has(agent: AgentId): boolean;
  /** Holds all of them still, with the durable state of each that has any; undefined if it cannot be had. */
  hold(): Promise<{ readonly parts: Snapshot; release(): void } | undefined>;
}

/** How many batches may wait for the disk; mail of further ones is dropped, as a network may drop it. */
export const heldMax = 100_000;

type Held = Pick<Batch, "sends" | "outputs" | "endings">;

/** Runs one host in real time. */
export class Driver {
  readonly #options: DriverOptions;
  #inputs: Input[] = [];
  #held: Held[] = [];
  #rebuilding: AgentId[] = [];
  #scheduled = false;
  #committing: Promise<void> | undefined;
  #holding: Promise<void> | undefined;
  #timer: Timer | undefined;
  /** When `#timer` goes off; infinite while there is none. */
  #timerAt = Infinity;
  #immediate: ReturnType<typeof setImmediate> | undefined;
  #closed = false;
  #mayCompact = true;
  /** Whether the journal is to be compacted however short it is. */
  #mustCompact = false;
  /** See {@linkcode Elsewhere.hold}: how long the journal is before it is tried again. */
  #retryBytes = 0;

  constructor(options: DriverOptions) {
    this.#options = options;
  }

  /** Starts all agents. */
  boot(images: ReadonlyMap<AgentId, DurableImage>): void {
    const { host, now, elsewhere } = this.#options;
    // A snapshot holds this host's agents alone: it would drop what an agent left that the grid has no more.
    this.#mayCompact = [...images.keys()].every((agent) =>
      host.agents.includes(agent) || elsewhere?.has(agent)
    );
    this.#guard(() => this.#carryOut(host.boot(now(), images)));
  }

  /** Takes an input; all inputs of one turn of the event loop become one step. */
  take(input: Input): void {
    if (this.#closed) return;
    this.#inputs.push(input);
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#step();
    });
  }

  /**
   * Gives agents a definition in the place of theirs, as `Host.replace` does.
   *
   * @throws {Error} if it cannot be; the agents go on as they are.
   */
  async replace(agents: readonly AgentId[], definition: AgentDefinition): Promise<void> {
    const { host, now } = this.#options;
    // One that has faulted has no state until the disk's word has come.
    while (!this.#closed && agents.some((agent) => host.inspect(agent)?.tainted)) {
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    if (this.#closed) return;
    const before = agents.map((agent) => host.inspect(agent)?.definition.version);
    const batch = host.replace(now(), agents, definition);
    this.#guard(() => this.#carryOut(batch));
    for (const agent of agents) this.#options.revived(agent);
    // What `upgrade` made is on disk soon, or the next start would meet records from before it.
    if (before.some((version) => version !== definition.version)) this.compact();
  }

  /** Carries out a batch of an agent that another host runs, as one of this host's. */
  carry(batch: Carried): void {
    if (this.#closed) return;
    this.#guard(() => this.#carryOut({ ...batch, faults: [], wakeAt: undefined, busy: false }));
  }

  /** Compacts the journal soon, however short it is. */
  compact(): void {
    if (this.#closed) return;
    this.#mustCompact = true;
    this.#committing ??= this.#commitAll();
  }

  /** Resolves when everything taken so far has been carried out, timers aside. */
  async idle(): Promise<void> {
    do {
      await new Promise<void>((resolve) => setImmediate(resolve));
      await this.#committing;
    } while (
      !this.#closed && (this.#scheduled || this.#immediate !== undefined || this.#committing)
    );
  }

  /** How many batches wait for the disk. */
  get held(): number {
    return this.#held.length;
  }

  /** Takes no more inputs, waits for the sync under way, and lets out what was held. */
  async close(): Promise<void> {
    this.#closed = true;
    stopTimer(this.#timer);
    clearImmediate(this.#immediate);
    this.#immediate = undefined;
    await Promise.all([this.#committing, this.#holding]);
  }

  #step(): void {
    if (this.#closed) return;
    const inputs = this.#inputs;
    this.#inputs = [];
    const { host, now, stepped } = this.#options;
    const begunAt = now();
    this.#guard(() => this.#carryOut(host.step(begunAt, inputs)));
    stepped?.(begunAt, now());
  }

  // Beliefs of the host are always on, and a broken one ends the box rather than one event of its loop.
  #guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    stopTimer(this.#timer);
    clearImmediate(this.#immediate);
    this.#immediate = undefined;
    this.#held = [];
    this.#options.failed(error);
  }

  #carryOut(batch: Batch): void {
    const { journal, note, fault } = this.#options;
    for (const each of batch.notes) note(each);
    for (const each of batch.faults) {
      fault(each);
      this.#rebuilding.push(each.agent);
    }
    if (batch.appends.length > 0) journal.append(batch.appends);
    const unsynced = batch.appends.length > 0 || this.#rebuilding.length > 0;
    if (unsynced || this.#committing !== undefined) {
      // Also what needs no sync waits behind what does: links and terminals are FIFO.
      this.#hold(batch);
      this.#committing ??= this.#commitAll();
    } else {
      this.#release(batch);
    }
    this.#arm(batch);
  }

  #hold(batch: Batch): void {
    const full = this.#held.length >= heldMax;
    if (full) {
      this.#options.note({ agent: undefined, event: "mail.overflow", detail: batch.sends.length });
    }
    this.#held.push(full ? { ...batch, sends: [] } : batch);
  }

  #release({ sends, outputs, endings }: Held): void {
    for (const send of sends) this.#options.send(send);
    for (const output of outputs) this.#options.output(output);
    for (const agent of endings) this.#options.ended(agent);
  }

  async #commitAll(): Promise<void> {
    const { journal } = this.#options;
    try {
      do {
        const held = this.#held;
        this.#held = [];
        await journal.commit();
        for (const batch of held) this.#release(batch);
        await this.#rebuild();
        await this.#compact();
      } while (this.#held.length > 0 || this.#rebuilding.length > 0);
      this.#committing = undefined;
    } catch (error) {
      this.#committing = undefined;
      this.#fail(error);
    }
  }

  async #rebuild(): Promise<void> {
    const { host, journal, now } = this.#options;
    const agents = new Set(this.#rebuilding);
    this.#rebuilding = [];
    for (const agent of agents) {
      const image = await journal.read(agent);
      if (this.#closed) return;
      this.#carryOut(host.revive(now(), agent, image));
      if (!host.hasEnded(agent)) this.#options.revived(agent);
    }
  }

  async #compact(): Promise<void> {
    const { journal, elsewhere, compactBytes: wanted = compactBytesDefault } = this.#options;
    const { bytesSinceSnapshot: journalBytes, snapshotBytes } = journal;
    const compactBytes = Math.max(wanted, this.#retryBytes);
    const isDue = isCompactionDue({ journalBytes, snapshotBytes, compactBytes });
    if (!this.#mayCompact || !(this.#mustCompact || isDue)) return;
    if (elsewhere === undefined) return await this.#compactTo(new Map());
    // Nobody else waits for a host that may be slow to answer.
    this.#holding ??= this.#compactAround(elsewhere);
  }

  async #compactTo(others: Snapshot): Promise<void> {
    const snapshot = this.#options.host.snapshot();
    if (snapshot === undefined) return;
    this.#mustCompact = false;
    await this.#options.journal.compact(new Map([...snapshot, ...others]));
  }

  async #compactAround(elsewhere: Elsewhere): Promise<void> {
    try {
      const held = await elsewhere.hold();
      // One that has faulted may never have a state again: not to be asked at every turn.
      this.#retryBytes = held === undefined ? 2 * this.#options.journal.bytesSinceSnapshot : 0;
      this.#mustCompact = false;
      if (held === undefined || this.#closed) return held?.release();
      // The journal has taken the states when the call returns, and may go on writing.
      const compacted = this.#compactTo(held.parts);
      held.release();
      await compacted;
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#holding = undefined;
    }
  }

  #arm({ busy, wakeAt }: Batch): void {
    if (this.#closed) return;
    const ms = wakeAt === undefined ? Infinity : wakeAt - this.#options.now();
    // A timer of 0 ms costs milliseconds; what is due now waits only for the events that are there already.
    if (busy || ms <= 0) {
      this.#immediate ??= setImmediate(() => {
        this.#immediate = undefined;
        this.#step();
      });
    } else if (wakeAt !== undefined && wakeAt < this.#timerAt) {
      // One that goes off too early costs a step without inputs; to put it off with every message costs more.
      stopTimer(this.#timer);
      this.#timerAt = wakeAt;
      this.#timer = startTimer(ms, () => {
        this.#timerAt = Infinity;
        this.#step();
      });
    }
  }
}
