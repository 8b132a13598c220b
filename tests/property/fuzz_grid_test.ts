// What a grid file says, and what it is made of: JSON with places, addresses, simulations.

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { builtIns } from "../../agents/registry.ts";
import { parseBox } from "../../core/config/address.ts";
import { checkGrid } from "../../core/config/check.ts";
import { checkSimulation } from "../../core/config/check_simulation.ts";
import { readJson, toJson } from "../../core/config/json.ts";
import { parseGrid } from "../../core/config/parse.ts";
import { describeProblem, type Problem } from "../../core/config/problem.ts";
import type { Grid } from "../../core/grid.ts";
import { Host } from "../../core/host.ts";
import { bytesOf, fuzz, type Reading, refusing, type Subject } from "./fuzz.ts";

// What exactly stands in these files is for other tests: here they are what people write.
const files = ["chat", "kvs", "multiplexing", "vr_kv", "gobby", "paxos_kv"].map((name) =>
  Deno.readTextFileSync(new URL(`../../examples/${name}/grid.json`, import.meta.url))
);
const small = fc.constantFrom(
  '{ "1": { "type": "dummy", "box": "127.0.0.1:5000" } }',
  '{ "a": { "type": "chat", "box": "[::1]:5000", "attrs": {"myname": "a", "contacts": []}, "routes": { "2": { "a": 7 } } } }',
  '{ "plugins": { "own": "./own.ts" }, "agents": { "1": { "type": "dummy", "box": "127.0.0.1:1" } } }',
);
const grid = fc.oneof(small, small, small, fc.constantFrom(...files));
const names = [
  '"agents"',
  '"plugins"',
  '"type"',
  '"box"',
  '"routes"',
  '"attrs"',
  '"__proto__"',
  "//",
  "/*",
];

const options = { lookUp: (type: string) => builtIns.get(type), known: [...builtIns.keys()] };

/** Where each problem is, and what is found and wanted there. */
function requirePlaces(problems: readonly Problem[], text: string): void {
  const lines = text.split(/\r\n|\n|\r/);
  for (const problem of problems) {
    const { line, column } = problem;
    if (line === 0) {
      assert(/^g\.json: the grid has [\d,]+ more problems?, want /.test(describeProblem(problem)));
      continue;
    }
    assert(line >= 1 && line <= lines.length, describeProblem(problem));
    assert(column >= 1 && column <= (lines[line - 1]?.length ?? 0) + 1, describeProblem(problem));
    assert(/^g\.json:\d+:\d+: .+, want ./s.test(describeProblem(problem)));
    assert(!/[\p{Cc}\u2028\u2029]/u.test(describeProblem(problem)));
  }
}

function refusalOf(problems: readonly Problem[]): string | undefined {
  const errors = problems.filter(({ severity }) => severity === "error");
  return errors.length === 0 ? undefined : errors.map(describeProblem).join("\n");
}

/** A grid as its file could have said it. */
function printGrid({ agents, plugins }: Grid): string {
  const entries = Array.from(agents.values(), ({ id, type, box, attrs, routes }) => {
    const targets = Array.from(routes, ([route, all]) =>
      [
        JSON.stringify(route),
        `{${all.map(({ agent, port }) => `${JSON.stringify(agent)}:${port}`).join()}}`,
      ].join(":"));
    const fields = `"type":${JSON.stringify(type)},"box":"${box}","attrs":${JSON.stringify(attrs)}`;
    return `${JSON.stringify(id)}:{${fields},"routes":{${targets.join()}}}`;
  });
  const own = JSON.stringify(Object.fromEntries(plugins));
  return `{"plugins":${own},"agents":{${entries.join()}}}`;
}

function readGrid(text: string): Reading {
  const { grid, draft, problems, source } = parseGrid(text, "g.json");
  requirePlaces(problems, text);
  const checked = checkGrid(draft, source, options);
  requirePlaces(checked, text);
  assertEquals(grid === undefined, problems.some(({ severity }) => severity === "error"));
  const refused = refusalOf([...problems, ...checked]);
  if (grid === undefined || refused !== undefined) return { refused: refused ?? "" };
  // What was found fit to run can be run.
  for (const box of grid.boxes) {
    new Host({ box, grid, definitions: builtIns, seed: 1n }).boot(0);
  }
  const { agents, boxes, plugins } = grid;
  return { taken: { agents, boxes, plugins }, printed: printGrid(grid) };
}

