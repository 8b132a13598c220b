import { assert, assertEquals, assertGreater, assertGreaterOrEqual, assertLess } from "@std/assert";
import { LineDecoder } from "./lines.ts";
import { Link, type LinkLimits } from "./link.ts";
import { MemoryNetwork } from "./memory.ts";
import type { Connection } from "./transport.ts";

const limits: LinkLimits = { lineBytesMax: 1 << 20, queueCharactersMax: 1 << 20 };

interface Wired {
  readonly link: Link;
  /** What the link has told. */
  readonly told: string[];
  /** The other end, raw. */
  readonly far: Connection;
}

async function wired(
  options: Partial<LinkLimits> & { readonly pipeBytesMax?: number },
  body: (wired: Wired) => Promise<void>,
): Promise<void> {
  const { pipeBytesMax = 1 << 16, ...given } = options;
  const network = new MemoryNetwork({ pipeBytesMax });
  const listener = await network.listen("a");
  const near = await network.dial("a", new AbortController().signal);
  const far = await listener.accept();
  assert(far !== undefined);
  const told: string[] = [];
  const link = new Link(near, { ...limits, ...given }, {
    lines: (lines) => {
      told.push(...lines);
    },
    closed: (reason) => told.push(`closed: ${reason}`),
  });
  const ended = link.run();
  await body({ link, told, far });
  link.close("the test is over");
  for (const end of [far, listener]) end.close();
  await ended;
}

// Reads from `connection` until `count` lines have come.
async function readLines(connection: Connection, count: number): Promise<string[]> {
  const decoder = new LineDecoder();
  const lines: string[] = [];
  while (lines.length < count) {
    const bytes = await connection.read();
    if (bytes === undefined) break;
    lines.push(...decoder.push(bytes).lines);
  }
  return lines;
}

async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

Deno.test("Link.send(): lines of one turn share one write, in order", async () => {
  await wired({}, async ({ link, far }) => {
    for (const line of ["one", "two", "three ’"]) assertEquals(link.send(line), undefined);
    const bytes = await far.read();
    assertEquals(new TextDecoder().decode(bytes), "one\ntwo\nthree ’\n");
    assertEquals(link.bytesOut, bytes?.length);
    assertEquals(link.queuedCharacters, 0);
  });
});

Deno.test("Link.send(): long lines, many lines and all characters arrive as they were", async () => {
  await wired({ queueCharactersMax: 1 << 22, pipeBytesMax: 1000 }, async ({ link, far }) => {
    const lines = Array.from({ length: 2000 }, (_, i) => `${i} ${"é😀x".repeat(i % 50)}`);
    lines.push("’".repeat(100_000), "", "end");
    for (const line of lines) assertEquals(link.send(line), undefined);
    assertEquals(await readLines(far, lines.length), lines);
  });
});

Deno.test("Link.send(): refuses a line over the limit in bytes, and takes one at it", async () => {
  await wired({ lineBytesMax: 9 }, async ({ link, far }) => {
    assertEquals(link.send("123456789"), undefined);
    assertEquals(link.send("1234567890"), "the line is too long");
    assertEquals(link.send("’’’"), undefined);
    assertEquals(link.send("’’’x"), "the line is too long");
    assertEquals(await readLines(far, 2), ["123456789", "’’’"]);
  });
});

Deno.test("Link.send(): refuses the newest lines while the queue is full, and loses no other", async () => {
  await wired({ queueCharactersMax: 100, pipeBytesMax: 10 }, async ({ link, far }) => {
    // Each takes 10 characters with its line feed.
    for (let i = 0; i < 10; i++) assertEquals(link.send(`message ${i}`), undefined);
    assertEquals(link.queuedCharacters, 100);
    assertEquals(link.send("message x"), "the queue is full");
    const lines = readLines(far, 11);
    await turns();
    assertEquals(link.send("message y"), undefined);
    assertEquals((await lines).join().replaceAll("message ", ""), "0,1,2,3,4,5,6,7,8,9,y");
  });
});

