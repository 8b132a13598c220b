import { assert, assertEquals, assertGreater, assertThrows } from "@std/assert";
import { agentId } from "../core/id.ts";
import { seededRandom } from "../core/random.ts";
import { Disk, type DiskOptions } from "./disk.ts";

const agent = agentId("a");

function makeDisk(options: DiskOptions = {}, seed = 1n): Disk {
  return new Disk(seededRandom(seed), options);
}

function write(disk: Disk, ...records: number[]): void {
  disk.append(records.map((record) => ({ agent, record: String(record) })));
}

function sync(disk: Disk, ...records: number[]): void {
  write(disk, ...records);
  disk.startSync(() => undefined);
  disk.endSync();
}

/** The records that the disk holds. */
function read(disk: Disk): number[] {
  return disk.open().images.get(agent)?.records.map(Number) ?? [];
}

Deno.test("Disk.crash(): what was synced stays, what was not is gone", () => {
  const disk = makeDisk({ tornTails: false });
  assertEquals(read(disk), []);
  sync(disk, 1, 2);
  sync(disk, 3);
  write(disk, 4);
  disk.crash();
  assertEquals(read(disk), [1, 2, 3]);
  write(disk, 5);
  disk.startSync(() => undefined);
  disk.crash();
  assertEquals(read(disk), [1, 2, 3]);
  sync(disk, 6);
  assertEquals(read(disk), [1, 2, 3, 6]);
});

Deno.test("Disk.crash(): may leave a torn tail, which the decoder of real boxes cuts", () => {
  let [none, torn, all] = [0, 0, 0];
  for (let seed = 0n; seed < 200n; seed++) {
    const disk = makeDisk({}, seed);
    sync(disk, 1);
    write(disk, 2, 3);
    disk.startSync(() => undefined);
    write(disk, 4);
    disk.crash();
    const { images, tornBytes } = disk.open();
    const records = images.get(agent)?.records.map(Number) ?? [];
    // A group is there whole or not at all; what was not written when the box crashed never is.
    if (records.length === 3) all++;
    else if (tornBytes > 0) torn++;
    else none++;
    assertEquals(records, records.length === 3 ? [1, 2, 3] : [1]);
    assertEquals(disk.counters.tornTails, tornBytes > 0 ? 1 : 0);
    // The next one begins behind the cut.
    sync(disk, 5);
    assertEquals(read(disk), [...records, 5]);
  }
  assertGreater(none, 20);
  assertGreater(torn, 20);
  assertGreater(all, 20);
});

Deno.test("Disk.crash(): a second crash finds as durable what the first one left", () => {
  for (let seed = 0n; seed < 50n; seed++) {
    const disk = makeDisk({}, seed);
    write(disk, 1);
    disk.startSync(() => undefined);
    disk.crash();
    const left = read(disk);
    disk.crash();
    assertEquals(read(disk), left);
  }
});

Deno.test("Disk: with lying syncs a crash may lose what they said was durable", () => {
  let lost = 0;
  for (let seed = 0n; seed < 50n; seed++) {
    const disk = makeDisk({ syncs: false }, seed);
    for (let i = 1; i <= 5; i++) sync(disk, i);
    assertEquals(disk.image(agent)?.records.length, 5);
    disk.crash();
    const records = read(disk);
    assertEquals(records, [1, 2, 3, 4, 5].slice(0, records.length));
    if (records.length < 5) lost++;
  }
  assertGreater(lost, 20);
});

Deno.test("Disk.startSync(): takes a time within its range", () => {
  const disk = makeDisk({ sync: { minUs: 10, maxUs: 12 } });
  const seen = new Set<number | undefined>();
  for (let i = 0; i < 100; i++) {
    write(disk, i);
    seen.add(disk.startSync(() => undefined));
    disk.endSync();
  }
  assertEquals([...seen].toSorted(), [10, 11, 12]);
});

Deno.test("Disk.startSync(): replaces a long journal by a snapshot, all at once", () => {
  const snapshot = new Map([[agent, { version: 3, durable: '"all"' }]]);
  let [before, after] = [0, 0];
  for (let seed = 0n; seed < 50n; seed++) {
    const disk = makeDisk({ compactBytes: 100 }, seed);
    sync(disk, 1, 2, 3);
    sync(disk, 4);
    write(disk, 5);
    disk.startSync(() => snapshot);
    // One that crashes in the midst of it, for each that does not.
    if (seed % 2n === 0n) {
      assertEquals(disk.endSync(), true);
      assertEquals(disk.counters.compactions, 1);
    }
    disk.crash();
    const image = disk.open().images.get(agent);
    if (image?.snapshot === undefined) {
      before++;
      assertEquals(image?.records, ["1", "2", "3", "4"]);
    } else {
      after++;
      assertEquals(image, { snapshot: { version: 3, durable: '"all"' }, records: [] });
    }
    sync(disk, 6);
    assertEquals(disk.open().images.get(agent)?.records.at(-1), "6");
  }
  assert(before > 5 && after > 30, `${before} before, ${after} after`);
});

Deno.test("Disk.startSync(): goes on without a snapshot when there is none to be had", () => {
  const disk = makeDisk({ compactBytes: 1 });
  sync(disk, 1);
  sync(disk, 2);
  assertEquals(read(disk), [1, 2]);
  assertEquals(disk.counters.compactions, 0);
});

Deno.test("Disk.limit(): a full disk takes nothing more, and keeps what it has", () => {
  const disk = makeDisk({ tornTails: false });
  sync(disk, 1);
  disk.limit(0);
  write(disk, 2);
  assertEquals(disk.startSync(() => undefined), undefined);
  disk.crash();
  assertEquals(read(disk), [1]);
  disk.limit(Infinity);
  sync(disk, 3);
  assertEquals(read(disk), [1, 3]);
});

Deno.test("Disk.lose(): leaves an empty disk that works", () => {
  const disk = makeDisk({ compactBytes: 1 });
  sync(disk, 1);
  write(disk, 2);
  disk.startSync(() => new Map([[agent, { version: 1, durable: "1" }]]));
  disk.endSync();
  disk.lose();
  assertEquals(disk.open(), { images: new Map(), records: 0, tornBytes: 0 });
  sync(disk, 7);
  assertEquals(read(disk), [7]);
});

Deno.test("Disk: refuses options out of range", () => {
  assertThrows(() => makeDisk({ sync: { minUs: 1.5, maxUs: 2 } }), RangeError, "disk.sync");
  assertThrows(() => makeDisk({ compactBytes: 0 }), RangeError, "disk.compactBytes");
});