/** As JSON.parse has it, but for duplicate keys, numbers that are too large, depth, and -0. */
function readPlainJson(text: string): Reading {
  const faults: string[] = [];
  const node = readJson(text, 64, ({ offset, found, wanted }) => {
    assert(offset >= 0 && offset <= text.length);
    faults.push(`found ${found}, want ${wanted}`);
  });
  let native: unknown;
  let isJson = true;
  try {
    native = JSON.parse(text);
  } catch {
    isJson = false;
  }
  if (node === undefined || faults.length > 0) {
    assert(faults.length > 0 || !isJson || text.trim() === "");
    if (isJson) assert(faults.some((fault) => /at most 64|smaller number/.test(fault)), faults[0]);
    return { refused: faults.join("\n") || "empty" };
  }
  assert(isJson, "JSON.parse refuses it");
  const taken = toJson(node);
  const printed = JSON.stringify(taken);
  assertEquals(printed, JSON.stringify(native));
  return { taken, printed };
}

const simulations = [
  { workload: "./own.ts" },
  {
    workload: {
      type: "terminal",
      agents: ["user"],
      lines: ["a {key}", { line: "b", answers: [] }],
    },
  },
  {
    workload: {
      ...{ type: "mail", to: ["kv"], clients: [1, 2] },
      messages: [{
        ...{ message: { type: "put", key: "{key}" }, operation: { kind: "put" } },
        answers: { ok: { value: "{reply.value}" } },
      }],
    },
    model: "kv",
    invariants: ["./a.ts"],
    faults: { spares: ["loss"], quorum: { agents: ["kv"], size: 1 } },
    sometimes: ["fault.kill"],
  },
].map((value) => JSON.stringify(value));

function readSimulation(text: string): Reading {
  const file =
    `{"agents":{"kv":{"type":"dummy","box":"127.0.0.1:5000"},"user":{"type":"kvs_tty","box":"127.0.0.1:5000",` +
    `"routes":{"1":{}}}},"simulation":${text}}`;
  const { draft, source, problems: wrong } = parseGrid(file, "g.json");
  const { simulation, problems } = checkSimulation(draft, source, (type) => builtIns.get(type));
  requirePlaces([...wrong, ...problems], file);
  const refused = refusalOf([...wrong, ...problems]);
  if (simulation === undefined || refused !== undefined) return { refused: refused ?? "none" };
  return { taken: simulation, printed: JSON.stringify(simulation) };
}

const host = fc.oneof(
  fc.ipV4(),
  fc.ipV6().map((six) => `[${six}]`),
  fc.constantFrom("[::ffff:1.2.3.4]", "127.0.00.1", "[0:0::1]"),
);

const subjects: readonly Subject[] = [
  {
    name: "grid files",
    valid: grid,
    pieces: names,
    refusal: /^g\.json:\d+:\d+: .*, want /s,
    cost: 2,
    read: readGrid,
  },
  {
    name: "JSON with places",
    valid: fc.json({ maxDepth: 4 }).filter((text) => !/\{.*"(.*)":.*"\1":/.test(text)),
    pieces: ["//", "/*", "[".repeat(70), ",]", ",}", "\\u12", "\\x", "0x1"],
    read: readPlainJson,
  },
  {
    name: "simulations of grid files",
    valid: fc.constantFrom(simulations[0] ?? "", simulations[1] ?? ""),
    pieces: ["{key}", "{kez}", "{reply.x}", '"kv"', '"nobody"', '"model"', "[5,1]"],
    refusal: /^g\.json:\d+:\d+: .*, want |^none$/s,
    cost: 2,
    read: readSimulation,
  },
  {
    name: "addresses of boxes",
    valid: fc.tuple(host, fc.integer({ min: 1, max: 65535 })).map(([host, port]) =>
      `${host}:${port}`
    ).filter((text) => !/^\[[0:]+\]|^0\.0\.0\.0/.test(text)),
    pieces: ["::", "%eth0", "0000", "256", "ffff", "."],
    refusal: /^Cannot use ".*" as the address of a box, want /s,
    read: (text) =>
      refusing([SyntaxError], () => {
        const taken = parseBox(text);
        assert(bytesOf(taken).every((byte) => byte > 32 && byte < 127));
        return { taken, printed: taken };
      }),
  },
];

fuzz(subjects);
