// Any transport of which one operation fails, for tests: the n-th of whatever kind, counted from the start.

import type { Connection, Listener, Transport } from "./transport.ts";

/** The kinds of operations that can fail. */
export type TransportOperation = "listen" | "accept" | "dial" | "read" | "write";

/** Wraps a transport, and fails those of its operations that `fails` says, as a system does that is out of something. */
export class FailingTransport implements Transport {
  operations = 0;
  /** The kinds of the operations that failed. */
  readonly failed = new Set<TransportOperation>();
  readonly #transport: Transport;
  readonly #fails: (number: number, operation: TransportOperation) => boolean;

  constructor(
    transport: Transport,
    fails: (number: number, operation: TransportOperation) => boolean,
  ) {
    this.#transport = transport;
    this.#fails = fails;
  }

  async listen(address: string): Promise<Listener> {
    const listener = await this.#act("listen", () => this.#transport.listen(address));
    return {
      address: listener.address,
      accept: async () => {
        // What has arrived waits, as it does in the system.
        const connection = await this.#act("accept", () => listener.accept());
        return connection && this.#wrap(connection);
      },
      close: () => listener.close(),
    };
  }

  async dial(address: string, signal: AbortSignal): Promise<Connection> {
    return this.#wrap(await this.#act("dial", () => this.#transport.dial(address, signal)));
  }

  // Async, so that every failure is a rejection.
  async #act<T>(operation: TransportOperation, act: () => Promise<T>): Promise<T> {
    const number = this.operations++;
    if (this.#fails(number, operation)) {
      this.failed.add(operation);
      throw new Error(`Too many open files: ${operation} was told to fail`);
    }
    return await act();
  }

  #wrap(connection: Connection): Connection {
    return {
      remote: connection.remote,
      read: () => this.#act("read", () => connection.read()),
      write: (bytes) => this.#act("write", () => connection.write(bytes)),
      close: () => connection.close(),
    };
  }
}
