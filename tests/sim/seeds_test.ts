// Every seed that ever failed, and new ones for each scenario.

import { assertEquals } from "@std/assert";
import { parseSeed } from "../../core/random.ts";
import { runScenario } from "../../sim/run.ts";
import { builtInScenarios } from "../../sim/scenarios/registry.ts";
import { Summary } from "../../sim/summary.ts";

const newSeeds = Deno.env.has("OVID_SHORT") ? 100 : 1000;

/** The lines of seeds.txt: scenario, seed, and what it was. */
function readSeeds(text: string): [scenario: string, seed: bigint, what: string][] {
  return text.split("\n").filter((line) => !/^\s*(#|$)/.test(line)).map((line) => {
    const [, scenario = "", seed = "", what = ""] = /^(\S+)\s+(\d+)\s+#\s*(.+)$/.exec(line) ?? [];
    if (what === "") throw new SyntaxError(`Cannot read ${JSON.stringify(line)} of seeds.txt`);
    return [scenario, parseSeed(seed), what];
  });
}

for (
  const [name, seed, what] of readSeeds(
    Deno.readTextFileSync(new URL("./seeds.txt", import.meta.url)),
  )
) {
  Deno.test(`seeds.txt: ${name} ${seed}, once ${what}`, () => {
    const scenario = builtInScenarios.get(name);
    if (scenario === undefined) throw new Error(`There is no scenario ${name}`);
    const { verdict, failure } = runScenario(scenario, seed);
    assertEquals(verdict, "fine", failure);
  });
}

for (const [name, scenario] of builtInScenarios) {
  Deno.test(`${name}: ${newSeeds} new seeds find nothing, and reach what they should`, () => {
    const [first = 0n] = crypto.getRandomValues(new BigUint64Array(1));
    const summary = new Summary(scenario);
    for (let index = 0n; index < newSeeds; index++) {
      const seed = BigInt.asUintN(64, first + index);
      const result = runScenario(scenario, seed);
      summary.add(result);
      assertEquals(
        result.verdict,
        "fine",
        `ovid sim ${name} ${seed}: ${result.failure}\n${result.story?.join("\n")}`,
      );
    }
    // A hundred seeds may miss what is rare.
    if (newSeeds >= 1000) assertEquals(summary.unreached, [], `from seed ${first}`);
  });

  Deno.test(`${name}: the first 20 seeds have the same hash twice`, () => {
    for (let seed = 1n; seed <= 20n; seed++) {
      assertEquals(runScenario(scenario, seed), runScenario(scenario, seed));
    }
  });
}
