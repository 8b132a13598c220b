import { assertEquals } from "@std/assert";
import { z } from "zod";
import { checkSimulation } from "./check_simulation.ts";
import { parseGrid } from "./parse.ts";
import { describeProblem } from "./problem.ts";
import type { AgentShape, LookUp } from "./shape.ts";
import { simulationLimits } from "./simulation.ts";

const shapes: Record<string, AgentShape> = {
  tty: { type: "tty", doc: "Types.", attrs: z.object({}), devices: ["terminal"], on: {} },
  store: { type: "store", doc: "Keeps.", attrs: z.object({}), on: { put: 1, get: 1 } },
};

const lookUp: LookUp = (type) => shapes[type];
const agents = {
  user: { type: "tty", box: "127.0.0.1:5000" },
  kv: { type: "store", box: "127.0.0.1:5001" },
  kv2: { type: "store", box: "127.0.0.1:5001" },
  lost: { type: "nothing", box: "127.0.0.1:5001" },
};
const terminal = { type: "terminal", agents: ["user"], lines: ["hello"] };
const get = { message: { type: "get" }, answers: ["got"] };
const mail = { type: "mail", to: "kv", messages: [get] };

/** The problems of a simulation, without their places. */
function words(simulation: unknown): string[] {
  const { draft, grid, problems, source } = parseGrid(
    JSON.stringify({ agents, simulation }),
    "g.json",
  );
  // A box takes no notice of it.
  assertEquals([problems, grid === undefined], [[], false]);
  return checkSimulation(draft, source, lookUp).problems.map((problem) => {
    assertEquals(problem.line, 1);
    return describeProblem(problem).replace(/^g\.json:1:\d+: simulation/, "");
  });
}

function filled(simulation: unknown): unknown {
  const { draft, source } = parseGrid(JSON.stringify({ agents, simulation }), "g.json");
  return checkSimulation(draft, source, lookUp).simulation;
}

Deno.test("checkSimulation: fills in what is left out", () => {
  assertEquals(filled({ workload: "./own.ts" }), {
    workload: "./own.ts",
    invariants: [],
    faults: { spares: [] },
    sometimes: [],
  });
  assertEquals(filled({ workload: terminal }), {
    workload: { ...terminal, requests: [1, 20], keys: [1, 3] },
    invariants: [],
    faults: { spares: [] },
    sometimes: [],
  });
});

Deno.test("checkSimulation: allows all that there is", () => {
  const templates = {
    operation: { kind: "add", amount: "{amount}" },
    answers: { got: "{reply.x}" },
  };
  const faults = {
    spares: ["loss", "jump"],
    victims: ["kv"],
    disks: { agents: ["kv", "user"], max: 1 },
    quorum: { agents: ["user", "kv"], size: 2 },
  };
  const lines = [
    '{key} {value} {amount} {"any": 1}',
    { line: "nobody answers", answers: [] },
    { line: "{key}", operation: "{key}", answers: { "{key} {text}": { n: "{text}" }, x: null } },
  ];
  const many = {
    ...mail,
    to: ["kv", "kv2"],
    messages: [{ ...get, ...templates }],
    clients: [2, 2],
  };
  for (
    const simulation of [
      { workload: { ...terminal, lines, requests: [1, 1], keys: [2, 3] }, faults },
      { workload: { ...many, retryMs: 1, patienceMs: 60_000 }, model: "counter" },
      {
        doc: "All.",
        workload: "a/own.js",
        model: "./m.ts",
        invariants: ["i.ts"],
        sometimes: ["x"],
      },
    ]
  ) assertEquals(words(simulation), [], JSON.stringify(simulation));
});

Deno.test("checkSimulation: tells all that is wrong with its form at once, and what was meant", () => {
  assertEquals(words(5), [" is 5, want an object"]);
  assertEquals(words({}), [".workload is missing, want a string or an object"]);
  assertEquals(
    words({
      workload: { type: "terminl" },
      invariant: ["x.ts"],
      model: "kvv",
      faults: { spares: ["los"], victim: [] },
      invariants: ["./x.json"],
    }),
    [
      '.workload.type is "terminl", want one of terminal, mail; perhaps "terminal"',
      ".invariant is not known to a simulation, want one of doc, workload, model, invariants, faults, " +
      'sometimes; perhaps "invariants"',
      '.model is "kvv", want kv or counter or the path of a .ts or .js file',
      '.faults.spares[0] is "los", want one of loss, duplicate, reorder, delay, heavyTail, clog, ' +
      'partition, oneWay, pause, slow and 9 others; perhaps "loss" or "lostDisk"',
      ".faults.victim is not known to a simulation, want one of spares, victims, disks, quorum; " +
      'perhaps "victims"',
      '.invariants[0] is "./x.json", want the path of a .ts or .js file',
    ],
  );
});

