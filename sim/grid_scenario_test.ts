// The workloads of grid files, in whole runs: agents that are right pass, and each mistake is told apart.

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { z } from "zod";
import type { Simulation } from "../core/config/simulation.ts";
import { simulationSchema } from "../core/config/simulation.ts";
import { type AgentDefinition, defineAgent } from "../core/define.ts";
import { validate } from "../core/schema.ts";
import { checkDeterminism } from "./determinism.ts";
import { gridScenario, type GridSimulation } from "./grid_scenario.ts";
import type { Call } from "./history.ts";
import { type PlainAgent, plainGrid } from "./plain_grid.ts";
import { type Result, runScenario } from "./run.ts";
import { defineWorkload } from "./workloads/workload.ts";

function simulationOf(simulation: unknown): Simulation {
  const verdict = validate(simulationSchema, simulation);
  assert(verdict.ok, JSON.stringify(verdict));
  return verdict.value;
}

function scenarioOf(
  agents: Record<string, PlainAgent>,
  definition: AgentDefinition,
  simulation: unknown,
  modules: Partial<GridSimulation> = {},
) {
  return gridScenario({
    name: "test",
    grid: plainGrid(agents),
    definitions: new Map([[definition.type, definition]]),
    simulation: simulationOf(simulation),
    invariants: [],
    ...modules,
  });
}

/** A counter without request numbers: right only as long as no mail is doubled. */
function counter(broken: { readonly deaf?: true; readonly lossy?: true } = {}) {
  return defineAgent({
    type: "counter",
    version: 1,
    doc: "Counts.",
    attrs: z.object({}),
    protocol: { add: z.object({ amount: z.int() }), total: z.object({ total: z.int() }) },
    record: z.object({ amount: z.int() }),
    durable: () => ({ total: 0 }),
    apply: (durable, { amount }) => void (durable.total += amount),
    init: () => ({ total: 0 }),
    on: {
      add(state, { amount }, ctx) {
        if (broken.deaf) return;
        state.total += amount;
        if (!broken.lossy) ctx.append({ amount });
        const total = broken.lossy ? state.total : state.durable.total;
        ctx.reply({ type: "total", total });
      },
    },
  });
}

const counterGrid = { counter: { type: "counter", box: "b1" } };

const adding = {
  workload: {
    type: "mail",
    to: "counter",
    messages: [{
      message: { type: "add", amount: "{amount}" },
      operation: { kind: "add", amount: "{amount}" },
      answers: { total: { kind: "total", total: "{reply.total}" } },
    }],
    requests: [1, 12],
  },
  model: "counter",
  faults: { spares: ["duplicate"] },
};

/** The results of some seeds that did not go well. */
function failures(scenario: ReturnType<typeof gridScenario>, seeds: number): Result[] {
  return Array.from({ length: seeds }, (_, index) => runScenario(scenario, BigInt(index + 1)))
    .filter(({ verdict }) => verdict !== "fine");
}

Deno.test("mail: a late answer is never taken for that of a later request, without any id", () => {
  // Impatient clients give up what is answered a moment later.
  const few = { clients: [1, 2], requests: [1, 6], patienceMs: 5 };
  const impatient = { ...adding, workload: { ...adding.workload, ...few } };
  const scenario = scenarioOf(counterGrid, counter(), impatient);
  let givenUp = 0;
  for (let seed = 1n; seed <= 60n; seed++) {
    const { verdict, failure, counters } = runScenario(scenario, seed);
    assertEquals([verdict, failure], ["fine", undefined], `seed ${seed}`);
    givenUp += counters["requests given up"] ?? 0;
  }
  assert(givenUp > 50, `${givenUp} requests given up`);
});

