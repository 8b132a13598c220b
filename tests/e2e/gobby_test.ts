// Gobby on real processes: the library, the commands, kills of the master under load, and programs that are asleep when
// their session ends.

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import type { GobbyEvent } from "../../agents/gobby/machine_types.ts";
import { GobbyClient } from "../../client/gobby.ts";
import { RefusedError } from "../../client/gobby_error.ts";
import { OperationError } from "../../client/group_client.ts";
import { GobbyBoxes, leaseMs, roundMs } from "./gobby_support.ts";
import { bundleClient, runOnNode } from "./node_support.ts";
import { eventually, ovid, Running } from "./support.ts";

Deno.test("GobbyClient puts, swaps and watches on real boxes, over a kill -9 of the master", async () => {
  await using boxes = new GobbyBoxes().startAll();
  await using gobby = boxes.client({ deadlineMs: 30_000 });
  const { revision } = await gobby.put("a", "1");
  using watch = gobby.watch({ kind: "key", key: "a" }, { from: 1 });
  assertEquals(await gobby.cas("a", revision - 1, "2"), undefined);
  assertEquals((await gobby.cas("a", revision, "2"))?.version, 2);
  const { master } = await gobby.status();
  await boxes.kill(master);
  await gobby.put("a", "3");
  assertEquals((await gobby.get("a"))?.value, "3");
  assert((await gobby.status()).master !== master, "another server is the master");
  const values: string[] = [];
  for await (const event of watch) {
    if (event.kind === "keyStored" && values.push(event.entry.value) === 3) break;
  }
  assertEquals(values, ["1", "2", "3"]);
});

Deno.test("ovid gobby puts, gets, swaps, lists, watches, saves and restores", async () => {
  await using boxes = new GobbyBoxes().startAll();
  const put = await boxes.run(["put", "colour", "blue", "--timeout", "30000"]);
  assertEquals(put.code, 0, put.stderr);
  assertEquals(put.stdout, "stored\n");
  assertEquals((await boxes.run(["get", "colour"])).stdout, "blue\n");
  const entry = JSON.parse((await boxes.run(["get", "colour", "--json"])).stdout);
  const revision: number = entry.modifyRevision;
  const stale = await boxes.run(["cas", "colour", `${revision + 1}`, "red"]);
  assertEquals([stale.stdout, stale.code], ["the key has another revision\n", 1]);
  assertEquals(entry.value, "blue");

  const talk = await boxes.run(
    [],
    `put "with space" 'it''s' \nrange ''\nget nothing\nsing\nstatus\n`,
  );
  assertEquals(talk.code, 1);
  assertStringIncludes(talk.stdout, `colour blue  (revision ${revision})\n"with space" its  (`);
  assertStringIncludes(talk.stdout, "no such key\nmaster    s");
  assertStringIncludes(talk.stderr, "Unknown command sing");
  const watched = await boxes.run(["watch", "colour", "--from", "1", "--count", "1", "--json"]);
  assertEquals(JSON.parse(watched.stdout).entry.value, "blue");

  const file = boxes.workspace.file("keys.jsonl");
  assertStringIncludes((await boxes.run(["snapshot", file])).stdout, "2 keys as of revision ");
  assertEquals((await boxes.run(["delete", "colour"])).stdout, "deleted\n");
  const refused = await boxes.run(["restore", file]);
  assertEquals(refused.code, 1);
  assertStringIncludes(refused.stderr, "the store has 1 keys; --force puts");
  const restored = await boxes.run(["restore", file, "--force"]);
  assertEquals(restored.stdout, "2 keys put, 0 of sessions left out\n");
  assertEquals((await boxes.run(["get", "colour"])).stdout, "blue\n");
});

Deno.test("what is old is read from one server alone, with how old it is", async () => {
  await using boxes = new GobbyBoxes().startAll();
  await using gobby = boxes.client({ deadlineMs: 30_000 });
  const { revision } = await gobby.put("a", "1");
  const { master } = await gobby.status();
  const [one = "", ...others] = Object.keys(boxes.servers).filter((server) => server !== master);
  await using alone = new GobbyClient({ servers: { [one]: boxes.servers[one] ?? "" } });
  await eventually("the one that will be left to know how old it is", async () => {
    const asked = alone.get("a", { stale: true, deadlineMs: 1000 });
    return (await asked.catch(() => undefined))?.entry !== undefined;
  }, 30_000);
  const killedAt = performance.now();
  for (const server of [master, ...others]) await boxes.kill(server);
  const read = await boxes.run(["get", "a", "--stale", "--json", "--timeout", "20000"]);
  assertEquals(read.code, 0, read.stderr);
  const found = JSON.parse(read.stdout);
  assertEquals([found.entry.value, found.revision >= revision], ["1", true]);
  // It was up to date not long before.
  const sinceMs = performance.now() - killedAt;
  assert(
    found.ageMs > 0 && found.ageMs <= sinceMs + 30_000,
    `it is ${found.ageMs} ms old ${sinceMs} ms after the others were killed`,
  );
  const shown = await boxes.run(["range", "a", "--stale", "--timeout", "20000"]);
  assertStringIncludes(shown.stdout, "ms old at most)");
  const fresh = await boxes.run(["get", "a", "--timeout", "1000"]);
  assertEquals(fresh.code, 1, fresh.stdout);
});

