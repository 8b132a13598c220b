// The real devices: standard output, the terminal's lines, and files below the box's data folder; other boxes and
// requests by HTTP have files of their own.

import { dirname, isAbsolute, join, normalize } from "@std/path";
import type { DeviceEvent, DeviceOutput, FileOutput } from "../core/devices.ts";
import type { AgentId } from "../core/id.ts";
import type { HttpServers } from "./http.ts";
import type { Processes } from "./processes.ts";

/** Writes text somewhere in order, one write at a time; text that comes meanwhile goes into the next. */
export class TextWriter {
  readonly #write: (bytes: Uint8Array) => Promise<number>;
  #waiting = "";
  #writing: Promise<void> | undefined;
  #broken = false;

  /** @param write Writes some of the bytes and says how many, as `Deno.stdout.write` does. */
  constructor(write: (bytes: Uint8Array) => Promise<number>) {
    this.#write = write;
  }

  /** Queues `text`. Once the reader has gone away, output goes nowhere: that must not end a box. */
  write(text: string): void {
    if (this.#broken) return;
    this.#waiting += text;
    this.#writing ??= this.#run();
  }

  /** Resolves when all that was written has been handed over. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  async #run(): Promise<void> {
    const encoder = new TextEncoder();
    try {
      // Let what is written in the same turn go out together.
      await Promise.resolve();
      while (this.#waiting !== "") {
        let bytes = encoder.encode(this.#waiting);
        this.#waiting = "";
        while (bytes.length > 0) bytes = bytes.subarray(await this.#write(bytes));
      }
    } catch {
      this.#broken = true;
      this.#waiting = "";
    } finally {
      this.#writing = undefined;
    }
  }
}

/** What the devices of a box need. */
export interface DevicesOptions {
  readonly out: TextWriter;
  /** Whether a person reads the output, so that prompts are shown. */
  readonly interactive: boolean;
  /** Where files are kept; undefined for a box without a data folder, whose file outputs fail. */
  readonly filesFolder: string | undefined;
  /** The boxes that agents start. */
  readonly processes: Processes;
  /** Where strangers make requests. */
  readonly http: HttpServers;
  readonly event: (agent: AgentId, event: DeviceEvent) => void;
  /** The wall clock, for files whose lines are stamped. */
  readonly date: () => Date;
}

interface FileChange {
  readonly agent: AgentId;
  /** Whether it goes behind what the file has, or in its place. */
  readonly append: boolean;
  readonly text: string;
}

// Only the last of what replaces all counts, and what follows it.
async function carryOut(file: string, changes: readonly FileChange[]): Promise<void> {
  const last = changes.findLastIndex(({ append }) => !append);
  const text = changes.slice(Math.max(last, 0)).map((change) => change.text).join("");
  if (last < 0) return await Deno.writeTextFile(file, text, { append: true });
  // Whoever reads it finds the old file or the new one, and never half of one.
  await Deno.writeTextFile(`${file}.new`, text);
  await Deno.rename(`${file}.new`, file);
}

/** Carries out what agents give to their devices. */
export class Devices {
  readonly #options: DevicesOptions;
  readonly #changes = new Map<string, FileChange[]>();
  readonly #tasks = new Set<Promise<void>>();

  constructor(options: DevicesOptions) {
    this.#options = options;
  }

  take(agent: AgentId, { device, output }: DeviceOutput): void {
    switch (device) {
      case "console":
      case "terminal":
        if (output.type === "print") this.#options.out.write(`${output.text}\n`);
        else if (this.#options.interactive) this.#options.out.write(output.text);
        return;
      case "file":
        return this.#change(agent, output);
      case "process":
        return this.#options.processes.take(agent, output);
      case "http":
        return this.#options.http.take(agent, output);
    }
  }

  /** Resolves when every output has been handed over. */
  async flush(): Promise<void> {
    while (this.#tasks.size > 0) await Promise.all(this.#tasks);
    await this.#options.out.flush();
  }

  #change(agent: AgentId, output: FileOutput): void {
    const { filesFolder, date } = this.#options;
    const { path } = output;
    const inside = normalize(path);
    if (filesFolder === undefined) return this.#failed(agent, path, "this box has no data folder");
    if (isAbsolute(inside) || inside === ".." || inside.startsWith("../")) {
      return this.#failed(agent, path, "want a relative path below the box's data folder");
    }
    const change = output.type === "write"
      ? { agent, append: false, text: output.lines.map((line) => `${line}\n`).join("") }
      : {
        agent,
        append: true,
        text: `${output.stamp ? `${date().toISOString()} ` : ""}${output.text}\n`,
      };
    const waiting = this.#changes.get(inside);
    if (waiting !== undefined) {
      waiting.push(change);
      return;
    }
    this.#changes.set(inside, [change]);
    const task = this.#writeFile(join(filesFolder, inside), inside);
    this.#tasks.add(task);
    task.finally(() => this.#tasks.delete(task));
  }

  async #writeFile(file: string, inside: string): Promise<void> {
    let waiting = this.#changes.get(inside) ?? [];
    while (waiting.length > 0) {
      this.#changes.set(inside, []);
      try {
        await Deno.mkdir(dirname(file), { recursive: true });
        await carryOut(file, waiting);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        for (const agent of new Set(waiting.map((each) => each.agent))) {
          this.#failed(agent, inside, why);
        }
      }
      waiting = this.#changes.get(inside) ?? [];
    }
    this.#changes.delete(inside);
  }

  #failed(agent: AgentId, path: string, reason: string): void {
    this.#options.event(agent, { device: "file", event: { type: "failed", path, reason } });
  }
}
