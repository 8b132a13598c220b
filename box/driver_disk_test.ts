// A driver on a disk whose n-th operation fails, for all n, compactions included: what was let out is found again.

import { assert, assertEquals } from "@std/assert";
import { z } from "zod";
import { defineAgent } from "../core/define.ts";
import { Host } from "../core/host.ts";
import { agentId } from "../core/id.ts";
import { seededRandom } from "../core/random.ts";
import { boxA, boxB, makeGrid } from "../core/test_support.ts";
import { Driver } from "./driver.ts";
import { openJournal } from "./journal.ts";
import { LossyFiles, type Operation } from "./lossy_files.ts";

const keeper = defineAgent({
  type: "keeper",
  version: 1,
  doc: "Keeps numbers, and says how many it has.",
  attrs: z.object({}),
  protocol: { keep: z.object({ number: z.int() }), kept: z.object({ count: z.int() }) },
  record: z.object({ number: z.int() }),
  durable: () => ({ numbers: Array<number>() }),
  apply: (durable, record) => void durable.numbers.push(record.number),
  init: () => ({}),
  on: {
    keep(state, { number }, ctx) {
      ctx.append({ number });
      ctx.reply({ type: "kept", count: state.durable.numbers.length });
    },
    kept() {},
  },
});

const [keeperId, far] = [agentId("keeper"), agentId("far")];
const grid = makeGrid({ keeper: { type: "keeper" }, far: { type: "keeper", box: boxB } });
const definitions = new Map([["keeper", keeper]]);
const numbersMax = 30;

interface Life {
  /** How many numbers it said it has kept. */
  readonly acknowledged: number;
  readonly failures: readonly unknown[];
  readonly compactions: number;
}

/** Starts a box on `files`, keeps numbers a few at a time, and ends it. */
async function live(files: LossyFiles, lie: "none" | "early"): Promise<Life> {
  const { journal, images } = await openJournal("folder", { files });
  const host = new Host({ box: boxA, grid, definitions, seed: 1n });
  const failures: unknown[] = [];
  let acknowledged = 0;
  const driver = new Driver({
    host,
    // The canary: a journal that says that all is on disk.
    journal: lie === "none" ? journal : Object.create(journal, {
      append: { value: journal.append.bind(journal) },
      commit: { value: () => Promise.resolve() },
      bytesSinceSnapshot: { value: 0 },
      snapshotBytes: { value: 0 },
    }),
    now: () => 0,
    send: ({ message }) => acknowledged = Math.max(acknowledged, Number(message.count)),
    output: () => {},
    note: () => {},
    fault: ({ error }) => failures.push(error),
    revived: () => {},
    ended: () => {},
    failed: (error) => failures.push(error),
    compactBytes: 400,
  });
  driver.boot(images);
  for (let number = 0; number < numbersMax && failures.length === 0; number++) {
    const message = { type: "keep", number };
    driver.take({ kind: "mail", envelope: { from: far, to: keeperId, message } });
    if (number % 3 === 0) await driver.idle();
  }
  await driver.idle();
  await driver.close();
  const { compactions } = journal.stats;
  await journal.close().catch((error) => lie === "none" || failures.push(error));
  return { acknowledged, failures, compactions };
}

/** What a box finds on `files` when it is started again. */
async function recoveredCount(files: LossyFiles): Promise<number> {
  const { journal, images } = await openJournal("folder", { files });
  const host = new Host({ box: boxA, grid, definitions, seed: 1n });
  host.boot(0, images);
  await journal.close();
  const numbers: unknown = Reflect.get(Object(host.inspect(keeperId)?.state).durable, "numbers");
  assert(Array.isArray(numbers));
  assertEquals(numbers, [...numbers.keys()], "what is kept is what was sent, in its order");
  return numbers.length;
}

Deno.test("Driver: whichever operation of its disk fails, the box ends, and what it let out is found again", async () => {
  const whole = new LossyFiles(seededRandom(1n));
  const { acknowledged, failures, compactions } = await live(whole, "none");
  assertEquals([acknowledged, failures], [numbersMax, []]);
  assert(compactions >= 2, `${compactions} compactions`);
  const failed = new Set<Operation>();
  let began = 0;
  for (let failAt = 0; failAt < whole.operations; failAt++) {
    const files = new LossyFiles(seededRandom(1n));
    files.misbehaviour = { fails: (operation) => operation === failAt };
    // A box that cannot open its journal does not start.
    const life = await live(files, "none").catch((error) => {
      assert(String(error).includes("was told to fail"), String(error));
      return undefined;
    });
    for (const operation of files.failed) failed.add(operation);
    assertEquals(files.handles, 0);
    if (life !== undefined) {
      began++;
      assert(life.failures.length <= 1);
      assertEquals(life.failures.length === 1, life.acknowledged < numbersMax);
    }
    files.misbehaviour = {};
    for (const kind of ["kill", "power loss", "mixture"] as const) {
      const found = await recoveredCount(files.crash(kind, seededRandom(BigInt(failAt))));
      const least = life?.acknowledged ?? 0;
      assert(found >= least, `operation ${failAt}, ${kind}: ${found} found, ${least} let out`);
    }
  }
  assert(began > 20, `only ${began} boxes began`);
  const wanted: Operation[] = ["open", "write", "sync", "rename", "syncFolder", "remove"];
  assertEquals(wanted.filter((operation) => !failed.has(operation)), []);
});

Deno.test("canary: a journal that says too early that all is on disk is found out", async () => {
  let losses = 0;
  for (let failAt = 10; failAt < 20; failAt++) {
    const files = new LossyFiles(seededRandom(1n));
    files.misbehaviour = { fails: (operation) => operation === failAt };
    const life = await live(files, "early").catch(() => undefined);
    files.misbehaviour = {};
    const found = await recoveredCount(files.crash("power loss", seededRandom(1n)));
    if (found < (life?.acknowledged ?? 0)) losses++;
  }
  assert(losses > 0, "the loss was not noticed");
});
