import { assert, assertEquals } from "@std/assert";
import { z } from "zod";
import { isToken } from "../id.ts";
import { readBox } from "./address.ts";
import { checkSimulation } from "./check_simulation.ts";
import { agentKeys, gridKeys } from "./form.ts";
import { parseGrid } from "./parse.ts";
import { gridSchema } from "./schema.ts";
import type { AgentShape } from "./shape.ts";

const shapes: AgentShape[] = [
  {
    type: "chat",
    doc: "Chats.",
    attrs: z.strictObject({ myname: z.string(), contacts: z.array(z.int()) }),
  },
  { type: "dummy", doc: "Does nothing.", attrs: z.strictObject({}) },
];

type Rule = Record<string, unknown>;

function ruleAt(rule: Rule, ...path: string[]): Rule {
  return path.reduce((found: Rule, step) => Object(found[step]), rule);
}

// The part of JSON Schema that grid schemas use; an unknown keyword is an error, so that none goes untested.
const keywords: Record<
  string,
  (wanted: unknown, value: unknown, rule: Rule, root: Rule) => boolean
> = {
  $schema: () => true,
  $defs: () => true,
  title: () => true,
  description: () => true,
  then: () => true,
  else: () => true,
  $ref: (ref, value, _, root) =>
    accepts(ruleAt(root, ...String(ref).split("/").slice(1)), value, root),
  type: (type, value) => kinds(value).includes(String(type)),
  const: (wanted, value) => value === wanted,
  if: (test, value, rule, root) =>
    accepts(ruleAt(rule, accepts(Object(test), value, root) ? "then" : "else"), value, root),
  not: (inner, value, _, root) => !accepts(Object(inner), value, root),
  anyOf: (rules, value, _, root) => list(rules).some((each) => accepts(each, value, root)),
  oneOf: (rules, value, _, root) =>
    list(rules).filter((each) => accepts(each, value, root)).length === 1,
  enum: (values, value) => Array.isArray(values) && values.includes(value),
  default: () => true,
  prefixItems: (rules, value, _, root) =>
    !Array.isArray(value) ||
    list(rules).every((rule, index) => index >= value.length || accepts(rule, value[index], root)),
  minItems: (least, value) => !Array.isArray(value) || value.length >= Number(least),
  maxItems: (most, value) => !Array.isArray(value) || value.length <= Number(most),
  allOf: (rules, value, _, root) => list(rules).every((each) => accepts(each, value, root)),
  required: (keys, value) => !isObject(value) || list(keys).every((key) => String(key) in value),
  minProperties: (least, value) => !isObject(value) || Object.keys(value).length >= Number(least),
  maxProperties: (most, value) => !isObject(value) || Object.keys(value).length <= Number(most),
  propertyNames: (inner, value, _, root) =>
    !isObject(value) || Object.keys(value).every((key) => accepts(Object(inner), key, root)),
  properties: (rules, value, _, root) =>
    !isObject(value) ||
    Object.entries(Object(rules)).every(([key, inner]) =>
      !(key in value) || accepts(Object(inner), value[key], root)
    ),
  additionalProperties: (inner, value, rule, root) =>
    !isObject(value) ||
    Object.entries(value).every(([key, property]) =>
      key in ruleAt(rule, "properties") || inner !== false && accepts(Object(inner), property, root)
    ),
  items: (inner, value, _, root) =>
    // Beside prefixItems it is about what comes behind them.
    inner === false || !Array.isArray(value) ||
    value.every((item) => accepts(Object(inner), item, root)),
  minimum: (least, value) => typeof value !== "number" || value >= Number(least),
  maximum: (most, value) => typeof value !== "number" || value <= Number(most),
  minLength: (least, value) => typeof value !== "string" || value.length >= Number(least),
  maxLength: (most, value) => typeof value !== "string" || value.length <= Number(most),
  pattern: (pattern, value) =>
    typeof value !== "string" || new RegExp(String(pattern), "u").test(value),
};

function accepts(rule: Rule, value: unknown, root: Rule): boolean {
  return Object.entries(rule).every(([keyword, wanted]) => {
    const test = keywords[keyword];
    assert(test !== undefined, keyword);
    return test(wanted, value, rule, root);
  });
}

