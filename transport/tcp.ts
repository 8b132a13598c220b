// The transport of real grids: TCP without Nagle's delay, which would hold small lines back for 40 ms.

import { addressError, formatAddress, parseAddress } from "./address.ts";
import type { Connection, Listener, Transport } from "./transport.ts";

// A buffer grows when a read fills it: strangers come by the thousand, and most say nothing.
const readBytesMin = 1 << 10;
const readBytesMax = 1 << 16;

/** Makes TCP connections between addresses of the form `127.0.0.1:5000` or `[::1]:5000`. */
export const tcp: Transport = { listen, dial };

// Async, though nothing in it waits, so that every failure is a rejection.
// deno-lint-ignore require-await
async function listen(address: string): Promise<Listener> {
  const { hostname, port } = parseAddress(address);
  let listener: Deno.TcpListener;
  try {
    listener = Deno.listen({ hostname, port });
  } catch (error) {
    throw addressError("listen on", address, error);
  }
  let closed = false;
  return {
    address: formatAddress(listener.addr as Deno.NetAddr),
    async accept() {
      try {
        return closed ? undefined : new TcpConnection(await listener.accept());
      } catch (error) {
        if (closed) return undefined;
        throw error;
      }
    },
    close() {
      if (closed) return;
      closed = true;
      listener.close();
    },
  };
}

async function dial(address: string, signal: AbortSignal): Promise<Connection> {
  const { hostname, port } = parseAddress(address);
  try {
    return new TcpConnection(
      await Deno.connect({ hostname, port, signal, autoSelectFamily: false }),
    );
  } catch (error) {
    throw addressError("dial", address, error);
  }
}

class TcpConnection implements Connection {
  readonly remote: string;
  readonly #connection: Deno.TcpConn;
  #buffer = new Uint8Array(readBytesMin);
  #filled = false;
  #closed = false;

  constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
    this.remote = formatAddress(connection.remoteAddr as Deno.NetAddr);
    try {
      connection.setNoDelay(true);
    } catch {
      // It is broken already, as the first read will say.
    }
  }

  async read(): Promise<Uint8Array | undefined> {
    if (this.#filled && this.#buffer.length < readBytesMax) {
      this.#buffer = new Uint8Array(Math.min(8 * this.#buffer.length, readBytesMax));
    }
    try {
      const count = this.#closed ? null : await this.#connection.read(this.#buffer);
      this.#filled = count === this.#buffer.length;
      return count === null ? undefined : this.#buffer.subarray(0, count);
    } catch (error) {
      if (this.#closed) return undefined;
      throw error;
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      done += await this.#connection.write(done === 0 ? bytes : bytes.subarray(done));
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connection.close();
  }
}
