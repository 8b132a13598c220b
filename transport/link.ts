// One connection between two boxes: lines out through a bounded queue, lines in through a bounded decoder. It knows
// no frames and no boxes.

import { LineDecoder } from "./lines.ts";
import { startTimer, stopTimer } from "./timer.ts";
import type { Connection } from "./transport.ts";

/** The limits of a link. */
export interface LinkLimits {
  /** The longest line, in bytes, sent or received. */
  readonly lineBytesMax: number;
  /**
   * How much may wait to be written, in characters. When it is full the newest line is refused: what was promised
   * to go out stays in order, and a protocol that resends loses nothing.
   */
  readonly queueCharactersMax: number;
}

/** What a link tells its owner. After `closed` it tells nothing. */
export interface LinkEvents {
  /** Lines that arrived together; none if all that arrived is the middle of a line. */
  lines(lines: readonly string[]): void;
  closed(reason: string): void;
}

/** Why a line was not taken. */
export type LinkRefusal = "the queue is full" | "the line is too long" | "the link is closed";

// A heartbeat waits for the write in hand, so a write must not be large; larger ones are hardly faster.
const blockCharacters = 1 << 16;
const writeBytes = 1 << 16;
const encoder = new TextEncoder();

/**
 * A connection in use. Lines that are sent in one turn of the event loop, or while a write is under way, share one
 * write, which is many times faster than a write for each.
 */
export class Link {
  /** Where the other end is, for logs only. */
  readonly remote: string;
  readonly #connection: Connection;
  readonly #limits: LinkLimits;
  readonly #events: LinkEvents;
  #closed = false;
  #heardAt = performance.now();
  #bytesIn = 0;
  #bytesOut = 0;

  // What waits to be written: full blocks of joined lines, which take a byte for a character, then single lines.
  #blocks: string[] = [];
  #lines: string[] = [];
  #lineCharacters = 0;
  #queuedCharacters = 0;
  #beat: string | undefined;
  #buffer: Uint8Array | undefined;
  #writing = false;
  #writer: Promise<void> = Promise.resolve();

  constructor(connection: Connection, limits: LinkLimits, events: LinkEvents) {
    this.remote = connection.remote;
    this.#connection = connection;
    this.#limits = limits;
    this.#events = events;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** How long ago the last line arrived, or the link began. */
  get silentMs(): number {
    return performance.now() - this.#heardAt;
  }

  get queuedCharacters(): number {
    return this.#queuedCharacters;
  }

  get bytesIn(): number {
    return this.#bytesIn;
  }

  get bytesOut(): number {
    return this.#bytesOut;
  }

  /** Reads until the link is closed; called once. Resolves when nothing of the link is left. */
  async run(): Promise<void> {
    await this.#read();
    await this.#writer;
  }

  /** Queues a line; the reason if it was not taken. */
  send(line: string): LinkRefusal | undefined {
    if (this.#closed) return "the link is closed";
    // A character takes three bytes at most, so that most lines need no counting.
    const { lineBytesMax, queueCharactersMax } = this.#limits;
    if (3 * line.length > lineBytesMax && encoder.encode(line).length > lineBytesMax) {
      return "the line is too long";
    }
    if (this.#queuedCharacters + line.length >= queueCharactersMax) return "the queue is full";
    this.#lines.push(line);
    this.#lineCharacters += line.length + 1;
    this.#queuedCharacters += line.length + 1;
    if (this.#lineCharacters >= blockCharacters) this.#closeBlock();
    this.#wake();
    return undefined;
  }

  /** Sends a heartbeat ahead of all that is queued. One that has not left yet is replaced. */
  beat(line: string): void {
    if (this.#closed) return;
    this.#beat = line;
    this.#wake();
  }

  /** Ends the link at once: what is queued is lost, and nothing more is delivered. */
  close(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connection.close();
    this.#blocks = [];
    this.#lines = [];
    this.#queuedCharacters = 0;
    this.#events.closed(reason);
  }

  /** Ends the link once all that is queued has been written, or after `ms`. */
  async closeGently(reason: string, ms: number): Promise<void> {
    const timer = startTimer(ms, () => this.close(reason));
    while (!this.#closed && this.#writing) await this.#writer;
    stopTimer(timer);
    this.close(reason);
  }

  async #read(): Promise<void> {
    const decoder = new LineDecoder(this.#limits.lineBytesMax);
    while (!this.#closed) {
      let bytes: Uint8Array | undefined;
      try {
        bytes = await this.#connection.read();
      } catch (error) {
        return this.close(`reading failed: ${error instanceof Error ? error.message : error}`);
      }
      if (this.#closed) return;
      if (bytes === undefined) {
        return this.close(`the peer closed${decoder.unfinished ? " inside a line" : ""}`);
      }
      this.#bytesIn += bytes.length;
      const { lines, fault } = decoder.push(bytes);
      if (lines.length > 0) this.#heardAt = performance.now();
      this.#events.lines(lines);
      if (fault !== undefined) return this.close(fault);
    }
  }

  #wake(): void {
    if (this.#writing) return;
    this.#writing = true;
    this.#writer = this.#write();
  }

  async #write(): Promise<void> {
    // Lets whoever sent the first line send the others that belong with it.
    await undefined;
    try {
      for (let text = this.#take(); text !== ""; text = this.#take()) await this.#writeText(text);
    } catch (error) {
      this.close(`writing failed: ${error instanceof Error ? error.message : error}`);
    }
    this.#writing = false;
  }

  async #writeText(text: string): Promise<void> {
    const buffer = this.#buffer ??= new Uint8Array(writeBytes);
    for (let rest = text; rest !== "" && !this.#closed;) {
      const { read, written } = encoder.encodeInto(rest, buffer);
      await this.#connection.write(buffer.subarray(0, written));
      this.#bytesOut += written;
      rest = rest.slice(read);
    }
  }

  // The next text to write, of whole lines.
  #take(): string {
    const beat = this.#beat;
    if (beat !== undefined) {
      this.#beat = undefined;
      return `${beat}\n`;
    }
    if (this.#blocks.length === 0 && this.#lines.length > 0) this.#closeBlock();
    const block = this.#blocks.shift() ?? "";
    this.#queuedCharacters -= block.length;
    return block;
  }

  #closeBlock(): void {
    this.#blocks.push(`${this.#lines.join("\n")}\n`);
    this.#lines = [];
    this.#lineCharacters = 0;
  }
}
