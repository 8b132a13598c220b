// The key-value grid under a replica that crashes in the midst of its writes and a network that loses mail: every
// answer is the right one, no acknowledged put is lost, and each put is executed once.

import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { kvsClient } from "../../agents/kvs/client.ts";
import { kvsReplica } from "../../agents/kvs/replica.ts";
import { kvsTty } from "../../agents/kvs/tty.ts";
import type { AgentDefinition } from "../../core/define.ts";
import { randomInteger } from "../../core/random.ts";
import { plainGrid } from "../../sim/plain_grid.ts";
import { World } from "../../sim/world.ts";
import type { WorldOptions } from "../../sim/world_options.ts";

const seeds = 3000;
const canarySeeds = 100;
const commands = 12;

const grid = plainGrid({
  tty: { type: "kvs_tty", box: "b1", routes: { "1": { client: 1 } } },
  client: {
    type: "kvs_client",
    box: "b1",
    attrs: { myid: "200" },
    routes: { "1": { tty: 1 }, "2": { replica: 1 } },
  },
  replica: {
    type: "kvs_replica",
    box: "b2",
    attrs: { log: "puts.log" },
    routes: { "200": { client: 2 } },
  },
});

/** The replica, with a durable list of the values that it was ever given. */
const watchedReplica: AgentDefinition = {
  ...kvsReplica,
  durable: (attrs) => Object.assign(Object(kvsReplica.durable?.(attrs)), { executed: [] }),
  apply(durable, record) {
    kvsReplica.apply?.(durable, record);
    Reflect.get(Object(durable), "executed").push(Reflect.get(Object(record), "value"));
  },
};

/** A replica that does not remember which puts it has executed. */
const forgetfulReplica: AgentDefinition = {
  ...watchedReplica,
  apply(durable, record) {
    watchedReplica.apply?.(durable, record);
    Reflect.get(Object(durable), "lastPuts").clear();
  },
};

interface Story {
  readonly world: World;
  readonly crashes: number;
  /** What should have been printed and was executed, and what was. */
  readonly want: readonly [answers: string[], executed: string[]];
  readonly found: readonly [answers: readonly string[], executed: unknown];
}

function run(seed: number, options: Partial<WorldOptions> = {}): Story {
  const world = new World({
    grid,
    definitions: [kvsTty, kvsClient, watchedReplica],
    seed: BigInt(seed),
    loss: 0.02,
    network: { loss: 0.05, duplicate: seed % 4 === 0 ? 0.1 : 0, reorder: seed % 4 === 1 ? 0.2 : 0 },
    disk: { compactBytes: 400, sync: { minUs: 50, maxUs: 5000, heavyTail: seed % 2 === 0 } },
    transcriptLines: 100,
    ...options,
  });
  let crashes = 0;
  world.observe((event) => {
    if (event.kind !== "append" || event.box !== "b2" || world.random() > 0.3) return;
    // Some crash before the sync, some after it, some when the answer is on its way.
    world.at(world.now + randomInteger(world.random, 0, 3000) / 1000, () => {
      if (!world.isUp("b2")) return;
      crashes++;
      world.crash("b2");
      const restart = world.now + randomInteger(world.random, 0, 600);
      world.at(restart, () => world.restart("b2"));
    });
  });
  world.start();
  const want = type(world);
  world.runUntil(() => world.printed("tty").length === commands && world.isUp("b2"), {
    what: "all answers",
    withinMs: 600_000,
  });
  const state = world.inspect("replica")?.state ?? {};
  const executed = Reflect.get(Reflect.get(state, "durable"), "executed");
  return { world, crashes, want, found: [world.printed("tty"), executed] };
}

/** Types a script, and says what a store that never fails would answer and execute. */
function type(world: World): [answers: string[], executed: string[]] {
  const store = new Map<string, string>();
  const answers: string[] = [];
  const executed: string[] = [];
  for (let i = 0; i < commands; i++) {
    const key = `key${randomInteger(world.random, 1, 3)}`;
    if (world.random() < 0.6) {
      const value = `value ${i}`;
      world.line("tty", `put ${key} ${value}`);
      store.set(key, value);
      executed.push(value);
      answers.push("ok");
    } else {
      world.line("tty", `get ${key}`);
      answers.push(store.get(key) ?? "No such entry");
    }
  }
  return [answers, executed];
}

Deno.test(`kvs: over ${seeds} seeds with crashes and losses every answer is right, and each put is executed once`, () => {
  let [crashes, lost, recovered, compactions] = [0, 0, 0, 0];
  for (let seed = 0; seed < seeds; seed++) {
    const { world, want, found, ...story } = run(seed);
    assertEquals(found, want, `seed ${seed}:\n${world.transcript.lines().join("\n")}`);
    crashes += story.crashes;
    lost += world.mail.lost;
    recovered += world.disk("b2").droppedBytes > 0 ? 1 : 0;
    compactions += world.disk("b2").compactions;
  }
  // Faults that never bite prove nothing.
  assertGreater(crashes, seeds);
  assertGreater(lost, seeds);
  assertGreater(recovered, seeds / 10);
  assertGreater(compactions, seeds / 10);
});

for (
  const [name, options] of [
    ["a disk whose syncs lie", { disk: { syncs: false } }],
    ["a box that sends before it syncs", { sendBeforeSync: true }],
    ["a replica that forgets what it executed", {
      definitions: [kvsTty, kvsClient, forgetfulReplica],
    }],
  ] as const
) {
  Deno.test(`kvs: ${name} is found out within ${canarySeeds} seeds`, () => {
    let seed = 0;
    for (; seed < canarySeeds; seed++) {
      const { want, found } = run(seed, options);
      if (JSON.stringify(found) !== JSON.stringify(want)) break;
    }
    assertLess(seed, canarySeeds, `${name} went unnoticed`);
  });
}
