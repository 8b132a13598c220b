// Durable puts of 64 clients, each of whom asks again when it is answered: a box with a kvs_replica, beside a bare
// server that appends the same requests to a file and syncs it, in groups, before it answers.

import { join } from "@std/path";
import { LineDecoder } from "../transport/lines.ts";
import { bareCommand } from "./bare_command.ts";
import { Boxes } from "./boxes.ts";
import { type Contender, type Contest, rest } from "./contest.ts";
import { Process, type Self } from "./process.ts";

const clients = 64;
const leadMs = 200;
const sliceMs = 800;
const value = "x".repeat(64);
const encoder = new TextEncoder();

/** The line of a request: of one client there is one under way at a time. */
function requestLine(client: string, request: number): string {
  const key = `k${request % 100}`;
  const message = { type: "put", origin: client, session: 1, request, key, value };
  return `mail ${client} store ${JSON.stringify(message)}\n`;
}

/** A client on a bare socket, so that both servers have the same to do with. */
class Client implements AsyncDisposable {
  readonly #connection: Deno.TcpConn;
  readonly #name: string;
  readonly #reading: Promise<void>;
  #answered = () => {};
  #request = 0;

  constructor(connection: Deno.TcpConn, name: string) {
    this.#connection = connection;
    this.#name = name;
    this.#reading = this.#read();
  }

  static async open(address: string, index: number): Promise<Client> {
    const [hostname = "", port] = address.split(":");
    const connection = await Deno.connect({ hostname, port: Number(port) });
    connection.setNoDelay(true);
    const name = `client-${index}`;
    const client = new Client(connection, name);
    await client.#write(`hello ${JSON.stringify({ ovid: 1, client: name })}\n`);
    return client;
  }

  async put(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#answered = resolve;
      this.#write(requestLine(this.#name, ++this.#request)).catch(reject);
    });
  }

  async #write(line: string): Promise<void> {
    const bytes = encoder.encode(line);
    for (let done = 0; done < bytes.length;) {
      done += await this.#connection.write(bytes.subarray(done));
    }
  }

  async #read(): Promise<void> {
    const decoder = new LineDecoder();
    const buffer = new Uint8Array(1 << 12);
    try {
      for (let count = await this.#connection.read(buffer); count !== null;) {
        for (const line of decoder.push(buffer.subarray(0, count)).lines) {
          if (line.startsWith("mail ")) this.#answered();
        }
        count = await this.#connection.read(buffer);
      }
    } catch {
      // It was closed.
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connection.close();
    await this.#reading;
  }
}

/** Puts a second, by all clients together. */
async function rate(all: readonly Client[]): Promise<number> {
  let count = 0;
  let stopped = false;
  const loops = all.map(async (client) => {
    for (; !stopped; count++) await client.put();
  });
  await rest(leadMs);
  const [before, began] = [count, performance.now()];
  await rest(sliceMs);
  const figure = (count - before) / (performance.now() - began) * 1000;
  stopped = true;
  await Promise.all(loops);
  return figure;
}

async function contender(address: string, server: AsyncDisposable): Promise<Contender> {
  const all = await Promise.all(
    Array.from({ length: clients }, (_, index) => Client.open(address, index)),
  );
  return {
    measure: () => rate(all),
    async [Symbol.asyncDispose]() {
      for (const client of all) await client[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

async function oneBox(self: Self): Promise<Contender> {
  const boxes = new Boxes(self, [[{ id: "store", type: "kvs_replica" }]], false);
  await whenOpen(boxes.addresses[0] ?? "");
  return await contender(boxes.addresses[0] ?? "", boxes);
}

async function bareServer(self: Self): Promise<Contender> {
  const folder = Deno.makeTempDirSync({ prefix: "ovid-bench-" });
  const keeper = new Process(bareCommand(self, ["keeper", join(folder, "journal")]));
  const server = {
    async [Symbol.asyncDispose]() {
      await keeper[Symbol.asyncDispose]();
      Deno.removeSync(folder, { recursive: true });
    },
  };
  return await contender(`127.0.0.1:${await keeper.hear()}`, server);
}

/** Waits until somebody listens at an address. */
export async function whenOpen(address: string): Promise<void> {
  const [hostname = "", port] = address.split(":");
  for (;;) {
    try {
      (await Deno.connect({ hostname, port: Number(port) })).close();
      return;
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
      await rest(5);
    }
  }
}

/** Records a second that a file takes in groups of as many as there are clients, each group synced. */
async function groupCommit(): Promise<number> {
  const path = Deno.makeTempFileSync({ prefix: "ovid-bench-" });
  const file = Deno.openSync(path, { write: true, append: true });
  const group = encoder.encode(requestLine("client-1", 1).repeat(clients));
  const began = performance.now();
  let records = 0;
  for (; performance.now() - began < sliceMs / 4; records += clients) {
    file.writeSync(group);
    await file.syncData();
  }
  file.close();
  Deno.removeSync(path);
  return records / (performance.now() - began) * 1000;
}

/** `ovid bench puts`. */
export function putsContest(self: Self, rounds: number): Contest {
  return {
    name: "puts",
    title: `durable puts of ${clients} clients to a kvs_replica`,
    ceilingTitle: "a bare server that appends the same requests and syncs them in groups",
    unit: "puts a second",
    more: true,
    wanted: 0.5,
    reference: 69_000,
    fitness: groupCommit,
    rounds,
    ovid: () => oneBox(self),
    ceiling: () => bareServer(self),
  };
}
