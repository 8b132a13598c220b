// TCP by node:net, for programs that run on Node as well as on Deno: the same semantics as tcp.ts, a little slower.

import { Buffer } from "node:buffer";
import { createServer, type Server, Socket } from "node:net";
import { addressError, formatAddress, parseAddress } from "./address.ts";
import type { Connection, Listener, Transport } from "./transport.ts";

/** Makes TCP connections between addresses of the form `127.0.0.1:5000` or `[::1]:5000`. */
export const nodeTcp: Transport = { listen, dial };

async function listen(address: string): Promise<Listener> {
  const { hostname, port } = parseAddress(address);
  const server = createServer({ pauseOnConnect: true });
  try {
    await new Promise<void>((done, fail) => {
      // It stays: later errors are of single accepts, out of descriptors, and would end the program.
      server.on("error", fail);
      server.listen(port, hostname, () => done());
    });
  } catch (error) {
    throw addressError("listen on", address, error);
  }
  return new NodeListener(server);
}

class NodeListener implements Listener {
  readonly address: string;
  readonly #server: Server;
  readonly #arrived: NodeConnection[] = [];
  #waiting: ((connection: Connection | undefined) => void) | undefined;
  #closed = false;

  constructor(server: Server) {
    this.#server = server;
    const bound = server.address();
    this.address = typeof bound === "object" && bound !== null
      ? formatAddress({ hostname: bound.address, port: bound.port })
      : "";
    server.on("connection", (socket) => {
      const connection = new NodeConnection(socket);
      if (this.#waiting === undefined) this.#arrived.push(connection);
      else this.#waiting(connection);
      this.#waiting = undefined;
    });
  }

  accept(): Promise<Connection | undefined> {
    const connection = this.#arrived.shift();
    if (connection !== undefined || this.#closed) return Promise.resolve(connection);
    return new Promise((done) => this.#waiting = done);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#server.close();
    for (const connection of this.#arrived.splice(0)) connection.close();
    this.#waiting?.(undefined);
  }
}

function dial(address: string, signal: AbortSignal): Promise<Connection> {
  return new Promise((done, fail) => {
    const { hostname, port } = parseAddress(address);
    if (signal.aborted) return fail(addressError("dial", address, signal.reason));
    const socket = new Socket();
    const settle = (act: () => void) => {
      signal.removeEventListener("abort", abort);
      socket.removeAllListeners();
      act();
    };
    const abort = () =>
      settle(() => {
        socket.on("error", () => {});
        socket.destroy();
        fail(addressError("dial", address, signal.reason));
      });
    signal.addEventListener("abort", abort);
    socket.once("error", (error) => settle(() => fail(addressError("dial", address, error))));
    socket.once("connect", () => settle(() => done(new NodeConnection(socket))));
    socket.pause();
    socket.connect(port, hostname);
  });
}

// A socket that is read piece by piece: paused but while somebody waits, so that the system holds the rest back.
class NodeConnection implements Connection {
  readonly remote: string;
  readonly #socket: Socket;
  #ended = false;
  #closed = false;
  #error: Error | undefined;
  #arrived: Uint8Array[] = [];
  #wake: (() => void) | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    const { remoteAddress: hostname = "?", remotePort: port = 0 } = socket;
    this.remote = formatAddress({ hostname, port });
    socket.setNoDelay(true);
    socket.on("data", (data) => {
      socket.pause();
      this.#arrived.push(Buffer.from(data));
      this.#wake?.();
    });
    socket.on("end", () => this.#settle());
    socket.on("close", () => this.#settle());
    socket.on("error", (error) => {
      this.#error = error;
      this.#settle();
    });
  }

  async read(): Promise<Uint8Array | undefined> {
    while (true) {
      if (this.#closed) return undefined;
      const bytes = this.#arrived.shift();
      if (bytes !== undefined) return bytes;
      if (this.#error !== undefined) throw this.#error;
      if (this.#ended) return undefined;
      const woken = new Promise<void>((done) => this.#wake = done);
      this.#socket.resume();
      await woken;
    }
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((done, fail) => {
      if (this.#closed) return fail(new Error("The connection is closed"));
      if (bytes.length === 0) return done();
      // Copied, since the caller may overwrite the bytes as soon as this resolves, and node may still hold them.
      this.#socket.write(Buffer.from(bytes), (error) => error ? fail(error) : done());
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.destroy();
    this.#settle();
  }

  #settle(): void {
    this.#ended = true;
    this.#wake?.();
  }
}
