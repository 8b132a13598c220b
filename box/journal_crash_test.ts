// Crashes between any two operations, and failures of any one: what was acknowledged is recovered, and what is
// recovered is a prefix of what was appended.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import type { DurableImage } from "../core/envelope.ts";
import { type AgentId, agentId } from "../core/id.ts";
import { seededRandom } from "../core/random.ts";
import { type Journal, openJournal } from "./journal.ts";
import { type CrashKind, LossyFiles, type Misbehaviour, type Operation } from "./lossy_files.ts";

const agents: readonly AgentId[] = ["kv/acceptor/1", "2", "group"].map(agentId);
const folder = "folder";
const kinds: readonly CrashKind[] = ["kill", "power loss", "mixture", "mixture", "mixture"];

type Step =
  | { readonly do: "append"; readonly agents: readonly number[] }
  | { readonly do: "commit" | "compact" | "read"; readonly wait: boolean };

/** A box that numbers its records from 0, and notes how many it was told are on disk. */
class Writer {
  /** Who appended each number. */
  readonly owners: AgentId[] = [];
  acknowledged = 0;
  readonly errors: unknown[] = [];
  #journal: Journal | undefined;
  readonly #waiting: Promise<void>[] = [];
  /** Called when more is acknowledged. */
  onAcknowledged: () => void = () => {};

  valuesOf(agent: AgentId): number[] {
    return [...this.owners.keys()].filter((value) => this.owners[value] === agent);
  }

  async run(files: LossyFiles, steps: readonly Step[]): Promise<void> {
    try {
      const opened = await openJournal(folder, { files });
      this.acknowledged = this.check(opened.images);
      this.owners.length = this.acknowledged;
      this.#journal = opened.journal;
    } catch (error) {
      this.errors.push(error);
      assertEquals(files.handles, 0);
      return;
    }
    for (const step of steps) await this.#take(step, this.#journal);
    await Promise.all(this.#waiting);
    await this.#watch(this.owners.length, this.#journal.close());
    assertEquals(files.handles, 0);
  }

  async #take(step: Step, journal: Journal): Promise<void> {
    const count = this.owners.length;
    if (step.do === "append") {
      const owners = step.agents.map((agent) => agents[agent % agents.length] ?? agentId("1"));
      this.owners.push(...owners);
      journal.append(owners.map((agent, i) => ({ agent, record: `${count + i}` })));
      return;
    }
    let done: Promise<void>;
    if (step.do === "commit") done = this.#watch(count, journal.commit());
    else if (step.do === "read") done = this.#watch(count, this.#read(journal));
    else {
      const states = agents.map((agent) =>
        [agent, { version: 1, durable: JSON.stringify(this.valuesOf(agent)) }] as const
      );
      done = this.#watch(count, journal.compact(new Map(states)));
    }
    this.#waiting.push(done);
    if (step.wait) await done;
  }

  async #read(journal: Journal): Promise<void> {
    const agent = agents[0] ?? agentId("1");
    const wanted = this.valuesOf(agent);
    const image = await journal.read(agent);
    assertEquals(valuesOf(image).slice(0, wanted.length), wanted);
  }

  async #watch(count: number, act: Promise<void>): Promise<void> {
    try {
      await act;
      this.acknowledged = Math.max(this.acknowledged, count);
      this.onAcknowledged();
    } catch (error) {
      // Two compactions at once are refused, which harms nobody.
      if (!String(error).includes("want one at a time")) this.errors.push(error);
    }
  }

  /** Asserts that `images` are those of a prefix that holds all that was acknowledged; gives its length. */
  check(images: ReadonlyMap<AgentId, DurableImage>): number {
    const found = agents.map((agent) => valuesOf(images.get(agent)));
    const length = found.reduce((sum, values) => sum + values.length, 0);
    assert(length >= this.acknowledged, `${length} recovered, ${this.acknowledged} acknowledged`);
    const prefix = (agent: AgentId) => this.valuesOf(agent).filter((value) => value < length);
    assertEquals(found, agents.map(prefix));
    return length;
  }
}

function valuesOf(image: DurableImage | undefined): number[] {
  const snapshot: number[] = JSON.parse(image?.snapshot?.durable ?? "[]");
  return [...snapshot, ...(image?.records ?? []).map(Number)];
}

