// Gobby on real processes: the library, the commands, kills of the master under load, and programs that are asleep when
// their session ends.

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { RefusedError } from "../../client/gobby_error.ts";
import { GobbyBoxes } from "./gobby_support.ts";
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
  assertStringIncludes(put.stdout, "stored at revision ");
  const revision = Number(put.stdout.match(/\d+/)?.[0]);
  assertEquals((await boxes.run(["get", "colour"])).stdout, "blue\n");
  const stale = await boxes.run(["cas", "colour", `${revision + 1}`, "red"]);
  assertEquals([stale.stdout, stale.code], ["the key has another revision\n", 1]);
  const entry = JSON.parse((await boxes.run(["get", "colour", "--json"])).stdout);
  assertEquals([entry.value, entry.modifyRevision], ["blue", revision]);

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
