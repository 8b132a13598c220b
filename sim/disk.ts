// The simulated disk of a box: the journal and snapshot that a real box would have, byte for byte, in memory. What
// was not synced is at the mercy of a crash, and what is read back runs through the decoder of real boxes.

import { isCompactionDue } from "../core/compaction.ts";
import type { Append, DurableImage } from "../core/envelope.ts";
import { assert } from "../core/error.ts";
import type { AgentId } from "../core/id.ts";
import {
  decodeJournal,
  decodeSnapshot,
  encodeGroup,
  encodeJournalHeader,
  encodeSnapshot,
  imagesOf,
  type Snapshot,
} from "../core/journal_format.ts";
import { type Random, randomInteger } from "../core/random.ts";
import { type Delay, drawDelay, requireDelay } from "./chance.ts";

/** How a simulated disk behaves. */
export interface DiskOptions {
  /** How long a sync takes; default 50 to 500 us. */
  readonly sync?: Delay;
  /**
   * Whether a crash may leave some bytes of what was written and not synced, all of it or none; default true. With
   * false it leaves none.
   */
  readonly tornTails?: boolean;
  /**
   * With so many bytes in the journal, and no fewer than in the last snapshot, the next sync writes a snapshot in its
   * place; default 16 KiB.
   */
  readonly compactBytes?: number;
  /**
   * Default true. With false every sync lies: it ends, and nothing is durable. A test of durability that passes on
   * such a disk tests nothing.
   */
  readonly syncs?: boolean;
}

/** What a disk has done. */
export interface DiskCounters {
  syncs: number;
  records: number;
  compactions: number;
  /** Bytes that were written, and were not there after a crash. */
  droppedBytes: number;
  /** Crashes that left a part of a group, to be cut at the next start. */
  tornTails: number;
}

/** What {@linkcode Disk.open} found. */
export interface OpenedDisk {
  readonly images: ReadonlyMap<AgentId, DurableImage>;
  readonly records: number;
  /** How much of a torn tail was cut. */
  readonly tornBytes: number;
}

interface Replacement {
  readonly generation: number;
  readonly snapshot: Uint8Array;
}

const empty: Snapshot = new Map();

/** What a box keeps through a crash. */
export class Disk {
  readonly counters: DiskCounters = {
    syncs: 0,
    records: 0,
    compactions: 0,
    droppedBytes: 0,
    tornTails: 0,
  };
  /** How many bytes the journal may have; what would need more ends the box, as a full disk does. */
  #bytesMax = Infinity;
  /** How many times longer each sync takes than it should. */
  slowness = 1;
  readonly #options: Required<DiskOptions>;
  readonly #random: Random;
  #generation = 1;
  #sequence = 1;
  #snapshot: Uint8Array | undefined;
  /** The journal, a header and groups. Those behind the first `#durable` are not synced. */
  #chunks: Uint8Array[] = [];
  #durable = 0;
  #bytes = 0;
  /** Handed over, and in no write yet: lost in any crash. */
  #waiting: Append[] = [];
  #syncing = false;
  /** The snapshot that the sync under way puts in the place of the journal, all at once. */
  #replacement: Replacement | undefined;

