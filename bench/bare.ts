// The ceilings: bare sockets of the runtime, each in a process of its own, that do what cannot be left out and nothing
// else. They take lines on standard input and answer on standard output, as the agents that they are compared with do.

import { LineDecoder } from "../transport/lines.ts";

const lineBytesMax = 1 << 20;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The roles that {@linkcode runBare} plays. */
export const bareRoles = ["listener", "sink", "source", "echo", "player", "keeper"] as const;

/** Plays a role until standard input ends. */
export async function runBare(role: string, args: readonly string[]): Promise<void> {
  const [first = "", second = ""] = args;
  switch (role) {
    case "listener":
      listen(() => {});
      return await untilEnd(() => {});
    case "sink":
      return await beSink();
    case "source":
      return await beSource(Number(first), second);
    case "echo":
      listen((connection) => forEachRead(connection, (bytes) => writeAll(connection, bytes)));
      return await untilEnd(() => {});
    case "player":
      return await bePlayer(Number(first));
    case "keeper":
      return await beKeeper(first);
    default:
      throw new Error(`There is no role ${JSON.stringify(role)}, want ${bareRoles.join(", ")}`);
  }
}

function print(text: string): void {
  Deno.stdout.writeSync(encoder.encode(`${text}\n`));
}

/** Takes lines from standard input. */
async function untilEnd(take: (line: string) => void): Promise<void> {
  const lines = new LineDecoder(lineBytesMax);
  await forEachRead(Deno.stdin, (bytes) => lines.push(bytes).lines.forEach(take));
}

/** Listens at a free port, and prints which. */
function listen(accepted: (connection: Deno.TcpConn) => void): void {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  print(String((listener.addr as Deno.NetAddr).port));
  (async () => {
    for await (const connection of listener) {
      connection.setNoDelay(true);
      accepted(connection);
    }
  })();
}

async function connect(port: number): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  connection.setNoDelay(true);
  return connection;
}

async function forEachRead(
  connection: Pick<Deno.TcpConn, "read">,
  take: (bytes: Uint8Array) => void | Promise<void>,
): Promise<void> {
  const buffer = new Uint8Array(1 << 16);
  for (let count = await connection.read(buffer); count !== null;) {
    await take(buffer.subarray(0, count));
    count = await connection.read(buffer);
  }
}

async function writeAll(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await connection.write(bytes.subarray(done));
}

/** Splits what comes into lines, and counts them. */
async function beSink(): Promise<void> {
  let taken = 0;
  listen((connection) => {
    let rest = "";
    const text = new TextDecoder();
    forEachRead(connection, (bytes) => {
      const lines = (rest + text.decode(bytes, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      taken += lines.length;
    });
  });
  await untilEnd(() => print(JSON.stringify({ taken, now: performance.now() })));
}

/** How many lines a source writes at once. */
const linesAtOnce = 512;

/** Writes lines as a box would, one after the other, with one write under way at a time. */
async function beSource(port: number, length: string): Promise<void> {
  const connection = await connect(port);
  let running = false;
  let sent = 0;
  const run = async () => {
    while (running) {
      let text = "";
      for (let count = 0; count < linesAtOnce; count++) {
        text += `msg source sink 1 ${String(sent++ % 1e9).padEnd(Number(length), "x")}\n`;
      }
      await writeAll(connection, encoder.encode(text));
    }
  };
  let under = Promise.resolve();
  await untilEnd((line) => {
    running = line === "go";
    if (running) under = under.then(run);
  });
}

/** Sends a line, and the next when it has come back; prints how long each took. */
async function bePlayer(port: number): Promise<void> {
  const connection = await connect(port);
  const line = encoder.encode("msg server partner 1 served\n");
  const buffer = new Uint8Array(1 << 12);
  let running = false;
  let times: number[] = [];
  const run = async () => {
    times = [];
    while (running) {
      const began = performance.now();
      await writeAll(connection, line);
      for (let came = 0; came < line.length;) came += await connection.read(buffer) ?? line.length;
      times.push(performance.now() - began);
    }
    print(JSON.stringify(times));
  };
  await untilEnd((text) => {
    running = text === "go";
    if (running) run();
  });
}

/** Answers each line once it is on disk; what came while a sync was under way shares the next. */
async function beKeeper(file: string): Promise<void> {
  const journal = Deno.openSync(file, { create: true, append: true, write: true });
  let waiting: { readonly line: string; readonly connection: Deno.TcpConn }[] = [];
  let syncing = false;
  const keep = async () => {
    syncing = true;
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      journal.writeSync(encoder.encode(group.map(({ line }) => `${line}\n`).join("")));
      await journal.syncData();
      for (const { line, connection } of group) {
        writeAll(connection, encoder.encode(`${line.slice(0, line.indexOf("{"))}ok\n`));
      }
    }
    syncing = false;
  };
  listen((connection) => {
    let rest = "";
    forEachRead(connection, (bytes) => {
      const lines = (rest + decoder.decode(bytes)).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) waiting.push({ line, connection });
      if (!syncing) keep();
    });
  });
  await untilEnd(() => {});
}

if (import.meta.main) {
  const [role = "", ...args] = Deno.args;
  await runBare(role, args);
}
