// The port at which masters command a box: loopback only, any number of masters, each answered in its own order.
// Whatever a master sends, the box lives; one that does not read its answers is not read from either.

import type { Answer } from "../core/membership.ts";
import { messageOf } from "../core/error.ts";
import { LineDecoder } from "../transport/lines.ts";
import { pause } from "../transport/pause.ts";
import type { Connection, Listener, Transport } from "../transport/transport.ts";

/** The lowest port that a master may use: those below are for links between boxes. */
export const masterPortMin = 10_000;

/** How many masters may be connected at once; a further one replaces the one that has been silent longest. */
export const mastersMax = 64;

/** How long a command may be, in bytes. */
export const commandBytesMax = 1024 * 1024;

/** What a master port needs of its box. */
export interface MasterPortOptions {
  readonly transport: Transport;
  readonly port: number;
  /** Answers a command; broadcasts and crashes have been carried out when it returns. */
  readonly command: (line: string) => Answer;
  readonly note: (event: string, detail: string) => void;
}

/** How long a port waits when the system has no room for a connection. */
const acceptAgainMs = 50;

/** How much is answered at once: a few bytes of commands may ask for the log a thousand times. */
const answerCharactersMax = 1 << 16;

interface Master {
  readonly connection: Connection;
  heardAt: number;
}

/** Serves masters until it is closed. */
export class MasterPort {
  readonly #options: MasterPortOptions;
  readonly #masters = new Set<Master>();
  #listener: Listener | undefined;
  #tasks = new Set<Promise<void>>();
  #count = 0;
  readonly #end = new AbortController();

  constructor(options: MasterPortOptions) {
    this.#options = options;
  }

  /** @throws {Error} if the port is taken. */
  async start(): Promise<void> {
    const { transport, port } = this.#options;
    try {
      this.#listener = await transport.listen(`127.0.0.1:${port}`);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`Cannot listen for masters on 127.0.0.1:${port}: ${why}`, { cause: error });
    }
    this.#track(this.#accept(this.#listener));
  }

  /** Where it listens. */
  get address(): string | undefined {
    return this.#listener?.address;
  }

  async close(): Promise<void> {
    this.#end.abort();
    this.#listener?.close();
    for (const master of this.#masters) master.connection.close();
    await Promise.all(this.#tasks);
  }

  #track(task: Promise<void>): void {
    this.#tasks.add(task);
    task.finally(() => this.#tasks.delete(task));
  }

  async #accept(listener: Listener): Promise<void> {
    let failing = false;
    while (!this.#end.signal.aborted) {
      let connection: Connection | undefined;
      try {
        connection = await listener.accept();
        failing = false;
      } catch (error) {
        // Out of descriptors, most likely: those who wait are served once some have been closed.
        if (!failing) this.#options.note("master.accept", messageOf(error));
        failing = true;
        await pause(acceptAgainMs, this.#end.signal);
        continue;
      }
      if (connection === undefined) return;
      const master = { connection, heardAt: this.#count++ };
      this.#masters.add(master);
      if (this.#masters.size > mastersMax) this.#dropOldest();
      this.#track(this.#serve(master));
    }
  }

  #dropOldest(): void {
    let oldest: Master | undefined;
    for (const master of this.#masters) {
      if (oldest === undefined || master.heardAt < oldest.heardAt) oldest = master;
    }
    if (oldest === undefined) return;
    this.#options.note("master.dropped", `more than ${mastersMax} masters`);
    this.#masters.delete(oldest);
    oldest.connection.close();
  }

  async #serve(master: Master): Promise<void> {
    const { connection } = master;
    const decoder = new LineDecoder(commandBytesMax);
    try {
      while (true) {
        const bytes = await connection.read();
        if (bytes === undefined) break;
        master.heardAt = this.#count++;
        const { lines, fault } = decoder.push(bytes);
        await this.#answer(lines, connection);
        if (fault !== undefined) throw new Error(fault);
      }
    } catch (error) {
      this.#options.note("master.closed", messageOf(error));
    } finally {
      this.#masters.delete(master);
      connection.close();
    }
  }

  async #answer(lines: readonly string[], connection: Connection): Promise<void> {
    const encoder = new TextEncoder();
    let replies = "";
    for (const line of lines) {
      // A page in somebody's browser must not be able to post `crash` here.
      if (/^[A-Z]+ \S+ HTTP\/\d/.test(line)) throw new Error("The line is an HTTP request");
      if (line.trim() === "") continue;
      const { reply } = this.#options.command(line);
      if (reply !== undefined) replies += `${reply}\n`;
      if (replies.length < answerCharactersMax) continue;
      await connection.write(encoder.encode(replies));
      replies = "";
    }
    if (replies !== "") await connection.write(encoder.encode(replies));
  }
}