  /** @throws {RangeError} if an option is out of range. */
  constructor(random: Random, options: DiskOptions = {}) {
    this.#options = {
      sync: { minUs: 50, maxUs: 500 },
      tornTails: true,
      compactBytes: 16 * 1024,
      syncs: true,
      ...options,
    };
    requireDelay(this.#options.sync, "disk.sync");
    if (!(this.#options.compactBytes > 0)) {
      throw new RangeError(
        `Cannot simulate: disk.compactBytes is ${this.#options.compactBytes}, want more than 0`,
      );
    }
    this.#random = random;
    this.#startJournal();
  }

  /** Takes records that the next sync is to make durable. */
  append(records: readonly Append[]): void {
    for (const record of records) this.#waiting.push(record);
  }

  /**
   * Writes what waits and begins to sync it. A journal that has grown long is replaced by what `snapshot` gives,
   * which must hold all that was appended.
   *
   * @returns how long the sync takes; undefined if the disk is full.
   */
  startSync(snapshot: () => Snapshot | undefined): number | undefined {
    assert(!this.#syncing && this.#waiting.length > 0, "a sync has something to do, alone");
    const agents = this.#isLong ? snapshot() : undefined;
    if (agents !== undefined) {
      const generation = this.#generation + 1;
      this.#replacement = { generation, snapshot: encodeSnapshot(generation, agents) };
    } else {
      const group = encodeGroup(this.#sequence, this.#waiting);
      if (this.#bytes + group.length > this.#bytesMax) return undefined;
      this.#sequence++;
      this.#chunks.push(group);
      this.#bytes += group.length;
    }
    this.counters.records += this.#waiting.length;
    this.#waiting = [];
    this.#syncing = true;
    return this.slowness * drawDelay(this.#random, this.#options.sync);
  }

  /** Ends the sync under way. Whether it wrote a snapshot. */
  endSync(): boolean {
    assert(this.#syncing, "a sync is under way");
    this.#syncing = false;
    this.counters.syncs++;
    const replacement = this.#replacement;
    if (replacement !== undefined) {
      this.#replace(replacement);
      return true;
    }
    if (this.#options.syncs) this.#durable = this.#chunks.length;
    return false;
  }

  get bytesMax(): number {
    return this.#bytesMax;
  }

  /** Leaves room for so many bytes more, Infinity for no limit. How many the journal may have then. */
  limit(moreBytes: number): number {
    this.#bytesMax = this.#bytes + moreBytes;
    return this.#bytesMax;
  }

  /**
   * Loses what was not synced, or a part of it, as when the power fails; or only what was not written, as when the
   * box alone was killed, and whoever keeps its files was not.
   */
  crash(kept: "synced" | "written" = "synced"): void {
    this.#waiting = [];
    this.#syncing = false;
    const replacement = this.#replacement;
    this.#replacement = undefined;
    // A snapshot gets its name in one step, before the sync is reported or never.
    if (replacement !== undefined && this.#options.tornTails && this.#random() < 0.5) {
      this.#replace(replacement);
    }
    const tail = concat(this.#chunks.splice(this.#durable));
    const length = kept === "written" ? tail.length : this.#keptBytes(tail.length);
    if (length > 0) this.#chunks.push(tail.subarray(0, length));
    this.counters.droppedBytes += tail.length - length;
    this.#bytes -= tail.length - length;
    this.#durable = this.#chunks.length;
  }

  /** A new disk in the place of the old one, of which nothing is left. */
  lose(): void {
    this.#waiting = [];
    this.#syncing = false;
    this.#replacement = undefined;
    this.#snapshot = undefined;
    this.#generation = 1;
    this.#sequence = 1;
    this.#bytesMax = Infinity;
    this.#startJournal();
  }

  /** Reads all there is, as a box does when it starts, and cuts a torn tail. */
  open(): OpenedDisk {
    const journal = concat(this.#chunks);
    const content = decodeJournal(journal);
    if (content.corrupt !== undefined) {
      throw new Error(`Cannot read the simulated journal: ${content.corrupt.reason}`);
    }
    const { validBytes, records, nextSequence } = content;
    const tornBytes = journal.length - validBytes;
    if (tornBytes > 0) this.counters.tornTails++;
    this.#chunks = [journal.subarray(0, validBytes)];
    this.#durable = 1;
    this.#bytes = validBytes;
    this.#sequence = nextSequence;
    return { images: imagesOf(this.#readSnapshot(), records), records: records.length, tornBytes };
  }

  /** What a running box reads of an agent: all that was written. */
  image(agent: AgentId): DurableImage | undefined {
    const content = decodeJournal(concat(this.#chunks));
    if (content.corrupt !== undefined) {
      throw new Error(`Cannot read the simulated journal: ${content.corrupt.reason}`);
    }
    return imagesOf(this.#readSnapshot(), content.records).get(agent);
  }

  get #isLong(): boolean {
    const { syncs, compactBytes } = this.#options;
    const snapshotBytes = this.#snapshot?.length ?? 0;
    return syncs && isCompactionDue({ journalBytes: this.#bytes, snapshotBytes, compactBytes });
  }

  #keptBytes(length: number): number {
    if (!this.#options.tornTails) return 0;
    // A uniform draw alone would hardly ever leave nothing or everything.
    switch (randomInteger(this.#random, 0, 3)) {
      case 0:
        return 0;
      case 1:
        return length;
      default:
        return randomInteger(this.#random, 0, length);
    }
  }

  #replace({ generation, snapshot }: Replacement): void {
    this.#replacement = undefined;
    this.#generation = generation;
    this.#snapshot = snapshot;
    this.#startJournal();
    this.counters.compactions++;
  }

  #startJournal(): void {
    const header = { generation: this.#generation, sequence: this.#sequence };
    this.#chunks = [encodeJournalHeader(header)];
    this.#durable = 1;
    this.#bytes = this.#chunks[0]?.length ?? 0;
  }

  #readSnapshot(): Snapshot {
    if (this.#snapshot === undefined) return empty;
    const content = decodeSnapshot(this.#snapshot);
    if (content.corrupt !== undefined) {
      throw new Error(`Cannot read the simulated snapshot: ${content.corrupt.reason}`);
    }
    return content.agents;
  }
}

function concat(chunks: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const chunk of chunks) length += chunk.length;
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}
