// What every transport must do, as one suite of tests, so that the fake cannot drift from the real.

import { assertEquals, assertFalse, assertNotEquals, assertRejects } from "@std/assert";
import type { Connection, Listener, Transport } from "./transport.ts";

const never = new AbortController().signal;
const utf8 = new TextEncoder();

/** A transport to be tested: it must be able to listen on `address`, whose port is 0. */
export interface Subject {
  readonly transport: Transport;
  readonly address: string;
}

interface Wired {
  readonly subject: Subject;
  readonly listener: Listener;
  readonly near: Connection;
  readonly far: Connection;
}

/** Registers the suite for the transport that `open` makes anew for each test. */
export function testTransport(name: string, open: () => Subject): void {
  const test = (claim: string, body: (wired: Wired) => Promise<void>) => {
    Deno.test(`${name}: ${claim}`, async () => {
      const subject = open();
      const listener = await subject.transport.listen(subject.address);
      const dialled = subject.transport.dial(listener.address, never);
      const far = await listener.accept();
      const near = await dialled;
      if (far === undefined) throw new Error("Cannot accept: the listener says that it is closed");
      try {
        await body({ subject, listener, near, far });
      } finally {
        for (const end of [near, far, listener]) end.close();
      }
    });
  };
  testBytes(test);
  testEnds(test);
  testAddresses(test, open, name);
}

type Test = (claim: string, body: (wired: Wired) => Promise<void>) => void;

function testBytes(test: Test): void {
  test("carries bytes both ways, in order", async ({ near, far }) => {
    await near.write(utf8.encode("ping "));
    await near.write(utf8.encode("near"));
    await far.write(utf8.encode("ping far"));
    assertEquals(await readText(far, 9), "ping near");
    assertEquals(await readText(near, 8), "ping far");
  });

  test("lets written bytes be overwritten once the write has resolved", async ({ near, far }) => {
    const bytes = utf8.encode("first");
    await near.write(bytes);
    bytes.fill(0);
    assertEquals(await readText(far, 5), "first");
  });

  test("holds a writer back while nobody reads, and loses nothing", async ({ near, far }) => {
    // More than any system keeps for a reader.
    const bytes = new Uint8Array(32 << 20);
    for (let i = 0; i < bytes.length; i += 997) bytes[i] = i;
    let written = false;
    const writing = near.write(bytes).then(() => written = true);
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
    assertFalse(written, "32 MiB were taken without a reader");
    let at = 0;
    let wrong = 0;
    while (at < bytes.length) {
      const chunk = await far.read();
      if (chunk === undefined) break;
      for (let i = at - at % 997; i < at + chunk.length; i += 997) {
        if (i >= at && chunk[i - at] !== bytes[i]) wrong++;
      }
      at += chunk.length;
    }
    await writing;
    assertEquals({ at, wrong }, { at: bytes.length, wrong: 0 });
  });

  test("never reads zero bytes, and a write of none does nothing", async ({ near, far }) => {
    await near.write(new Uint8Array(0));
    await near.write(utf8.encode("x"));
    assertEquals((await far.read())?.length, 1);
  });

  test("keeps many connections apart", async ({ subject, listener }) => {
    const count = 40;
    const ends: Connection[] = [];
    for (let i = 0; i < count; i++) {
      const dialled = subject.transport.dial(listener.address, never);
      const accepted = await listener.accept();
      const near = await dialled;
      if (accepted === undefined) break;
      ends.push(near, accepted);
      await near.write(utf8.encode(`number ${i}\n`));
    }
    for (let i = 0; i < count; i++) {
      const accepted = ends[2 * i + 1];
      assertEquals(accepted && await readText(accepted, `${i}`.length + 8), `number ${i}\n`);
    }
    for (const end of ends) end.close();
  });
}

