// The exact cases of Multi-Paxos, and that they notice what they are there for.

import { assertEquals } from "@std/assert";
import { makePaxosReplica } from "../../agents/paxos_chatroom/replica.ts";
import { chatroomRules } from "../../agents/paxos_chatroom/rules.ts";
import { runScenario } from "../../sim/run.ts";
import { paxosCaseOf, paxosCases } from "../../sim/scenarios/paxos_cases.ts";
import { caseScenarios } from "../../sim/scenarios/registry.ts";

const isShort = Deno.env.has("OVID_SHORT");

/** How many commands each case ends with in every dump. */
const totals: Readonly<Record<string, number>> = {
  "paxos-3-normal": 150,
  "paxos-3-pause": 6,
  "paxos-3-pause1": 6,
  "paxos-3-random-delay": 150,
  "paxos-3-random-drop": 150,
  "paxos-3-stress": 9000,
  "paxos-3-one-absent": 4,
  "paxos-5-normal": 250,
  "paxos-5-pause": 10,
  "paxos-5-pause1": 10,
  "paxos-5-pause2": 22,
  "paxos-5-random-delay": 250,
  "paxos-5-random-drop": 250,
  "paxos-5-stress": 10_000,
};

Deno.test("paxosCases are all of them, and can be run by their names", () => {
  assertEquals(paxosCases.map(({ name }) => name), Object.keys(totals));
  for (const scenario of paxosCases) assertEquals(caseScenarios.get(scenario.name), scenario);
});

for (const scenario of paxosCases) {
  const { name } = scenario;
  const isLong = name.endsWith("-stress");
  const seeds = isLong ? 1n : isShort ? 3n : 50n;
  Deno.test({
    name: `${name}: ${totals[name]} commands in all dumps`,
    ignore: isShort && isLong,
    fn() {
      for (let seed = 1n; seed <= seeds; seed++) {
        const { verdict, failure, counters } = runScenario(scenario, seed);
        assertEquals(verdict, "fine", `ovid sim ${name} ${seed}: ${failure}`);
        assertEquals(counters["commands in all dumps"], totals[name]);
      }
    },
  });
}

/** How a case ends with a replica that breaks a rule. */
function verdictOf(nodes: number, name: string, rules: Partial<typeof chatroomRules>): string {
  const replica = makePaxosReplica({ ...chatroomRules, ...rules });
  return runScenario(paxosCaseOf(nodes, name, replica), 1n).verdict;
}

Deno.test("paxos-3-normal notices commands that are never executed", () => {
  assertEquals(verdictOf(3, "normal", { isConsent: () => false }), "liveness");
});

Deno.test("paxos-3-random-drop notices commands that are executed twice", () => {
  assertEquals(verdictOf(3, "random-drop", { judge: () => ({ kind: "fresh" }) }), "safety");
});

Deno.test("paxos-5-pause2 notices replicas that do not catch up", () => {
  assertEquals(verdictOf(5, "pause2", { fitting: () => undefined }), "liveness");
});