Deno.test("ovid gobby says what is wrong with how it is called, or that nobody answers", async () => {
  await using boxes = new GobbyBoxes();
  for (
    const args of [["sing"], ["put", "a"], ["cas", "a", "x", "b"], ["get", "a", "--timeout", "0"]]
  ) assertEquals((await boxes.run(args)).code, 2, args.join(" "));
  assertEquals((await ovid(["gobby", "examples/kvs/grid.json", "get", "a"])).code, 3);
  const silent = await boxes.run(["put", "a", "1", "--timeout", "300"]);
  assertEquals(silent.code, 1);
  assertStringIncludes(silent.stderr, "the operation did not happen");
});

Deno.test("ovid gobby lock and elect run a command with the lock's token, and pass its exit code", async () => {
  await using boxes = new GobbyBoxes().startAll();
  await using gobby = boxes.client({ deadlineMs: 30_000 });
  await gobby.put("a", "1");
  const script = "echo $OVID_LOCK $OVID_TOKEN; exit 7";
  const done = await boxes.run(["lock", "jobs", "--", "sh", "-c", script]);
  assertEquals(done.code, 7, done.stderr);
  assert(Number(/^jobs (\d+)\n$/.exec(done.stdout)?.[1]) > 0, done.stdout);
  const none = await boxes.run(["lock", "jobs", "--", "no_such_program"]);
  assertEquals(none.code, 2);
  assertStringIncludes(none.stderr, 'Cannot run "no_such_program": there is no such program');
  await using lock = await gobby.lock("jobs", { waitMs: 0 });
  const busy = await boxes.run(["lock", "jobs", "--wait", "0", "--", "echo", "no"]);
  assertEquals([busy.stdout, busy.code], ["", 1]);
  assertStringIncludes(busy.stderr, `held under token ${lock.token}`);

  const args = ["gobby", boxes.grid, "elect", "boss", "--", "sleep", "600"];
  await using leader = new Running(args);
  const value = await eventually("a leader", async () => (await gobby.get("boss"))?.value, 30_000);
  assertStringIncludes(value, `:${leader.process.pid}`);
  leader.kill("SIGTERM");
  assertEquals((await leader.end()).code, 143, leader.stderr);
  assertEquals(await gobby.get("boss"), undefined);
});

Deno.test("the command under a lock is stopped when the lock is in doubt", async () => {
  await using boxes = new GobbyBoxes().startAll();
  await using gobby = boxes.client({ deadlineMs: 30_000 });
  await gobby.put("a", "1");
  // One that ends when it is told to, and one that does not listen.
  const polite = "trap 'echo told; exit 0' TERM; echo begun; while :; do sleep 0.1; done";
  const stubborn = "trap '' TERM; echo begun; while :; do sleep 0.1; done";
  const hold = (key: string, script: string) =>
    new Running(
      ["gobby", boxes.grid, "lock", key, "--session", "2000", "--", "sh", "-c", script],
    );
  await using first = hold("l1", polite);
  await using second = hold("l2", stubborn);
  for (const each of [first, second]) {
    await eventually("its command", () => each.stdout.includes("begun"), 30_000);
  }
  for (const server of Object.keys(boxes.servers)) await boxes.kill(server);
  assertEquals([(await first.end()).code, first.stdout], [1, "begun\ntold\n"], first.stderr);
  assertStringIncludes(first.stderr, 'lock "l1" is not safe');
  assertEquals([(await second.end()).code, second.stdout], [137, "begun\n"], second.stderr);
});