function testEnds(test: Test): void {
  test("delivers what was written before a close, then the end", async ({ near, far }) => {
    await near.write(utf8.encode("last words"));
    near.close();
    assertEquals(await readText(far, 10), "last words");
    assertEquals(await far.read(), undefined);
    assertEquals(await far.read(), undefined);
  });

  test("ends the reads of the end that closes, pending or new", async ({ near }) => {
    const pending = near.read();
    near.close();
    assertEquals(await pending, undefined);
    assertEquals(await near.read(), undefined);
  });

  test("ends a pending read when the other end closes", async ({ near, far }) => {
    const pending = near.read();
    far.close();
    assertEquals(await pending, undefined);
  });

  test("rejects writes of the end that closes, pending or new", async ({ near }) => {
    const pending = near.write(new Uint8Array(32 << 20));
    pending.catch(() => {});
    await new Promise((resolve) => setImmediate(resolve));
    near.close();
    await assertRejects(() => pending);
    await assertRejects(() => near.write(utf8.encode("x")));
  });

  test("rejects a pending write when the other end closes", async ({ near, far }) => {
    const pending = near.write(new Uint8Array(32 << 20));
    pending.catch(() => {});
    await new Promise((resolve) => setImmediate(resolve));
    far.close();
    await assertRejects(() => pending);
  });

  test("may be closed twice", async ({ near, listener }) => {
    near.close();
    near.close();
    listener.close();
    listener.close();
    assertEquals(await listener.accept(), undefined);
  });
}

function testAddresses(test: Test, open: () => Subject, name: string): void {
  test("chooses a port, and another for the next listener", async ({ subject, listener }) => {
    assertNotEquals(listener.address, subject.address);
    const other = await subject.transport.listen(subject.address);
    other.close();
    assertNotEquals(other.address, listener.address);
  });

  test("refuses an address that is taken, and says so", async ({ subject, listener }) => {
    await assertRejects(
      () => subject.transport.listen(listener.address),
      Error,
      `Cannot listen on ${listener.address}: the address is in use`,
    );
  });

  test("frees the address of a closed listener, while its connections live on", async ({ subject, listener, near, far }) => {
    listener.close();
    const again = await subject.transport.listen(listener.address);
    await near.write(utf8.encode("still here"));
    assertEquals(await readText(far, 10), "still here");
    again.close();
  });

  test("refuses to dial where nobody listens any more", async ({ subject, listener }) => {
    listener.close();
    await assertRejects(
      () => subject.transport.dial(listener.address, never),
      Error,
      `Cannot dial ${listener.address}: nobody listens there`,
    );
  });

  test("ends a pending accept on close", async ({ listener }) => {
    const pending = listener.accept();
    listener.close();
    assertEquals(await pending, undefined);
  });

  test("ends connections that nobody accepted on close", async ({ subject, listener }) => {
    const near = await subject.transport.dial(listener.address, never);
    listener.close();
    // Some systems say that the connection was reset, others that it ended.
    assertEquals(await near.read().catch(() => undefined), undefined);
    near.close();
  });

  test("does not dial for a signal that has aborted", async ({ subject, listener }) => {
    const signal = AbortSignal.abort(new Error("changed my mind"));
    await assertRejects(
      () => subject.transport.dial(listener.address, signal),
      Error,
      "Cannot dial",
    );
  });

  Deno.test(`${name}: a signal that aborts after the dial changes nothing`, async () => {
    const { transport, address } = open();
    const listener = await transport.listen(address);
    const controller = new AbortController();
    const dialled = transport.dial(listener.address, controller.signal);
    const far = await listener.accept();
    const near = await dialled;
    controller.abort();
    await near.write(utf8.encode("alive"));
    assertEquals(far && await readText(far, 5), "alive");
    for (const end of [near, far, listener]) end?.close();
  });
}

async function readText(connection: Connection, bytes: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for (let done = 0; done < bytes;) {
    const chunk = await connection.read();
    if (chunk === undefined) break;
    done += chunk.length;
    text += decoder.decode(chunk, { stream: true });
  }
  return text;
}