Deno.test("Link.beat(): a heartbeat goes ahead of what is queued, and only the last one", async () => {
  await wired({ queueCharactersMax: 1 << 24, pipeBytesMax: 100 }, async ({ link, far }) => {
    const text = "x".repeat(99);
    for (let i = 0; i < 10_000; i++) link.send(text);
    await turns();
    link.beat("ping 1");
    link.beat("ping 2");
    const lines = await readLines(far, 10_001);
    // One write is under way when the heartbeat comes, and no more.
    assertLess(lines.indexOf("ping 2"), 800);
    assertGreater(lines.indexOf("ping 2"), 0);
    assertEquals(lines.filter((line) => line !== text), ["ping 2"]);
  });
});

Deno.test("Link.beat(): never cuts a line in two", async () => {
  await wired({ pipeBytesMax: 100 }, async ({ link, far }) => {
    const long = "x".repeat(500_000);
    link.send(long);
    await turns();
    link.beat("ping 1");
    assertEquals(await readLines(far, 2), [long, "ping 1"]);
  });
});

Deno.test("Link: tells lines as they arrive, and how long it has been silent", async () => {
  await wired({}, async ({ link, told, far }) => {
    await far.write(new TextEncoder().encode("one\ntwo\nthr"));
    await turns();
    assertEquals(told, ["one", "two"]);
    assertEquals(link.bytesIn, 11);
    assertLess(link.silentMs, 1000);
  });
});

Deno.test("Link: half a line is no sign of life", async () => {
  await wired({}, async ({ link, far }) => {
    const began = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await far.write(new TextEncoder().encode("half"));
    await turns();
    assertEquals(link.bytesIn, 4);
    assertGreaterOrEqual(link.silentMs, performance.now() - began - 1);
    await far.write(new TextEncoder().encode(" done\n"));
    await turns();
    assertLess(link.silentMs, performance.now() - began - 15);
  });
});

Deno.test("Link: closes with the reason when the peer closes", async () => {
  await wired({}, async ({ told, far }) => {
    far.close();
    await turns();
    assertEquals(told, ["closed: the peer closed"]);
  });
  await wired({}, async ({ told, far }) => {
    await far.write(new TextEncoder().encode("one\ntwo"));
    far.close();
    await turns();
    assertEquals(told, ["one", "closed: the peer closed inside a line"]);
  });
});

Deno.test("Link: closes on a line that it cannot take, after those before it", async () => {
  await wired({ lineBytesMax: 8 }, async ({ told, far }) => {
    await far.write(new TextEncoder().encode("fine\n123456789"));
    await turns();
    assertEquals(told, ["fine", "closed: a line is longer than 8 bytes"]);
  });
  await wired({}, async ({ told, far }) => {
    await far.write(Uint8Array.of(97, 10, 0xff, 10, 98, 10));
    await turns();
    assertEquals(told, ["a", "closed: a line is not UTF-8 text"]);
  });
});

Deno.test("Link.close(): nothing is delivered or sent afterwards, and it happens once", async () => {
  await wired({}, async ({ link, told, far }) => {
    await far.write(new TextEncoder().encode("late\n"));
    link.send("lost");
    link.close("enough");
    link.close("again");
    link.beat("ping a");
    assertEquals(link.send("more"), "the link is closed");
    assertEquals(link.queuedCharacters, 0);
    await turns();
    assertEquals(told, ["closed: enough"]);
  });
});

Deno.test("Link.close(): ends a write that nobody reads", async () => {
  await wired({ pipeBytesMax: 10 }, async ({ link, told }) => {
    link.send("x".repeat(1000));
    await turns();
    link.close("enough");
    // wired() waits until nothing of the link is left.
    assertEquals(told, ["closed: enough"]);
  });
});

Deno.test("Link.close(): bytes that were read just before are not delivered", async () => {
  const arrived = Promise.withResolvers<Uint8Array>();
  const told: string[] = [];
  const link = new Link(
    {
      remote: "a",
      read: () => arrived.promise,
      write: () => Promise.resolve(),
      close: () => arrived.resolve(new TextEncoder().encode("late\n")),
    },
    limits,
    { lines: (lines) => told.push(...lines), closed: (reason) => told.push(`closed: ${reason}`) },
  );
  const ended = link.run();
  link.close("enough");
  await ended;
  assertEquals(told, ["closed: enough"]);
});