Deno.test("mail: the model finds a counter that forgets, one that counts twice, and one that is deaf", () => {
  const forgetful = failures(scenarioOf(counterGrid, counter({ lossy: true }), adding), 30);
  assert(forgetful.length > 5 && forgetful.every(({ verdict }) => verdict === "safety"));
  const doubled = failures(scenarioOf(counterGrid, counter(), { ...adding, faults: {} }), 30);
  assert(doubled.length > 3 && doubled.every(({ verdict }) => verdict === "safety"));
  const [deaf] = failures(scenarioOf(counterGrid, counter({ deaf: true }), adding), 1);
  assertEquals(deaf?.verdict, "liveness");
  assertMatch(
    deaf?.failure ?? "",
    /for all answers, the faults being over: client1 has no answer to \{"type":"add","amount":\d\}/,
  );
});

Deno.test("mail: with ids one agent asks for each client, again and again until it is answered", () => {
  const echo = defineAgent({
    type: "echo",
    version: 1,
    doc: "Answers every second time.",
    attrs: z.object({}),
    protocol: { ask: z.object({ n: z.int() }), answer: z.object({ n: z.int() }) },
    init: () => ({ asked: 0 }),
    on: {
      ask(state, { n }, ctx) {
        // An answer to nothing that was asked now.
        ctx.reply({ type: "answer", n: n - 1 });
        if (++state.asked % 2 === 0) ctx.reply({ type: "answer", n });
      },
    },
  });
  const messages = [{ message: { type: "ask", n: "{id}" }, answers: ["answer"] }];
  const workload = { type: "mail", to: ["e1", "e2"], messages, retryMs: 20, clients: [1, 2] };
  const grid = { e1: { type: "echo", box: "b1" }, e2: { type: "echo", box: "b2" } };
  const scenario = scenarioOf(grid, echo, { workload });
  const calls: Call[] = [];
  for (let seed = 1n; seed <= 20n; seed++) {
    const history = (seen: readonly Call[]) => calls.push(...seen);
    assertEquals(runScenario(scenario, seed, { history }).failure, undefined, `seed ${seed}`);
  }
  const answered = calls.filter(({ result }) => result !== undefined);
  assert(answered.length > 100);
  for (const { operation, result } of answered) {
    assertEquals(Reflect.get(Object(operation), "n"), Reflect.get(Object(result), "n"));
  }
});

/** Prints what is typed, after a greeting, and says nothing to `quiet`. */
const parrot = defineAgent({
  type: "parrot",
  version: 1,
  doc: "Repeats.",
  attrs: z.object({}),
  protocol: {},
  devices: ["terminal"],
  init: () => ({}),
  start: (_state, ctx) => ctx.output("terminal", { type: "print", text: "hello" }),
  on: {},
  onDevice: {
    terminal(_state, event, ctx) {
      if (event.type !== "line" || event.text === "quiet") return;
      ctx.output("terminal", { type: "print", text: `${event.text}!` });
    },
  },
});

const parrots = { p1: { type: "parrot", box: "b1" }, p2: { type: "parrot", box: "b2" } };

Deno.test("terminal: tells answers from what else is printed, and does not wait where nobody answers", () => {
  const lines = [{ line: "{value}", answers: ["{value}!"] }, { line: "quiet", answers: [] }];
  const workload = { type: "terminal", agents: ["p1", "p2"], lines };
  const scenario = scenarioOf(parrots, parrot, { workload });
  const calls: Call[] = [];
  for (let seed = 1n; seed <= 20n; seed++) {
    const history = (seen: readonly Call[]) => calls.push(...seen);
    assertEquals(runScenario(scenario, seed, { history }).failure, undefined, `seed ${seed}`);
  }
  assert(calls.length > 50 && calls.every(({ operation }) => operation !== "quiet"));
  for (const { operation, result = `${operation}!` } of calls) {
    assertEquals(result, `${operation}!`);
  }
});

