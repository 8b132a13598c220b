// The durable journal of a box: what its agents append is on disk once `commit` resolves. Appends that wait
// together share one write and one sync. Compaction starts a new generation, `journal-<g>`, and then writes
// `snapshot-<g>`, the state at its start; until that has its name, both journals are read one after the other.

import type { Append, DurableImage } from "../core/envelope.ts";
import { messageOf } from "../core/error.ts";
import type { AgentId } from "../core/id.ts";
import {
  encodeGroupLines,
  encodeRecords,
  encodeSnapshot,
  type Snapshot,
} from "../core/journal_format.ts";
import type { DataLock } from "./data_lock.ts";
import { type JournalFile, type JournalFiles, realFiles } from "./journal_files.ts";
import {
  attempt,
  createJournal,
  type JournalPart,
  journalPath,
  putFile,
  readSnapshot,
  readSynced,
  recover,
  type Recovered,
  type Repair,
  snapshotPath,
  writeAll,
} from "./journal_recovery.ts";

const waitingLengthDefault = 64 * 1024 * 1024;

/** What a journal has done since it was opened. */
export interface JournalStats {
  readonly records: number;
  /** As many as there were syncs of records. */
  readonly groups: number;
  readonly bytes: number;
  readonly compactions: number;
}

/** Where a box keeps what its agents append. */
export interface Journal {
  /**
   * Puts records behind all others, to be written by the next commit. After a failure it does nothing: the next
   * commit says why.
   *
   * @throws {TypeError} if a record is not one line of text; none of `records` is taken then.
   */
  append(records: readonly Append[]): void;
  /**
   * Resolves once all that was appended before the call is on disk. After a failure of whatever operation on the
   * disk, everything rejects with the first one.
   */
  commit(): Promise<void>;
  /** What the disk holds of an agent: all that was appended before the call, and perhaps what came after. */
  read(agent: AgentId): Promise<DurableImage>;
  /**
   * Replaces all that was appended before the call by `snapshot`, which must hold what it amounts to; agents that
   * it lacks are forgotten. Later records are kept. One compaction at a time.
   */
  compact(snapshot: Snapshot): Promise<void>;
  /** What another start would have to read again: when this is large, compaction is due. */
  readonly bytesSinceSnapshot: number;
  /** How large the last snapshot is; 0 if there is none. */
  readonly snapshotBytes: number;
  readonly stats: JournalStats;
  /** Commits and lets go of the folder, also after a failure, with which it rejects then. */
  close(): Promise<void>;
}

/** What {@linkcode openJournal} found. */
export interface OpenedJournal {
  readonly journal: Journal;
  /** Of each agent that has anything durable. */
  readonly images: ReadonlyMap<AgentId, DurableImage>;
  /** Present if a crash had left a torn tail, which was cut. */
  readonly repaired?: Repair | undefined;
}

/** The options of {@linkcode openJournal}. */
export interface JournalOptions {
  /** Other file operations than the system's, for tests. */
  readonly files?: JournalFiles;
  /** How many characters of records may wait for the disk, 64 Mi by default. With more the journal fails. */
  readonly waitingLengthMax?: number;
}

/**
 * Opens the journal in `folder`, which is made if it is missing, and locks the folder until the journal is closed.
 *
 * @throws {OvidError} `journal.locked` if another process has it, `journal.corrupt` if a file is damaged otherwise
 * than a crash would: nothing is changed then.
 *
 * @example
 * ```ts
 * import { agentId, openJournal } from "ovid";
 *
 * const folder = await Deno.makeTempDir();
 * const { journal } = await openJournal(folder);
 * journal.append([{ agent: agentId("kvs"), record: '{"key":"a","value":"1"}' }]);
 * await journal.commit();
 * await journal.close();
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function openJournal(
  folder: string,
  options: JournalOptions = {},
): Promise<OpenedJournal> {
  const files = options.files ?? realFiles;
  await attempt("create", folder, () => files.makeFolder(folder));
  const lock = await files.lock(folder);
  try {
    const recovered = await recover(files, folder);
    const lengthMax = options.waitingLengthMax ?? waitingLengthDefault;
    const journal = new FileJournal({
      files,
      folder,
      lock,
      recovered,
      waitingLengthMax: lengthMax,
    });
    return { journal, images: recovered.images, repaired: recovered.repaired };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Records that will be, or are being, written and synced together. */
interface Group {
  lines: string;
  records: number;
  /** Present once somebody waits for them. */
  synced?: PromiseWithResolvers<void>;
}

