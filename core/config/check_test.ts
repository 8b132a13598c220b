import { assert, assertEquals } from "@std/assert";
import { z } from "zod";
import type { AgentDefinition } from "../define.ts";
import type { Schema } from "../schema.ts";
import { checkGrid, type CheckOptions } from "./check.ts";
import { parseGrid } from "./parse.ts";
import { describeProblem, noSource } from "./problem.ts";
import type { AgentShape, LookUp } from "./shape.ts";

const shapes: Record<string, AgentShape> = {
  chat: {
    type: "chat",
    doc: "Chats.",
    attrs: z.strictObject({
      myname: z.string(),
      contacts: z.array(z.int().min(0)),
      mood: z.optional(z.enum(["good", "bad"])),
    }),
    devices: ["terminal"],
  },
  dummy: { type: "dummy", doc: "Does nothing.", attrs: z.strictObject({}) },
  tty: {
    type: "tty",
    doc: "Types.",
    attrs: z.object({}),
    routes: ["1", "up"],
    devices: ["terminal"],
  },
};

const lookUp: LookUp = (type) => shapes[type];
const known = ["chat", "dummy", "tty"];

/** What each problem points at: the key or the sign that stands there, and the path. */
function places(file: unknown, options: Partial<CheckOptions> = {}): string[] {
  const text = JSON.stringify(file);
  const { draft, source } = parseGrid(text, "g.json");
  return checkGrid(draft, source, { lookUp, known, ...options }).map(({ line, column, path }) => {
    assertEquals(line, 1);
    return `${/"[^"]*"|./.exec(text.slice(column - 1))?.[0]} ${path}`;
  });
}

/** The problems of a value written as JSON, without their places; of the parser, there must be none. */
function words(file: unknown, options: Partial<CheckOptions> = {}): string[] {
  const { draft, problems, source } = parseGrid(JSON.stringify(file), "g.json");
  assertEquals(problems, []);
  const found = checkGrid(draft, source, { lookUp, known, ...options });
  return found.map((problem) => describeProblem(problem).replace(/^g\.json:\d+:\d+: /, ""));
}

const box = "127.0.0.1:5000";
const dummy = { type: "dummy", box };

Deno.test("checkGrid: finds nothing wrong with a grid that is right", () => {
  assertEquals(
    words({
      1: { type: "chat", box, attrs: { myname: "ann", contacts: [1, 2], mood: "bad" } },
      2: { ...dummy, routes: { 9: { 1: 5, 2: 6 }, 8: {} } },
      3: { type: "tty", box: "[::1]:1", attrs: { any: 1 }, routes: { 1: { 2: 1 }, up: {} } },
    }),
    [],
  );
});

Deno.test("checkGrid: takes whole definitions and whole grids", () => {
  const whole: LookUp = (_: string): AgentDefinition | undefined => undefined;
  const { grid } = parseGrid(JSON.stringify({ 1: dummy }), "g.json");
  assert(grid !== undefined);
  assertEquals(checkGrid(grid, noSource, { lookUp: whole, known }).map(describeProblem), [
    '1.type is "dummy", want one of chat, dummy, tty; perhaps "dummy"',
  ]);
});

Deno.test("checkGrid: names every unknown type, and the known ones", () => {
  assertEquals(words({ 1: { ...dummy, type: "chta" }, 2: { ...dummy, type: "vr" } }), [
    '1.type is "chta", want one of chat, dummy, tty; perhaps "chat"',
    '2.type is "vr", want one of chat, dummy, tty',
  ]);
  assertEquals(places({ 1: { ...dummy, type: "chta" } }), ['"chta" 1.type']);
});

Deno.test("checkGrid: says why a plugin does not load", () => {
  const options = { lookUp: () => ({ error: 'Cannot find "own.ts"\n  at there' }) };
  assertEquals(words({ 1: { ...dummy, type: "./own.ts" } }, options), [
    '1.type is "./own.ts", want a plugin that loads; Cannot find "own.ts" at there',
  ]);
});

Deno.test("checkGrid: names every missing destination", () => {
  const routes = { 2: { 320: 1, 1: 1 }, 3: { two: 1, ones: 5 } };
  assertEquals(words({ 1: { ...dummy, routes }, one: dummy }), [
    '1.routes.2 names agent "320", want one of 1, one',
    '1.routes.3 names agent "two", want one of 1, one',
    '1.routes.3 names agent "ones", want one of 1, one; perhaps "one"',
  ]);
  assertEquals(places({ 1: { ...dummy, routes }, one: dummy }), [
    '"320" 1.routes.2',
    '"two" 1.routes.3',
    '"ones" 1.routes.3',
  ]);
  assertEquals(words({ agents: { 1: { ...dummy, routes: { 2: { 3: 1 } } } } }), [
    'agents.1.routes.2 names agent "3", want 1',
  ]);
});

Deno.test("checkGrid: does not miss agents that are wrong in another way", () => {
  const { draft, source } = parseGrid(
    `{ "1": { "type": "dummy", "box": "${box}", "routes": { "5": { "2": 1, "3": 1, "4": 70000 } } }, "2": 5 }`,
    "g.json",
  );
  assertEquals(checkGrid(draft, source, { lookUp, known }).map(({ found }) => found), [
    'names agent "3"',
    'names agent "4"',
  ]);
});

