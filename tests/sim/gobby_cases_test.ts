// The exact cases of Gobby, and that they notice what they are there for.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { type GobbyRules, gobbyRules } from "../../agents/gobby/rules.ts";
import { runScenario } from "../../sim/run.ts";
import { gobbyCaseOf, gobbyCases } from "../../sim/scenarios/gobby_cases.ts";
import { caseScenarios } from "../../sim/scenarios/registry.ts";

const isShort = Deno.env.has("OVID_SHORT");

Deno.test("caseScenarios has every case of Gobby", () => {
  assertEquals([...caseScenarios.keys()].filter((name) => name.startsWith("gobby-")), [
    "gobby-1s1c",
    "gobby-3s1c",
    "gobby-3s3c-normal",
    "gobby-3s3c-delay",
    "gobby-3s3c-drop",
    "gobby-5s10c-normal",
    "gobby-5s10c-drop",
  ]);
});

for (const scenario of gobbyCases) {
  // Those of ten clients have tens of thousands of events each.
  const seeds = isShort ? 2n : scenario.name.includes("5s") ? 10n : 50n;
  Deno.test(`${scenario.name}: ${seeds} seeds, all fine`, () => {
    for (let seed = 1n; seed <= seeds; seed++) {
      const { verdict, failure } = runScenario(scenario, seed);
      assertEquals(verdict, "fine", `ovid sim ${scenario.name} ${seed}: ${failure}`);
    }
  });
}

/** How a case ends with a rule that is broken, in the first seed in which it does not end well. */
function failureOf(name: string, broken: Partial<GobbyRules>): string {
  const scenario = gobbyCaseOf(name, { ...gobbyRules, ...broken });
  for (let seed = 1n; seed <= 20n; seed++) {
    const { verdict, failure = "" } = runScenario(scenario, seed);
    if (verdict !== "fine") return `${verdict}: ${failure}`;
  }
  return "fine";
}

Deno.test("gobby-3s3c-drop notices a request that is carried out twice", () => {
  const remember: GobbyRules["remember"] = (clients, mark, result) =>
    gobbyRules.remember(clients, { ...mark, request: mark.request - 1 }, result);
  assertStringIncludes(failureOf("3s3c-drop", { remember }), "safety: counter1 goes from");
});

Deno.test("gobby-1s1c notices a token that is not the lock's, and a watch that tells nothing", () => {
  assertStringIncludes(failureOf("1s1c", { tokenOf: (_token, now) => Math.floor(now) }), "safety");
  assertStringIncludes(failureOf("1s1c", { isNews: () => false }), "liveness");
});