/** The end of a generation: `last` belongs to it, all that is appended later to the next. */
interface Cut {
  readonly last: Group;
  readonly switched: PromiseWithResolvers<void>;
}

interface FileJournalParts {
  readonly files: JournalFiles;
  readonly folder: string;
  readonly lock: DataLock;
  readonly recovered: Recovered;
  readonly waitingLengthMax: number;
}

class FileJournal implements Journal {
  readonly #files: JournalFiles;
  readonly #folder: string;
  readonly #lock: DataLock;
  readonly #waitingLengthMax: number;
  /** The journals since the snapshot, ascending; the last is the one that is written. */
  readonly #chain: JournalPart[];
  readonly #stats = { records: 0, groups: 0, bytes: 0, compactions: 0 };
  #file: JournalFile;
  /** The generation of the snapshot, undefined if there is none yet. */
  #base: number | undefined;
  #snapshotBytes: number;
  #nextSequence: number;

  #filling: Group = { lines: "", records: 0 };
  #cut: Cut | undefined;
  #writing: Group | undefined;
  /** Settles with the last group that anybody asked for. */
  #newest: Promise<void> = Promise.resolve();
  #draining: Promise<void> | undefined;
  /** The generation that a compaction under way leads to. */
  #compactingTo: number | undefined;
  #compaction: Promise<void> = Promise.resolve();
  /** Settles when nobody reads files or replaces them. */
  #exclusive: Promise<unknown> = Promise.resolve();
  #failure: Error | undefined;
  #closing: Promise<void> | undefined;

  constructor({ files, folder, lock, recovered, waitingLengthMax }: FileJournalParts) {
    this.#files = files;
    this.#folder = folder;
    this.#lock = lock;
    this.#waitingLengthMax = waitingLengthMax;
    this.#file = recovered.file;
    this.#chain = [...recovered.chain];
    this.#base = recovered.base;
    this.#snapshotBytes = recovered.snapshotBytes;
    this.#nextSequence = recovered.nextSequence;
  }

