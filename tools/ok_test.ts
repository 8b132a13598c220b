import { assertEquals, assertMatch } from "@std/assert";
import { type Outcome, runSteps, type Step } from "./ok.ts";

function step(name: string): Step {
  return { name, args: [] };
}

async function gate(outcomes: Readonly<Record<string, Outcome>>, stepsMax: number) {
  const lines: string[] = [];
  let [running, most] = [0, 0];
  const failed = await runSteps(Object.keys(outcomes).map(step), {
    stepsMax,
    print: (line) => lines.push(line),
    run: async ({ name }) => {
      most = Math.max(most, ++running);
      await Promise.resolve();
      running--;
      return outcomes[name] ?? { success: false, output: "" };
    },
  });
  return { failed, lines, most };
}

const FINE: Outcome = { success: true, output: "chatter" };

Deno.test("runSteps() prints a line for each step, and what failed steps said", async () => {
  const broken = { success: false, output: "a.ts:1: wrong\na.ts:2: wrong\n" };
  const { failed, lines } = await gate({ fmt: FINE, lint: broken, tidy: FINE }, 1);
  assertEquals(failed, ["lint"]);
  assertEquals(lines.length, 4);
  assertMatch(lines[0] ?? "", /^ok +\d+\.\d s {2}fmt$/);
  assertMatch(lines[1] ?? "", /^FAILED +\d+\.\d s {2}lint$/);
  assertEquals(lines[2], "    a.ts:1: wrong\n    a.ts:2: wrong");
  assertMatch(lines[3] ?? "", /^ok +\d+\.\d s {2}tidy$/);
});

Deno.test("runSteps() leaves out of a failure which tests passed", async () => {
  const output = [
    "running 2 tests from ./a_test.ts",
    "a ... ok (2ms)",
    "\x1b[0mb ... \x1b[0m\x1b[32mok\x1b[0m \x1b[90m(54µs)\x1b[0m",
    "c ... FAILED (1m2s)",
    "c => ./a_test.ts:1:6",
    "FAILED | 2 passed | 1 failed (3ms)",
  ].join("\n");
  const { lines } = await gate({ test: { success: false, output } }, 1);
  assertEquals(lines[1]?.split("\n").map((line) => line.trim()), output.split("\n").slice(3));
});

Deno.test("runSteps() runs as many steps at a time as it may, and no more", async () => {
  const all = { a: FINE, b: FINE, c: FINE, d: FINE, e: FINE };
  for (const stepsMax of [1, 2, 5]) assertEquals((await gate(all, stepsMax)).most, stepsMax);
  assertEquals(await gate({}, 2), { failed: [], lines: [], most: 0 });
});
