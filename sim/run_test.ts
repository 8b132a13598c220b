// Runs of small scenarios that are right or wrong in one way each.

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { keeper, speaker } from "../tests/sim/keeper_grid.ts";
import { plainGrid } from "./plain_grid.ts";
import { makePlan } from "./plan.ts";
import { runScenario } from "./run.ts";
import { defineScenario, type Play, type Scenario, type Stage } from "./scenario.ts";
import { shrink } from "./shrink.ts";
import { faultNames } from "../core/config/fault_kinds.ts";

type Sizes = "words" | "listeners";

function makeScenario(
  play: (stage: Stage<Sizes>) => Play,
  options: Partial<Scenario<Sizes>> = {},
): Scenario {
  return defineScenario<Sizes>({
    name: "words",
    doc: "A speaker says words.",
    sizes: { words: [2, 20], listeners: [1, 4] },
    grid: ({ listeners }) => {
      const keepers = Array.from({ length: listeners }, (_, index) => `keeper${index}`);
      return plainGrid({
        speaker: { type: "speaker", box: "b", routes: { keepers } },
        ...Object.fromEntries(
          keepers.map((id) => [id, { type: "keeper", box: `box_${id}` }]),
        ),
      });
    },
    definitions: [keeper, speaker],
    livenessMs: 500,
    safetyMs: [50, 100],
    play,
    ...options,
  });
}

const fine: Play = { committed: () => 1, done: () => true };

Deno.test("runScenario(): each way to end has its verdict", () => {
  const cases: [Partial<Play>, string, string | undefined][] = [
    [{}, "fine", undefined],
    [{ committed: () => 0 }, "liveness", "Nothing was ever answered"],
    [{ done: () => false }, "liveness", "Waited 500 virtual ms in vain for all answers"],
    [{ converged: () => false }, "liveness", "for all boxes to agree"],
    [
      {
        conclude: () => {
          throw new Error("no");
        },
      },
      "safety",
      "Error: no",
    ],
  ];
  for (const [play, verdict, words] of cases) {
    const result = runScenario(makeScenario(() => ({ ...fine, ...play })), 1n);
    assertEquals(result.verdict, verdict, result.failure);
    assertEquals(result.failure === undefined, words === undefined);
    if (words !== undefined) assertStringIncludes(result.failure ?? "", words);
  }
});

Deno.test("runScenario(): violated() ends the run at once, in an observer as well", () => {
  const scenario = makeScenario(({ world, violated }) => {
    world.observe((event) => {
      if (event.kind === "start") violated("a box has started");
    });
    return fine;
  });
  const { verdict, failure, story } = runScenario(scenario, 1n);
  assertEquals([verdict, failure], ["safety", "a box has started"]);
  assert(story !== undefined && story.length > 0);
});

Deno.test("runScenario(): once the faults are over the core is up, connected, and left alone", () => {
  for (let seed = 1n; seed <= 60n; seed++) {
    let over = Infinity;
    const scenario = makeScenario(({ world }) => {
      world.observe((event) => {
        if (world.now <= over) return;
        assert(event.kind !== "crash" && event.kind !== "cut" && event.kind !== "pause");
        if (event.kind === "mail") {
          assert(event.fate === "delivered" || event.sentAtUs <= 1000 * over);
        }
      });
      return {
        ...fine,
        done: () => world.now > over + 200,
        healed: () => over = world.now,
        conclude() {
          for (const box of world.grid.boxes) assert(world.isUp(box) && !world.isPaused(box));
        },
      };
    });
    const { verdict, failure } = runScenario(scenario, seed);
    assertEquals(verdict, "fine", `seed ${seed}: ${failure}`);
  }
});

Deno.test("makePlan(): refuses sizes that the scenario does not have", () => {
  const scenario = makeScenario(() => fine);
  const wrong = (sizes: Record<string, number>) => () => makePlan(scenario, 1n, { sizes });
  assertThrows(wrong({ cats: 1 }), RangeError, "want one of words, listeners");
  for (const words of [1, 21, 2.5]) assertThrows(wrong({ words }), RangeError, "want 2 to 20");
  for (const words of [2, 20]) {
    assertEquals(makePlan(scenario, 1n, { sizes: { words } }).sizes.words, words);
  }
});

Deno.test("makePlan(): steps keep their numbers when others are left out", () => {
  const scenario = makeScenario(() => fine);
  for (let seed = 1n; seed < 50n; seed++) {
    const all = makePlan(scenario, seed).schedule;
    const some = makePlan(scenario, seed, { without: ["kill"], steps: [1, 3] }).schedule;
    assertEquals(
      some,
      all.filter(({ id, act }) => (id === 1 || id === 3) && act.kind !== "kill"),
    );
    assertEquals(makePlan(scenario, seed, { without: faultNames }).schedule, []);
  }
});

Deno.test("shrink(): leaves what a failure needs, and nothing else", () => {
  // Fails if there are seven words or more, and somebody was killed.
  const scenario = makeScenario(({ world, sizes, violated }) => {
    world.observe((event) => {
      if (event.kind === "crash" && sizes.words >= 7) violated("killed");
    });
    return { ...fine, done: () => world.now > 120 };
  }, {
    spares: faultNames.filter((kind) => kind !== "kill" && kind !== "loss" && kind !== "pause"),
  });
  let shrunk = 0;
  for (let seed = 1n; seed < 40n; seed++) {
    if (runScenario(scenario, seed).verdict === "fine") {
      assertThrows(() => shrink(scenario, seed), RangeError, "it does not fail");
      continue;
    }
    const options = { seedsMax: 20 };
    const { seed: told, changes, result } = shrink(scenario, seed, {}, options);
    const plan = makePlan(scenario, told, changes);
    assertEquals(result.verdict, "safety");
    assertEquals(plan.weather.faults, ["kill"]);
    assertEquals(plan.schedule.map(({ act }) => act.kind), ["kill"]);
    assertEquals(plan.sizes.words, 7);
    assertEquals(runScenario(scenario, told, { changes }), result);
    shrunk++;
  }
  assert(shrunk > 5);
});

Deno.test("defineScenario(): refuses what contradicts itself", () => {
  const wrong: [Partial<Scenario<Sizes>>, string][] = [
    [{ name: "two words" }, "name is not a name"],
    [{ doc: "" }, "doc is empty"],
    [{ sizes: { words: [3, 2], listeners: [1, 1] } }, "sizes.words is not a range"],
  ];
  for (const [options, words] of wrong) {
    assertThrows(() => makeScenario(() => fine, options), TypeError, words);
  }
});
