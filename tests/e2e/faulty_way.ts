// A way between two boxes, or between a program and a box, on which mail is lost or late: each message by itself, so that
// others overtake one that is late. What is no mail goes through at once: boxes that hear nothing of each other end their
// link, and a link that is poor, not broken, is what this is about.

import { type Random, randomInteger } from "../../core/random.ts";

/** What becomes of mail on its way, in either direction. */
export interface MailFaults {
  /** The share of messages that is lost. */
  readonly loss?: number;
  /** The share that is late, and by how much. */
  readonly late?: { readonly share: number; readonly minMs: number; readonly maxMs: number };
}

/** How many messages were lost, and how many late. */
export interface Toll {
  lost: number;
  late: number;
}

const isMail = (line: string) => line.startsWith("mail ") || line.startsWith("msg ");

/** See the top of this file. */
export class FaultyWay implements AsyncDisposable {
  readonly port: number;
  readonly #toll: Toll;
  readonly #target: number;
  readonly #faults: MailFaults;
  readonly #random: Random;
  readonly #listener: Deno.TcpListener;
  readonly #connections = new Set<Deno.TcpConn>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #tasks: Promise<void>[] = [];
  #closed = false;

  constructor(
    { target, faults, toll, random }: {
      target: number;
      faults: MailFaults;
      /** To which this way adds what becomes of mail. */
      toll: Toll;
      random: Random;
    },
  ) {
    this.#target = target;
    this.#faults = faults;
    this.#toll = toll;
    this.#random = random;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = this.#listener.addr.port;
    this.#tasks.push(this.#accept());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#listener.close();
    for (const timer of this.#timers) clearTimeout(timer);
    for (const connection of this.#connections) this.#close(connection);
    while (this.#tasks.length > 0) await this.#tasks.pop();
  }

  #close(connection: Deno.TcpConn): void {
    if (this.#connections.delete(connection)) connection.close();
  }

  async #accept(): Promise<void> {
    while (!this.#closed) {
      const near = await this.#listener.accept().catch(() => undefined);
      if (near === undefined) return;
      this.#connections.add(near);
      this.#tasks.push(this.#join(near));
    }
  }

  async #join(near: Deno.TcpConn): Promise<void> {
    const far = await Deno.connect({ hostname: "127.0.0.1", port: this.#target })
      .catch(() => undefined);
    if (far === undefined || this.#closed) {
      far?.close();
      return this.#close(near);
    }
    far.setNoDelay(true);
    near.setNoDelay(true);
    this.#connections.add(far);
    await Promise.all([this.#carry(near, far), this.#carry(far, near)]);
  }

  async #carry(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(1 << 16);
    const lines = new Lines(to);
    let rest = "";
    try {
      while (true) {
        const count = await from.read(buffer);
        if (count === null) break;
        const parts = (rest + decoder.decode(buffer.subarray(0, count), { stream: true }))
          .split("\n");
        rest = parts.pop() ?? "";
        const atOnce = parts.filter((line) => !this.#holdBack(line, lines));
        await lines.write(atOnce);
      }
    } catch {
      // One of the two has gone, and the other is to notice.
    }
    this.#close(from);
    this.#close(to);
  }

  /** Whether a line does not go on with the others: it is lost, or goes later. */
  #holdBack(line: string, lines: Lines): boolean {
    const { loss = 0, late } = this.#faults;
    if (!isMail(line)) return false;
    if (this.#random() < loss) {
      this.#toll.lost++;
      return true;
    }
    if (late === undefined || this.#random() >= late.share) return false;
    this.#toll.late++;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      // If the connection has gone meanwhile, so has the message.
      lines.write([line]).catch(() => {});
    }, randomInteger(this.#random, late.minMs, late.maxMs));
    this.#timers.add(timer);
    return true;
  }
}

/** Writes lines one after the other, whoever asks for it and when. */
class Lines {
  readonly #to: Deno.TcpConn;
  #writing: Promise<void> = Promise.resolve();

  constructor(to: Deno.TcpConn) {
    this.#to = to;
  }

  write(lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return this.#writing;
    const bytes = new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""));
    const written = this.#writing.then(() => this.#writeAll(bytes));
    // Whoever waits hears of it.
    this.#writing = written.catch(() => {});
    return written;
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) done += await this.#to.write(bytes.subarray(done));
  }
}
