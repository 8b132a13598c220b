// Every seed that ever failed, and new ones for each scenario: twenty in the gate, and otherwise as many as all
// processors can run in 15 s.

import { assertEquals } from "@std/assert";
import { selfCommand } from "../../cli/self.ts";
import { parseSeed } from "../../core/random.ts";
import { runScenario } from "../../sim/run.ts";
import { builtInScenarios } from "../../sim/scenarios/registry.ts";

const isShort = Deno.env.has("OVID_SHORT");
const newSeeds = 20;
const seconds = 15;
const seedsTwice = isShort ? 10 : 50;

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
  Deno.test({
    name: `${name}: ${newSeeds} new seeds find nothing`,
    ignore: !isShort,
    fn() {
      const [first = 0n] = crypto.getRandomValues(new BigUint64Array(1));
      for (let index = 0n; index < newSeeds; index++) {
        const seed = BigInt.asUintN(64, first + index);
        const { verdict, failure, story } = runScenario(scenario, seed);
        assertEquals(verdict, "fine", `ovid sim ${name} ${seed}: ${failure}\n${story?.join("\n")}`);
      }
    },
  });

  Deno.test({
    name: `${name}: ${seconds} s of new seeds find nothing, and reach what they should`,
    ignore: isShort,
    async fn() {
      const { command, args } = selfCommand(["sim", name, "--seconds", String(seconds)]);
      const output = await new Deno.Command(command, { args, stdin: "null" }).output();
      const text = new TextDecoder().decode(output.stdout) +
        new TextDecoder().decode(output.stderr);
      // Last, where whoever sees only the end of a log finds them: the commands that repeat the failures.
      const again = text.match(/^ {2}ovid sim .*$/gm) ?? [];
      assertEquals(output.code, 0, [text, ...new Set(again)].join("\n"));
    },
  });

  Deno.test(`${name}: the first ${seedsTwice} seeds have the same hash twice`, () => {
    for (let seed = 1n; seed <= seedsTwice; seed++) {
      assertEquals(runScenario(scenario, seed), runScenario(scenario, seed));
    }
  });
}
