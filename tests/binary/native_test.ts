// The tests of the executable once more, on one that `deno compile` has made: wherever its base can be had, by download
// or from DENORT_BIN.

import { assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl, join } from "@std/path";

const folder = await Deno.makeTempDir({ prefix: "ovid-native-" });
const root = fromFileUrl(new URL("../../", import.meta.url));
/** How long a download may take, and all tests of the executable. */
const runMsMax = 900_000;

async function runDeno(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: root,
    env: { NO_COLOR: "1", ...env },
    signal: AbortSignal.timeout(runMsMax),
  }).output();
  const decoder = new TextDecoder();
  return { success, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

/** Whether a program of one line can be compiled here, and runs. */
async function isBaseHere(): Promise<boolean> {
  const source = join(folder, "hello.js");
  const out = join(folder, "hello");
  await Deno.writeTextFile(source, `console.log("hello", Deno.build.standalone);`);
  const { success } = await runDeno(["compile", "--quiet", "--no-config", "--output", out, source]);
  if (!success) return false;
  const { stdout } = await new Deno.Command(out).output();
  return new TextDecoder().decode(stdout) === "hello true\n";
}

Deno.test({
  name: "an executable that deno compile has made passes the tests of one that unpacks itself",
  ignore: !await isBaseHere(),
  async fn() {
    const binary = join(folder, "ovid");
    const made = await runDeno(["task", "--quiet", "compile", "--out", binary]);
    assertMatch(made.text, /, made by deno compile\n$/);
    const tests = ["test", "-A", "tests/binary/binary_test.ts"];
    const { success, text } = await runDeno(tests, { OVID_BINARY: binary });
    assertEquals(success, true, text);
  },
});

Deno.test.afterAll(() => Deno.remove(folder, { recursive: true }));
