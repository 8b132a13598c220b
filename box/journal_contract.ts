// What every journal keeps to, on a disk, in memory, or on a simulated disk: one suite, so that no fake can drift
// from the real one. What happens in a crash is tested where there is something to lose.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { Append, DurableImage } from "../core/envelope.ts";
import { type AgentId, agentId } from "../core/id.ts";
import type { Journal, OpenedJournal } from "./journal.ts";

/** Where one journal after another can be opened, each with what the one before left. */
export interface JournalPlace {
  open(): Promise<OpenedJournal>;
  /** Removes what is left, after the test. */
  clear(): Promise<void>;
}

const a = agentId("kv/acceptor/1");
const b = agentId("2");

function records(agent: AgentId, ...values: readonly unknown[]): Append[] {
  return values.map((value) => ({ agent, record: JSON.stringify(value) }));
}

function state(version: number, value: unknown) {
  return { version, durable: JSON.stringify(value) };
}

/** Images without the difference between a snapshot that is undefined and one that is missing. */
function plain(images: ReadonlyMap<AgentId, DurableImage>): Record<string, DurableImage> {
  return Object.fromEntries([...images].map(([id, { snapshot, records }]) => [
    id,
    snapshot === undefined ? { records } : { snapshot, records },
  ]));
}

/** Registers the suite for the journals of the places that `make` makes. */
export function journalContract(name: string, make: () => Promise<JournalPlace>): void {
  const test = (claim: string, act: (use: Use) => Promise<void>) =>
    Deno.test(`${name}: ${claim}`, async () => {
      const place = await make();
      try {
        await act(async (during) => {
          const opened = await place.open();
          try {
            await during(opened.journal, opened);
          } finally {
            await opened.journal.close();
          }
          return opened;
        });
      } finally {
        await place.clear();
      }
    });
  recordTests(test);
  commitTests(test);
  compactionTests(test);
  refusalTests(test);
}

/** Opens the journal, closes it afterwards, and gives what the opening found. */
type Use = (
  during: (journal: Journal, opened: OpenedJournal) => void | Promise<void>,
) => Promise<OpenedJournal>;

type Test = (claim: string, act: (use: Use) => Promise<void>) => void;

const nothing = () => {};

function recordTests(test: Test): void {
  test("is empty at first", async (use) => {
    const first = await use((journal) => {
      assertEquals(journal.stats, { records: 0, groups: 0, bytes: 0, compactions: 0 });
    });
    assertEquals(plain(first.images), {});
    assertEquals(first.repaired, undefined);
    assertEquals(plain((await use(nothing)).images), {});
  });

  test("gives back what was committed, by agent and in order", async (use) => {
    await use(async (journal) => {
      journal.append(records(a, 1));
      journal.append([...records(b, "x"), ...records(a, 2)]);
      await journal.commit();
      journal.append(records(a, 3));
      await journal.commit();
    });
    const wanted = { [a]: { records: ["1", "2", "3"] }, [b]: { records: ['"x"'] } };
    assertEquals(plain((await use(nothing)).images), wanted);
    const third = await use(nothing);
    assertEquals(plain(third.images), wanted);
    assertEquals(third.repaired, undefined);
  });

  test("goes on after what an earlier journal left", async (use) => {
    for (const round of [1, 2, 3]) {
      await use(async (journal) => {
        journal.append(records(a, round));
        await journal.commit();
      });
    }
    assertEquals(plain((await use(nothing)).images), { [a]: { records: ["1", "2", "3"] } });
  });

  test("keeps any text as it is", async (use) => {
    const texts = ["", "äöü \u{1f600} \u2028", "a\nb\r\n\0", "group ovid", "x".repeat(200_000)];
    await use(async (journal) => {
      journal.append(records(a, ...texts));
      await journal.commit();
    });
    const images = (await use(nothing)).images;
    assertEquals(images.get(a)?.records.map((record) => JSON.parse(record)), texts);
  });

  test("close() commits what was appended", async (use) => {
    await use((journal) => journal.append(records(a, 1)));
    assertEquals(plain((await use(nothing)).images), { [a]: { records: ["1"] } });
  });

  test("read() gives an agent's image with all that was appended before", async (use) => {
    await use(async (journal) => {
      assertEquals((await journal.read(a)).records, []);
      journal.append([...records(a, 1), ...records(b, 2), ...records(a, 3)]);
      const image = await journal.read(a);
      assertEquals(image.records, ["1", "3"]);
      assertEquals(image.snapshot, undefined);
      await journal.compact(new Map([[a, state(1, [1, 3])]]));
      journal.append(records(a, 4));
      assertEquals(await journal.read(a), { snapshot: state(1, [1, 3]), records: ["4"] });
    });
    await use(async (journal) => {
      journal.append(records(a, 5));
      assertEquals(await journal.read(a), { snapshot: state(1, [1, 3]), records: ["4", "5"] });
    });
  });
}

