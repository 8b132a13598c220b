import { assert, assertEquals, assertRejects } from "@std/assert";
import { z } from "zod";
import { defineAgent } from "../core/define.ts";
import type { DurableImage, Input, Note, Outgoing, Output } from "../core/envelope.ts";
import { Host } from "../core/host.ts";
import { type AgentId, agentId } from "../core/id.ts";
import { boxA, boxB, makeGrid } from "../core/test_support.ts";
import { Driver, type Elsewhere } from "./driver.ts";
import type { Journal } from "./journal.ts";
import { memoryJournal, MemoryStore } from "./memory_journal.ts";

const adder = defineAgent({
  type: "adder",
  version: 1,
  doc: "Adds what it gets, and says the total; faults on 13.",
  attrs: z.object({}),
  protocol: { add: z.object({ amount: z.int() }), total: z.object({ value: z.int() }) },
  timers: ["later"],
  devices: ["console"],
  routes: ["out"],
  record: z.object({ amount: z.int() }),
  durable: () => ({ total: 0 }),
  apply(durable, record) {
    durable.total += record.amount;
  },
  init: () => ({ seen: 0 }),
  on: {
    add(state, message, ctx) {
      state.seen++;
      if (message.amount !== 0) ctx.append({ amount: message.amount });
      if (message.amount === 13) throw new Error("thirteen");
      if (message.amount === 98) ctx.setTimer("later", 30);
      if (message.amount === 99) ctx.setTimer("later", 5);
      if (message.amount === 100) ctx.setTimer("later", 60_000);
      if (message.amount === 77) ctx.stop();
      ctx.output("console", { type: "print", text: `total ${state.durable.total}` });
      ctx.send("out", { type: "total", value: state.durable.total });
    },
    total() {},
  },
  onTimer: {
    later(state, ctx) {
      ctx.output("console", { type: "print", text: `later ${state.durable.total}` });
    },
  },
});

const adderId = agentId("adder");

function add(amount: number): Input {
  const message = { type: "add", amount };
  return { kind: "mail", envelope: { from: agentId("far"), to: adderId, message } };
}

interface Rigged {
  readonly driver: Driver;
  readonly host: Host;
  readonly out: string[];
  readonly failures: unknown[];
  readonly faults: string[];
}

function drive(
  journal: Journal,
  images: ReadonlyMap<AgentId, DurableImage> = new Map(),
  compactBytes?: number,
  elsewhere?: Elsewhere,
): Rigged {
  const grid = makeGrid({
    adder: { type: "adder", routes: { out: { far: 0 } } },
    far: { type: "adder", box: boxB },
  });
  const host = new Host({ box: boxA, grid, definitions: new Map([["adder", adder]]), seed: 1n });
  const out: string[] = [];
  const failures: unknown[] = [];
  const faults: string[] = [];
  const driver = new Driver({
    host,
    journal,
    now: () => performance.now(),
    send: ({ message }: Outgoing) => out.push(`sent ${message.value}`),
    output: ({ output }: Output) => {
      if (output.output.type === "print") out.push(output.output.text);
    },
    note: (_: Note) => {},
    fault: ({ then }) => faults.push(then),
    revived: (agent) => faults.push(`${agent} revived`),
    ended: (agent) => out.push(`${agent} ended`),
    failed: (error) => failures.push(error),
    ...compactBytes === undefined ? {} : { compactBytes },
    ...elsewhere === undefined ? {} : { elsewhere },
  });
  driver.boot(images);
  return { driver, host, out, failures, faults };
}

/** A journal whose commits wait until they are let through, or made to fail. */
function gated(journal: Journal): Journal & { commits: PromiseWithResolvers<void>[] } {
  const commits: PromiseWithResolvers<void>[] = [];
  return {
    commits,
    append: (records) => journal.append(records),
    async commit() {
      const gate = Promise.withResolvers<void>();
      commits.push(gate);
      await gate.promise;
      await journal.commit();
    },
    read: (agent) => journal.read(agent),
    compact: (snapshot) => journal.compact(snapshot),
    get bytesSinceSnapshot() {
      return journal.bytesSinceSnapshot;
    },
    get snapshotBytes() {
      return journal.snapshotBytes;
    },
    get stats() {
      return journal.stats;
    },
    close: () => journal.close(),
  };
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}