Deno.test("GobbyClient, bundled, works from Node", async () => {
  await using boxes = new GobbyBoxes().startAll();
  await bundleClient(boxes.workspace);
  const { code, stdout, stderr } = await runOnNode(
    boxes.workspace,
    `
    import { GobbyClient } from "./client.mjs";
    const servers = ${JSON.stringify(boxes.servers)};
    const gobby = new GobbyClient({ servers, deadlineMs: 30_000 });
    const lock = await gobby.lock("l");
    await gobby.put("from", "node", { fence: lock });
    for await (const event of gobby.watch({ kind: "key", key: "from" }, { from: 1 })) {
      console.log(event.kind, event.entry.value, event.revision > lock.token);
      break;
    }
    const place = await gobby.semaphore("s", 1);
    await place.release();
    await lock.release();
    await gobby.close();
  `,
  );
  assertEquals([stdout, code], ["keyStored node true\n", 0], stderr);
});

// What a program that is put to sleep does when it wakes up: it writes at once, with the token that it has.
const sleeper = `
  import { GobbyClient } from "ovid/client";
  const [servers, ...fence] = Deno.args;
  await using gobby = new GobbyClient({ servers: JSON.parse(servers), sessionTtlMs: 1000 });
  const lock = await gobby.lock("l");
  for (let count = 0; true; count++) {
    try {
      await gobby.put("k", "sleeper " + count, { fence: lock });
      if (count === 0) console.log("token " + lock.token);
    } catch (error) {
      console.log(error.refusal?.why ?? error.message, lock.signal.reason?.state);
      break;
    }
  }
`;

Deno.test("a program that slept past its session does not write with its old token", async () => {
  await using boxes = new GobbyBoxes().startAll();
  await using gobby = boxes.client({ deadlineMs: 30_000 });
  await gobby.put("a", "1");
  const program = boxes.workspace.file("sleeper.ts");
  await Deno.writeTextFile(program, sleeper);
  await using asleep = Running.program(program, [JSON.stringify(boxes.servers)]);
  await eventually("its first write", () => asleep.stdout.includes("token "), 30_000);
  asleep.kill("SIGSTOP");
  // Only when its session has ended somebody else gets the lock.
  await using lock = await gobby.lock("l", { waitMs: 30_000 });
  const token = Number(/token (\d+)/.exec(asleep.stdout)?.[1]);
  assert(lock.token > token, "the token of the next holder is larger");
  const { revision } = await gobby.put("k", "ours", { fence: lock });
  asleep.kill("SIGCONT");
  assertEquals((await asleep.end()).code, 0, asleep.stderr);
  assertStringIncludes(asleep.stdout, "fenced lost\n");
  assertEquals((await gobby.get("k"))?.modifyRevision, revision);
  await assertRejects(() => gobby.put("k", "old", { fence: { key: "l", token } }), RefusedError);
});

/** For how long masters are killed, in seconds. The acceptance takes 120. */
const seconds = Number(Deno.env.get("OVID_GOBBY_SECONDS") ?? "20");
const counterClients = 10;

/** What clients that increase a number under a lock have come to. */
interface Tally {
  /** Increments that were answered, and those of which nobody knows. */
  done: number;
  unknown: number;
  /** Refused since the lock had gone. */
  fenced: number;
  readonly doneAt: number[];
}

/** Increases a number that is guarded by nothing but the lock and its tokens. */
async function increase(boxes: GobbyBoxes, tally: Tally, goesOn: () => boolean): Promise<void> {
  await using gobby = boxes.client({ sessionTtlMs: 5000, deadlineMs: 30_000 });
  while (goesOn()) {
    try {
      await using lock = await gobby.lock("counter/lock", { waitMs: 30_000 });
      const before = Number((await gobby.get("counter"))?.value ?? "0");
      await gobby.put("counter", `${before + 1}`, { fence: lock });
      tally.done++;
      tally.doneAt.push(performance.now());
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      if (error instanceof RefusedError && error.refusal.why === "fenced") tally.fenced++;
      // Of a put or of anything else: the total may then be larger by one.
      else if (!error.certain) tally.unknown++;
    }
  }
}

/** Watches all that happens until the key `end` is put. */
async function watchAll(boxes: GobbyBoxes): Promise<GobbyEvent[]> {
  await using gobby = boxes.client({ deadlineMs: 30_000 });
  using watch = gobby.watch({ kind: "all" }, { from: 1 });
  const seen: GobbyEvent[] = [];
  for await (const event of watch) {
    seen.push(event);
    if (event.kind === "keyStored" && event.entry.key === "end") break;
  }
  return seen;
}