Deno.test("checkSimulation: looks into the form that was meant", () => {
  assertEquals(words({ workload: { ...terminal, line: [], requests: [5, 1], keys: [1] } }), [
    ".workload.line is not known to a simulation, want one of type, agents, lines, requests, keys; " +
    'perhaps "lines"',
    ".workload.requests is an array, want the least before the most",
    ".workload.keys is an array, want two numbers, the least and the most",
  ]);
  assertEquals(
    words({ workload: { ...terminal, lines: [{ lin: "x" }, 5, ""] } }),
    [
      ".workload.lines[0].line is missing, want a string",
      ".workload.lines[0].lin is not known to a simulation, want one of line, operation, answers; " +
      'perhaps "line"',
      ".workload.lines[1] is 5, want a string or an object",
      '.workload.lines[2] is "", want string to have >=1 characters',
    ],
  );
  assertEquals(words({ workload: { ...mail, messages: [{ message: {}, answers: 5 }] } }), [
    ".workload.messages[0].message.type is missing, want a string",
    ".workload.messages[0].answers is 5, want an array or an object",
  ]);
});

Deno.test("checkSimulation: limits what a run may grow to", () => {
  const { clientsMax, requestsMax } = simulationLimits;
  assertEquals(words({ workload: { ...mail, clients: [1, clientsMax] } }), []);
  assertEquals(words({ workload: { ...mail, clients: [1, clientsMax + 1] } }).length, 1);
  assertEquals(words({ workload: { ...mail, requests: [1, requestsMax] } }), []);
  assertEquals(words({ workload: { ...mail, requests: [1, requestsMax + 1] } }).length, 1);
  assertEquals(words({ workload: { ...mail, requests: [0, 1] } }).length, 1);
});

Deno.test("checkSimulation: names agents that are not there, or cannot do what is asked", () => {
  assertEquals(words({ workload: { ...terminal, agents: ["kv", "usr", "lost"] } }), [
    '.workload.agents[0] is "kv", whose type store has no terminal, want an agent with devices: ["terminal"]',
    '.workload.agents[1] is "usr", want one of user, kv, kv2, lost; perhaps "user"',
  ]);
  const puts = [{ ...get, message: { type: "putt" } }];
  assertEquals(words({ workload: { ...mail, to: ["kvx", "kv"], messages: puts } }), [
    '.workload.to[0] is "kvx", want one of user, kv, kv2, lost; perhaps "kv"',
    '.workload.messages[0].message.type is "putt", which store does not take, want one of put, get; ' +
    'perhaps "put"',
  ]);
  const faults = {
    victims: ["nobody"],
    disks: { agents: ["kv", "kv2"], max: 2 },
    quorum: { agents: ["kv", "usr"], size: 1 },
  };
  assertEquals(words({ workload: mail, faults }), [
    '.faults.victims[0] is "nobody", want one of user, kv, kv2, lost',
    ".faults.disks.max is 2, want at most 1, the number of boxes that its agents live in",
    '.faults.quorum.agents[1] is "usr", want one of user, kv, kv2, lost; perhaps "user"',
  ]);
});

Deno.test("checkSimulation: knows the holes of each place", () => {
  const lines = ["{kee}", { line: "{id}", answers: { "{reply.x}": "{textt} {reply.x}" } }];
  assertEquals(words({ workload: { ...terminal, lines } }), [
    '.workload.lines[0].line has {kee}, want one of {key}, {value}, {amount}; perhaps "key"',
    ".workload.lines[1].line has {id}, want one of {key}, {value}, {amount}",
    ".workload.lines[1].answers has {reply.x}, want one of {key}, {value}, {amount}, {text}, {number}",
    ".workload.lines[1].answers has {textt}, want one of {key}, {value}, {amount}, {text}, {number}; " +
    'perhaps "text"',
    ".workload.lines[1].answers has {reply.x}, want one of {key}, {value}, {amount}, {text}, {number}",
  ]);
  const messages = [{
    message: { type: "get", n: "{text}" },
    answers: { got: "{reply.x} {number}" },
  }];
  assertEquals(words({ workload: { ...mail, messages } }), [
    ".workload.messages[0].message has {text}, want one of {key}, {value}, {amount}, {id}",
    ".workload.messages[0].answers has {number}, want one of {key}, {value}, {amount}, {id}, {reply.FIELD}",
  ]);
});

Deno.test("checkSimulation: a built-in model needs operations and results that it knows", () => {
  const lines = ["get", { line: "put", operation: { kind: "put" }, answers: ["ok"] }];
  const told = words({ workload: { ...terminal, lines }, model: "kv" });
  assertEquals(told.map((line) => line.split(",", 1)[0]), [
    '.workload.lines[0] has no "operation"',
    ".workload.lines[1] has no results for its answers",
  ]);
  assertEquals(words({ workload: { ...terminal, lines }, model: "./own.ts" }), []);
});