Deno.test("terminal: who waits in vain is told, with the line", () => {
  const workload = { type: "terminal", agents: ["p1"], lines: ["quiet"] };
  const { verdict, failure } = runScenario(scenarioOf(parrots, parrot, { workload }), 1n);
  assertEquals(verdict, "liveness");
  assertMatch(failure ?? "", /p1 has not answered "quiet"/);
});

Deno.test("gridScenario: faults strike where the file says", () => {
  const workload = { type: "terminal", agents: ["p1", "p2"], lines: ["x"] };
  const faults = {
    spares: ["loss"],
    victims: ["p1"],
    disks: { agents: ["p2"], max: 1 },
    quorum: { agents: ["p1", "p2"], size: 1 },
  };
  const scenario = scenarioOf(parrots, parrot, { workload, faults });
  assertEquals([scenario.spares, scenario.exposure?.({})], [["loss"], {
    victims: ["b1"],
    disks: { boxes: ["b2"], max: 1 },
    quorum: { boxes: ["b1", "b2"], size: 1 },
  }]);
  // Those who ask are no victims.
  assertEquals(scenarioOf(counterGrid, counter(), adding).exposure?.({})?.victims, ["b1"]);
  assertEquals(failures(scenario, 20), []);
});

Deno.test("gridScenario: an own workload may put agents into the grid, and bring a model", () => {
  const own = defineWorkload({
    sizes: { lines: [2, 4] },
    agents: (sizes) => ({ extra: { type: "parrot", box: `box${sizes.lines}` } }),
    play({ world, sizes }) {
      for (let line = 1; line <= sizes.lines; line++) {
        world.at(line, () => world.line("extra", "x"));
      }
      const printed = () => world.printed("extra").length - 1;
      return { committed: printed, done: () => printed() >= sizes.lines };
    },
  });
  const scenario = scenarioOf(parrots, parrot, { workload: "./own.ts" }, { workload: own });
  assertEquals(failures(scenario, 10), []);
  assertEquals(scenario.grid({ lines: 3 }).boxes.join(), "b1,b2,box3");
  const clashing = defineWorkload({
    ...own,
    agents: () => ({ p1: { type: "parrot", box: "b9" } }),
  });
  const wrong = scenarioOf(parrots, parrot, { workload: "./own.ts" }, { workload: clashing });
  assertThrows(() => wrong.grid({ lines: 2 }), RangeError, '"p1" into the grid: it has one');
  for (const workload of [{}, { sizes: { n: [2, 1] }, play() {} }, { sizes: {} }]) {
    assertThrows(() => defineWorkload(Object(workload)), TypeError, "Cannot define a workload");
  }
});

Deno.test("gridScenario: invariants are asked after every event, and a run waits for what must come about", () => {
  const workload = { type: "terminal", agents: ["p1"], lines: ["x"] };
  let looks = 0;
  const counting = { doc: "Counts.", always: () => void looks++ };
  const run = (invariant: GridSimulation["invariants"][number]["invariant"]) => {
    const invariants = [{ name: "./it.ts", invariant }];
    return runScenario(scenarioOf(parrots, parrot, { workload }, { invariants }), 1n);
  };
  const { events, verdict } = run(counting);
  assert(verdict === "fine" && looks >= events / 2, `${looks} looks, ${events} events`);
  const broken = run({ doc: "Breaks.", always: ({ now }) => assert(now < 100, "too late") });
  assertEquals([broken.verdict, broken.failure], [
    "safety",
    "Invariant ./it.ts is broken: AssertionError: too late",
  ]);
  const never = run({ doc: "Pigs fly.", eventually: () => false });
  assertEquals(never.verdict, "liveness");
  assertMatch(never.failure ?? "", /to agree, the faults being over: .\/it.ts: Pigs fly./);
});

Deno.test("gridScenario: the same seed gives the same run", () => {
  for (const seed of [1n, 2n, 3n]) {
    assertEquals(
      checkDeterminism(scenarioOf(counterGrid, counter(), adding), seed).verdict,
      "fine",
    );
  }
});
