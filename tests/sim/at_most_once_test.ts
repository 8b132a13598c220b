// Whoever executes a request twice is found out by what was executed, also where nobody looks at the history.

import { assertMatch } from "@std/assert";
import { runScenario } from "../../sim/run.ts";
import type { Scenario } from "../../sim/scenario.ts";
import { kvsCanaries } from "./canaries/kvs.ts";
import { vrCanaries } from "./canaries/vr.ts";

const seeds = 50;

/** The scenario without its model, so that no history is explained. */
function withoutModel(scenario: Scenario): Scenario {
  return {
    ...scenario,
    play(stage) {
      const { model: _, ...play } = scenario.play(stage);
      return play;
    },
  };
}

const canaries = [
  ...kvsCanaries.filter(({ name }) => name === "a store that forgets what it executed"),
  ...vrCanaries.filter(({ name }) => name === "a client table that forgets the request"),
];

if (canaries.length !== 2) throw new Error("A canary of at-most-once is gone");

for (const { name, scenario } of canaries) {
  Deno.test(`at most once: ${name} is found out within ${seeds} seeds`, () => {
    for (let seed = 1; seed <= seeds; seed++) {
      const { verdict, failure = "" } = runScenario(withoutModel(scenario), BigInt(seed));
      if (verdict === "fine") continue;
      return assertMatch(failure, /was executed twice, as \d+ and \d+ of all$/);
    }
    throw new Error(`${name} went unnoticed in ${seeds} seeds`);
  });
}
