// The lock on a box's data folder: two processes that append to one journal would destroy it.

import { join } from "@std/path";
import { messageOf, OvidError } from "../core/error.ts";

/** A folder that is ours until it is released, or until this process is gone, however it ends. */
export interface DataLock {
  release(): void;
}

/**
 * Takes the folder for this process, by an exclusive lock on its file `lock`, which holds our process id.
 * The file stays behind: to remove it would let two processes lock two files of that name.
 *
 * @throws {OvidError} `journal.locked` if the folder is in use.
 */
export function lockData(folder: string): DataLock {
  const path = join(folder, "lock");
  let file: Deno.FsFile | undefined;
  try {
    file = Deno.openSync(path, { read: true, write: true, create: true });
    if (!file.tryLockSync(true)) throw inUse(folder, path);
    file.truncateSync(0);
    file.writeSync(new TextEncoder().encode(`${Deno.pid}\n`));
  } catch (error) {
    file?.close();
    if (error instanceof OvidError) throw error;
    throw new Error(`Cannot lock "${path}": ${messageOf(error)}`, { cause: error });
  }
  const locked = file;
  return { release: () => locked.close() };
}

function inUse(folder: string, path: string): OvidError {
  const pid = Deno.readTextFileSync(path).trim();
  const who = pid === String(Deno.pid)
    ? "this process already"
    : /^[0-9]+$/.test(pid)
    ? `another process (pid ${pid})`
    : "another process";
  return new OvidError(
    "journal.locked",
    `Cannot use data folder "${folder}": it is in use by ${who}`,
  );
}
