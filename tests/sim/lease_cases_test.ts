// The exact cases of a lease, and that they notice what they are there for.

import { assertEquals } from "@std/assert";
import { makeLeaseNode } from "../../agents/lease/node.ts";
import { leaseRules } from "../../agents/lease/rules.ts";
import { runScenario } from "../../sim/run.ts";
import { leaseCaseOf, leaseCases } from "../../sim/scenarios/lease_cases.ts";
import { caseScenarios } from "../../sim/scenarios/registry.ts";

const seeds = Deno.env.has("OVID_SHORT") ? 10n : 200n;

Deno.test("caseScenarios has every case of three, five and seven nodes", () => {
  assertEquals([...caseScenarios.keys()].filter((name) => name.startsWith("lease-3")), [
    "lease-3-normal",
    "lease-3-kill",
    "lease-3-restart",
    "lease-3-drop",
  ]);
  assertEquals(leaseCases.length, 12);
});

for (const scenario of leaseCases) {
  const { name } = scenario;
  Deno.test(`${name}: ${seeds} seeds, all fine`, () => {
    for (let seed = 1n; seed <= seeds; seed++) {
      const { verdict, failure } = runScenario(scenario, seed);
      assertEquals(verdict, "fine", `ovid sim ${name} ${seed}: ${failure}`);
    }
  });
}

/** How a case ends with a node that breaks a rule. */
function verdictOf(name: string, rules: Partial<typeof leaseRules>): string {
  const node = makeLeaseNode({ ...leaseRules, ...rules });
  return runScenario(leaseCaseOf(3, name, node), 1n).verdict;
}

Deno.test("lease-3-normal notices a lease that nobody can get, and one that nobody keeps", () => {
  assertEquals(verdictOf("normal", { mayAccept: () => false }), "liveness");
  assertEquals(verdictOf("normal", { countedMs: (leaseMs) => leaseMs / 4 }), "safety");
});

Deno.test("lease-3-kill notices a lease that outlives its owner", () => {
  const acceptedUntil = (now: number, leaseMs: number) => now + 10 * leaseMs;
  assertEquals(verdictOf("kill", { acceptedUntil }), "liveness");
});

Deno.test("lease-3-restart notices one that never votes again", () => {
  // The three nodes have started by then.
  let starts = 0;
  const firstVoteAt = (startedAt: number, maxLeaseMs: number) =>
    ++starts > 3 ? Infinity : startedAt + maxLeaseMs;
  assertEquals(verdictOf("restart", { firstVoteAt }), "liveness");
});
