import { assertEquals, assertStringIncludes } from "@std/assert";
import { dummy } from "../agents/dummy.ts";
import { listPlugins, loadTypes } from "./loader.ts";
import { Folder, pluginText } from "./test_support.ts";

const builtIns = new Map([["dummy", dummy]]);

Deno.test("loadTypes() finds built-ins, listed plugins, files of plugin folders, and paths", async () => {
  using folder = new Folder();
  folder.write("lib/one.ts", pluginText("one"));
  folder.write("plugins/two.js", pluginText("two"));
  folder.write("three.ts", pluginText("three"));
  using other = new Folder();
  const outside = other.write("four.ts", pluginText("four"));
  const names = folder.names(["dummy", "first", "two", "./three.ts", "four", outside, "none"], {
    first: "lib/one.ts",
  });
  const { types, errors } = await loadTypes(names, { builtIns, pluginFolders: [other.path] });
  assertEquals([...errors], []);
  assertEquals([...types].map(([name, { definition }]) => `${name} ${definition.type}`), [
    "dummy dummy",
    "first one",
    "two two",
    "./three.ts three",
    "four four",
    `${outside} four`,
  ]);
});

Deno.test("loadTypes() refuses a path outside the grid's folder unless a plugin folder was named", async () => {
  using folder = new Folder();
  using other = new Folder();
  const outside = other.write("evil.ts", "throw new Error('it ran');");
  const { types, errors } = await loadTypes(folder.names([outside, "../evil.ts"]), { builtIns });
  assertEquals(types.size, 0);
  for (const why of errors.values()) assertStringIncludes(why, "outside the grid's folder");
  assertEquals(errors.size, 2);
});

Deno.test("loadTypes() refuses a plugin with a built-in's name", async () => {
  using folder = new Folder();
  folder.write("mine.ts", pluginText("mine"));
  const { errors } = await loadTypes(folder.names(["dummy"], { dummy: "mine.ts" }), { builtIns });
  assertStringIncludes(errors.get("dummy") ?? "", "name of a built-in");
});

Deno.test("loadTypes() says which file is wrong, and what it should be", async () => {
  using folder = new Folder();
  const cases: Record<string, [text: string, words: string]> = {
    "syntax.ts": ["export default {{", "syntax.ts"],
    "throws.ts": ["throw new Error('as it loads')", "as it loads"],
    "empty.ts": ["export const x = 1;", "has no default export"],
    "number.ts": ["export default 1;", "default export is a number"],
    "shape.ts": ["export default { type: 'a b' };", "type is not a name without white space"],
  };
  for (const [name, [text]] of Object.entries(cases)) folder.write(name, text);
  const { errors } = await loadTypes(folder.names(["missing.ts", ...Object.keys(cases)]), {
    builtIns,
  });
  for (const [name, [, words]] of Object.entries(cases)) {
    assertStringIncludes(errors.get(name) ?? "", words);
  }
  assertStringIncludes(errors.get("missing.ts") ?? "", "missing.ts");
});

Deno.test("loadTypes() runs no plugin when told not to", async () => {
  using folder = new Folder();
  folder.write("loud.ts", "throw new Error('it ran');");
  const { errors } = await loadTypes(folder.names(["loud.ts"]), { builtIns, plugins: false });
  assertStringIncludes(errors.get("loud.ts") ?? "", "not to be run");
});

Deno.test("listPlugins() lists files that could be types, tests aside", async () => {
  using folder = new Folder();
  folder.write("plugins/one.ts", "");
  folder.write("plugins/one_test.ts", "");
  folder.write("plugins/notes.md", "");
  const found = await listPlugins(folder.names([], { two: "x/two.ts" }), { builtIns });
  assertEquals([...found.keys()], ["two", "one"]);
});
