// The device `file`: files below the box's data folder, to which agents append lines, or which they replace. Whatever
// step fails, a file has what it had before, its agent is told, and the next change is tried as if nothing had been.

import { dirname, isAbsolute, join, normalize } from "@std/path";
import type { DeviceEvents, FileOutput } from "../core/devices.ts";
import { messageOf } from "../core/error.ts";
import type { AgentId } from "../core/id.ts";

/** How many characters may wait for the disk, in all files of a box; what comes on top fails. */
export const fileCharactersMax: number = 64 << 20;

/** A file that is open for writing. */
export interface DeviceFile {
  /** How long it is. */
  size(): Promise<number>;
  /** Writes some of the bytes behind those that were written before, and says how many. */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<number>;
  truncate(bytes: number): Promise<void>;
  sync(): Promise<void>;
  close(): void;
}

/** The file operations of the device. Tests put others in their place, to fail any of them. */
export interface DeviceFiles {
  makeFolder(folder: string): Promise<void>;
  /** Opens a file to write behind what it has, or in the place of that. */
  open(path: string, how: "append" | "new"): Promise<DeviceFile>;
  /** Replaces `to`, at once. */
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
}

/** Files as the system has them. */
export const realDeviceFiles: DeviceFiles = {
  makeFolder: (folder) => Deno.mkdir(folder, { recursive: true }),
  async open(path, how) {
    const isNew = how === "new";
    const file = await Deno.open(path, {
      create: true,
      write: isNew,
      truncate: isNew,
      append: !isNew,
    });
    return {
      size: async () => (await file.stat()).size,
      write: (bytes) => file.write(bytes),
      truncate: (bytes) => file.truncate(bytes),
      sync: () => file.syncData(),
      close: () => file.close(),
    };
  },
  rename: (from, to) => Deno.rename(from, to),
  remove: (path) => Deno.remove(path),
};

/** What the device needs. */
export interface FileDeviceOptions {
  /** Where files are kept; undefined for a box without a data folder, whose outputs fail. */
  readonly folder: string | undefined;
  readonly event: (agent: AgentId, event: DeviceEvents["file"]) => void;
  /** The wall clock, for lines that are stamped. */
  readonly date: () => Date;
  /** Default: the system's. */
  readonly files?: DeviceFiles;
  /** Default: {@linkcode fileCharactersMax}. */
  readonly charactersMax?: number;
}

interface Change {
  readonly agent: AgentId;
  /** Whether it goes behind what the file has, or in its place. */
  readonly append: boolean;
  readonly text: string;
}

/** Carries out what agents want of their files. */
export class FileDevice {
  readonly #options: FileDeviceOptions;
  readonly #files: DeviceFiles;
  readonly #changes = new Map<string, Change[]>();
  readonly #tasks = new Set<Promise<void>>();
  #waitingCharacters = 0;

  constructor(options: FileDeviceOptions) {
    this.#options = options;
    this.#files = options.files ?? realDeviceFiles;
  }

  take(agent: AgentId, output: FileOutput): void {
    const { folder, date, charactersMax = fileCharactersMax } = this.#options;
    const { path } = output;
    const inside = normalize(path);
    if (folder === undefined) return this.#failed(agent, path, "this box has no data folder");
    if (isAbsolute(inside) || inside === ".." || inside.startsWith("../")) {
      return this.#failed(agent, path, "want a relative path below the box's data folder");
    }
    const change = output.type === "write"
      ? { agent, append: false, text: output.lines.map((line) => `${line}\n`).join("") }
      : {
        ...{ agent, append: true },
        text: `${output.stamp ? `${date().toISOString()} ` : ""}${output.text}\n`,
      };
    // One that nothing waits before is taken, however long it is.
    const characters = this.#waitingCharacters + change.text.length;
    if (this.#waitingCharacters > 0 && characters > charactersMax) {
      const reason = `more than ${charactersMax} characters wait for the disk`;
      return this.#failed(agent, path, reason);
    }
    this.#waitingCharacters = characters;
    const waiting = this.#changes.get(inside);
    if (waiting !== undefined) {
      waiting.push(change);
      return;
    }
    this.#changes.set(inside, [change]);
    const task = this.#work(join(folder, inside), inside);
    this.#tasks.add(task);
    task.finally(() => this.#tasks.delete(task));
  }

  /** Resolves when all that was taken has been carried out, or has failed. */
  async flush(): Promise<void> {
    while (this.#tasks.size > 0) await Promise.all(this.#tasks);
  }

  async #work(file: string, inside: string): Promise<void> {
    let waiting = this.#changes.get(inside) ?? [];
    while (waiting.length > 0) {
      this.#changes.set(inside, []);
      try {
        await this.#files.makeFolder(dirname(file));
        await this.#carryOut(file, waiting);
      } catch (error) {
        for (const agent of new Set(waiting.map((each) => each.agent))) {
          this.#failed(agent, inside, messageOf(error));
        }
      }
      for (const { text } of waiting) this.#waitingCharacters -= text.length;
      waiting = this.#changes.get(inside) ?? [];
    }
    this.#changes.delete(inside);
  }

  // Only the last of what replaces all counts, and what follows it.
  async #carryOut(file: string, changes: readonly Change[]): Promise<void> {
    const last = changes.findLastIndex(({ append }) => !append);
    const text = changes.slice(Math.max(last, 0)).map((change) => change.text).join("");
    const bytes = new TextEncoder().encode(text);
    if (last < 0) await this.#append(file, bytes);
    else await this.#replace(file, bytes);
  }

  async #append(path: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const file = await this.#files.open(path, "append");
    try {
      const size = await file.size();
      try {
        await writeAll(file, bytes);
      } catch (error) {
        // Half a line would become one with the next. If not even this can be done, there is nothing better.
        await file.truncate(size).catch(() => {});
        throw error;
      }
    } finally {
      file.close();
    }
  }

  // Whoever reads it finds the old file or the new one, and never half of one, also after a loss of power.
  async #replace(path: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const temporary = `${path}.new`;
    const file = await this.#files.open(temporary, "new");
    try {
      try {
        await writeAll(file, bytes);
        await file.sync();
      } finally {
        file.close();
      }
      await this.#files.rename(temporary, path);
    } catch (error) {
      await this.#files.remove(temporary).catch(() => {});
      throw error;
    }
  }

  #failed(agent: AgentId, path: string, reason: string): void {
    this.#options.event(agent, { type: "failed", path, reason });
  }
}

async function writeAll(file: DeviceFile, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
}