function commitTests(test: Test): void {
  test("commits of one turn share a group, later ones get their own", async (use) => {
    await use(async (journal) => {
      const commits = [1, 2, 3].map((value) => {
        journal.append(records(a, value));
        return journal.commit();
      });
      await Promise.all(commits);
      assertEquals(journal.stats.groups, 1);
      assertEquals(journal.stats.records, 3);
      journal.append(records(a, 4));
      await journal.commit();
      assertEquals(journal.stats.groups, 2);
      assertEquals(journal.stats.records, 4);
    });
  });

  test("a commit without anything new writes nothing", async (use) => {
    await use(async (journal) => {
      await journal.commit();
      journal.append([]);
      await journal.commit();
      assertEquals(journal.stats.groups, 0);
      journal.append(records(a, 1));
      const first = journal.commit();
      // Nothing new, but not yet on disk.
      await Promise.all([first, journal.commit(), journal.commit()]);
      await journal.commit();
      assertEquals(journal.stats.groups, 1);
    });
  });

  test("what is appended while a commit is under way is in the next, and in order", async (use) => {
    await use(async (journal) => {
      const commits: Promise<void>[] = [];
      for (let value = 0; value < 200; value++) {
        journal.append(records(value % 3 === 0 ? b : a, value));
        commits.push(journal.commit());
        if (value % 7 === 0) await Promise.resolve();
        if (value % 50 === 0) await journal.commit();
      }
      await Promise.all(commits);
      assertEquals(journal.stats.records, 200);
      assert(journal.stats.groups < 200, `${journal.stats.groups} groups, want fewer than records`);
    });
    const { images } = await use(nothing);
    const values = [...Array(200).keys()];
    assertEquals(images.get(a)?.records, values.filter((v) => v % 3 !== 0).map(String));
    assertEquals(images.get(b)?.records, values.filter((v) => v % 3 === 0).map(String));
  });
}