/** What a crash at some moment left, and what must not be lost of it. */
interface Wreck {
  readonly files: LossyFiles;
  readonly writer: Writer;
  readonly acknowledged: number;
  readonly owners: number;
}

/** Runs the steps, and keeps what a crash would leave after each operation and each acknowledgement. */
async function wrecksOf(files: LossyFiles, writer: Writer, steps: readonly Step[], seed: number) {
  const wrecks: Wreck[] = [];
  const keep = () => {
    for (const kind of kinds) {
      wrecks.push({
        files: files.crash(kind, seededRandom(BigInt(seed + wrecks.length))),
        writer,
        acknowledged: writer.acknowledged,
        owners: writer.owners.length,
      });
    }
  };
  files.after = keep;
  writer.onAcknowledged = keep;
  await writer.run(files, steps);
  return wrecks;
}

function writerAfter({ writer, acknowledged, owners }: Wreck): Writer {
  const next = new Writer();
  next.owners.push(...writer.owners.slice(0, owners));
  next.acknowledged = acknowledged;
  return next;
}

/** Opens what a crash left; the recovered state must survive the loss of power right after, and be stable. */
async function salvage(wreck: Wreck): Promise<void> {
  const writer = writerAfter(wreck);
  const { journal, images } = await openJournal(folder, { files: wreck.files });
  const recovered = writer.check(images);
  const lost = wreck.files.crash("power loss", seededRandom(1n));
  const again = await openJournal(folder, { files: lost });
  assertEquals(again.repaired, undefined);
  writer.acknowledged = recovered;
  assertEquals(writer.check(again.images), recovered);
  await Promise.all([journal.close(), again.journal.close()]);
  const third = await openJournal(folder, { files: wreck.files });
  assertEquals(third.repaired, undefined);
  assertEquals(third.images, images);
  await third.journal.close();
}

const append = (...agents: number[]): Step => ({ do: "append", agents });
const wait = (act: "commit" | "compact" | "read"): Step => ({ do: act, wait: true });
const begin = (act: "commit" | "compact" | "read"): Step => ({ do: act, wait: false });

/** Everything that can overlap: commits in flight, appends behind a cut, a read during a compaction. */
const story: readonly Step[] = [
  append(0, 1, 2),
  wait("commit"),
  append(0),
  begin("commit"),
  append(1, 1),
  begin("commit"),
  begin("compact"),
  append(2, 0),
  begin("commit"),
  begin("read"),
  append(1),
  wait("commit"),
  wait("compact"),
  append(0, 0),
  wait("compact"),
  append(2),
];

const stories = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.array(fc.nat(2), { minLength: 1, maxLength: 4 }).map((a) => append(...a)),
    },
    { weight: 2, arbitrary: fc.boolean().map((wait): Step => ({ do: "commit", wait })) },
    { weight: 1, arbitrary: fc.boolean().map((wait): Step => ({ do: "compact", wait })) },
    { weight: 1, arbitrary: fc.boolean().map((wait): Step => ({ do: "read", wait })) },
  ),
  { maxLength: 20 },
);

function disk(seed: number, misbehaviour: Misbehaviour = {}): LossyFiles {
  const files = new LossyFiles(seededRandom(BigInt(seed)));
  files.misbehaviour = misbehaviour;
  return files;
}

Deno.test("openJournal: recovers from a crash between any two operations, and during recovery", async () => {
  const torn = new Set<boolean>();
  for (const [i, wreck] of (await wrecksOf(disk(1), new Writer(), story, 1)).entries()) {
    const inside = await wrecksOf(
      wreck.files.crash("kill", seededRandom(2n)),
      writerAfter(wreck),
      [],
      i,
    );
    for (const second of inside) await salvage(second);
    const { journal, repaired } = await openJournal(folder, {
      files: wreck.files.crash("kill", seededRandom(3n)),
    });
    torn.add(repaired !== undefined);
    await journal.close();
    await salvage(wreck);
  }
  assertEquals(torn.size, 2, "some crashes must tear a tail, and some must not");
});

