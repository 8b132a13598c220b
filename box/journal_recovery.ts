// Reads a journal's folder at the start of a box, refuses what no crash can have left, and cuts a torn tail.
// Also the steps on files that a running journal shares with it.

import { join } from "@std/path";
import type { Append, DurableImage } from "../core/envelope.ts";
import { messageOf, OvidError } from "../core/error.ts";
import type { AgentId } from "../core/id.ts";
import {
  type Damage,
  decodeJournal,
  decodeSnapshot,
  encodeJournalHeader,
  imagesOf,
  type JournalContent,
  type JournalHeader,
  type Snapshot,
} from "../core/journal_format.ts";
import type { JournalFile, JournalFiles } from "./journal_files.ts";

/** A torn tail that was cut: what a crash had left of the records that were being written. */
export interface Repair {
  readonly file: string;
  /** Where it began; the file ends here now. */
  readonly offset: number;
  readonly bytes: number;
  readonly reason: string;
}

/** The journal of one generation, and how much of it is synced. */
export interface JournalPart {
  readonly generation: number;
  readonly path: string;
  bytes: number;
}

/** What {@linkcode recover} found, made ready for more. */
export interface Recovered {
  readonly images: Map<AgentId, DurableImage>;
  readonly repaired: Repair | undefined;
  /** The last journal of `chain`, open for writing. */
  readonly file: JournalFile;
  /** The journals since the snapshot, ascending; more than one after a compaction that did not finish. */
  readonly chain: readonly JournalPart[];
  /** The generation of the snapshot, undefined if there is none yet. */
  readonly base: number | undefined;
  /** How large it is; 0 if there is none. */
  readonly snapshotBytes: number;
  readonly nextSequence: number;
}

const namePattern = /^(journal|snapshot)-([1-9][0-9]{0,14})(\.tmp)?$/;

/** Where the journal of a generation is. */
export function journalPath(folder: string, generation: number): string {
  return join(folder, `journal-${generation}`);
}

/** Where the snapshot of a generation is. */
export function snapshotPath(folder: string, generation: number): string {
  return join(folder, `snapshot-${generation}`);
}

/** Does one step on a file; a failure says which step on which file. */
export async function attempt<T>(step: string, path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const full = error instanceof Error && "code" in error && error.code === "ENOSPC";
    const reason = full ? `the disk is full (${messageOf(error)})` : messageOf(error);
    throw new Error(`Cannot ${step} "${path}": ${reason}`, { cause: error });
  }
}

/** Writes all of `bytes` at `offset`, in as many pieces as the system wants. */
export async function writeAll(
  file: JournalFile,
  path: string,
  bytes: Uint8Array<ArrayBuffer>,
  offset: number,
): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const rest = bytes.subarray(done);
    const written = await attempt("write", path, () => file.write(rest, offset + done));
    if (written <= 0) {
      throw new Error(`Cannot write "${path}": ${rest.length} bytes are left, and none is taken`);
    }
    done += written;
  }
}

