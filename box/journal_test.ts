import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { join } from "@std/path";
import { agentId } from "../core/id.ts";
import { OvidError } from "../core/error.ts";
import { encodeJournalHeader, encodeSnapshot } from "../core/journal_format.ts";
import { seededRandom } from "../core/random.ts";
import { openJournal } from "./journal.ts";
import { journalContract } from "./journal_contract.ts";
import { type JournalFile, type JournalFiles, realFiles } from "./journal_files.ts";
import { LossyFiles } from "./lossy_files.ts";

const agent = agentId("1");
const record = (value: unknown) => ({ agent, record: JSON.stringify(value) });

journalContract("journal", async () => {
  const folder = await Deno.makeTempDir();
  return {
    open: () => openJournal(folder),
    clear: () => Deno.remove(folder, { recursive: true }),
  };
});

journalContract("journal on a lossy disk", () => {
  const files = new LossyFiles(seededRandom(1n));
  return Promise.resolve({
    open: () => openJournal("folder", { files }),
    clear: () => Promise.resolve(),
  });
});

function test(claim: string, act: (folder: string) => Promise<void>): void {
  Deno.test(claim, async () => {
    const folder = await Deno.makeTempDir();
    try {
      await act(folder);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

/** A journal with one group for each value. */
async function write(folder: string, ...values: readonly unknown[]): Promise<void> {
  const { journal } = await openJournal(folder);
  for (const value of values) {
    journal.append([record(value)]);
    await journal.commit();
  }
  await journal.close();
}

async function read(folder: string) {
  const opened = await openJournal(folder);
  await opened.journal.close();
  return opened;
}

async function names(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
}

async function contents(folder: string): Promise<Record<string, string>> {
  const pairs = (await names(folder)).filter((name) => name !== "lock")
    .map(async (name) => [name, await Deno.readTextFile(join(folder, name))]);
  return Object.fromEntries(await Promise.all(pairs));
}

/** Asserts that opening is refused in these words, that nothing is changed, and that the lock is free again. */
async function assertRefused(folder: string, ...words: readonly string[]): Promise<void> {
  const before = await contents(folder);
  for (let round = 0; round < 2; round++) {
    const error = await assertRejects(() => openJournal(folder), OvidError);
    assertEquals(error.code, "journal.corrupt");
    for (const word of words) assertStringIncludes(error.message, word);
  }
  assertEquals(await contents(folder), before);
}

test("openJournal: makes folders, and leaves what is not its own alone", async (parent) => {
  const folder = join(parent, ".ovid", "grid", "127.0.0.1:5000");
  await write(folder, 1);
  assertEquals(await names(folder), ["journal-1", "lock"]);
  const foreign = ["notes.tmp", "journal-x", "journal-01", "puts.log", "snapshot-1.bak"];
  for (const name of foreign) await Deno.writeTextFile(join(folder, name), "mine");
  await Deno.mkdir(join(folder, "journal-2"));
  for (const name of ["journal-9.tmp", "snapshot-9.tmp"]) {
    await Deno.writeTextFile(join(folder, name), "left over");
  }
  const { images } = await read(folder);
  assertEquals(images.get(agent)?.records, ["1"]);
  assertEquals(await names(folder), [...foreign, "journal-1", "journal-2", "lock"].sort());
});

test("Journal: compaction leaves one journal and one snapshot that a pager can show", async (folder) => {
  const { journal } = await openJournal(folder);
  await journal.compact(new Map());
  assertEquals(await names(folder), ["journal-2", "lock", "snapshot-2"]);
  journal.append([record({ put: ["a", 1] })]);
  await journal.compact(new Map([[agent, { version: 2, durable: '{"a":1}' }]]));
  journal.append([record({ put: ["b", 2] })]);
  await journal.close();
  assertEquals(await names(folder), ["journal-3", "lock", "snapshot-3"]);
  const { "journal-3": lines, "snapshot-3": snapshot } = await contents(folder);
  assert(
    /^ovid journal 1 [0-9a-f]{8} generation 3 sequence 2\ngroup .*\n1 {"put":\["b",2\]}\n$/.test(
      lines ?? "",
    ),
  );
  assert(/^ovid snapshot 1 [0-9a-f]{8} generation 3 agents 1\n1 2 {"a":1}\n$/.test(snapshot ?? ""));
});

test("openJournal: cuts a torn tail, and says so once", async (folder) => {
  await write(folder, 1, 2);
  const path = join(folder, "journal-1");
  const whole = await Deno.readFile(path);
  const tails = [[0], new Array(10_000).fill(0), [...new TextEncoder().encode("group 0")]];
  for (const tail of tails) {
    await Deno.writeFile(path, Uint8Array.from([...whole, ...tail]));
    const { repaired, images } = await read(folder);
    assertEquals(repaired?.file, path);
    assertEquals(repaired?.offset, whole.length);
    assertEquals(repaired?.bytes, tail.length);
    assertStringIncludes(repaired?.reason ?? "", "want the header of a group");
    assertEquals(images.get(agent)?.records, ["1", "2"]);
    assertEquals(await Deno.readFile(path), whole);
    assertEquals((await read(folder)).repaired, undefined);
  }
  await Deno.truncate(path, whole.length - 1);
  assertEquals((await read(folder)).images.get(agent)?.records, ["1"]);
  await write(folder, 3);
  assertEquals((await read(folder)).images.get(agent)?.records, ["1", "3"]);
});

test("openJournal: refuses a bad group before the last, with file and offset", async (folder) => {
  await write(folder, "one", "two", "three");
  const path = join(folder, "journal-1");
  const text = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, text.replace("two", "tWo"));
  const offset = text.lastIndexOf("group", text.indexOf("two"));
  await assertRefused(
    folder,
    `Cannot read "${path}": at byte ${offset} found checksum `,
    ", want ",
  );
  await Deno.writeTextFile(path, text);
  assertEquals((await read(folder)).images.get(agent)?.records, ['"one"', '"two"', '"three"']);
});

test("openJournal: refuses a first line that is not ours", async (folder) => {
  await write(folder, 1);
  const path = join(folder, "journal-1");
  const text = await Deno.readTextFile(path);
  for (
    const [content, words] of [
      ["", 'at byte 0 found ""'],
      ["ovid journal 2 what comes later\n", "at byte 0 found version 2, want 1"],
      [text.slice(0, 20), 'want "ovid journal 1"'],
      [text.replace("generation 1", "generation 7"), "found checksum "],
      ["\0".repeat(100), 'found "\\u0000'],
    ] as const
  ) {
    await Deno.writeTextFile(path, content);
    await assertRefused(folder, `Cannot read "${path}": `, words);
  }
  await Deno.writeFile(path, encodeJournalHeader({ generation: 2, sequence: 1 }));
  await assertRefused(folder, `"${path}": at byte 0 found generation 2, want 1`);
});

/** A folder as a crash between the two halves of a compaction leaves it: two journals and no snapshot. */
async function chain(folder: string): Promise<void> {
  const files: JournalFiles = {
    ...realFiles,
    open: (path, how) =>
      path.endsWith("snapshot-2.tmp")
        ? Promise.reject(new Error("no snapshot today"))
        : realFiles.open(path, how),
  };
  const { journal } = await openJournal(folder, { files });
  journal.append([record(1)]);
  const compaction = journal.compact(new Map([[agent, { version: 1, durable: "[1]" }]]));
  journal.append([record(2)]);
  await Promise.allSettled([compaction, journal.commit()]);
  const error = await assertRejects(() => journal.commit(), Error);
  assertEquals(
    error.message,
    `Cannot create "${join(folder, "snapshot-2.tmp")}": no snapshot today`,
  );
  await assertRejects(() => journal.close(), Error, "no snapshot today");
  assertEquals(await names(folder), ["journal-1", "journal-2", "lock"]);
}

test("openJournal: reads both journals where the snapshot is missing, and goes on", async (folder) => {
  await chain(folder);
  const { journal, images } = await openJournal(folder);
  assertEquals(images.get(agent), { records: ["1", "2"] });
  const sizes = ["journal-1", "journal-2"].map((name) => Deno.statSync(join(folder, name)).size);
  assertEquals(journal.bytesSinceSnapshot, sizes.reduce((a, b) => a + b));
  journal.append([record(3)]);
  assertEquals((await journal.read(agent)).records, ["1", "2", "3"]);
  await journal.compact(new Map([[agent, { version: 1, durable: "[1,2,3]" }]]));
  assertEquals(await names(folder), ["journal-3", "lock", "snapshot-3"]);
  await journal.close();
  assertEquals((await read(folder)).images.get(agent), {
    snapshot: { version: 1, durable: "[1,2,3]" },
    records: [],
  });
});

test("openJournal: refuses a chain with a hole in it", async (folder) => {
  await chain(folder);
  const [first, second] = [join(folder, "journal-1"), join(folder, "journal-2")];
  const text = await Deno.readTextFile(first);
  // Cut in a group, and cut between groups: a journal that is followed by another was whole.
  await Deno.truncate(first, text.length - 1);
  await assertRefused(
    folder,
    `Cannot read "${first}": at byte `,
    "journal-2 follows, so this is no torn tail",
  );
  await Deno.truncate(first, text.indexOf("group"));
  await assertRefused(folder, `Cannot read "${second}": at byte 0 found sequence 2, want 1`);
  await Deno.remove(first);
  await assertRefused(folder, `"${folder}": found journal-2, want journal-1 too`);
  await Deno.writeTextFile(first, text);
  await Deno.rename(second, join(folder, "journal-3"));
  await assertRefused(folder, "found journal-1, journal-3, want journal-2 too");
});

test("openJournal: refuses a bad snapshot, and one without its journal", async (folder) => {
  const { journal } = await openJournal(folder);
  await journal.compact(new Map([[agent, { version: 1, durable: "1" }]]));
  await journal.close();
  const path = join(folder, "snapshot-2");
  const bytes = await Deno.readFile(path);
  await Deno.truncate(path, bytes.length - 1);
  await assertRefused(folder, `Cannot read "${path}": at byte 0 found checksum `);
  await Deno.writeFile(path, encodeSnapshot(3, new Map()));
  await assertRefused(folder, `Cannot read "${path}": at byte 0 found generation 3, want 2`);
  await Deno.writeFile(path, bytes);
  await Deno.remove(join(folder, "journal-2"));
  await assertRefused(folder, "found snapshot-2, want journal-2 too");
});

test("openJournal: removes what an unfinished compaction left, once it is useless", async (folder) => {
  const { journal } = await openJournal(folder);
  journal.append([record(1)]);
  await journal.compact(new Map([[agent, { version: 1, durable: "1" }]]));
  await journal.close();
  await Deno.writeFile(
    join(folder, "journal-1"),
    encodeJournalHeader({ generation: 1, sequence: 1 }),
  );
  await Deno.writeTextFile(join(folder, "snapshot-1"), "not even read");
  assertEquals((await read(folder)).images.get(agent)?.records, []);
  assertEquals(await names(folder), ["journal-2", "lock", "snapshot-2"]);
});

test("openJournal: says which step failed where there can be no folder", async (folder) => {
  const path = join(folder, "file");
  await Deno.writeTextFile(path, "");
  await assertRejects(() => openJournal(path), Error, `Cannot create "${path}": `);
  await assertRejects(
    () => openJournal(join(path, "data")),
    Error,
    `Cannot create "${join(path, "data")}": `,
  );
});

/** Real files, but the journal that is written is another. */
function instead(file: (made: JournalFile) => JournalFile): JournalFiles {
  return {
    ...realFiles,
    open: async (path, how) => {
      const made = await realFiles.open(path, how);
      return path.endsWith("journal-1") ? file(made) : made;
    },
  };
}

Deno.test({
  name: "Journal: says that the disk is full",
  // A device that is always full is the system's own word for it.
  ignore: Deno.build.os !== "linux",
  async fn() {
    const folder = await Deno.makeTempDir();
    const full = await realFiles.open("/dev/full", "existing");
    const files = instead((made) => ({ ...made, write: full.write }));
    const { journal } = await openJournal(folder, { files });
    journal.append([record(1)]);
    const error = await assertRejects(() => journal.commit(), Error);
    assertStringIncludes(
      error.message,
      `Cannot write "${join(folder, "journal-1")}": the disk is full (No space left on device`,
    );
    assertInstanceOf(error.cause, Error);
    journal.append([record(2)]);
    assertEquals(await assertRejects(() => journal.commit()), error);
    assertEquals(await assertRejects(() => journal.read(agent)), error);
    assertEquals(await assertRejects(() => journal.compact(new Map())), error);
    assertEquals(await assertRejects(() => journal.close()), error);
    full.close();
    assertEquals((await read(folder)).images.size, 0);
    await Deno.remove(folder, { recursive: true });
  },
});

test("Journal: a write that takes nothing is a failure, not an endless loop", async (folder) => {
  const files = instead((made) => ({ ...made, write: () => Promise.resolve(0) }));
  const { journal } = await openJournal(folder, { files });
  journal.append([record(1)]);
  await assertRejects(() => journal.commit(), Error, "and none is taken");
  await assertRejects(() => journal.close(), Error, "and none is taken");
});

test("Journal: has a limit to what may wait for the disk", async (folder) => {
  // A line has an agent, a space, and a line feed besides its record.
  const { journal } = await openJournal(folder, { waitingLengthMax: 100 });
  const most = { agent, record: "x".repeat(97) };
  journal.append([most]);
  await journal.commit();
  journal.append([most]);
  await journal.commit();
  journal.append([most]);
  journal.append([record(1)]);
  await assertRejects(
    () => journal.commit(),
    RangeError,
    "104 characters wait for the disk, want at most 100",
  );
  await assertRejects(() => journal.close(), RangeError, "want at most 100");
  const { images } = await read(folder);
  assertEquals(images.get(agent)?.records, [most.record, most.record]);
});

test("Journal: read() refuses what is less than was synced, and ends the journal", async (folder) => {
  const path = join(folder, "journal-1");
  await write(folder, 1, 2);
  const text = await Deno.readTextFile(path);
  for (const length of [text.length - 1, text.lastIndexOf("group"), 0]) {
    await Deno.writeTextFile(path, text);
    const { journal } = await openJournal(folder);
    assertEquals((await journal.read(agent)).records, ["1", "2"]);
    await Deno.truncate(path, length);
    const error = await assertRejects(() => journal.read(agent), OvidError);
    assertStringIncludes(error.message, `Cannot read "${path}": at byte `);
    assertEquals(await assertRejects(() => journal.commit()), error);
    assertEquals(await assertRejects(() => journal.close()), error);
  }
});

Deno.test("openJournal: cuts a journal that ends at any byte behind its first line", async () => {
  const files = new LossyFiles(seededRandom(2n));
  const { journal } = await openJournal("folder", { files });
  for (const value of [1, 2, 3]) {
    journal.append([record(value)]);
    await journal.commit();
  }
  await journal.close();
  const bytes = files.peek("journal-1");
  for (let length = bytes.indexOf(0x0a) + 1; length <= bytes.length; length++) {
    files.put("journal-1", bytes.subarray(0, length));
    const { journal, images, repaired } = await openJournal("folder", { files });
    await journal.close();
    const records = images.get(agent)?.records ?? [];
    assertEquals(records, ["1", "2", "3"].slice(0, records.length));
    const left = files.peek("journal-1").length;
    assertEquals(repaired?.bytes ?? 0, length - left);
    assertEquals(repaired?.offset ?? length, left);
    assertEquals(records.length === 3, length === bytes.length);
  }
});
