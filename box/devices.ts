// The real devices: standard output and the terminal's lines. Files, other boxes and requests by HTTP are served
// elsewhere.

import type { DeviceEvent, DeviceOutput } from "../core/devices.ts";
import type { AgentId } from "../core/id.ts";
import { FileDevice } from "./file_device.ts";
import type { HttpServers } from "./http.ts";
import type { Processes } from "./processes.ts";
import { pause } from "../transport/pause.ts";

/** How many characters may wait for whoever reads the output of a box. */
export const outputCharactersMax: number = 4 << 20;

// One write is not longer, so that a reader who is slow is told from one who has stopped.
const pieceBytesMax = 1 << 16;

/** What {@linkcode TextWriter} does when its reader is too slow. */
export interface TextWriterOptions {
  /** Default: {@linkcode outputCharactersMax}. */
  readonly charactersMax?: number;
  /** Called when there is room again, with how many characters had none. */
  readonly leftOut?: (characters: number) => void;
}

/**
 * Writes text somewhere in order, one write at a time; text that comes meanwhile goes into the next. What finds no room
 * is left out, the newest as on links: what was taken before stays in order, and whoever writes never waits.
 */
export class TextWriter {
  readonly #write: (bytes: Uint8Array) => Promise<number>;
  readonly #options: TextWriterOptions;
  #waiting = "";
  #writing: Promise<void> | undefined;
  #pieces = 0;
  #leftOut = 0;
  #broken = false;

  /** @param write Writes some of the bytes and says how many, as `Deno.stdout.write` does. */
  constructor(write: (bytes: Uint8Array) => Promise<number>, options: TextWriterOptions = {}) {
    this.#write = write;
    this.#options = options;
  }

  /** Queues `text`. Once the reader has gone away, output goes nowhere: that must not end a box. */
  write(text: string): void {
    if (this.#broken) return;
    const { charactersMax = outputCharactersMax } = this.#options;
    // A text that nothing waits before is taken, however long it is.
    if (this.#waiting !== "" && this.#waiting.length + text.length > charactersMax) {
      this.#leftOut += text.length;
      return;
    }
    this.#tellLeftOut();
    this.#waiting += text;
    this.#writing ??= this.#run();
  }

  /** Resolves when all that was written has been handed over, or nothing was for `idleMsMax`. */
  async flush(idleMsMax = Infinity): Promise<void> {
    if (idleMsMax === Infinity) return await this.#writing;
    for (let before = -1; this.#writing !== undefined && before !== this.#pieces;) {
      before = this.#pieces;
      const handedOver = new AbortController();
      const writing = this.#writing.then(() => handedOver.abort());
      await Promise.race([writing, pause(idleMsMax, handedOver.signal)]);
    }
  }

  #tellLeftOut(): void {
    const characters = this.#leftOut;
    this.#leftOut = 0;
    if (characters > 0) this.#options.leftOut?.(characters);
  }

  async #run(): Promise<void> {
    const encoder = new TextEncoder();
    try {
      // Let what is written in the same turn go out together.
      await Promise.resolve();
      while (this.#waiting !== "") {
        let bytes = encoder.encode(this.#waiting);
        this.#waiting = "";
        while (bytes.length > 0) {
          bytes = bytes.subarray(await this.#write(bytes.subarray(0, pieceBytesMax)));
          this.#pieces++;
        }
      }
    } catch {
      this.#broken = true;
      this.#waiting = "";
    } finally {
      this.#writing = undefined;
      this.#tellLeftOut();
    }
  }
}

/** The standard output of this process. What a slow reader had no room for is said in `log`. */
export function standardOutput(log: { warn(text: string): void }): TextWriter {
  const leftOut = (characters: number) =>
    log.warn(`left out ${characters} characters of output, which nobody reads fast enough`);
  return new TextWriter((bytes) => Deno.stdout.write(bytes), { leftOut });
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

/** Carries out what agents give to their devices. */
export class Devices {
  readonly #options: DevicesOptions;
  readonly #files: FileDevice;

  constructor(options: DevicesOptions) {
    this.#options = options;
    const { filesFolder: folder, date, event } = options;
    this.#files = new FileDevice({
      folder,
      date,
      event: (agent, failed) => event(agent, { device: "file", event: failed }),
    });
  }

  take(agent: AgentId, { device, output }: DeviceOutput): void {
    switch (device) {
      case "console":
      case "terminal":
        if (output.type === "print") this.#options.out.write(`${output.text}\n`);
        else if (this.#options.interactive) this.#options.out.write(output.text);
        return;
      case "file":
        return this.#files.take(agent, output);
      case "process":
        return this.#options.processes.take(agent, output);
      case "http":
        return this.#options.http.take(agent, output);
    }
  }

  /** Resolves when every output has been handed over, but for text that nobody has read for `idleMsMax`. */
  async flush(idleMsMax?: number): Promise<void> {
    await this.#files.flush();
    await this.#options.out.flush(idleMsMax);
  }
}
