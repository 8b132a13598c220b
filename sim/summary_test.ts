import { assertEquals, assertThrows } from "@std/assert";
import type { Result } from "./run.ts";
import { defineScenario, type Seldom } from "./scenario.ts";
import { plainGrid } from "./plain_grid.ts";
import { runsToReach, sometimesRunsMin, Summary } from "./summary.ts";

function scenarioOf(sometimes: readonly (string | Seldom)[]) {
  return defineScenario({
    name: "nothing",
    doc: "Does nothing.",
    sizes: {},
    grid: () => plainGrid({ a: { type: "dummy", box: "b" } }),
    definitions: [],
    play: () => ({ committed: () => 1, done: () => true }),
    sometimes,
  });
}

function summaryOf(sometimes: readonly (string | Seldom)[], runs: number, reached = ""): Summary {
  const summary = new Summary(scenarioOf(sometimes));
  for (let seed = 1; seed <= runs; seed++) {
    const counters = seed === 1 && reached !== "" ? { [reached]: 1 } : {};
    const result = { verdict: "fine", events: 1, virtualMs: 1, hash: "0", counters };
    summary.add({ seed: String(seed), ...result } as Result);
  }
  return summary;
}

Deno.test("Summary asks for a mark when the batch is large enough for how rare it is", () => {
  assertEquals([sometimesRunsMin, runsToReach(0.5), runsToReach(0.01)], [100, 20, 1328]);
  assertEquals(summaryOf(["a"], 99).isVacuous, false);
  assertEquals(summaryOf(["a"], 100).isVacuous, true);
  assertEquals(summaryOf(["a"], 100, "a").isVacuous, false);
  const rare = { mark: "a", share: 0.1 };
  assertEquals(summaryOf([rare], 126).isVacuous, false);
  assertEquals(summaryOf([rare], 127).isVacuous, true);
  assertEquals(summaryOf([rare, "b"], 100, "b").unreached, [{ mark: "a", runsMin: 127 }]);
});

Deno.test("Summary knows which faults are rare", () => {
  assertEquals(summaryOf(["fault.tornTail", "fault.fullDisk"], 100).isVacuous, false);
  assertEquals(summaryOf(["fault.tornTail"], 2000).isVacuous, true);
});

Deno.test("defineScenario() refuses a share that is none", () => {
  for (const share of [0, 1, -0.1, NaN]) {
    assertThrows(() => scenarioOf([{ mark: "a", share }]), TypeError, "want a share above 0");
  }
});
