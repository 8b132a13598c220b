// Logs as JSON lines, which programs can read whatever the box says.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ovid, Workspace } from "./support.ts";

Deno.test("ovid box --log-format json: every line on standard error is an object, of each box", async () => {
  using workspace = new Workspace().copy("examples", "kvs");
  const grid = workspace.file("grid.json");
  const { code, stdout, stderr } = await ovid(["box", grid, "--log-format", "json", "--debug"], {
    stdin: "put a 1\n",
  });
  assertEquals([code, stdout], [0, "ok\n"], stderr);
  const lines = stderr.trim().split("\n").map((line) => JSON.parse(line));
  for (const { time, level, box, text } of lines) {
    assertEquals(new Date(time).toISOString(), time);
    assertEquals([typeof level, typeof box, typeof text], ["string", "string", "string"]);
  }
  assertEquals(new Set(lines.map(({ box }) => box)).size, 2);
  assert(lines.some(({ text }) => text.startsWith("up, seed")));
});

Deno.test("ovid box --log-format: is text by default, and neither anything else", async () => {
  using workspace = new Workspace().copy("examples", "kvs");
  const grid = workspace.file("grid.json");
  const refused = await ovid(["box", grid, "--log-format", "xml"]);
  assertEquals(refused.code, 2);
  assertStringIncludes(refused.stderr, "want text or json");
  const plain = await ovid(["box", grid], { stdin: "get a\n" });
  assertStringIncludes(plain.stderr, " | info up, seed");
});