function isObject(value: unknown): value is Rule {
  return kinds(value).includes("object");
}

function list(value: unknown): Rule[] {
  assert(Array.isArray(value));
  return value;
}

function kinds(value: unknown): string[] {
  if (Array.isArray(value)) return ["array"];
  if (Number.isInteger(value)) return ["integer", "number"];
  return [typeof value];
}

const schema: Rule = Object(gridSchema(shapes));
const allows = (file: unknown) => accepts(schema, file, schema);

const dummy = { type: "dummy", box: "127.0.0.1:5000" };
const chat = { ...dummy, type: "chat", attrs: { myname: "ann", contacts: [1] } };

Deno.test("gridSchema: allows what the parser allows", () => {
  const files = [
    { 1: dummy },
    { "é/#": { ...dummy, attrs: {}, routes: { 1: {}, x: { 1: 0, 2: 65535 } } }, b: chat },
    { 1: { type: "./own.ts", box: "[::FFFF:127.0.00.1]:05000", attrs: { any: ["thing"] } } },
    { agents: { 1: dummy }, plugins: { own: "./own.ts" }, limits: {}, security: {}, $schema: "x" },
    { $schema: "x", 1: dummy },
    { $schema: dummy },
    { agents: dummy },
    { agents: { type: dummy, box: dummy } },
  ];
  for (const file of files) {
    const { problems } = parseGrid(JSON.stringify(file), "g.json");
    assertEquals([allows(file), problems], [true, []], JSON.stringify(file));
  }
});

Deno.test("gridSchema: refuses what the parser refuses", () => {
  const files = [
    {},
    [],
    { agents: {} },
    { agents: [] },
    { "a b": dummy },
    { "": dummy },
    { ["x".repeat(257)]: dummy },
    { 1: 5 },
    { 1: { type: "dummy" } },
    { 1: { box: dummy.box } },
    { 1: { ...dummy, type: "" } },
    { 1: { ...dummy, type: "x".repeat(1025) } },
    { 1: { ...dummy, box: "localhost:5000" } },
    { 1: { ...dummy, box: "127.0.0.1" } },
    { 1: { ...dummy, attrs: [] } },
    { 1: { ...dummy, other: 1 } },
    { 1: { ...dummy, routes: { 1: { 1: 65536 } } } },
    { 1: { ...dummy, routes: { 1: { 1: -1 } } } },
    { 1: { ...dummy, routes: { 1: { 1: 1.5 } } } },
    { 1: { ...dummy, routes: { 1: { "a b": 1 } } } },
    { 1: { ...dummy, routes: { " ": {} } } },
    { 1: { ...dummy, routes: { 1: 5 } } },
    { 1: dummy, plugins: {} },
    { agents: { 1: dummy }, 2: dummy },
    { agents: { 1: dummy }, security: { tls: true } },
    { agents: { 1: dummy }, limits: { boxes: 1 } },
    { agents: { 1: dummy }, plugins: { own: "" } },
    { agents: { 1: dummy }, plugins: { "o n": "x" } },
    { agents: { 1: dummy }, $schema: 5 },
    { 1: dummy, $schema: 5 },
    { $schema: "x" },
  ];
  for (const file of files) {
    const { grid } = parseGrid(JSON.stringify(file), "g.json");
    assertEquals([allows(file), grid], [false, undefined], JSON.stringify(file));
  }
});

