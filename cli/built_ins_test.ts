import { assertEquals } from "@std/assert";
import { builtIns } from "../agents/registry.ts";
import { builtInTypes, loadBuiltIns } from "./built_ins.ts";

Deno.test("loadBuiltIns knows every agent of the registry by its name", async () => {
  assertEquals(builtInTypes, [...builtIns.keys()]);
  const loaded = await loadBuiltIns(builtInTypes);
  assertEquals(loaded.size, builtIns.size);
  for (const [type, definition] of builtIns) assertEquals(loaded.get(type), definition);
});

Deno.test("loadBuiltIns leaves out what is no built-in", async () => {
  const loaded = await loadBuiltIns(["dummy", "./mine.ts", "toString", "dummy"]);
  assertEquals([...loaded.keys()], ["dummy"]);
});
