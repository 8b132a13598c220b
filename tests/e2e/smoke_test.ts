// The one test of real processes in the gate: the main job answers, and keeps what it was told.

import { assertEquals } from "@std/assert";
import { ovid, Workspace } from "./support.ts";

Deno.test("ovid box runs the key-value grid, answers piped lines in order, and keeps its data", async () => {
  using workspace = new Workspace().copy("examples", "kvs");
  const grid = workspace.file("grid.json");
  const first = await ovid(["box", grid], { stdin: "put a 1\nget a\nget nope\n" });
  assertEquals([first.stdout, first.code], ["ok\n1\nNo such entry\n", 0], first.stderr);
  const second = await ovid(["box", grid], { stdin: "get a\n" });
  assertEquals([second.stdout, second.code], ["1\n", 0], second.stderr);
});
