import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { projectFiles, ROOT } from "./files.ts";

Deno.test("projectFiles() lists what belongs to the project, in order, and not what tools made", async () => {
  const root = await Deno.makeTempDir();
  try {
    const made = [".git/HEAD", ".ovid/grid/box/journal", "dist/ovid", "tests/master/test_output/a"];
    for (const path of ["b.ts", "a/c.md", ".ci/run", "tests/master/a.input", ...made]) {
      await Deno.mkdir(join(root, path, ".."), { recursive: true });
      await Deno.writeTextFile(join(root, path), "");
    }
    assertEquals(await projectFiles(root), [".ci/run", "a/c.md", "b.ts", "tests/master/a.input"]);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("conclude() prints the problems and fails if there are any", async () => {
  const script = `
    import { conclude } from ${JSON.stringify(new URL("files.ts", import.meta.url).href)};
    conclude(Deno.args);`;
  const run = async (...args: string[]) => {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", script, "--", ...args],
      cwd: ROOT,
    }).output();
    return [code, new TextDecoder().decode(stderr)];
  };
  assertEquals(await run(), [0, ""]);
  assertEquals(await run("one", "two"), [1, "one\ntwo\n"]);
});
