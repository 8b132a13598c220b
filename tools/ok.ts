// The gate: every static check and the quick tests, side by side, a line for each step. `--static` leaves out the
// tests. Tests of simulation and of properties draw fewer cases where OVID_SHORT is set, as it is here.

import { join } from "@std/path";
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

// One group runs in one process. Types are left to `check`.
const TESTS: Readonly<Record<string, readonly string[]>> = {
  "sim tests": ["tests/sim"],
  "unit tests": [
    ...["core", "agents", "transport", "box", "sim", "master", "client", "web", "cli", "std"],
    ...["tools", "examples"],
  ],
  "golden and property tests": ["tests/golden", "tests/property"],
  "smoke test": ["tests/e2e/smoke_test.ts"],
};

/** Checks the types of all sources, and of the code in doc comments and in Markdown. */
async function checkStep(): Promise<Step> {
  const pages = (await projectFiles(ROOT)).filter((path) => /^(?!tests\/).*\.md$/.test(path));
  return { name: "check", args: ["check", "--quiet", "--doc", ".", ...pages] };
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(join(ROOT, path)).then(() => true, () => false);
}

async function testSteps(): Promise<Step[]> {
  const steps: Step[] = [];
  for (const [name, paths] of Object.entries(TESTS)) {
    const present: string[] = [];
    for (const path of paths) if (await exists(path)) present.push(path);
    if (present.length === 0) continue;
    steps.push({ name, args: ["test", "-A", "--no-check", "--permit-no-files", ...present] });
  }
  return steps;
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
  const steps = [...checks, ...Deno.args.includes("--static") ? [] : await testSteps()];
  const failed = await runSteps(steps, {
    stepsMax: Math.min(4, navigator.hardwareConcurrency),
    run: (step) => runDeno(step, stop.signal),
    print: console.log,
  });
  const seconds = Math.round((performance.now() - start) / 1000);
  const count = `${steps.length} steps in ${seconds} s`;
  console.log(failed.length === 0 ? `ok: ${count}` : `FAILED: ${failed.join(", ")}, of ${count}`);
  if (failed.length > 0) Deno.exitCode = 1;
}
