// Plugins as their authors see them: what they throw is told by their own files, bundled or not, and what a bundle
// may hold.

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { agentId } from "../core/id.ts";
import { BundleError, bundlePlugin } from "./plugin_bundle.ts";
import { loadPlugin } from "./plugin_load.ts";
import { Folder, pluginText } from "./test_support.ts";

/** The bundler's own process is told to stop, and ends a moment after the test: only it may be left behind. */
const bundling = { sanitizeOps: false, sanitizeResources: false };

function test(name: string, fn: (t: Deno.TestContext) => Promise<void>): void {
  Deno.test({ ...bundling, name, fn });
}

const throwing = `// A comment, and a type, which no bundle keeps.
interface Nothing { readonly x: number }
import { defineAgent } from "ovid";
import { z } from "zod";
import { oops } from "./lib/oops.ts";
export default defineAgent({
  type: "own", version: 1, doc: "Throws.", attrs: z.object({}), protocol: {}, on: {},
  init(): object {
    const nothing: Nothing = { x: 1 };
    return oops(nothing.x);
  },
});
`;
const oops = `export function oops(x: number): never {
  throw new Error("oops " + x);
}
`;

for (const bundled of [false, true]) {
  const how = bundled ? "a bundled plugin" : "a plugin";

  test(`what ${how} throws is told by its own files, lines and columns`, async () => {
    using folder = new Folder();
    const file = folder.write("own.ts", throwing);
    const helper = folder.write("lib/oops.ts", oops);
    const { definition, source } = await loadPlugin(file, { bundled });
    let words = "";
    try {
      definition.init({}, agentId("a"));
    } catch (error) {
      words = source.describe(error);
    }
    assertStringIncludes(words, `${helper}:2:9: Error: oops 1\n`);
    assertStringIncludes(words, `file://${file}:10:12)`);
    assert(!words.includes("blob:"), words);
  });

  test(`an error as ${how} is loaded names file, line and column`, async () => {
    using folder = new Folder();
    folder.write("lib/oops.ts", oops);
    const helper = folder.write("lib/syntax.ts", "\nlet x = {{;\n");
    const cases: [text: string, place: string][] = [
      ["\nlet x = {{;", ":2:10"],
      ["\n\n  throw new Error('as it loads');", ":3:9"],
      ["\nconst nothing = null;\nnothing.x;", ":3:9"],
      ["import { none } from './lib/oops.ts'; none;", ":1:10"],
      ["import { none } from 'ovid'; none;", ":1:10"],
      ["import { oops } from './lib/oops.ts';\noops(1);", join(folder.path, "lib/oops.ts:2:9")],
      ["import './lib/syntax.ts';", `${helper}:2:10`],
    ];
    for (const [index, [text, place]] of cases.entries()) {
      const file = folder.write(`own${index}.ts`, text);
      const where = place.startsWith(":") ? file + place : place;
      const { message } = await assertRejects(() => loadPlugin(file, { bundled }), Error);
      assertStringIncludes(message, `Cannot load plugin ${file}: `);
      assertStringIncludes(message, where);
      assert(!message.includes("blob:"), message);
    }
  });
}

test("loadPlugin() of a bundle reads again what has changed, and what that imports", async () => {
  using folder = new Folder();
  const file = folder.write("own.ts", `import "./lib/oops.ts";${pluginText("before")}`);
  folder.write("lib/oops.ts", "");
  const before = await loadPlugin(file, { bundled: true });
  folder.write("lib/oops.ts", "throw new Error('after');");
  await assertRejects(() => loadPlugin(file, { bundled: true }), Error, "after");
  folder.write("lib/oops.ts", "");
  folder.write("own.ts", `import "./lib/oops.ts";${pluginText("after")}`);
  const after = await loadPlugin(file, { bundled: true });
  assertEquals([before.definition.type, after.definition.type], ["before", "after"]);
  assertEquals(after.bundle?.inputs, [file, join(folder.path, "lib/oops.ts")]);
});

const confined = new Map([["ovid", ["defineAgent"]], ["zod", ["z", "default", "not a name"]]]);

test("bundlePlugin() confined takes the host's modules from the host, and scripts below its folder", async () => {
  using folder = new Folder();
  folder.write("own/lib/oops.ts", oops);
  const own = `import z from "zod"; import { oops } from "./lib/oops.ts"; oops(1); z;`;
  const file = folder.write("own/own.ts", own + pluginText("own"));
  const { code } = await bundlePlugin(file, { confined });
  assert(!/^import /m.test(code), code);
  assertStringIncludes(code, `Symbol.for("ovid.modules")`);
});

test("bundlePlugin() confined refuses every other import, and what a link leads to", async () => {
  using folder = new Folder();
  folder.write("secret.ts", "export default 'secret';");
  folder.write("own/data.json", `"data"`);
  folder.write("own/text.txt", "text");
  Deno.symlinkSync(join(folder.path, "secret.ts"), join(folder.path, "own/link.ts"));
  const specifiers = [
    ...["../secret.ts", "./link.ts", join(folder.path, "secret.ts"), "./data.json", "./text.txt"],
    ...[`file://${join(folder.path, "secret.ts")}`, "npm:zod", "jsr:@std/path", "esbuild"],
    ...["https://127.0.0.1/x.ts", "data:text/javascript,1", "ovid/client"],
  ];
  for (const specifier of specifiers) {
    const file = folder.write("own/own.ts", `import x from ${JSON.stringify(specifier)}; x;`);
    const error = await assertRejects(() => bundlePlugin(file, { confined }), BundleError);
    assertStringIncludes(error.message, "Cannot import");
    assertStringIncludes(error.message, `${file}:1:15`);
  }
});
