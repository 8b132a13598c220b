import { assert, assertEquals } from "@std/assert";
import type { Grid } from "../grid.ts";
import { agentId, virtualId } from "../id.ts";
import { gridLimits } from "./form.ts";
import { parseGrid } from "./parse.ts";
import { describeProblem } from "./problem.ts";

const dummy = { type: "dummy", box: "127.0.0.1:5000" };

/** The errors of a text, or of a value written as JSON. */
function errors(file: unknown): string[] {
  const text = typeof file === "string" ? file : JSON.stringify(file);
  const { grid, problems } = parseGrid(text, "g.json");
  assertEquals(grid === undefined, problems.length > 0, text);
  return problems.map(describeProblem);
}

/** The errors without their places, which other tests look at. */
function words(file: unknown): string[] {
  return errors(file).map((line) => line.replace(/^g\.json(:\d+:\d+)?: /, ""));
}

function gridOf(file: unknown): Grid {
  const { grid, problems } = parseGrid(JSON.stringify(file), "g.json");
  assert(grid !== undefined, problems.map(describeProblem).join("\n"));
  return grid;
}

Deno.test("parseGrid: reads GoOvid's form in the order of the file", () => {
  const text = `{
    "20": { "type": "chat", "box": "[0:0::1]:05001", "attrs": { "b": [1, null], "a": { "c": -0 } },
            "routes": { "3": { "9": 7, "20": 65535 }, "1": {}, "x": { "9": 0 } } },
    "9": { "box": "127.0.00.1:5000", "type": "./own.ts" }
  }`;
  const { grid, draft, problems } = parseGrid(text, "/there/g.json");
  assertEquals(problems, []);
  assert(grid !== undefined);
  assertEquals(grid.file, "/there/g.json");
  assertEquals([...grid.agents.keys()].map(String), ["20", "9"]);
  assertEquals(grid.boxes.map(String), ["127.0.0.1:5000", "[::1]:5001"]);
  assertEquals(grid.plugins.size, 0);
  const chat = grid.agents.get(agentId("20"));
  assertEquals([chat?.id, chat?.type, chat?.box].map(String), ["20", "chat", "[::1]:5001"]);
  assertEquals(JSON.stringify(chat?.attrs), '{"b":[1,null],"a":{"c":0}}');
  assertEquals([...chat?.routes ?? []].map(([virtual]) => String(virtual)), ["3", "1", "x"]);
  assertEquals(chat?.routes.get(virtualId("3")), [
    { agent: agentId("9"), port: 7 },
    { agent: agentId("20"), port: 65535 },
  ]);
  assertEquals(chat?.routes.get(virtualId("1")), []);
  const own = grid.agents.get(agentId("9"));
  assertEquals([own?.type, own?.attrs, own?.routes.size], ["./own.ts", {}, 0]);
  assertEquals(draft.agents, grid.agents);
});

Deno.test("parseGrid: reads the form with agents beside other things", () => {
  const grid = gridOf({
    $schema: "./grid.schema.json",
    plugins: { own: "./agents/own.ts", other: "../other.js" },
    limits: {},
    security: {},
    agents: { 1: dummy },
  });
  assertEquals([...grid.agents.keys()].map(String), ["1"]);
  assertEquals([...grid.plugins], [["own", "./agents/own.ts"], ["other", "../other.js"]]);
});

Deno.test("parseGrid: tells the two forms apart", () => {
  const ids = (file: unknown) => [...gridOf(file).agents.keys()].map(String);
  // Agents of GoOvid's form may have any name, and those of the other form too.
  assertEquals(ids({ agents: dummy }), ["agents"]);
  assertEquals(ids({ agents: dummy, plugins: dummy, 1: dummy }), ["1", "agents", "plugins"]);
  assertEquals(ids({ agents: { type: dummy, box: dummy } }), ["type", "box"]);
  assertEquals(words({ agents: { type: "dummy" } }), [
    'agents has no "box", want the address of a box',
  ]);
  assertEquals(words({ agents: { box: dummy.box } }), [
    'agents has no "type", want the name of an agent type',
  ]);
});

Deno.test("parseGrid: says so when the two forms are mixed", () => {
  assertEquals(words({ agents: { 1: dummy }, 2: dummy }), [
    '2 is an agent beside "agents", want it inside "agents"',
  ]);
  assertEquals(words({ 1: dummy, plugins: { own: "./own.ts" }, $schema: "x" }), [
    'plugins stands beside the agents, want the agents inside "agents" in a grid that has "plugins"',
  ]);
  assertEquals(words({ 1: dummy, $schema: 5 }), [
    "$schema is 5, want the address of a JSON Schema",
  ]);
  assertEquals(words({ $schema: "x" }), ["the grid has no agents, want at least one"]);
  assertEquals(words('{ "plugins": {}, "agnets": { "1": {} } }').slice(0, 1), [
    'plugins stands beside the agents, want the agents inside "agents" in a grid that has "plugins"; perhaps "agents"',
  ]);
  assertEquals(words({ agents: 5 }), ["agents is 5, want an object of agents"]);
});