Deno.test(`kill -9 of the master for ${seconds} s: a number under a lock is exact, a watcher misses nothing`, async () => {
  await using boxes = new GobbyBoxes().startAll();
  await using gobby = boxes.client({ deadlineMs: 30_000 });
  await gobby.put("counter", "0");
  const tally: Tally = { done: 0, unknown: 0, fenced: 0, doneAt: [] };
  const endAt = performance.now() + 1000 * seconds;
  const goesOn = () => performance.now() < endAt;
  const watching = watchAll(boxes);
  const working = Promise.all(
    Array.from({ length: counterClients }, () => increase(boxes, tally, goesOn)),
  );
  const outages: number[] = [];
  const gaps: number[] = [];
  while (goesOn()) {
    await moreDone(tally, 30, goesOn, "before a kill");
    const { master } = await gobby.status();
    gaps.push(longestGap(tally.doneAt.slice(-30)));
    const killedAt = performance.now();
    await boxes.kill(master);
    await moreDone(tally, 5, () => true, "after a kill");
    const since = tally.doneAt.filter((at) => at >= killedAt).slice(0, 5);
    outages.push(longestGap([killedAt, ...since]));
    boxes.start(master);
    // It takes no part for a whole lease; and not every kill is to meet a group of two.
    await eventually("it to be back", () => boxes.isUp(master), 30_000);
    await moreDone(tally, 30, goesOn, "after a start");
  }
  await working;
  const total = Number((await gobby.get("counter"))?.value);
  const end = await gobby.put("end", "of it");
  const seen = await watching;
  const most = Math.max(...outages);
  console.log(
    `${tally.done} increments, ${tally.unknown} unknown, ${tally.fenced} fenced, ${seen.length} events; without ` +
      `service after each of ${outages.length} kills: median ${
        medianOf(outages).toFixed(0)
      } ms, most ` +
      `${most.toFixed(0)} ms, lease and two rounds being ${
        leaseMs + 2 * roundMs
      } ms; between increments ` +
      `otherwise: median ${medianOf(gaps).toFixed(0)} ms`,
  );
  // However slow the machine is, so much was done before and after each kill.
  const least = 35 * outages.length;
  assert(least > 0 && tally.done >= least, "masters were killed, and work was done");
  assert(
    total >= tally.done && total <= tally.done + tally.unknown,
    `the number is ${total}, want ${tally.done} or up to ${tally.unknown} more`,
  );
  checkEvents(seen, end.revision, total);
  // Twice that, for a machine that has more to do.
  const wanted = 2 * (leaseMs + 2 * roundMs);
  assert(medianOf(outages) <= wanted, `a kill costs ${medianOf(outages)} ms, want ${wanted}`);
});

/** Every revision once, in order, without a gap; and the number grew by one each time. */
function checkEvents(seen: readonly GobbyEvent[], end: number, total: number): void {
  let revision = 0;
  let value = 0;
  for (const event of seen) {
    assert(
      event.revision === revision || event.revision === revision + 1,
      `revision ${event.revision} comes after ${revision}`,
    );
    if (event.kind === "keyStored" && event.entry.key === "counter" && event.entry.version > 1) {
      assertEquals(Number(event.entry.value), ++value, "each increment adds one");
      assert(event.revision > revision, "no event comes twice");
    }
    revision = event.revision;
  }
  const texts = new Set(seen.map((event) => JSON.stringify(event)));
  assertEquals([revision, value, texts.size], [end, total, seen.length]);
}

Deno.test("checkEvents() notices an event that is missing, comes twice, or is of a lost increment", () => {
  const counted = (revision: number, value: number): GobbyEvent => ({
    kind: "keyStored",
    revision,
    entry: {
      ...{ key: "counter", value: `${value}`, createRevision: 1, modifyRevision: revision },
      ...{ version: value + 1, session: null, ttlMs: null },
    },
  });
  const [zero, one, two] = [counted(1, 0), counted(2, 1), counted(3, 2)] as const;
  checkEvents([zero, one, two], 3, 2);
  for (
    const wrong of [
      [zero, two],
      [zero, one, one, two],
      [zero, two, one],
      [zero, one, counted(3, 1)],
      [zero, one],
    ]
  ) assertThrows(() => checkEvents(wrong, 3, 2));
});

async function moreDone(
  tally: Tally,
  count: number,
  goesOn: () => boolean,
  when: string,
): Promise<void> {
  const before = tally.doneAt.length;
  await eventually(
    `increments ${when}`,
    () => tally.doneAt.length >= before + count || !goesOn(),
    30_000,
  );
}

/** The longest time between two of these moments. */
function longestGap(moments: readonly number[]): number {
  return Math.max(...moments.map((at, index) => at - (moments[index - 1] ?? at)));
}

function medianOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Infinity;
}