Deno.test("checkGrid: judges attrs by the schema of the type", () => {
  const chat = (attrs: unknown) => words({ 1: { type: "chat", box, attrs } });
  assertEquals(chat({ myname: 5, contacts: [1, "x", 1.5, -1] }), [
    "1.attrs.myname is 5, want a string",
    '1.attrs.contacts[1] is "x", want a number',
    "1.attrs.contacts[2] is 1.5, want a whole number",
    "1.attrs.contacts[3] is -1, want number to be >=0",
  ]);
  assertEquals(chat({ myname: "ann", contacts: {}, mood: "so so" }), [
    "1.attrs.contacts is an object, want an array",
    '1.attrs.mood is "so so", want one of good, bad',
  ]);
  assertEquals(chat({ myname: "ann", contcts: [] }), [
    "1.attrs.contacts is missing, want an array",
    '1.attrs.contcts is not known to chat, want one of myname, contacts, mood; perhaps "contacts"',
  ]);
  assertEquals(words({ 1: { type: "chat", box } }), [
    "1.attrs.myname is missing, want a string",
    "1.attrs.contacts is missing, want an array",
  ]);
  assertEquals(words({ 1: { ...dummy, attrs: { a: 1 } } }), [
    "1.attrs.a is not known to dummy, want nothing here",
  ]);
});

Deno.test("checkGrid: points at the wrong attr, or at what lacks it", () => {
  const chat = (attrs: unknown) => places({ 1: { type: "chat", box, attrs } });
  assertEquals(chat({ myname: "ann", contacts: [1, "x"], mod: 1 }), [
    '"x" 1.attrs.contacts[1]',
    '"mod" 1.attrs.mod',
  ]);
  assertEquals(chat({ contacts: [] }), ["{ 1.attrs.myname"]);
});

/** A validator of no known family that answers everything with `answer`. */
function judge(answer: () => ReturnType<Schema<unknown>["~standard"]["validate"]>): LookUp {
  const attrs: Schema<unknown> = {
    "~standard": { version: 1, vendor: "own", validate: answer },
  };
  return () => ({ type: "own", doc: "", attrs });
}

Deno.test("checkGrid: takes the messages of any validator", () => {
  const of = (message: string, path?: (string | { key: string })[]) =>
    words({ 1: { ...dummy, attrs: { a: { b: 1 } } } }, {
      lookUp: judge(() => ({ issues: [path === undefined ? { message } : { message, path }] })),
    });
  assertEquals(of("want less", ["a", { key: "b" }]), ["1.attrs.a.b is 1, want less"]);
  assertEquals(of("This will never do"), [
    "1.attrs is an object, want a valid value; This will never do",
  ]);
  assertEquals(of("expected a prime, received 1", ["a", "b"]), ["1.attrs.a.b is 1, want a prime"]);
  assertEquals(of("want more", ["a", "toString"]), ["1.attrs.a.toString is missing, want more"]);
  assertEquals(of("want more", ["a", "b", "c"]), ["1.attrs.a.b.c is missing, want more"]);
});

Deno.test("checkGrid: survives a validator that fails", () => {
  const text =
    "1.attrs cannot be checked, want a type whose schema can judge them, that of own cannot; ";
  const thrower = judge(() => {
    throw new TypeError("no");
  });
  assertEquals(words({ 1: dummy }, { lookUp: thrower }), [`${text}no`]);
  const slow = judge(() => Promise.resolve({ value: {} }));
  assertEquals(words({ 1: dummy }, { lookUp: slow }), [
    `${text}Cannot use an asynchronous schema, want one that answers at once`,
  ]);
});

Deno.test("checkGrid: warns of destinations that the type has and the grid leaves out", () => {
  const grid = { 1: { type: "tty", box, routes: { 1: {} } }, 2: dummy };
  assertEquals(places(grid), ["{ 1.routes"]);
  assertEquals(words(grid), [
    'warning: 1.routes has no "up", want the agents to which tty sends by this name',
  ]);
});

Deno.test("checkGrid: warns of a second agent that wants the terminal of a box", () => {
  const tty = { type: "tty", box, routes: { 1: {}, up: {} } };
  const other = { ...tty, box: "127.0.0.1:5001" };
  const third = { ...tty, box: "127.0.0.001:05000" };
  assertEquals(words({ 1: tty, 2: other, 3: third, 4: dummy }), [
    'warning: 3 uses the terminal of box 127.0.0.1:5000 beside "1", want one such agent in a box',
  ]);
});

Deno.test("checkGrid: refuses boxes that other machines can reach, unless it is told", () => {
  const grid = { 1: { ...dummy, box: "10.0.0.1:5000" }, 2: { ...dummy, box: "[fe80::1]:5000" } };
  assertEquals(words(grid), [
    '1.box is "10.0.0.1:5000", want a loopback address such as 127.0.0.1, or --insecure',
    '2.box is "[fe80::1]:5000", want a loopback address such as 127.0.0.1, or --insecure',
  ]);
  assertEquals(words(grid, { insecure: false }).length, 2);
  assertEquals(words(grid, { insecure: true }), []);
});

Deno.test("checkGrid: keeps the names of built-in types from plugins", () => {
  const grid = { agents: { 1: dummy }, plugins: { own: "./own.ts", chat: "./chat.ts" } };
  assertEquals(places(grid, { builtIn: ["chat", "dummy"] }), ['"chat" plugins.chat']);
  assertEquals(words(grid, { builtIn: ["chat", "dummy"] }), [
    "plugins.chat has the name of a built-in type, want another",
  ]);
  assertEquals(words(grid, { builtIn: ["dummy"] }), []);
});