Deno.test("parseGrid: refuses unknown keys, and suggests the nearest", () => {
  assertEquals(words({ 1: { ...dummy, atrs: {} } }), [
    '1.atrs is not a known key, want one of type, box, attrs, routes, sandbox; perhaps "attrs"',
  ]);
  assertEquals(words({ agents: { 1: dummy }, plugin: {} }), [
    'plugin is not a known key, want one of agents, plugins, simulation, limits, security, $schema; perhaps "plugins"',
  ]);
});

Deno.test("parseGrid: refuses settings that nothing obeys", () => {
  assertEquals(words({ agents: { 1: dummy }, security: { tls: true }, limits: { boxes: 3 } }), [
    'security.tls is not supported, want nothing inside "security"',
    'limits.boxes is not supported, want nothing inside "limits"',
  ]);
  assertEquals(words({ agents: { 1: dummy }, security: true, limits: [], $schema: 1 }), [
    "security is true, want an object",
    "limits is an array, want an object",
    "$schema is 1, want the address of a JSON Schema",
  ]);
});

Deno.test("parseGrid: wants plugins to be names and paths", () => {
  assertEquals(words({ agents: { 1: dummy }, plugins: ["./own.ts"] }), [
    "plugins is an array, want an object of names and paths",
  ]);
  assertEquals(words({ agents: { 1: dummy }, plugins: { "a b": "./a.ts", c: "", d: 5 } }), [
    'plugins."a b" is not a name, want 1 to 256 characters without white space',
    'plugins.c is "", want the path of a file',
    "plugins.d is 5, want the path of a file",
  ]);
});

Deno.test("parseGrid: wants a type and a box of every agent", () => {
  assertEquals(words({ 1: {} }), [
    '1 has no "type", want the name of an agent type',
    '1 has no "box", want the address of a box',
  ]);
  assertEquals(words({ 1: { type: "", box: 5 }, 2: { type: null, box: "here" } }), [
    '1.type is "", want the name of an agent type',
    "1.box is 5, want the address of a box",
    "2.type is null, want the name of an agent type",
    '2.box is "here", want an IP address and a port such as 127.0.0.1:5000 or [::1]:5000',
  ]);
  assertEquals(words({ 1: { ...dummy, type: "\u001b[2J" } }), [
    '1.type is "\\u001b[2J", want the name of an agent type',
  ]);
  const longest = "x".repeat(gridLimits.nameLengthMax);
  assertEquals(words({ 1: { ...dummy, type: longest } }), []);
  assertEquals(words({ 1: { ...dummy, type: `${longest}x` } }).length, 1);
});

Deno.test("parseGrid: wants objects where objects belong", () => {
  assertEquals(words({ 1: "dummy", 2: { ...dummy, attrs: [], routes: 5 } }), [
    '1 is "dummy", want an object with type, box, attrs, routes, sandbox',
    "2.attrs is an array, want an object",
    "2.routes is 5, want an object",
  ]);
  assertEquals(words({ 1: { ...dummy, routes: { 5: 10 } } }), [
    "1.routes.5 is 10, want an object of agents and their ports",
  ]);
});

Deno.test("parseGrid: takes ports from 0 to 65535", () => {
  const withPort = (port: string) =>
    words(
      `{ "1": { "type": "dummy", "box": "127.0.0.1:1", "routes": { "2": { "1": ${port} } } } }`,
    );
  for (const port of ["0", "-0", "65535", "1e2", "5.0"]) assertEquals(withPort(port), [], port);
  for (const [port, found] of [["65536", "65536"], ["-1", "-1"], ["1.5", "1.5"], ['"5"', '"5"']]) {
    assertEquals(withPort(`${port}`), [
      `1.routes.2.1 is ${found}, want a port from 0 to 65535, a whole number`,
    ]);
  }
});

Deno.test("parseGrid: takes any token as an id", () => {
  const routes = { "kv/leader": { "kv/acceptor/1": 1 } };
  assertEquals(words({ "kv/acceptor/1": dummy, "é.#": { ...dummy, routes } }), []);
  const longest = "x".repeat(256);
  assertEquals(words({ [longest]: dummy }), []);
  const wanted = "want 1 to 256 characters without white space";
  assertEquals(words({ "": dummy, "a b": dummy, "a\u0000": dummy }), [
    `"" is not a name, ${wanted}`,
    `"a b" is not a name, ${wanted}`,
    `"a\\u0000" is not a name, ${wanted}`,
  ]);
  assertEquals(words({ [`${longest}x`]: dummy }).length, 1);
  assertEquals(words({ 1: { ...dummy, routes: { "a b": { "\t": 1 } } } }), [
    `1.routes."a b" is not a name, ${wanted}`,
    `1.routes."a b"."\\t" is not a name, ${wanted}`,
  ]);
});