Deno.test("openJournal: recovers from a crash at any point of any story", async () => {
  await fc.assert(
    fc.asyncProperty(stories, fc.nat(), fc.boolean(), async (steps, seed, shortWrites) => {
      const writer = new Writer();
      const wrecks = await wrecksOf(disk(seed, { shortWrites }), writer, steps, seed);
      assertEquals(writer.errors, []);
      for (const wreck of wrecks) await salvage(wreck);
    }),
    { numRuns: 60 },
  );
});

Deno.test("openJournal: goes on after crash upon crash, losing nothing that was acknowledged", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(stories, { minLength: 2, maxLength: 5 }),
      fc.nat(),
      async (all, seed) => {
        let files = disk(seed);
        let writer = new Writer();
        for (const [i, steps] of all.entries()) {
          const wrecks = await wrecksOf(files, writer, steps, seed + i);
          assertEquals(writer.errors, []);
          const wreck = wrecks[(seed + 31 * i) % wrecks.length];
          assert(wreck !== undefined);
          writer = writerAfter(wreck);
          files = wreck.files;
        }
        await salvage({
          files,
          writer,
          acknowledged: writer.acknowledged,
          owners: writer.owners.length,
        });
      },
    ),
    { numRuns: 100 },
  );
});

for (
  const [which, failing] of [
    ["an operation", (failAt: number) => (operation: number) => operation === failAt],
    ["all operations from one on", (failAt: number) => (operation: number) => operation >= failAt],
  ] as const
) {
  Deno.test(`Journal: after the failure of ${which} everything rejects with the first error`, async () => {
    const total = await operationsOf(story);
    const failed = new Set<Operation>();
    for (let failAt = 0; failAt < total; failAt++) {
      const files = disk(7, { fails: failing(failAt) });
      const writer = new Writer();
      await writer.run(files, story);
      for (const operation of files.failed) failed.add(operation);
      assertEquals(writer.errors.length > 0, true);
      for (const error of writer.errors) {
        assert(String(error).includes(`operation ${failAt}, was told to fail`), String(error));
        assertStrictEquals(error, writer.errors[0]);
      }
      // Nothing that was acknowledged is lost, whether the process is started again or the machine.
      files.misbehaviour = {};
      for (const kind of kinds) {
        await salvage({
          files: files.crash(kind, seededRandom(BigInt(failAt))),
          writer,
          acknowledged: writer.acknowledged,
          owners: writer.owners.length,
        });
      }
      // The lock is free again, also after a failure to open.
      await (await openJournal(folder, { files })).journal.close();
    }
    const every: Operation[] = ["makeFolder", "lock", "list", "read", "open", "write", "sync"];
    const wanted: Operation[] = [...every, "rename", "syncFolder", "remove"];
    assertEquals(wanted.filter((operation) => !failed.has(operation)), []);
  });
}

Deno.test("Journal: a failure of any operation of a recovery leaves it to the next", async () => {
  const wrecks = await wrecksOf(disk(3), new Writer(), story, 3);
  const tornWrecks = wrecks.filter((_, i) => i % 5 === 2).slice(-60);
  for (const wreck of tornWrecks) {
    for (let failAt = 0;; failAt++) {
      const files = wreck.files.crash("kill", seededRandom(4n));
      files.misbehaviour = { fails: (operation) => operation === failAt };
      let opened;
      try {
        opened = await openJournal(folder, { files });
      } catch (error) {
        assert(String(error).includes("was told to fail"), String(error));
      }
      files.misbehaviour = {};
      if (opened !== undefined) {
        await opened.journal.close();
        break;
      }
      await salvage({ ...wreck, files });
    }
  }
});

async function operationsOf(steps: readonly Step[]): Promise<number> {
  const files = disk(7);
  const writer = new Writer();
  await writer.run(files, steps);
  assertEquals(writer.errors, []);
  return files.operations;
}

for (const lie of ["sync", "syncFolder"] as const) {
  Deno.test(`canary: a disk whose ${lie} does nothing is found out`, async () => {
    const wrecks = await wrecksOf(disk(5, { lies: [lie] }), new Writer(), story, 5);
    let losses = 0;
    for (const wreck of wrecks) {
      try {
        await salvage(wreck);
      } catch {
        losses += 1;
      }
    }
    assert(losses > 0, "the loss was not noticed");
  });
}
