// What is broken on purpose is found out, or the simulator is worth nothing.

import { assert, assertEquals } from "@std/assert";
import { checkDeterminism } from "../../sim/determinism.ts";
import { runScenario } from "../../sim/run.ts";
import { gobbyCanaries } from "./canaries/gobby.ts";
import { kvsCanaries } from "./canaries/kvs.ts";
import { leaseCanariesOf } from "./canaries/lease.ts";
import { paxosCanaries } from "./canaries/paxos.ts";
import { paxosChatroomCanaries } from "./canaries/paxos_chatroom.ts";
import { vrCanaries } from "./canaries/vr.ts";

const short = Deno.env.has("OVID_SHORT");

/** Within so many seeds each mistake must be found. */
const seeds = 2000;

/** What a short run has no time for: mistakes that are found in one of hundreds of seeds. */
const rare: ReadonlySet<string> = new Set([
  "a log chosen by its length alone",
  "a lease read without the lease",
  "a recovered view that forgets the own vote",
  "a replaced disk that passes for the old one",
  "decisions that are said once",
  "decisions taken wherever they begin",
  "a refusal of an earlier ballot taken for consent to this one",
  "pvalues merged without regard to their ballots",
  "pvalues of which the first stays",
  "what was accepted in any ballot taken for decided",
  "a release that frees a later lease",
  "a session counted from the answer",
  "a session that takes clocks for right",
  "two more servers that vote for the lease at once",
]);

for (const { name, scenario, verdict } of kvsCanaries) {
  Deno.test(`kvs canary: ${name} is found out`, () => {
    for (let seed = 1; seed <= 200; seed++) {
      const run = verdict === "determinism" ? checkDeterminism : runScenario;
      const result = run(scenario, BigInt(seed));
      if (result.verdict === "fine") continue;
      assertEquals(result.verdict, verdict, result.failure);
      if (verdict === "determinism") assert(result.failure?.endsWith('by agent "store"'));
      return;
    }
    throw new Error(`${name} went unnoticed in 200 seeds`);
  });
}

const canaries = [
  ...vrCanaries,
  ...leaseCanariesOf(false),
  ...paxosCanaries,
  ...paxosChatroomCanaries,
  ...gobbyCanaries,
];

for (const { name, scenario } of canaries) {
  Deno.test({
    name: `${scenario.name} canary: ${name} is found out within ${seeds} seeds`,
    ignore: short && rare.has(name),
    fn() {
      for (let seed = 1; seed <= seeds; seed++) {
        if (runScenario(scenario, BigInt(seed)).verdict !== "fine") return;
      }
      throw new Error(`${name} went unnoticed in ${seeds} seeds`);
    },
  });
}
