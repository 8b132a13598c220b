import { assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import { FailingTransport } from "../transport/failing.ts";
import { tcp } from "../transport/tcp.ts";
import type { Transport } from "../transport/transport.ts";
import { MasterPort, mastersMax } from "./master_port.ts";
import { eventually } from "./test_support.ts";

interface Served extends AsyncDisposable {
  readonly port: number;
  readonly notes: string[];
  readonly commands: string[];
}

async function serve(
  transport: Transport = tcp,
  reply: (line: string) => string = (line) => `re ${line}`,
): Promise<Served> {
  const notes: string[] = [];
  const commands: string[] = [];
  const masterPort = new MasterPort({
    transport,
    port: 0,
    command(line) {
      commands.push(line);
      return line.startsWith("broadcast") ? {} : { reply: reply(line) };
    },
    note: (event, detail) => notes.push(`${event} ${detail}`),
  });
  await masterPort.start();
  return {
    port: Number(masterPort.address?.split(":")[1]),
    notes,
    commands,
    [Symbol.asyncDispose]: () => masterPort.close(),
  };
}

async function connect(port: number): Promise<Deno.TcpConn> {
  return await Deno.connect({ hostname: "127.0.0.1", port });
}

async function write(connection: Deno.TcpConn, text: string): Promise<void> {
  await connection.write(new TextEncoder().encode(text));
}

async function read(connection: Deno.TcpConn): Promise<string | null> {
  const buffer = new Uint8Array(1000);
  const count = await connection.read(buffer).catch(() => null);
  return count === null ? null : new TextDecoder().decode(buffer.subarray(0, count));
}

Deno.test("MasterPort answers each of several masters, over reconnects", async () => {
  await using served = await serve();
  using first = await connect(served.port);
  {
    using second = await connect(served.port);
    await write(second, "alive\n");
    assertEquals(await read(second), "re alive\n");
  }
  await write(first, "get\n\n  \nbroadcast a\nalive\n");
  let text = "";
  while (!text.endsWith("re alive\n")) text += await read(first);
  assertEquals(text, "re get\nre alive\n");
  assertEquals(served.commands, ["alive", "get", "broadcast a", "alive"]);
});

Deno.test("MasterPort listens on loopback alone, and says which port is taken", async () => {
  await using served = await serve();
  const second = new MasterPort({
    transport: tcp,
    port: served.port,
    command: () => ({}),
    note() {},
  });
  let message = "";
  try {
    await second.start();
  } catch (error) {
    message = String(error);
  }
  assertStringIncludes(message, `Cannot listen for masters on 127.0.0.1:${served.port}`);
});

Deno.test("MasterPort closes a connection that speaks HTTP before its body is read as commands", async () => {
  await using served = await serve();
  using browser = await connect(served.port);
  await write(browser, "POST / HTTP/1.1\r\nHost: localhost\r\n\r\ncrash\n");
  assertEquals(await read(browser), null);
  assertEquals(served.commands, []);
  assertStringIncludes(served.notes.join(), "HTTP");
});

Deno.test("MasterPort closes what is not text, and goes on with the others", async () => {
  await using served = await serve();
  using good = await connect(served.port);
  using bad = await connect(served.port);
  await bad.write(Uint8Array.of(0xff, 0xfe, 10));
  assertEquals(await read(bad), null);
  await write(good, "get\n");
  assertEquals(await read(good), "re get\n");
});

Deno.test("MasterPort drops the longest silent master when there are too many", async () => {
  await using served = await serve();
  const masters: Deno.TcpConn[] = [];
  try {
    for (let i = 0; i <= mastersMax; i++) {
      const master = await connect(served.port);
      masters.push(master);
      if (i === mastersMax) break;
      await write(master, "get\n");
      assertEquals(await read(master), "re get\n");
    }
    const [oldest, next] = masters;
    if (oldest === undefined || next === undefined) throw new Error("no masters");
    assertEquals(await read(oldest), null);
    await write(next, "get\n");
    assertEquals(await read(next), "re get\n");
    await eventually(
      "a note",
      () => served.notes.some((note) => note.startsWith("master.dropped")),
    );
  } finally {
    for (const master of masters) master.close();
  }
});

Deno.test("MasterPort goes on accepting after the system could not, and says so once", async () => {
  let left = 3;
  const transport = new FailingTransport(tcp, (_, kind) => kind === "accept" && left-- > 0);
  await using served = await serve(transport);
  using master = await connect(served.port);
  await write(master, "alive\n");
  assertEquals(await read(master), "re alive\n");
  assertEquals(served.notes, ["master.accept Too many open files: accept was told to fail"]);
});

Deno.test("MasterPort reads no more from a master that does not read, and serves the others", async () => {
  const long = "x".repeat(100_000);
  await using served = await serve(tcp, (line) => line === "get" ? long : `re ${line}`);
  using slow = await connect(served.port);
  using quick = await connect(served.port);
  // Many times what sockets hold.
  const count = 2000;
  await write(slow, "get\n".repeat(count));
  const asked = () => served.commands.filter((line) => line === "get").length;
  for (let before = -1, turns = 0; before !== asked() || turns < 20; turns++) {
    before = asked();
    await write(quick, "alive\n");
    assertEquals(await read(quick), "re alive\n");
  }
  assertLess(asked(), count / 2, "its commands wait until it reads");
  let bytes = 0;
  const buffer = new Uint8Array(1 << 16);
  while (bytes < count * (long.length + 1)) bytes += await slow.read(buffer) ?? Infinity;
  assertEquals(bytes, count * (long.length + 1));
});