  get stats(): JournalStats {
    return { ...this.#stats };
  }

  get bytesSinceSnapshot(): number {
    const from = this.#compactingTo ?? 0;
    let bytes = 0;
    for (const part of this.#chain) if (part.generation >= from) bytes += part.bytes;
    return bytes;
  }

  get snapshotBytes(): number {
    return this.#snapshotBytes;
  }

  append(records: readonly Append[]): void {
    if (this.#closing !== undefined) throw this.#closedError("append to");
    if (this.#failure !== undefined) return;
    const lines = encodeRecords(records);
    const waiting = this.#filling.lines.length + lines.length;
    if (waiting > this.#waitingLengthMax) {
      this.#fail(
        new RangeError(
          `Cannot append to the journal in "${this.#folder}": ${waiting} characters wait for the disk, ` +
            `want at most ${this.#waitingLengthMax}`,
        ),
      );
      return;
    }
    this.#filling.lines += lines;
    this.#filling.records += records.length;
  }

  commit(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#closing !== undefined) return Promise.reject(this.#closedError("commit"));
    if (this.#filling.records > 0) {
      this.#filling.synced ??= Promise.withResolvers();
      this.#newest = this.#filling.synced.promise;
      this.#wake();
    }
    return this.#newest;
  }

  async read(agent: AgentId): Promise<DurableImage> {
    await this.commit();
    return await this.#exclusively(async () => {
      const base = this.#base;
      // What is written behind these lengths meanwhile is not read, being whole or not.
      const chain = this.#chain.map((part) => ({ ...part }));
      const snapshot = base === undefined
        ? undefined
        : (await readSnapshot(this.#files, this.#folder, base)).agents.get(agent);
      const records: string[] = [];
      for (const part of chain) {
        for (const append of await readSynced(this.#files, this.#folder, part)) {
          if (append.agent === agent) records.push(append.record);
        }
      }
      return { snapshot, records };
    });
  }

  async compact(snapshot: Snapshot): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#closing !== undefined) throw this.#closedError("compact");
    if (this.#compactingTo !== undefined) {
      throw new Error(
        `Cannot compact the journal in "${this.#folder}": a compaction is under way, want one at a time`,
      );
    }
    const generation = this.#current().generation + 1;
    // Encoded at once: the caller's state goes on changing.
    const bytes = encodeSnapshot(generation, snapshot);
    this.#compactingTo = generation;
    this.#compaction = this.#compactTo(generation, bytes);
    await this.#compaction;
  }

  async #compactTo(generation: number, snapshot: Uint8Array<ArrayBuffer>): Promise<void> {
    // Whoever asked for the records before the cut learns of a failure by commit(), we by the cut.
    this.commit().catch(() => {});
    const cut: Cut = { last: this.#filling, switched: Promise.withResolvers() };
    this.#filling = { lines: "", records: 0 };
    this.#cut = cut;
    this.#wake();
    await cut.switched.promise;
    await this.#exclusively(() => this.#putSnapshot(generation, snapshot));
    this.#compactingTo = undefined;
    this.#stats.compactions += 1;
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    // Failures are kept in #failure, and thrown at the end.
    await Promise.allSettled([this.commit(), this.#compaction]);
    await Promise.allSettled([this.#draining, this.#exclusive]);
    this.#file.close();
    this.#lock.release();
    if (this.#failure !== undefined) throw this.#failure;
  }

  #current(): JournalPart {
    const current = this.#chain.at(-1);
    if (current === undefined) throw new Error("Broken belief: a journal has a file");
    return current;
  }

  #wake(): void {
    this.#draining ??= this.#drain();
  }

  async #drain(): Promise<void> {
    // A turn later, so that all commits of this turn share a group.
    await Promise.resolve();
    try {
      while (this.#failure === undefined) {
        const cut = this.#cut;
        if (cut !== undefined) {
          await this.#write(cut.last);
          await this.#startGeneration();
          this.#cut = undefined;
          cut.switched.resolve();
        } else if (this.#filling.synced !== undefined) {
          const group = this.#filling;
          this.#filling = { lines: "", records: 0 };
          await this.#write(group);
        } else break;
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#draining = undefined;
  }

  async #write(group: Group): Promise<void> {
    if (group.records === 0) return;
    this.#writing = group;
    const bytes = encodeGroupLines(this.#nextSequence, group.lines);
    const current = this.#current();
    await writeAll(this.#file, current.path, bytes, current.bytes);
    // Only now may the next group be written: decodeJournal() relies on it.
    await attempt("sync", current.path, () => this.#file.sync());
    current.bytes += bytes.length;
    this.#nextSequence += 1;
    this.#stats.groups += 1;
    this.#stats.records += group.records;
    this.#stats.bytes += bytes.length;
    this.#writing = undefined;
    group.synced?.resolve();
  }

  /** The journal before is whole and synced by now, so that a new one proves that nothing of it may be missing. */
  async #startGeneration(): Promise<void> {
    const header = { generation: this.#current().generation + 1, sequence: this.#nextSequence };
    const { file, bytes } = await createJournal(this.#files, this.#folder, header);
    this.#file.close();
    this.#file = file;
    const path = journalPath(this.#folder, header.generation);
    this.#chain.push({ generation: header.generation, path, bytes });
  }

  /** The snapshot's name on disk is the moment at which the older generations are no longer needed. */
  async #putSnapshot(generation: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const path = snapshotPath(this.#folder, generation);
    (await putFile(this.#files, this.#folder, path, bytes)).close();
    const stale = this.#chain.filter((part) => part.generation < generation);
    const paths = stale.map(({ path }) => path);
    if (this.#base !== undefined) paths.push(snapshotPath(this.#folder, this.#base));
    for (const path of paths) await attempt("remove", path, () => this.#files.remove(path));
    this.#chain.splice(0, stale.length);
    this.#base = generation;
    this.#snapshotBytes = bytes.length;
  }

  /** Runs `work` when no other such work is left; its failure is the journal's. */
  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#exclusive.then(work).catch((error) => {
      throw this.#fail(error);
    });
    this.#exclusive = result.catch(() => {});
    return result;
  }

  /** Keeps the first failure, and tells it to everybody who waits: what the disk holds is unknown from now on. */
  #fail(reason: unknown): Error {
    this.#failure ??= reason instanceof Error ? reason : new Error(messageOf(reason));
    for (const group of [this.#writing, this.#cut?.last, this.#filling]) {
      group?.synced?.reject(this.#failure);
    }
    this.#cut?.switched.reject(this.#failure);
    // Nothing of it will be written any more.
    this.#filling = { lines: "", records: 0 };
    return this.#failure;
  }

  #closedError(act: string): Error {
    return new Error(`Cannot ${act} the journal in "${this.#folder}": it is closed`);
  }
}