function compactionTests(test: Test): void {
  test("compact() replaces what came before the call, and keeps what comes after", async (use) => {
    await use(async (journal) => {
      journal.append(records(a, 1, 2));
      await journal.commit();
      // Not committed at the call, and part of the snapshot all the same.
      journal.append([...records(a, 3), ...records(b, 7)]);
      const compaction = journal.compact(new Map([[a, state(1, 6)], [b, state(2, "seven")]]));
      journal.append(records(a, 4));
      await journal.commit();
      await compaction;
      journal.append(records(b, 8));
      await journal.commit();
      assertEquals(journal.stats.compactions, 1);
    });
    const wanted = {
      [a]: { snapshot: state(1, 6), records: ["4"] },
      [b]: { snapshot: state(2, "seven"), records: ["8"] },
    };
    for (let round = 0; round < 2; round++) {
      assertEquals(plain((await use(nothing)).images), wanted);
    }
  });

  test("compact() settles commits that were under way", async (use) => {
    await use(async (journal) => {
      journal.append(records(a, 1));
      const first = journal.commit();
      const compaction = journal.compact(new Map([[a, state(1, [1])]]));
      journal.append(records(a, 2));
      const second = journal.commit();
      await Promise.all([first, second, compaction]);
    });
    const { images } = await use(nothing);
    assertEquals(plain(images), { [a]: { snapshot: state(1, [1]), records: ["2"] } });
  });

  test("compact() again and again, with the journal closed in between or not", async (use) => {
    const values: number[] = [];
    for (let round = 0; round < 3; round++) {
      const opened = await use(async (journal) => {
        for (let turn = 0; turn < 3; turn++) {
          values.push(values.length);
          journal.append(records(a, values.at(-1)));
          await journal.compact(new Map([[a, state(1, values)]]));
        }
      });
      assertEquals(
        opened.images.get(a)?.snapshot,
        round === 0 ? undefined : state(1, values.slice(0, 3 * round)),
      );
    }
    assertEquals(plain((await use(nothing)).images), {
      [a]: { snapshot: state(1, values), records: [] },
    });
  });

  test("compact() forgets the agents that the snapshot lacks", async (use) => {
    await use(async (journal) => {
      journal.append([...records(a, 1), ...records(b, 2)]);
      await journal.compact(new Map([[b, state(1, 2)]]));
      await journal.compact(new Map([[b, state(1, 2)]]));
    });
    assertEquals(plain((await use(nothing)).images), {
      [b]: { snapshot: state(1, 2), records: [] },
    });
  });

  for (const later of [records(a), records(a, 2)]) {
    test(`close() waits for a compaction with ${later.length} records behind it`, async (use) => {
      let done = false;
      await use((journal) => {
        journal.append(records(a, 1));
        journal.compact(new Map([[a, state(1, 1)]])).then(() => done = true);
        journal.append(later);
      });
      assert(done, "the compaction is still under way");
      assertEquals(plain((await use(nothing)).images), {
        [a]: { snapshot: state(1, 1), records: later.map(({ record }) => record) },
      });
    });
  }

  test("bytesSinceSnapshot grows with each commit, and falls with a compaction", async (use) => {
    let before = 0;
    await use(async (journal) => {
      const empty = journal.bytesSinceSnapshot;
      journal.append(records(a, "x".repeat(1000)));
      await journal.commit();
      before = journal.bytesSinceSnapshot;
      assert(before >= empty + 1000, `${before} bytes, want 1000 more than ${empty}`);
    });
    await use(async (journal) => {
      assertEquals(journal.bytesSinceSnapshot, before);
      const compaction = journal.compact(new Map([[a, state(1, 0)]]));
      // At once, so that nobody compacts what is being compacted.
      assert(journal.bytesSinceSnapshot < 1000);
      await compaction;
      assert(journal.bytesSinceSnapshot < 1000);
    });
  });

  test("snapshotBytes is the size of the last snapshot, also after another start", async (use) => {
    let before = 0;
    await use(async (journal) => {
      assertEquals(journal.snapshotBytes, 0);
      await journal.compact(new Map([[a, state(1, "x".repeat(5000))]]));
      before = journal.snapshotBytes;
      assert(before >= 5000 && before < 6000, `${before} bytes`);
    });
    await use(async (journal) => {
      assertEquals(journal.snapshotBytes, before);
      await journal.compact(new Map([[a, state(1, 0)]]));
      assert(journal.snapshotBytes < 1000);
    });
  });
}

function refusalTests(test: Test): void {
  test("append() refuses a record that is not one line, and takes nothing of it", async (use) => {
    await use(async (journal) => {
      const bad = { agent: a, record: "1\n2" };
      assertThrows(() => journal.append([...records(a, 1), bad]), TypeError, "want one line");
      journal.append(records(a, 2));
      await journal.commit();
    });
    assertEquals(plain((await use(nothing)).images), { [a]: { records: ["2"] } });
  });

  test("compact() refuses a snapshot that is not lines, and goes on", async (use) => {
    await use(async (journal) => {
      journal.append(records(a, 1));
      const bad = new Map([[a, { version: 1, durable: "1\n2" }]]);
      await assertRejects(() => journal.compact(bad), TypeError, "want one line");
      await journal.compact(new Map([[a, state(1, 1)]]));
    });
    assertEquals(plain((await use(nothing)).images), {
      [a]: { snapshot: state(1, 1), records: [] },
    });
  });

  test("compact() refuses to run twice at once", async (use) => {
    await use(async (journal) => {
      const first = journal.compact(new Map([[a, state(1, 1)]]));
      await assertRejects(() => journal.compact(new Map()), Error, "want one at a time");
      await first;
      assertEquals(journal.stats.compactions, 1);
    });
    assertEquals(plain((await use(nothing)).images), {
      [a]: { snapshot: state(1, 1), records: [] },
    });
  });

  test("a closed journal refuses everything but another close()", async (use) => {
    await use(async (journal) => {
      const closing = journal.close();
      await closing;
      assertThrows(() => journal.append(records(a, 1)), Error, "it is closed");
      await assertRejects(() => journal.commit(), Error, "it is closed");
      await assertRejects(() => journal.read(a), Error, "it is closed");
      await assertRejects(() => journal.compact(new Map()), Error, "it is closed");
      await journal.close();
    });
    assertEquals(plain((await use(nothing)).images), {});
  });
}