Deno.test("Driver lets nothing out before the sync of what was appended before it", async () => {
  const journal = gated(memoryJournal().journal);
  const { driver, out } = drive(journal);
  driver.take(add(1));
  await turns(3);
  assertEquals([journal.commits.length, out], [1, []]);
  // Nothing is appended now, and still it must not overtake what waits.
  driver.take(add(0));
  driver.take(add(2));
  await turns(3);
  assertEquals([journal.commits.length, out], [1, []]);
  journal.commits[0]?.resolve();
  await turns(3);
  assertEquals(out, ["sent 1", "total 1"]);
  journal.commits[1]?.resolve();
  await turns(3);
  assertEquals(out.slice(2), ["sent 1", "sent 3", "total 1", "total 3"]);
  assertEquals(journal.commits.length, 2, "both waiting inputs share one sync");
  await driver.close();
});

Deno.test("Driver lets out at once what needs no sync", async () => {
  const journal = gated(memoryJournal().journal);
  const { driver, out } = drive(journal);
  driver.take(add(0));
  await turns(2);
  assertEquals([journal.commits.length, out], [0, ["sent 0", "total 0"]]);
  await driver.close();
});

Deno.test("Driver ends its box when a sync fails, and lets nothing more out", async () => {
  const journal = gated(memoryJournal().journal);
  const { driver, out, failures } = drive(journal);
  driver.take(add(1));
  await turns(2);
  driver.take(add(2));
  await turns(2);
  journal.commits[0]?.reject(new Error("disk full"));
  await turns(3);
  assertEquals([out, failures.map(String)], [[], ["Error: disk full"]]);
  driver.take(add(3));
  await turns(3);
  assertEquals([out, failures.length, journal.commits.length], [[], 1, 1]);
  await driver.close();
});

Deno.test("Driver rebuilds an agent that threw from what the disk holds", async () => {
  const { driver, host, out, faults } = drive(memoryJournal().journal);
  driver.take(add(5));
  driver.take(add(13));
  await driver.idle();
  assertEquals(faults, ["rebuild", "adder revived"]);
  driver.take(add(1));
  await driver.idle();
  assertEquals(out, ["sent 5", "total 5", "sent 6", "total 6"]);
  assertEquals(host.inspect(adderId)?.state, { seen: 1, durable: { total: 6 } });
  await driver.close();
});

Deno.test("Driver recovers what was let out", async () => {
  const store = new MemoryStore();
  const first = drive(memoryJournal(store).journal);
  for (let i = 0; i < 20; i++) first.driver.take(add(1));
  await first.driver.idle();
  const { journal, images } = memoryJournal(store);
  const second = drive(journal, new Map(images));
  second.driver.take(add(0));
  await second.driver.idle();
  assertEquals(second.out, ["sent 20", "total 20"]);
  await first.driver.close();
  await second.driver.close();
});

Deno.test("Driver compacts a journal that has grown, but not one with agents that the grid lacks", async () => {
  const store = new MemoryStore();
  const { driver } = drive(memoryJournal(store).journal, new Map(), 100);
  for (let i = 0; i < 20; i++) driver.take(add(1));
  await driver.idle();
  assertEquals(store.agents.get(adderId)?.durable, '{"total":20}');
  await driver.close();
  const other = new MemoryStore();
  const { journal } = memoryJournal(other);
  const gone = new Map([[agentId("gone"), { records: ["{}"] }]]);
  const kept = drive(journal, gone, 100);
  for (let i = 0; i < 20; i++) kept.driver.take(add(1));
  await kept.driver.idle();
  assertEquals(other.agents.size, 0);
  await kept.driver.close();
});

Deno.test("Driver does not compact a journal that is shorter than the last snapshot", async () => {
  const store = new MemoryStore();
  store.agents = new Map([[adderId, { version: 1, durable: '{"total":7}' }]]);
  store.snapshotBytes = 2000;
  const { journal, images } = memoryJournal(store);
  const { driver } = drive(journal, new Map(images), 100);
  const compacted = () => store.agents.get(adderId)?.durable !== '{"total":7}';
  while (journal.bytesSinceSnapshot < 1900) {
    driver.take(add(1));
    await driver.idle();
    assertEquals(compacted(), false, `after ${journal.bytesSinceSnapshot} bytes`);
  }
  for (let i = 0; i < 20; i++) {
    driver.take(add(1));
    await driver.idle();
  }
  assert(compacted(), "once it is as long it is compacted");
  await driver.close();
});