/** An agent whose routes are written as given, duplicates and all, in lines 3 and 4. */
const withRoutes = (first: string, second: string) =>
  `{
  "1": { "type": "dummy", "box": "127.0.0.1:5000", "routes": {
    ${first},
    ${second}
  } }
}`;

Deno.test("parseGrid: shows the multiplexing form where a destination stands twice", () => {
  const text = withRoutes('"200": { "2": 10 }', '"200": { "3": 10 }');
  const words = "is there again, first at 3:5, want one entry for all its agents: " +
    '"200": { "2": 10, "3": 10 }';
  assertEquals(errors(text), [`g.json:4:5: 1.routes.200 ${words}`]);
  assertEquals(errors(`{ "agents": ${text} }`), [`g.json:4:5: agents.1.routes.200 ${words}`]);
  const other = errors(withRoutes('"7": { "9": 1 }, "200": { "2": 10 }', '"200": { "3": 10 }'));
  assert(other.join().endsWith('"200": { "2": 10, "3": 10 }'));
  const many = Array.from({ length: 11 }, (_, index) => `"a${index}": 1`).join(", ");
  assert(errors(withRoutes('"200": {}', `"200": { ${many} }`)).join().endsWith('"a9": 1, ... }'));
  assertEquals(errors(withRoutes('"200": {}', '"200": {}')), [
    "g.json:4:5: 1.routes.200 is there again, first at 3:5, want one entry with all its agents",
  ]);
});

Deno.test("parseGrid: refuses every other key that stands twice", () => {
  assertEquals(errors(withRoutes('"200": { "2": 1', '"2": 1 }')), [
    "g.json:4:5: 1.routes.200.2 is there again, first at 3:14, want it once",
  ]);
  assertEquals(
    errors(`{ "1": { "type": "a", "type": "b", "box": "127.0.0.1:1",
  "attrs": { "a": [{ "b": 1, "b": 2 }] } },
"1": { "type": "a", "box": "127.0.0.1:1" } }`),
    [
      "g.json:1:23: 1.type is there again, first at 1:10, want it once",
      "g.json:2:30: 1.attrs.a[0].b is there again, first at 2:22, want it once",
      "g.json:3:1: 1 is there again, first at 1:3, want one agent with this id",
    ],
  );
});

Deno.test("parseGrid: knows agents and routes from other things that stand twice", () => {
  const other = `{ "agents": { "1": ${JSON.stringify(dummy)}, "1": ${JSON.stringify(dummy)} },
"plugins": { "own": "./a.ts", "own": "./b.ts" }, "plugins": {} }`;
  assertEquals(words(other).map((line) => line.replace(/ is there.*want /, ": ")), [
    "agents.1: one agent with this id",
    "plugins.own: it once",
    "plugins: it once",
  ]);
});

Deno.test("parseGrid: refuses the name __proto__ anywhere", () => {
  const text =
    '{ "1": { "type": "a", "box": "127.0.0.1:1", "attrs": { "a": [{ "__proto__": 1 }] } } }';
  assertEquals(errors(text), [
    "g.json:1:64: 1.attrs.a[0].__proto__ is no name for data, want another",
  ]);
});

Deno.test("parseGrid: says what a text is that holds no agents", () => {
  assertEquals(errors(""), ["g.json:1:1: the grid is empty, want an object of agents"]);
  assertEquals(errors("\uFEFF\n"), ["g.json:1:1: the grid is empty, want an object of agents"]);
  assertEquals(errors("\n [] "), ["g.json:2:2: the grid is an array, want an object of agents"]);
  assertEquals(errors("5"), ["g.json:1:1: the grid is 5, want an object of agents"]);
  assertEquals(errors("{}"), ["g.json:1:1: the grid has no agents, want at least one"]);
  assertEquals(errors({ agents: {} }), ["g.json:1:11: agents has no agents, want at least one"]);
});

Deno.test("parseGrid: counts lines and columns whatever ends a line, and skips a byte order mark", () => {
  const agent = '{ "type": "dummy", "box": "127.0.0.1:1" }';
  assertEquals(errors(`\uFEFF{ "1": ${agent} }`), []);
  assertEquals(errors(`\uFEFF{/**/\r"1": ${agent},\n"2": ${agent},\r\n\r\n  "é": 5}`), [
    "g.json:1:2: the grid has a comment, want plain JSON without comments",
    "g.json:5:8: é is 5, want an object with type, box, attrs, routes, sandbox",
  ]);
});

