// The whole store in a simulated world where everything goes wrong that can: nobody's put is lost once it was
// acknowledged, none is executed twice, and everything asked is answered in the end.

import { assert, assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import type { AgentDefinition } from "../../core/define.ts";
import { plainGrid } from "../../sim/plain_grid.ts";
import { World } from "../../sim/world.ts";
import type { WorldOptions } from "../../sim/world_options.ts";
import { kvsClient } from "./client.ts";
import { kvsReplica } from "./replica.ts";
import { kvsTty } from "./tty.ts";

const seeds = 1000;
const canarySeeds = 60;
const log = "puts.log";
const grid = plainGrid({
  tty1: { type: "kvs_tty", box: "t1", routes: { "1": { client: 1 } } },
  tty2: { type: "kvs_tty", box: "t2", routes: { "1": { client: 1 } } },
  client: {
    type: "kvs_client",
    box: "c",
    attrs: { myid: 7 },
    routes: { "1": { tty1: 1 }, "2": { replica: 1 } },
  },
  replica: { type: "kvs_replica", box: "r", attrs: { log }, routes: { "7": { client: 2 } } },
});

/** What a tty of this number types, and what it must then read. */
function dialogue(number: number, batch: string): [line: string, answer: string][] {
  return [1, 2, 3].flatMap((i): [string, string][] => [
    [`put k${number} ${batch}${i}`, "ok"],
    [`get k${number}`, `${batch}${i}`],
    [`get nobody${number}`, "No such entry"],
  ]);
}

/** Types it, and says whether all of it was answered behind the `seen` lines that were there before. */
function hold(world: World, tty: string, lines: [string, string][]): () => boolean {
  const seen = world.printed(tty).length;
  for (const [line] of lines) world.line(tty, line);
  return () => world.printed(tty).length >= seen + lines.length;
}

/** What went wrong with `seed`, or undefined. */
function trouble(
  seed: number,
  replica: AgentDefinition = kvsReplica,
  options: Partial<WorldOptions> = {},
): { fault: string | undefined; world: World } {
  const world = new World({
    grid,
    definitions: [kvsTty, kvsClient, replica],
    seed: BigInt(seed),
    loss: seed % 3 === 0 ? 0.1 : 0,
    network: {
      latency: { minUs: 100, maxUs: 300_000, heavyTail: seed % 2 === 0 },
      loss: 0.05,
      duplicate: 0.1,
      reorder: 0.1,
    },
    disk: { compactBytes: 256, sync: { minUs: 50, maxUs: 50_000 } },
    ...options,
  });
  world.start();
  const first = hold(world, "tty1", dialogue(1, "a"));
  hold(world, "tty2", dialogue(2, "b"));
  for (const box of ["r", "c", "r", "t2"]) {
    world.runFor(world.random() * 600);
    world.crash(box);
    world.runFor(world.random() * 300);
    world.start(box);
  }
  // The first lines of tty2 died with it, answered or not; those of its next life come after all of them.
  const before = world.printed("tty2").length;
  const second = hold(world, "tty2", dialogue(2, "c"));
  world.runUntil(() => first() && second(), { what: "all answers" });
  return { fault: findFault(world, before), world };
}

function findFault(world: World, before: number): string | undefined {
  const printed = [world.printed("tty1"), world.printed("tty2").slice(before)].map(String);
  const wanted = [dialogue(1, "a"), dialogue(2, "c")]
    .map((lines) => String(lines.map(([, answer]) => answer)));
  if (String(printed) !== String(wanted)) return `printed ${printed}, want ${wanted}`;
  const puts = (world.file("r", log) ?? "").split("\n").map((line) => line.split(" put ")[1]);
  const twice = puts.filter((put, i) => put !== undefined && puts.indexOf(put) !== i);
  return twice.length > 0 ? `executed twice: ${twice}` : undefined;
}

Deno.test(`kvs: over ${seeds} seeds each put is executed once, and none is forgotten`, () => {
  let crashesThatBit = 0;
  let duplicates = 0;
  for (let seed = 0; seed < seeds; seed++) {
    const { fault, world } = trouble(seed);
    assertEquals(fault, undefined, `seed ${seed}\n${world.transcript.lines().join("\n")}`);
    if (world.disk("r").droppedBytes > 0) crashesThatBit++;
    duplicates += world.mail.duplicated;
  }
  assertGreater(crashesThatBit, 5, "faults that never bite prove nothing");
  assertGreater(duplicates, 100);
});

function caught(replica: AgentDefinition, options?: Partial<WorldOptions>): string[] {
  const faults: string[] = [];
  for (let seed = 0; seed < canarySeeds; seed++) {
    const { fault } = trouble(seed, replica, options);
    if (fault !== undefined) faults.push(fault);
  }
  return faults;
}

Deno.test("kvs: a replica that forgets what it has executed is found out", () => {
  const forgetful: AgentDefinition = {
    ...kvsReplica,
    apply: (durable, record) => kvsReplica.apply?.(durable, { ...Object(record), mark: undefined }),
  };
  assertStringIncludes(caught(forgetful).join("\n"), "executed twice");
});

Deno.test("kvs: a disk whose syncs lie is found out", () => {
  assert(caught(kvsReplica, { disk: { syncs: false } }).length > 0);
});

Deno.test("kvs: with a replica that takes text alone, answers that come late are not mixed up", () => {
  const { text = () => undefined } = kvsReplica.on;
  const textual: AgentDefinition = { ...kvsReplica, on: { text } };
  let sent = 0;
  for (let seed = 0; seed < 100; seed++) {
    const world = new World({
      grid,
      definitions: [kvsTty, kvsClient, textual],
      seed: BigInt(seed),
      network: { latency: { minUs: 1000, maxUs: 250_000 }, loss: 0.02 },
    });
    world.start();
    const first = hold(world, "tty1", dialogue(1, "a"));
    const second = hold(world, "tty2", dialogue(2, "b"));
    world.runUntil(() => first() && second(), { withinMs: 300_000, what: "all answers" });
    const printed = [...world.printed("tty1"), ...world.printed("tty2")];
    const wanted = [...dialogue(1, "a"), ...dialogue(2, "b")].map(([, answer]) => answer);
    assertEquals(printed, wanted, `seed ${seed}\n${world.transcript.lines().join("\n")}`);
    sent += (world.file("r", log) ?? "").split("\n").length - 1;
  }
  assertGreater(sent, 700, "without a put that was asked for twice nothing could come late");
});

Deno.test("kvs: a client that lost its disk is not taken for what it was", () => {
  const world = new World({ grid, definitions: [kvsTty, kvsClient, kvsReplica], seed: 1n });
  world.start();
  for (let i = 1; i <= 3; i++) {
    const answered = hold(world, "tty1", [[`put a ${i}`, "ok"], ["get a", String(i)]]);
    world.runUntil(answered);
    for (const box of ["t1", "c"]) {
      world.crash(box);
      world.loseDisk(box);
      world.start(box);
    }
  }
  assertEquals(world.printed("tty1"), ["ok", "1", "ok", "2", "ok", "3"]);
});

Deno.test("kvs: of two replicas the first answer wins, and one alone is enough", () => {
  const two = plainGrid({
    tty: { type: "kvs_tty", box: "t", routes: { "1": { client: 1 } } },
    client: {
      type: "kvs_client",
      box: "t",
      attrs: { myid: 7 },
      routes: { "1": { tty: 1 }, "2": { r1: 1, r2: 1 } },
    },
    r1: { type: "kvs_replica", box: "r1", routes: { "7": { client: 2 } } },
    r2: { type: "kvs_replica", box: "r2", routes: { "7": { client: 2 } } },
  });
  const world = new World({ grid: two, definitions: [kvsTty, kvsClient, kvsReplica], seed: 1n });
  world.start();
  world.runUntil(hold(world, "tty", [["put a 1", "ok"]]));
  world.runFor(100);
  world.crash("r1");
  world.runUntil(hold(world, "tty", [["get a", "1"], ["put a 2", "ok"]]));
  world.start("r1");
  world.crash("r2");
  world.runUntil(hold(world, "tty", [["get a", "1"]]));
  // The second value never reached r1: replicas that only share a client diverge.
  assertEquals(world.printed("tty"), ["ok", "1", "ok", "1"]);
});
