// What a link needs of the world below it: byte streams between boxes. tcp.ts and memory.ts give it, faulty.ts
// makes either one worse, and one contract suite holds all three together.

/** A stream of bytes between two ends, in order, until one end closes it. One read and one write at a time. */
export interface Connection {
  /** Where the other end is, for logs only: an address is not an identity. */
  readonly remote: string;
  /**
   * The next bytes, valid until the next call; `undefined` at the end, and once this end has closed. Rejects if the
   * connection broke.
   */
  read(): Promise<Uint8Array | undefined>;
  /**
   * Resolves when all of `bytes` have been handed to the system: they may be overwritten from then on. Waits while
   * the other end does not read. Rejects if the connection broke or this end closed.
   */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends both directions at once; pending reads and writes settle. May be called twice. */
  close(): void;
}

/** A place where connections arrive. */
export interface Listener {
  /** The address it listens on, with the port that the system chose where 0 was asked for. */
  readonly address: string;
  /** The next connection; `undefined` once closed. Rejects if the system is out of something; may be tried again. */
  accept(): Promise<Connection | undefined>;
  /** Ends a pending accept, and the connections that nobody accepted. May be called twice. */
  close(): void;
}

/** A way to make connections between addresses such as `127.0.0.1:5000`. */
export interface Transport {
  /** @throws {Error} if the address is taken or is none of ours. */
  listen(address: string): Promise<Listener>;
  /** Rejects if nobody listens there, or if `signal` aborts first; what `signal` does later changes nothing. */
  dial(address: string, signal: AbortSignal): Promise<Connection>;
}