Deno.test("parseGrid: finds all errors at once, in the order of the file", () => {
  const text = `{
  // To be continued.
  "1": { "type": 5, "box": "localhost:1", "routes": { "2": { "1": -1 }, } },
  "1": {},
  "2": { "kind": "dummy" }
}`;
  assertEquals(parseGrid(text, "g.json").problems.map(({ line, path }) => [line, path]), [
    [2, ""],
    [3, "1.type"],
    [3, "1.box"],
    [3, "1.routes.2.1"],
    [3, "1.routes"],
    [4, "1"],
    [4, "1"],
    [4, "1"],
    [5, "2"],
    [5, "2"],
    [5, "2.kind"],
  ]);
});

Deno.test("parseGrid: keeps what it could read for later checks", () => {
  const { grid, draft } = parseGrid(
    `{ "1": { "type": "a", "box": 5 }, "2": { "attrs": 5, "routes": { "7": { "1": -1, "3": 4 } } } }`,
    "g.json",
  );
  assertEquals(grid, undefined);
  const twice = parseGrid(withRoutes('"5": { "7": 1 }', '"5": { "8": 1 }'), "g.json").draft;
  const targets = twice.agents.get(agentId("1"))?.routes.get(virtualId("5"));
  assertEquals(targets?.map(({ agent }) => String(agent)), ["7", "8"]);
  const [one, two] = [...draft.agents.values()];
  assertEquals([one?.type, one?.box, one?.attrs], ["a", undefined, {}]);
  assertEquals([two?.type, two?.attrs], [undefined, undefined]);
  assertEquals(two?.routes.get(virtualId("7"))?.map(({ agent }) => String(agent)), ["1", "3"]);
});

Deno.test("parseGrid: locates what it has read, and of the rest what is around it", () => {
  const text =
    '{ "agents": {\n"1": { "type": "dummy", "box": "127.0.0.1:1", "attrs": { "a": [7] } } } }';
  const { source } = parseGrid(text, "/there/g.json", { shownAs: "g.json" });
  assertEquals(source.agentsPath, ["agents"]);
  const at = (...path: (string | number)[]) => {
    const { file, path: shown, line, column } = source.locate(path);
    return `${file}:${line}:${column} ${shown}`;
  };
  assertEquals(at("agents", "1"), "g.json:2:6 agents.1");
  assertEquals(at("agents", "1", "attrs", "a", 0), "g.json:2:64 agents.1.attrs.a[0]");
  assertEquals(at("agents", "1", "attrs", "a", 1, "b"), "g.json:2:63 agents.1.attrs.a[1].b");
  assertEquals(at("agents", "1", "routes", "2"), "g.json:2:6 agents.1.routes.2");
  assertEquals(at(), "g.json:1:1 ");
  assertEquals(source.locate(["agents", "1"], "key").column, 1);
  assertEquals(source.locate(["agents", "1", "routes"], "key").column, 6);
});

Deno.test("parseGrid: names the file as it is told, and keeps the other name in the grid", () => {
  const { grid, problems } = parseGrid(JSON.stringify({ 1: dummy }), "/there/g.json", {
    shownAs: "g.json",
  });
  assertEquals([grid?.file, problems.length], ["/there/g.json", 0]);
  assertEquals(parseGrid("", "/there/g.json").problems[0]?.file, "/there/g.json");
  assertEquals(parseGrid("", "/there/g.json", { shownAs: "g.json" }).problems[0]?.file, "g.json");
});

Deno.test("parseGrid: has limits on the text and its agents", () => {
  const spaces = (length: number) => " ".repeat(length - 2) + "{}";
  assertEquals(words(spaces(gridLimits.charactersMax)), [
    "the grid has no agents, want at least one",
  ]);
  assertEquals(words(spaces(gridLimits.charactersMax + 1)), [
    "the grid has 16,777,217 characters, want at most 16,777,216 characters",
  ]);
  // Their number is counted before they are looked at.
  const agents = Array.from(
    { length: gridLimits.agentsMax },
    (_, id): [string, number] => [`${id}`, 0],
  );
  const first = (entries: typeof agents) => words(Object.fromEntries(entries))[0];
  assertEquals(first(agents), "0 is 0, want an object with type, box, attrs, routes, sandbox");
  assertEquals(
    first([...agents, ["x", 0]]),
    "the grid has 100,001 agents, want at most 100,000 agents",
  );
});

Deno.test("parseGrid: refuses what is nested too deeply", () => {
  const nested = (depth: number) =>
    `{ "1": { "type": "a", "box": "127.0.0.1:1", "attrs": { "a": ${"[".repeat(depth)}${
      "]".repeat(depth)
    } } } }`;
  assertEquals(errors(nested(gridLimits.depthMax - 3)), []);
  assertEquals(errors(nested(gridLimits.depthMax - 2)).length, 1);
});
