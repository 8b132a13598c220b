// The soak of tests/soak/, which runs by hand, for as long as a test may take; and its canaries, which must fail.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { projectPath } from "./support.ts";

async function soak(...args: readonly string[]): Promise<{ code: number; text: string }> {
  const config = ["--config", projectPath("deno.json")];
  const run = ["run", "--allow-all", "--quiet", "--no-prompt", "--no-check", ...config];
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...run, projectPath("tests", "soak", "soak.ts"), ...args],
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

Deno.test("a grid whose links are cut every second keeps its order, its memory and its word", async () => {
  const { code, text } = await soak("--seconds=6");
  assertEquals(code, 0, text);
  assertStringIncludes(text, "All was well.");
});

const canaries = {
  loss: "numbers were acknowledged, and 0 found",
  disorder: "came out of order, or twice",
  leak: "its heap grew",
};

for (const [canary, violation] of Object.entries(canaries)) {
  Deno.test(`canary: a soak finds out boxes with a ${canary}`, async () => {
    const { code, text } = await soak("--seconds=3", `--canary=${canary}`);
    assertEquals(code, 1, text);
    assertStringIncludes(text, `VIOLATION`);
    assertStringIncludes(text, violation);
  });
}
