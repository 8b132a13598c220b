// A journal in memory, for boxes that live inside a program and need no disk. Its store outlives it, as a folder
// outlives a process, so that such a box can be ended and started again with what it had committed.

import type { Append, DurableImage } from "../core/envelope.ts";
import type { AgentId } from "../core/id.ts";
import { encodeRecords, encodeSnapshot, imagesOf, type Snapshot } from "../core/journal_format.ts";
import type { Journal, JournalStats, OpenedJournal } from "./journal.ts";

/** What journals in memory keep for the next one. */
export class MemoryStore {
  agents: Snapshot = new Map();
  records: Append[] = [];
  /** How many characters `records` has as lines. */
  length = 0;
  /** How many bytes `agents` would have as a file. */
  snapshotBytes = 0;
  /** The journal opened last: to open the store again is a crash for the one before. */
  owner: Journal | undefined;
}

/**
 * Opens a journal in memory, with what earlier journals in `store` committed.
 *
 * @example
 * ```ts
 * const store = new MemoryStore();
 * const { journal, images } = memoryJournal(store);
 * ```
 */
export function memoryJournal(store: MemoryStore = new MemoryStore()): OpenedJournal {
  const journal = new InMemory(store);
  store.owner = journal;
  return { journal, images: imagesOf(store.agents, store.records) };
}

class InMemory implements Journal {
  readonly #store: MemoryStore;
  readonly #stats = { records: 0, groups: 0, bytes: 0, compactions: 0 };
  #waiting: Append[] = [];
  #waitingLength = 0;
  #newest: Promise<void> = Promise.resolve();
  #asked = false;
  #compacting = false;
  #closing: Promise<void> | undefined;

  constructor(store: MemoryStore) {
    this.#store = store;
  }

  get stats(): JournalStats {
    return { ...this.#stats };
  }

  get bytesSinceSnapshot(): number {
    return this.#store.length;
  }

  get snapshotBytes(): number {
    return this.#store.snapshotBytes;
  }

  append(records: readonly Append[]): void {
    if (this.#closing !== undefined) throw closedError("append to");
    this.#waitingLength += encodeRecords(records).length;
    this.#waiting.push(...records);
  }

  commit(): Promise<void> {
    if (this.#closing !== undefined) return Promise.reject(closedError("commit"));
    if (this.#waiting.length > 0 && !this.#asked) {
      this.#asked = true;
      // A turn later, as on a disk: commits of one turn share a group.
      this.#newest = Promise.resolve().then(() => this.#keep());
    }
    return this.#newest;
  }

  #keep(): void {
    this.#asked = false;
    this.#checkOwner();
    if (this.#waiting.length === 0) return;
    for (const append of this.#waiting) this.#store.records.push(append);
    this.#store.length += this.#waitingLength;
    this.#stats.groups += 1;
    this.#stats.records += this.#waiting.length;
    this.#stats.bytes += this.#waitingLength;
    this.#waiting = [];
    this.#waitingLength = 0;
  }

  async read(agent: AgentId): Promise<DurableImage> {
    await this.commit();
    const { agents, records } = this.#store;
    const own = records.filter((append) => append.agent === agent);
    return { snapshot: agents.get(agent), records: own.map(({ record }) => record) };
  }

  async compact(snapshot: Snapshot): Promise<void> {
    if (this.#closing !== undefined) throw closedError("compact");
    if (this.#compacting) {
      throw new Error("Cannot compact the journal: a compaction is under way, want one at a time");
    }
    this.#checkOwner();
    // Also to refuse what a disk would refuse.
    const { length } = encodeSnapshot(1, snapshot);
    this.#keep();
    this.#store.agents = new Map(snapshot);
    this.#store.records = [];
    this.#store.length = 0;
    this.#store.snapshotBytes = length;
    this.#compacting = true;
    await Promise.resolve();
    this.#compacting = false;
    this.#stats.compactions += 1;
  }

  close(): Promise<void> {
    if (this.#closing === undefined) {
      const committed = this.commit();
      this.#closing = committed;
    }
    return this.#closing;
  }

  #checkOwner(): void {
    if (this.#store.owner !== this) {
      throw new Error("Cannot write to the journal: its store was opened again");
    }
  }
}

function closedError(act: string): Error {
  return new Error(`Cannot ${act} the journal: it is closed`);
}
