// .ci/run against an npx that says what the test wants, in a folder of its own: nothing is downloaded or run.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { ROOT } from "./files.ts";

/** What npx prints, and how it exits, for the static checks and for the tests. */
interface Runs {
  readonly checks?: readonly [output: string, code: number];
  readonly tests: readonly [output: string, code: number];
  /** The tests never end. */
  readonly hang?: boolean;
}

const FINE = "ok        0.4 s  lint\nok: 1 steps in 1 s\n";

async function runCi(
  { checks = [FINE, 0], tests, hang = false }: Runs,
): Promise<{ code: number; out: string }> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(join(folder, ".ci"));
    await Deno.copyFile(join(ROOT, ".ci/run"), join(folder, ".ci/run"));
    await Deno.writeTextFile(join(folder, "checks.txt"), checks[0]);
    await Deno.writeTextFile(join(folder, "tests.txt"), tests[0]);
    const npx = `#!/bin/sh
      case "$*" in
        "-y deno@2.9.5 task ok --static") cat checks.txt; exit ${checks[1]} ;;
        "-y deno@2.9.5 task test") sleep 1000 & cat tests.txt; ${hang ? "wait;" : ""} exit ${
      tests[1]
    } ;;
      esac
      echo "unexpected: $*"; exit 1`;
    await Deno.writeTextFile(join(folder, "npx"), npx, { mode: 0o755 });
    const { code, stdout } = await new Deno.Command(join(folder, ".ci/run"), {
      env: { PATH: `${folder}:${Deno.env.get("PATH")}`, OVID_CI_SECONDS: hang ? "1" : "1000" },
    }).output();
    return { code, out: new TextDecoder().decode(stdout) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The exit code and the last line. */
async function verdict(runs: Runs): Promise<[code: number, line: string | undefined]> {
  const { code, out } = await runCi(runs);
  return [code, out.trimEnd().split("\n").at(-1)];
}

Deno.test(".ci/run shows everything, counts the tests, and waits for no process left behind", async () => {
  const { code, out } = await runCi({
    tests: ["a ... ok\n\nok | 12 passed | 0 failed (3s)\n\n", 0],
  });
  assertEquals(code, 0);
  assertStringIncludes(out, FINE);
  assertStringIncludes(out, "a ... ok\n");
  assertEquals(out.endsWith("\n12 passed, 0 failed\n"), true);
});

Deno.test(".ci/run reads totals with steps, ignored tests, and the last of several", async () => {
  const steps = "FAILED | 4 passed (2 steps) | 3 failed (1 step) | 1 ignored (294ms)\n";
  assertEquals(await verdict({ tests: [steps, 1] }), [1, "4 passed, 3 failed"]);
  const inner = "ok | 99 passed | 0 failed (1s)\nok | 2 passed (1 step) | 0 failed (1s)\n";
  assertEquals(await verdict({ tests: [inner, 0] }), [0, "2 passed, 0 failed"]);
});

Deno.test(".ci/run counts each failed check, or one if the checks could not run", async () => {
  const tests = ["ok | 5 passed | 0 failed (1s)\n", 0] as const;
  const two =
    "FAILED    0.4 s  lint\nok   1.0 s  fmt\nFAILED   12.0 s  check\nFAILED: lint, check, of 3\n";
  assertEquals(await verdict({ checks: [two, 1], tests }), [1, "5 passed, 2 failed"]);
  assertEquals(await verdict({ checks: ["npm error\n", 1], tests }), [1, "5 passed, 1 failed"]);
});

Deno.test(".ci/run never succeeds without tests", async () => {
  assertEquals(await verdict({ tests: ["", 0] }), [1, "0 passed, 1 failed"]);
  assertEquals(await verdict({ tests: ["error: Type checking failed.\n", 1] }), [
    1,
    "0 passed, 1 failed",
  ]);
  assertEquals(await verdict({ tests: ["ok | 0 passed | 0 failed (1s)\n", 0] }), [
    1,
    "0 passed, 1 failed",
  ]);
  assertEquals(await verdict({ tests: ["ok | 7 passed | 0 failed (1s)\n", 1] }), [
    1,
    "7 passed, 1 failed",
  ]);
});

Deno.test(".ci/run ends tests that hang, behind the name of the one that does", async () => {
  const { code, out } = await runCi({ tests: ["a ... ok\nb ...", 0], hang: true });
  assertEquals(code, 1);
  assertEquals(out.trimEnd().split("\n").slice(-3), [
    "a ... ok",
    "b ...ended: it took longer than 1 s",
    "0 passed, 1 failed",
  ]);
});
