import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { seededRandom } from "../core/random.ts";
import { type DialOptions, keepDialling, redialMs } from "./dial.ts";
import { MemoryNetwork } from "./memory.ts";
import type { Connection } from "./transport.ts";

const options: DialOptions = {
  dial: () => Promise.reject(new Error("Cannot dial a: nobody listens there")),
  use: () => Promise.resolve(),
  failed: () => {},
  random: seededRandom(1n),
  dialMs: 1000,
  redialMsMax: 1,
};

Deno.test("redialMs(): doubles from 25 ms to the limit, jittered down to the half", () => {
  const low = () => 0;
  const high = () => 1 - 2 ** -32;
  assertEquals([0, 1, 2, 3, 4, 5, 1000].map((failures) => redialMs(failures, 250, low)), [
    12.5,
    25,
    50,
    100,
    125,
    125,
    125,
  ]);
  assertEquals(Math.round(redialMs(0, 250, high)), 25);
  assertLess(redialMs(1000, 250, high), 250);
});

Deno.test("keepDialling(): goes on after failures, and tells the first of them", async () => {
  const end = new AbortController();
  const told: string[] = [];
  let attempts = 0;
  await keepDialling({
    ...options,
    dial: (signal) => {
      if (++attempts === 5) end.abort();
      return options.dial(signal);
    },
    failed: (reason) => told.push(reason),
  }, end.signal);
  assertEquals(attempts, 5);
  assertEquals(told, ["Cannot dial a: nobody listens there"]);
});

Deno.test("keepDialling(): uses one connection at a time, to its end", async () => {
  const network = new MemoryNetwork();
  const listener = await network.listen("a");
  const end = new AbortController();
  let inUse = 0;
  let uses = 0;
  await keepDialling({
    ...options,
    dial: (signal) => network.dial("a", signal),
    use: async (connection) => {
      assertEquals(++inUse, 1);
      await new Promise((resolve) => setImmediate(resolve));
      connection.close();
      inUse--;
      if (++uses === 3) end.abort();
    },
  }, end.signal);
  assertEquals(uses, 3);
  listener.close();
});

Deno.test("keepDialling(): gives up an attempt that takes too long", async () => {
  const end = new AbortController();
  const reasons: string[] = [];
  await keepDialling({
    ...options,
    dialMs: 5,
    dial: (signal) =>
      new Promise<Connection>((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      }),
    failed: (reason) => {
      reasons.push(reason);
      end.abort();
    },
  }, end.signal);
  assertEquals(reasons, ["no answer within 5 ms"]);
});

Deno.test("keepDialling(): stops at once while it dials, and while it pauses", async () => {
  const end = new AbortController();
  const dialling = keepDialling({
    ...options,
    dialMs: 1e8,
    dial: (signal) =>
      new Promise<Connection>((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      }),
    failed: (reason) => assertMatch(reason, /never told/),
  }, end.signal);
  end.abort();
  await dialling;

  const stop = new AbortController();
  const pausing = keepDialling({
    ...options,
    redialMsMax: 1e8,
    failed: () => setImmediate(() => stop.abort()),
  }, stop.signal);
  await pausing;
});

Deno.test("keepDialling(): closes a connection that stands only after the stop", async () => {
  const end = new AbortController();
  let closed = false;
  const connection: Connection = {
    remote: "a",
    read: () => Promise.resolve(undefined),
    write: () => Promise.resolve(),
    close: () => closed = true,
  };
  await keepDialling({
    ...options,
    dial: () => {
      end.abort();
      return Promise.resolve(connection);
    },
    use: () => Promise.reject(new Error("used after the stop")),
  }, end.signal);
  assert(closed);
});
