// The transport of grids inside one process: the semantics of TCP, with bounded pipes for sockets. Each network is
// a world of its own.

import type { Connection, Listener, Transport } from "./transport.ts";

/** Limits of a memory network. */
export interface MemoryNetworkOptions {
  /** How much one end may write before the other reads: 64 KiB unless told otherwise. */
  readonly pipeBytesMax?: number;
  /** The most that one read gives: 16 KiB unless told otherwise. */
  readonly readBytesMax?: number;
  /** How many connections may wait to be accepted: 128 unless told otherwise. */
  readonly backlogMax?: number;
}

/**
 * A network in memory. An address may be any text; one that ends in `:0` gets a port that is free.
 *
 * @example
 * ```ts
 * const network = new MemoryNetwork();
 * const listener = await network.listen("127.0.0.1:5000");
 * const near = await network.dial("127.0.0.1:5000", new AbortController().signal);
 * const far = await listener.accept();
 * ```
 */
export class MemoryNetwork implements Transport {
  readonly #limits: Required<MemoryNetworkOptions>;
  readonly #listeners = new Map<string, MemoryListener>();
  #nextPort = 49152;
  #dials = 0;

  constructor(options: MemoryNetworkOptions = {}) {
    this.#limits = { pipeBytesMax: 1 << 16, readBytesMax: 1 << 14, backlogMax: 128, ...options };
  }

  // deno-lint-ignore require-await
  async listen(address: string): Promise<Listener> {
    const exact = address.endsWith(":0") ? `${address.slice(0, -1)}${this.#nextPort++}` : address;
    if (this.#listeners.has(exact)) {
      throw new Error(`Cannot listen on ${exact}: the address is in use`);
    }
    const listener = new MemoryListener(exact, () => this.#listeners.delete(exact));
    this.#listeners.set(exact, listener);
    return listener;
  }

  // deno-lint-ignore require-await
  async dial(address: string, signal: AbortSignal): Promise<Connection> {
    if (signal.aborted) {
      throw new Error(`Cannot dial ${address}: given up`, { cause: signal.reason });
    }
    const listener = this.#listeners.get(address);
    if (listener === undefined) throw new Error(`Cannot dial ${address}: nobody listens there`);
    if (listener.waiting.length >= this.#limits.backlogMax) {
      throw new Error(`Cannot dial ${address}: ${this.#limits.backlogMax} connections wait there`);
    }
    const there = new Pipe(this.#limits);
    const back = new Pipe(this.#limits);
    listener.offer(new MemoryConnection(`memory:${++this.#dials}`, there, back));
    return new MemoryConnection(address, back, there);
  }
}

class MemoryListener implements Listener {
  readonly waiting: Connection[] = [];
  #accepting: ((connection: Connection | undefined) => void) | undefined;
  #closed = false;

  constructor(readonly address: string, readonly onClose: () => void) {}

  offer(connection: Connection): void {
    const accepting = this.#accepting;
    this.#accepting = undefined;
    if (accepting === undefined) this.waiting.push(connection);
    else accepting(connection);
  }

  accept(): Promise<Connection | undefined> {
    const first = this.waiting.shift();
    if (first !== undefined || this.#closed) return Promise.resolve(first);
    return new Promise((resolve) => this.#accepting = resolve);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.onClose();
    for (const connection of this.waiting.splice(0)) connection.close();
    this.#accepting?.(undefined);
  }
}

class MemoryConnection implements Connection {
  #closed = false;

  constructor(readonly remote: string, readonly incoming: Pipe, readonly outgoing: Pipe) {}

  read(): Promise<Uint8Array | undefined> {
    return this.incoming.read();
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.outgoing.write(bytes);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.incoming.abandon();
    this.outgoing.end();
  }
}

// One direction. What was written before the end is still read, as TCP does after an orderly close.
class Pipe {
  readonly #limits: Required<MemoryNetworkOptions>;
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  #ended = false;
  #abandoned = false;
  #wakeReader: (() => void) | undefined;
  #wakeWriter: (() => void) | undefined;

  constructor(limits: Required<MemoryNetworkOptions>) {
    this.#limits = limits;
  }

  async read(): Promise<Uint8Array | undefined> {
    while (this.#chunks.length === 0 && !this.#ended && !this.#abandoned) {
      await new Promise<void>((resolve) => this.#wakeReader = resolve);
    }
    // A turn of the event loop, as a real socket takes, or two agents in one process that answer each other would
    // keep every timer from firing.
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#abandoned) return undefined;
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return undefined;
    const piece = chunk.subarray(0, this.#limits.readBytesMax);
    if (piece.length < chunk.length) this.#chunks.unshift(chunk.subarray(piece.length));
    this.#bytes -= piece.length;
    this.#wake();
    return piece;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      if (this.#ended || this.#abandoned) throw new Error("Cannot write: the connection is closed");
      const room = this.#limits.pipeBytesMax - this.#bytes;
      if (room <= 0) {
        await new Promise<void>((resolve) => this.#wakeWriter = resolve);
        continue;
      }
      const piece = bytes.slice(done, done + room);
      this.#chunks.push(piece);
      this.#bytes += piece.length;
      done += piece.length;
      this.#wake();
    }
  }

  /** The writer has closed. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** The reader has closed: nobody will read what is left. */
  abandon(): void {
    this.#abandoned = true;
    this.#chunks.length = 0;
    this.#wake();
  }

  #wake(): void {
    const [reader, writer] = [this.#wakeReader, this.#wakeWriter];
    this.#wakeReader = this.#wakeWriter = undefined;
    reader?.();
    writer?.();
  }
}
