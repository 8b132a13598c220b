// The file operations that a journal needs, on real files. Tests put others in their place, to fail any
// operation and to lose what was not synced.

import { dirname } from "@std/path";
import { type DataLock, lockData } from "./data_lock.ts";

/** A file that is open for writing. */
export interface JournalFile {
  /** Writes at `offset`, and says how many of the bytes it wrote: it may be fewer than all. */
  write(bytes: Uint8Array<ArrayBuffer>, offset: number): Promise<number>;
  truncate(bytes: number): Promise<void>;
  /** Resolves once what was written and the file's length outlive a loss of power. */
  sync(): Promise<void>;
  close(): void;
}

/** The file operations of a journal. Names in a folder outlive a loss of power only after `syncFolder`. */
export interface JournalFiles {
  /** Creates the folder and those above it, where they are missing, to last. */
  makeFolder(folder: string): Promise<void>;
  lock(folder: string): Promise<DataLock>;
  /** The names of the files in a folder. */
  list(folder: string): Promise<readonly string[]>;
  read(path: string): Promise<Uint8Array>;
  /** Opens a file for writing: a new, empty one in place of whatever was there, or one that exists. */
  open(path: string, how: "new" | "existing"): Promise<JournalFile>;
  /** Replaces `to`, at once. */
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  syncFolder(folder: string): Promise<void>;
}

/** Files as the system has them. */
export const realFiles: JournalFiles = {
  async makeFolder(folder) {
    if (await exists(folder)) return;
    const parent = dirname(folder);
    await realFiles.makeFolder(parent);
    await Deno.mkdir(folder, { recursive: true });
    await realFiles.syncFolder(parent);
  },
  // Not async by itself; a promise, so that a simulated lock may wait.
  lock: (folder) => Promise.resolve().then(() => lockData(folder)),
  async list(folder) {
    const names: string[] = [];
    for await (const entry of Deno.readDir(folder)) if (entry.isFile) names.push(entry.name);
    return names;
  },
  read: (path) => Deno.readFile(path),
  async open(path, how) {
    const made = how === "new";
    return fileOf(await Deno.open(path, { write: true, create: made, truncate: made }));
  },
  rename: (from, to) => Deno.rename(from, to),
  remove: (path) => Deno.remove(path),
  async syncFolder(folder) {
    // Windows cannot open a folder, and keeps names in its own log.
    if (Deno.build.os === "windows") return;
    using file = await Deno.open(folder);
    await file.sync();
  },
};

async function exists(folder: string): Promise<boolean> {
  try {
    return (await Deno.stat(folder)).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function fileOf(file: Deno.FsFile): JournalFile {
  let position = 0;
  return {
    // Async, so that a simulated one may wait. This one does not: what is written goes no further than to the
    // system's memory, and a turn of another thread for it costs more than the copy. The sync is the one that waits.
    // deno-lint-ignore require-await
    async write(bytes, offset) {
      if (offset !== position) file.seekSync(offset, Deno.SeekMode.Start);
      const written = file.writeSync(bytes);
      position = offset + written;
      return written;
    },
    truncate: (bytes) => file.truncate(bytes),
    sync: () => file.syncData(),
    close: () => file.close(),
  };
}