Deno.test("Driver fires a timer that was moved when it is due, not before, and not when it was due first", async () => {
  const { driver, out } = drive(memoryJournal().journal);
  const fired = () => out.some((text) => text.startsWith("later"));
  const deadline = performance.now() + 5000;
  const wait = async () => {
    while (!fired() && performance.now() < deadline) await turns(1);
  };
  driver.take(add(99));
  driver.take(add(98));
  const moved = performance.now();
  await wait();
  assertEquals(out.at(-1), "later 197");
  assert(performance.now() - moved >= 29, "it waits for the later time");
  out.length = 0;
  // From a minute to 5 ms.
  driver.take(add(100));
  await driver.idle();
  driver.take(add(99));
  await wait();
  assertEquals(out.at(-1), "later 396");
  await driver.close();
});

Deno.test("Driver fires timers, and tells of an end once everything before it is out", async () => {
  const { driver, out } = drive(memoryJournal().journal);
  driver.take(add(99));
  const deadline = performance.now() + 5000;
  while (out.length < 3 && performance.now() < deadline) await turns(1);
  assertEquals(out, ["sent 99", "total 99", "later 99"]);
  driver.take(add(77));
  await driver.idle();
  assertEquals(out.slice(3), ["sent 176", "total 176", "adder ended"]);
  await driver.close();
  assert(driver.idle() !== undefined);
});

Deno.test("Driver replaces a definition, waits for what faulted, and puts on disk what upgrade() made", async () => {
  const store = new MemoryStore();
  const { driver, host, out, faults } = drive(memoryJournal(store).journal);
  driver.take(add(2));
  driver.take(add(13));
  const newer = { ...adder, version: 2, upgrade: () => ({ total: 100 }) };
  // By then it has faulted, and the disk has not been asked.
  await Promise.resolve();
  await driver.replace([adderId], newer);
  assertEquals(faults, ["rebuild", "adder revived", "adder revived"]);
  assertEquals(host.inspect(adderId)?.definition.version, 2);
  driver.take(add(1));
  await driver.idle();
  assertEquals(out, ["sent 2", "total 2", "sent 101", "total 101"]);
  assertEquals(store.agents.get(adderId)?.version, 2);
  const failing = () =>
    Promise.resolve(driver.replace([adderId], { ...newer, version: 3, upgrade: fail }));
  await assertRejects(failing, Error, "not this one");
  driver.take(add(1));
  await driver.idle();
  assertEquals(out.slice(4), ["sent 102", "total 102"]);
  await driver.close();
});

function fail(): never {
  throw new Error("not this one");
}

Deno.test("Driver carries out batches of agents elsewhere, and compacts with their states", async () => {
  const store = new MemoryStore();
  const { journal } = memoryJournal(store);
  const far = agentId("sandboxed");
  let held = 0;
  const states = new Map<AgentId, { version: number; durable: string }>();
  const elsewhere = {
    has: (agent: AgentId) => agent === far,
    async hold() {
      held++;
      await turns(3);
      return states.size === 0 ? undefined : { parts: states, release: () => void held-- };
    },
  };
  const images = new Map([[far, { records: ["1"] }]]);
  const { driver, out } = drive(journal, images, 40, elsewhere);
  const message = { type: "total", value: "far" };
  const carried = {
    appends: [{ agent: far, record: "2" }],
    sends: [{ box: boxB, from: far, to: adderId, message }],
    outputs: [],
    notes: [],
    endings: [far],
  };
  driver.carry(carried);
  assertEquals(out, [], "its sends wait for its records");
  driver.take(add(5));
  await driver.idle();
  assertEquals(out, ["sent far", "sandboxed ended", "sent 5", "total 5"]);

  // As long as the state of one cannot be had there is no compaction, and nobody waits for it.
  for (let i = 0; i < 3; i++) {
    driver.take(add(1));
    await driver.idle();
  }
  await turns(10);
  assertEquals([journal.stats.compactions, held > 0], [0, true]);
  states.set(far, { version: 3, durable: "null" });
  held = 1;
  driver.compact();
  await driver.idle();
  await turns(10);
  assertEquals([journal.stats.compactions, held], [1, 1], "it is released again");
  assertEquals(store.agents.get(far), states.get(far));
  assertEquals(store.agents.has(adderId), true);
  await driver.close();
});
