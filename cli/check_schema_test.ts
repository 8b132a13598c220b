// The JSON Schema of grid files, as editors use it: judged by a validator that is not ours.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { dirname, fromFileUrl, join, relative, resolve } from "@std/path";
import { Validator } from "@cfworker/json-schema";
import { builtIns } from "../agents/registry.ts";
import type { Json } from "../core/data.ts";
import { parseGrid } from "../core/config/parse.ts";
import { gridSchema } from "../core/config/schema.ts";
import { findAgents } from "./known_agents.ts";

const root = fromFileUrl(new URL("..", import.meta.url));
const kept = join(root, "docs/grid.schema.json");

async function jsonFiles(folder: string): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory && !name.startsWith(".")) files.push(...await jsonFiles(join(folder, name)));
    else if (name.endsWith(".json")) files.push(join(folder, name));
  }
  return files.sort();
}

const examples = await jsonFiles(join(root, "examples"));
// The original's configurations that are wrong name agents that are not there: no schema can see that.
const conformance = (await jsonFiles(join(root, "tests/conformance"))).filter((file) =>
  !/\binvalid\d\.json$/.test(file)
);

function validatorOf(schema: Json): Validator {
  // Read anew: it is a text that editors get.
  return new Validator(JSON.parse(JSON.stringify(schema)), "2020-12", false);
}

async function schemaOf(grid?: string): Promise<Json> {
  const { found } = await findAgents(grid, {
    has: () => false,
    value: () => undefined,
    integer: () => undefined,
  });
  return gridSchema(found.map(({ name, definition }) => ({ ...definition, type: name })));
}

const builtInSchema = gridSchema([...builtIns.values()]);

Deno.test("docs/grid.schema.json is what `ovid check --schema` prints", async () => {
  const text = `${JSON.stringify(builtInSchema, undefined, 2)}\n`;
  assert(
    await Deno.readTextFile(kept) === text,
    "It is stale: deno task ovid check --schema > docs/grid.schema.json",
  );
});

Deno.test("every grid of the examples points to docs/grid.schema.json", async () => {
  assert(examples.length > 20);
  for (const file of examples) {
    const { $schema = "" } = JSON.parse(await Deno.readTextFile(file));
    assertEquals(resolve(dirname(file), $schema), kept, relative(root, file));
  }
});

Deno.test("every grid of the examples and of the conformance tests is valid by the schema", async () => {
  const general = validatorOf(JSON.parse(await Deno.readTextFile(kept)));
  assert(conformance.length > 3);
  for (const file of [...examples, ...conformance]) {
    const grid = JSON.parse(await Deno.readTextFile(file));
    const own = validatorOf(await schemaOf(file));
    for (const validator of [general, own]) {
      const { valid, errors } = validator.validate(grid);
      assert(valid, `${relative(root, file)}: ${JSON.stringify(errors)}`);
    }
  }
});

const dummy = { type: "dummy", box: "127.0.0.1:5000" };
const member = { ...dummy, type: "vr_replica", attrs: { replicas: ["a"], machine: "kv" } };

const broken: readonly [what: string, grid: unknown][] = [
  ["no agents", { agents: {} }],
  ["nothing but a schema", { $schema: "x" }],
  ["a schema that is a number", { $schema: 5, 1: dummy }],
  ["an agent without a box", { 1: { type: "dummy" } }],
  ["a misspelt key", { agents: { 1: { ...dummy, atrs: {} } } }],
  ["a host name", { 1: { ...dummy, box: "here:5000" } }],
  ["a port that is too high", { 1: { ...dummy, routes: { 1: { 1: 70_000 } } } }],
  ["an attr too many", { 1: { ...dummy, attrs: { what: 1 } } }],
  ["attrs left out", { 1: { ...dummy, type: "chat" } }],
  ["an attr of another type", { 1: { ...member, attrs: { ...member.attrs, machine: 7 } } }],
  ["a machine that is not there", { 1: { ...member, attrs: { ...member.attrs, machine: "kw" } } }],
  ["a fault that is not there", {
    agents: { 1: dummy },
    simulation: { workload: "./w.ts", faults: { spares: ["los"] } },
  }],
];

for (const [what, grid] of broken) {
  Deno.test(`the schema refuses ${what}`, () => {
    assertEquals(validatorOf(builtInSchema).validate(grid).valid, false);
  });
}

Deno.test("the schema allows what the broken grids were before", () => {
  const validator = validatorOf(builtInSchema);
  for (const grid of [{ $schema: "x", 1: dummy }, { 1: member }, { agents: { 1: dummy } }]) {
    assertEquals(validator.validate(grid).valid, true, JSON.stringify(grid));
    assertEquals(parseGrid(JSON.stringify(grid), "g.json").problems, []);
  }
});

Deno.test("the schema of a grid knows the attrs of its plugins", async () => {
  const file = join(root, "examples/own_agent/grid.json");
  const right = JSON.parse(await Deno.readTextFile(file));
  const wrong = structuredClone(right);
  wrong.agents.tally.attrs.greeting = 5;
  const own = validatorOf(await schemaOf(file));
  assertEquals([own.validate(right).valid, own.validate(wrong).valid], [true, false]);
  // Without the grid nothing is known of them.
  assertEquals(validatorOf(builtInSchema).validate(wrong).valid, true);
  assertStringIncludes(JSON.stringify(await schemaOf(file)), '"./tally.ts"');
});
