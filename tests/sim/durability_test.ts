// What was acknowledged is never lost, whatever crashes: over thousands of seeds, with the canaries that show that
// the seeds could have found a loss.

import { assert, assertGreater, assertLess } from "@std/assert";
import { World } from "../../sim/world.ts";
import type { WorldOptions } from "../../sim/world_options.ts";
import { counterGrid, definitions } from "./counter_grid.ts";

const seeds = 3000;
const canarySeeds = 100;
const goal = 8;
const clients = 2;
const grid = counterGrid(goal, clients);

interface Outcome {
  readonly lost: boolean;
  readonly world: World;
}

/** Counts to the goal while the counter's box crashes and restarts three times under a lossy network. */
function run(seed: number, options: Partial<WorldOptions> = {}): Outcome {
  const world = new World({
    grid,
    definitions,
    seed: BigInt(seed),
    network: { loss: 0.05, latency: { minUs: 100, maxUs: 5000, heavyTail: seed % 2 === 0 } },
    disk: { compactBytes: 512 },
    transcriptLines: 200,
    ...options,
  });
  let lost = false;
  world.observe((event) => {
    // A client counts on only after an acknowledgement, which the counter has forgotten then.
    if (event.kind === "note" && event.note.event === "gap") lost = true;
  });
  world.start();
  let at = 0;
  for (let crash = 0; crash < 3; crash++) {
    at += 1 + Math.floor(world.random() * 20_000) / 1000;
    world.at(at, () => world.crash("b1"));
    at += 1 + Math.floor(world.random() * 10_000) / 1000;
    world.at(at, () => world.restart("b1"));
  }
  world.runUntil(() => lost || finished(world), { what: "all counts", withinMs: 20_000 });
  return { lost, world };
}

function finished(world: World): boolean {
  for (let i = 1; i <= clients; i++) if (world.printed(`client${i}`).length < goal) return false;
  return true;
}

Deno.test(`World: over ${seeds} seeds nothing acknowledged is lost, and nothing is counted twice`, () => {
  let tornTails = 0;
  let compactions = 0;
  let lostMail = 0;
  let unsent = 0;
  for (let seed = 0; seed < seeds; seed++) {
    const { lost, world } = run(seed);
    assert(
      !lost,
      `seed ${seed} lost an acknowledged count:\n${world.transcript.lines().join("\n")}`,
    );
    tornTails += world.disk("b1").tornTails;
    compactions += world.disk("b1").compactions;
    lostMail += world.mail.lost;
    unsent += world.mail.unsent;
  }
  // Faults that never bite prove nothing.
  assertGreater(tornTails, 100);
  assertGreater(compactions, 100);
  assertGreater(lostMail, 1000);
  assertGreater(unsent, 100);
});

for (
  const [name, options] of [
    ["a disk whose syncs lie", { disk: { syncs: false } }],
    ["a box that sends before it syncs", { sendBeforeSync: true }],
  ] as const
) {
  Deno.test(`World: ${name} is found out within ${canarySeeds} seeds`, () => {
    let seed = 0;
    while (seed < canarySeeds && !run(seed, options).lost) seed++;
    assertLess(seed, canarySeeds, `${name} went unnoticed`);
  });
}