Deno.test("gridSchema: judges a simulation as checkSimulation does", () => {
  const terminal = { type: "terminal", agents: ["1"], lines: ["a", { line: "b", answers: ["c"] }] };
  const messages = [{ message: { type: "get", key: 1 }, answers: { got: { n: "{reply.n}" } } }];
  const mail = { type: "mail", to: ["1"], messages, retryMs: 5, clients: [1, 2] };
  const simulations: [unknown, boolean][] = [
    [{ workload: "./own.ts" }, true],
    [
      { workload: terminal, model: "kv", invariants: ["./i.ts"], faults: { spares: ["loss"] } },
      true,
    ],
    [{ workload: mail, model: "./m.ts", faults: { quorum: { agents: ["1"], size: 1 } } }, true],
    [{}, false],
    [{ workload: "own" }, false],
    [{ workload: { ...terminal, type: "mail" } }, false],
    [{ workload: { ...terminal, agents: [] } }, false],
    [{ workload: { ...mail, clients: [1] } }, false],
    [{ workload: { ...mail, clients: [1, 2, 3] } }, false],
    [{ workload: { ...mail, patienceMs: 0 } }, false],
    [{ workload: mail, model: "kvv" }, false],
    [{ workload: mail, invariant: [] }, false],
    [{ workload: mail, faults: { spares: ["los"] } }, false],
  ];
  for (const [simulation, right] of simulations) {
    const file = { agents: { 1: dummy }, simulation };
    const { draft, source } = parseGrid(JSON.stringify(file), "g.json");
    const read = checkSimulation(draft, source, () => undefined).simulation !== undefined;
    assertEquals([allows(file), read], [right, right], JSON.stringify(simulation));
  }
});

Deno.test("gridSchema: judges the attrs of each type by its own schema", () => {
  assertEquals(allows({ 1: chat }), true);
  assertEquals(allows({ 1: { ...chat, attrs: { ...chat.attrs, contacts: ["x"] } } }), false);
  assertEquals(allows({ 1: { ...chat, attrs: { myname: "ann" } } }), false);
  assertEquals(allows({ agents: { 1: { ...chat, attrs: { ...chat.attrs, other: 1 } } } }), false);
  assertEquals(allows({ 1: { ...dummy, attrs: { myname: "ann" } } }), false);
  // What an empty object does not satisfy may not be left out.
  assertEquals(allows({ 1: { ...dummy, type: "chat" } }), false);
});

Deno.test("gridSchema: knows the parser's keys, ids and addresses", () => {
  assertEquals(Object.keys(ruleAt(schema, "$defs", "agent", "properties")), [...agentKeys]);
  assertEquals(Object.keys(ruleAt(schema, "$defs", "grid", "properties")), [...gridKeys]);
  const name = ruleAt(schema, "$defs", "name");
  for (
    const id of ["1", "kv/leader/1", "", "a b", "\u00a0", "é", "x".repeat(256), "x".repeat(257)]
  ) {
    assertEquals(accepts(name, id, schema), isToken(id), id);
  }
  const box = ruleAt(schema, "$defs", "agent", "properties", "box");
  for (const text of ["1.2.3.4:5", "[::1.2.3.4]:5", "[AB::1]:05", "a:5", "::1:5", "[::1%a]:5"]) {
    assertEquals(accepts(box, text, schema), readBox(text).box !== undefined, text);
  }
});

Deno.test("gridSchema: offers the types with what they are for", () => {
  const choices = list(ruleAt(schema, "$defs", "agent", "properties", "type").anyOf);
  assertEquals(choices.slice(0, 2), [
    { const: "chat", description: "Chats." },
    { const: "dummy", description: "Does nothing." },
  ]);
});

Deno.test("gridSchema: embeds schemas that refer to themselves, and does without those it cannot have", () => {
  const tree: z.ZodType = z.object({
    get children() {
      return z.optional(z.array(tree));
    },
  });
  const own: AgentShape = {
    type: "own",
    doc: "",
    attrs: { "~standard": { version: 1, vendor: "own", validate: (value) => ({ value }) } },
  };
  const rules = list(
    ruleAt(
      Object(gridSchema([{ type: "tree", doc: "", attrs: tree }, own, {
        type: "odd",
        doc: "",
        attrs: z.object({ when: z.date() }),
      }])),
      "$defs",
      "agent",
    ).allOf,
  );
  const [first, second, third] = rules.map((rule) => ruleAt(rule, "then", "properties", "attrs"));
  // References begin with #, so they need an identity that # can mean.
  assert(JSON.stringify(first).includes('"$ref":"#'));
  assertEquals(first?.$id, "urn:ovid:attrs:tree");
  assertEquals([second, third], [{}, {}]);
});