/** Puts a file in its place, whole or not at all, to last. It stays open for writing behind `bytes`. */
export async function putFile(
  files: JournalFiles,
  folder: string,
  path: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<JournalFile> {
  const temporary = `${path}.tmp`;
  const file = await attempt("create", temporary, () => files.open(temporary, "new"));
  try {
    await writeAll(file, temporary, bytes, 0);
    await attempt("sync", temporary, () => file.sync());
    await attempt("rename", temporary, () => files.rename(temporary, path));
    await attempt("sync", folder, () => files.syncFolder(folder));
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Creates the journal of a new generation, open for writing behind its header. */
export async function createJournal(
  files: JournalFiles,
  folder: string,
  header: JournalHeader,
): Promise<{ readonly file: JournalFile; readonly bytes: number }> {
  const bytes = encodeJournalHeader(header);
  const file = await putFile(files, folder, journalPath(folder, header.generation), bytes);
  return { file, bytes: bytes.length };
}

function corrupt(path: string, { offset, reason }: Damage): OvidError {
  return new OvidError("journal.corrupt", `Cannot read "${path}": at byte ${offset} ${reason}`);
}

/** The snapshot of a generation, and how large it is. */
export async function readSnapshot(
  files: JournalFiles,
  folder: string,
  generation: number,
): Promise<{ readonly agents: Snapshot; readonly bytes: number }> {
  const path = snapshotPath(folder, generation);
  const bytes = await attempt("read", path, () => files.read(path));
  const content = decodeSnapshot(bytes);
  if (content.corrupt !== undefined) throw corrupt(path, content.corrupt);
  if (content.generation !== generation) {
    const reason = `found generation ${content.generation}, want ${generation}`;
    throw corrupt(path, { offset: 0, reason });
  }
  return { agents: content.agents, bytes: bytes.length };
}

/** A journal as it was read. */
interface Reading extends JournalContent {
  readonly header: JournalHeader;
  /** The last group as the file has it; empty if there is none. */
  readonly lastBytes: Uint8Array<ArrayBuffer>;
  readonly fileBytes: number;
}

/** The journal of a generation, of whose bytes the first `bytesMax` matter. It may have a torn tail. */
async function readJournal(
  files: JournalFiles,
  folder: string,
  generation: number,
  bytesMax?: number,
): Promise<Reading> {
  const path = journalPath(folder, generation);
  const bytes = (await attempt("read", path, () => files.read(path))).subarray(0, bytesMax);
  const content = decodeJournal(bytes);
  if (content.corrupt !== undefined) throw corrupt(path, content.corrupt);
  const { header, torn } = content;
  // A journal gets its name only once its first line is synced, so that no crash can tear that.
  if (header === undefined) throw corrupt(path, torn ?? { offset: 0, reason: "found nothing" });
  if (header.generation !== generation) {
    const reason = `found generation ${header.generation}, want ${generation}`;
    throw corrupt(path, { offset: 0, reason });
  }
  const lastBytes = bytes.slice(content.lastGroup, content.validBytes);
  return { ...content, header, lastBytes, fileBytes: bytes.length };
}

/** The records of a journal that is in use, as far as it is synced: that much must be whole. */
export async function readSynced(
  files: JournalFiles,
  folder: string,
  { generation, bytes }: JournalPart,
): Promise<readonly Append[]> {
  const { records, torn, validBytes } = await readJournal(files, folder, generation, bytes);
  if (validBytes !== bytes) {
    const reason = torn?.reason ?? `found the end, want ${bytes} bytes`;
    throw corrupt(journalPath(folder, generation), { offset: validBytes, reason });
  }
  return records;
}

/** The generations and names of a folder's files, as far as they are ours. */
interface Listing {
  readonly journals: readonly number[];
  readonly snapshots: readonly number[];
  readonly temporary: readonly string[];
}

async function list(files: JournalFiles, folder: string): Promise<Listing> {
  const journals: number[] = [];
  const snapshots: number[] = [];
  const temporary: string[] = [];
  for (const name of await attempt("list", folder, () => files.list(folder))) {
    const [, kind, generation, suffix] = namePattern.exec(name) ?? [];
    if (kind === undefined) continue;
    if (suffix !== undefined) temporary.push(name);
    else (kind === "journal" ? journals : snapshots).push(Number(generation));
  }
  const ascending = (a: number, b: number) => a - b;
  return { journals: journals.sort(ascending), snapshots: snapshots.sort(ascending), temporary };
}

/** The journals from that of the newest snapshot, or from the first, on. None may be missing. */
function chainOf(folder: string, { journals, snapshots }: Listing): readonly number[] {
  const first = snapshots.at(-1) ?? 1;
  const chain = journals.filter((generation) => generation >= first);
  const missing = chain.findIndex((generation, i) => generation !== first + i);
  if (missing >= 0 || chain.length === 0) {
    const names = [
      ...journals.map((generation) => `journal-${generation}`),
      ...snapshots.map((generation) => `snapshot-${generation}`),
    ];
    throw new OvidError(
      "journal.corrupt",
      `Cannot read the journal in "${folder}": found ${names.join(", ")}, ` +
        `want journal-${first + Math.max(0, missing)} too`,
    );
  }
  return chain;
}

/** The journals of a chain; all but the last must be whole, and each must go on where the one before ends. */
async function readChain(
  files: JournalFiles,
  folder: string,
  generations: readonly number[],
): Promise<{ readonly earlier: readonly Reading[]; readonly last: Reading }> {
  const earlier: Reading[] = [];
  let last: Reading | undefined;
  for (const generation of generations) {
    if (last !== undefined) {
      // The next journal is begun only when this one is whole and synced.
      if (last.torn !== undefined) {
        const reason =
          `${last.torn.reason}; journal-${generation} follows, so this is no torn tail`;
        throw corrupt(journalPath(folder, generation - 1), { offset: last.torn.offset, reason });
      }
      earlier.push(last);
    }
    const journal = await readJournal(files, folder, generation);
    if (last !== undefined && journal.header.sequence !== last.nextSequence) {
      const reason = `found sequence ${journal.header.sequence}, want ${last.nextSequence}, ` +
        `with which journal-${generation - 1} ends`;
      throw corrupt(journalPath(folder, generation), { offset: 0, reason });
    }
    last = journal;
  }
  if (last === undefined) throw new Error("Broken belief: a chain has a journal");
  return { earlier, last };
}

/** Makes the last journal of a chain end with its last whole group, and makes that group last. */
async function repair(
  files: JournalFiles,
  path: string,
  journal: Reading,
): Promise<{ readonly file: JournalFile; readonly repaired: Repair | undefined }> {
  const { torn, validBytes, lastGroup, lastBytes, fileBytes } = journal;
  const file = await attempt("open", path, () => files.open(path, "existing"));
  try {
    if (torn !== undefined) await attempt("truncate", path, () => file.truncate(validBytes));
    // What we read may be in memory only: a process that was killed had perhaps not synced it, and where a sync
    // failed the system reports it once and forgets. Written again, it is synced or reported again.
    await writeAll(file, path, lastBytes, lastGroup);
    await attempt("sync", path, () => file.sync());
  } catch (error) {
    file.close();
    throw error;
  }
  if (torn === undefined) return { file, repaired: undefined };
  const { offset, reason } = torn;
  return { file, repaired: { file: path, offset, bytes: fileBytes - offset, reason } };
}

/**
 * Reads what the folder holds, and only when all of it is in order changes anything.
 *
 * @throws {OvidError} `journal.corrupt`
 */
export async function recover(files: JournalFiles, folder: string): Promise<Recovered> {
  let found = await list(files, folder);
  if (found.journals.length === 0 && found.snapshots.length === 0) {
    const { file } = await createJournal(files, folder, { generation: 1, sequence: 1 });
    file.close();
    found = await list(files, folder);
  }
  const generations = chainOf(folder, found);
  const base = found.snapshots.at(-1);
  const snapshot = base === undefined
    ? { agents: new Map(), bytes: 0 }
    : await readSnapshot(files, folder, base);
  const { earlier, last } = await readChain(files, folder, generations);

  const path = journalPath(folder, last.header.generation);
  const { file, repaired } = await repair(files, path, last);
  try {
    // Before anything is removed: the names that make it useless must last.
    await attempt("sync", folder, () => files.syncFolder(folder));
    for (const path of useless(folder, found, base)) {
      await attempt("remove", path, () => files.remove(path));
    }
  } catch (error) {
    file.close();
    throw error;
  }
  const records: Append[] = [...earlier, last].flatMap((journal) => journal.records);
  return {
    images: imagesOf(snapshot.agents, records),
    repaired,
    file,
    chain: [...earlier, last].map(({ header, validBytes }) => ({
      generation: header.generation,
      path: journalPath(folder, header.generation),
      bytes: validBytes,
    })),
    base,
    snapshotBytes: snapshot.bytes,
    nextSequence: last.nextSequence,
  };
}

/** What a crash left of a compaction: files that never got their name, and generations before the snapshot's. */
function useless(folder: string, found: Listing, base: number | undefined): readonly string[] {
  const old = (generation: number) => generation < (base ?? 1);
  return [
    ...found.temporary.map((name) => join(folder, name)),
    ...found.journals.filter(old).map((generation) => journalPath(folder, generation)),
    ...found.snapshots.filter(old).map((generation) => snapshotPath(folder, generation)),
  ];
}
