// The gate: every static check and the quick tests, side by side, a line for each step. `--static` leaves out the
// tests. Tests of simulation and of properties draw fewer cases where OVID_SHORT is set, as it is here.

import { join, toFileUrl } from "@std/path";
import { projectFiles, ROOT } from "./files.ts";

/** A step of the gate: a name, and the arguments for deno. */
export interface Step {
  readonly name: string;
  readonly args: readonly string[];
}

/** How a step went. */
export interface Outcome {
  readonly success: boolean;
  readonly output: string;
}

// Deno's lines on tests that passed would hide those on the ones that did not.
const PASSED = /^(.*running \d+ tests? from .*|.* \.\.\. .*ok.*\([\d.]+m?.?s\).*)\n/gm;

/** How {@linkcode runSteps} runs a step, how many at a time, and where it prints. */
export interface RunOptions {
  readonly stepsMax: number;
  readonly run: (step: Step) => Promise<Outcome>;
  readonly print: (line: string) => void;
}

const CHECKS: readonly Step[] = [
  { name: "lint", args: ["lint"] },
  { name: "fmt", args: ["fmt", "--check"] },
  { name: "layers", args: ["run", "-A", "tools/layers.ts"] },
  { name: "docs", args: ["run", "-A", "tools/docs.ts"] },
  { name: "tidy", args: ["run", "-A", "tools/tidy.ts"] },
];

// One group runs in one process, and its files as one module: each file by itself loads all that it stands on anew,
// which takes longer than most of the tests. `deno task test` runs them apart. Types are left to `check`.
const TESTS: Readonly<Record<string, readonly string[]>> = {
  "sim tests": ["tests/sim"],
  "unit tests": [
    ...["core", "agents", "transport", "box", "sim", "master", "client", "cli", "std", "tools"],
    "examples",
  ],
  "golden and property tests": ["tests/golden", "tests/property"],
  "smoke test": ["tests/e2e/smoke_test.ts"],
};

/** Checks the types of all sources, and of the code in doc comments and in Markdown. */
async function checkStep(): Promise<Step> {
  const pages = (await projectFiles(ROOT)).filter((path) => /^(?!tests\/).*\.md$/.test(path));
  return { name: "check", args: ["check", "--quiet", "--doc", ".", ...pages] };
}

/** @param folder Where the modules are written that import the tests. */
async function testSteps(folder: string): Promise<Step[]> {
  const tests = (await projectFiles(ROOT)).filter((path) => path.endsWith("_test.ts"));
  return await Promise.all(
    Object.entries(TESTS).map(async ([name, paths]) => {
      const own = tests.filter((test) =>
        paths.some((path) => test === path || test.startsWith(`${path}/`))
      );
      const module = join(folder, `${name.replaceAll(" ", "_")}_test.ts`);
      const imports = own.map((test) => `import ${JSON.stringify(toFileUrl(join(ROOT, test)))};\n`);
      await Deno.writeTextFile(module, imports.join(""));
      return {
        name,
        args: ["test", "-A", "--no-check", "--config", join(ROOT, "deno.json"), module],
      };
    }),
  );
}

/**
 * Runs the steps in their order, a few at a time, and prints each as it ends, with what it said if it failed.
 *
 * @returns the names of the steps that failed.
 */
export async function runSteps(steps: readonly Step[], options: RunOptions): Promise<string[]> {
  const { stepsMax, run, print } = options;
  const waiting = [...steps];
  const failed: string[] = [];
  async function work(): Promise<void> {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
      const start = performance.now();
      const { success, output } = await run(step);
      const seconds = ((performance.now() - start) / 1000).toFixed(1).padStart(6);
      print(`${success ? "ok    " : "FAILED"} ${seconds} s  ${step.name}`);
      if (success) continue;
      failed.push(step.name);
      print(output.replaceAll(PASSED, "").trimEnd().replaceAll(/^/gm, "    "));
    }
  }
  await Promise.all(Array.from({ length: stepsMax }, work));
  return failed;
}

async function runDeno(step: Step, signal: AbortSignal): Promise<Outcome> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...step.args],
    cwd: ROOT,
    env: { OVID_SHORT: "1", ...(Deno.stdout.isTerminal() ? {} : { NO_COLOR: "1" }) },
    stdin: "null",
    signal,
  }).output();
  const decoder = new TextDecoder();
  return { success, output: decoder.decode(stdout) + decoder.decode(stderr) };
}

if (import.meta.main) {
  const start = performance.now();
  const stop = new AbortController();
  Deno.addSignalListener("SIGTERM", () => stop.abort());
  const checks = [await checkStep(), ...CHECKS];
  const folder = await Deno.makeTempDir({ prefix: "ovid-ok-" });
  const tests = Deno.args.includes("--static") ? [] : await testSteps(folder);
  const steps = [...checks, ...tests];
  const failed = await runSteps(steps, {
    stepsMax: Math.min(4, navigator.hardwareConcurrency),
    run: (step) => runDeno(step, stop.signal),
    print: console.log,
  }).finally(() => Deno.remove(folder, { recursive: true }));
  const seconds = Math.round((performance.now() - start) / 1000);
  const count = `${steps.length} steps in ${seconds} s`;
  console.log(failed.length === 0 ? `ok: ${count}` : `FAILED: ${failed.join(", ")}, of ${count}`);
  if (failed.length > 0) Deno.exitCode = 1;
}
