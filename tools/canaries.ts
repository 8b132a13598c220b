// Counts in how many fresh seeds each canary is caught, as the Markdown tables of docs/canaries.md: seeds that nobody
// looked at when the faults were tuned.
//
//   deno run -A tools/canaries.ts [--seeds N] [--from SEED] [PROTOCOL ...]

import { parseArgs } from "@std/cli/parse-args";
import { parseSeed } from "../core/random.ts";
import { runScenario } from "../sim/run.ts";
import type { Scenario } from "../sim/scenario.ts";
import { leaseCanariesOf } from "../tests/sim/canaries/lease.ts";
import { paxosCanaries } from "../tests/sim/canaries/paxos.ts";
import { gobbyCanaries } from "../tests/sim/canaries/gobby.ts";
import { vrCanaries } from "../tests/sim/canaries/vr.ts";

interface Canary {
  readonly name: string;
  readonly scenario: Scenario;
}

const protocols: ReadonlyMap<string, readonly Canary[]> = new Map([
  ["vr", vrCanaries],
  ["lease", leaseCanariesOf(false)],
  ["paxos", paxosCanaries],
  ["gobby", gobbyCanaries],
]);

/** What came of one canary, as a row. */
function countRow({ name, scenario }: Canary, from: bigint, seeds: number): string {
  let caught = 0;
  let first: number | undefined;
  for (let index = 0; index < seeds; index++) {
    const seed = BigInt.asUintN(64, from + BigInt(index));
    if (runScenario(scenario, seed, { brief: true }).verdict === "fine") continue;
    caught++;
    first ??= index + 1;
  }
  return `| ${name} | ${caught} | ${first ?? "never"} |`;
}

const { _: names, seeds = "2000", from = "1000000" } = parseArgs(Deno.args, {
  string: ["seeds", "from"],
});
for (const name of names.length === 0 ? protocols.keys() : names.map(String)) {
  const canaries = protocols.get(name);
  if (canaries === undefined) {
    throw new RangeError(`Cannot count ${name}, want one of ${[...protocols.keys()].join(", ")}`);
  }
  console.log(`| broken rule of ${name} | caught in, of ${seeds} seeds | first caught by |`);
  console.log("| --- | --- | --- |");
  for (const canary of canaries) {
    console.log(countRow(canary, parseSeed(from), Number(seeds)));
  }
}
