// Any transport, made worse: seeded delays, cuts, refusals and silence. With all faults at zero it is transparent,
// and the contract suite holds it to that.

import { type Random, randomInteger } from "../core/random.ts";
import type { Connection, Listener, Transport } from "./transport.ts";
import { startTimer, stopTimer } from "./timer.ts";

/** What goes wrong; a fault that is absent does not happen. */
export interface Faults {
  /** Each piece that arrives waits up to this long. */
  readonly delayMsMax?: number;
  /** What arrives is handed out in pieces of 1 to this many bytes. */
  readonly pieceBytesMax?: number;
  /** How likely a piece is to find the connection cut instead. */
  readonly cut?: number;
  /** How likely a dial is to be refused. */
  readonly refuse?: number;
  /** How likely a piece is to be the first of those that vanish: from then on this end hears nothing. */
  readonly blackHole?: number;
}

/**
 * Wraps a transport. Faults strike what an end reads, so wrap the transport of both ends to have them both ways.
 *
 * @example
 * ```ts ignore
 * const network = new FaultyTransport(new MemoryNetwork(), seededRandom(1n), { delayMsMax: 5 });
 * network.faults = {}; // healed
 * ```
 */
export class FaultyTransport implements Transport {
  /** What goes wrong from now on, on connections that stand as well. */
  faults: Faults;
  readonly #transport: Transport;
  readonly #random: Random;
  readonly #connections = new Set<Connection>();

  constructor(transport: Transport, random: Random, faults: Faults = {}) {
    this.#transport = transport;
    this.#random = random;
    this.faults = faults;
  }

  async listen(address: string): Promise<Listener> {
    const listener = await this.#transport.listen(address);
    return {
      address: listener.address,
      accept: async () => {
        const connection = await listener.accept();
        return connection && this.#wrap(connection);
      },
      close: () => listener.close(),
    };
  }

  async dial(address: string, signal: AbortSignal): Promise<Connection> {
    if (this.#strikes(this.faults.refuse)) {
      throw new Error(`Cannot dial ${address}: refused by a fault`);
    }
    return this.#wrap(await this.#transport.dial(address, signal));
  }

  /** Closes every connection that stands, as a switch does that loses its power. */
  cutAll(): void {
    for (const connection of this.#connections) connection.close();
  }

  #strikes(probability = 0): boolean {
    return probability > 0 && this.#random() < probability;
  }

  #wrap(connection: Connection): Connection {
    let closed = false;
    let deaf = false;
    let left: Uint8Array = new Uint8Array(0);
    let wake: (() => void) | undefined;
    const wait = (ms: number) =>
      new Promise<void>((resolve) => {
        const timer = startTimer(ms, resolve);
        wake = () => {
          stopTimer(timer);
          resolve();
        };
      });
    const wrapped: Connection = {
      remote: connection.remote,
      read: async () => {
        while (left.length === 0) {
          const chunk = await connection.read();
          if (chunk === undefined) return undefined;
          deaf ||= this.#strikes(this.faults.blackHole);
          if (!deaf) left = chunk;
        }
        if (this.#strikes(this.faults.cut)) {
          wrapped.close();
          throw new Error("Cannot read: the connection was cut by a fault");
        }
        const { delayMsMax = 0, pieceBytesMax = 0 } = this.faults;
        if (delayMsMax > 0) await wait(randomInteger(this.#random, 0, delayMsMax));
        if (closed) return undefined;
        const bytes = pieceBytesMax > 0
          ? randomInteger(this.#random, 1, pieceBytesMax)
          : left.length;
        const piece = left.subarray(0, bytes);
        left = left.subarray(bytes);
        return piece;
      },
      write: (bytes) => connection.write(bytes),
      close: () => {
        closed = true;
        this.#connections.delete(wrapped);
        connection.close();
        wake?.();
      },
    };
    this.#connections.add(wrapped);
    return wrapped;
  }
}
