// What the program says to a word that it does not know: the nearest that it does; and that it runs no code of plugins
// where it is told so.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { ovid, Workspace } from "./support.ts";

const misspelt: readonly [args: readonly string[], suggestion: string][] = [
  [["chek"], "did you mean check"],
  [["help", "grph"], "did you mean graph"],
  [["box", "--dbug"], "did you mean --debug"],
  [["box", "examples/kvs/grid.json", "127.0.0.1:500"], "did you mean 127.0.0.1:5000"],
  [["box", "examples/kvs/grid.json", "--attach", "10"], "did you mean 100"],
  [["box", "examples/kvs/grid.json", "--attach", "200"], "did you mean 100"],
  [["sim", "pxos"], "did you mean paxos"],
  [["sim", "vr", "--without", "los"], "did you mean loss"],
  [["explore", "lese"], "did you mean lease"],
  [["agents", "kvs_replca"], "did you mean kvs_replica"],
  [["vr", "sever"], "did you mean server"],
  [["completions", "fis"], "did you mean fish"],
  [["trace", "examples/gobby/grid.json", "--agent", "r11"], "did you mean r1"],
  [["new", "agnt", "x"], "did you mean agent"],
];

for (const [args, suggestion] of misspelt) {
  Deno.test(`ovid ${args.join(" ")}: ${suggestion}?`, async () => {
    const { code, stderr } = await ovid(args);
    assertEquals(code, 2, stderr);
    assertStringIncludes(stderr, suggestion);
  });
}

Deno.test("a word that is near to nothing gets all there is", async () => {
  const { code, stderr } = await ovid(["completions", "powershell"]);
  assertEquals([code, stderr], [
    2,
    "ovid: Unknown shell powershell, want one of bash, zsh, fish\n",
  ]);
});

Deno.test("--no-plugins runs no code of a grid, and judges what can be judged without", async () => {
  using workspace = new Workspace().copy("examples", "own_agent");
  const [grid, plugin] = [workspace.file("grid.json"), workspace.file("tally.ts")];
  await Deno.writeTextFile(plugin, 'console.error("I run"); throw new Error("and fall");\n');
  const commands = [["check", grid], ["agents", "--grid", grid], ["check", "--schema", grid]];
  for (const args of commands) {
    const loaded = await ovid(args);
    assertStringIncludes(loaded.stderr, "I run", args.join(" "));
    const { code, stderr } = await ovid([...args, "--no-plugins"]);
    assertEquals([code, stderr], [0, ""], args.join(" "));
  }
  // Drawing one and tracing one never needs any.
  assertEquals((await ovid(["graph", grid])).stderr, "");
  await Deno.writeTextFile(
    grid,
    (await Deno.readTextFile(grid)).replace('"./tally.ts"', '"tally"'),
  );
  const unknown = await ovid(["check", grid, "--no-plugins"]);
  assertEquals(unknown.code, 3);
  assertStringIncludes(unknown.stderr, 'is "tally", want one of');
});
