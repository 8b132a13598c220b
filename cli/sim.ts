// `ovid sim`: runs a grid of agents in virtual time under every fault there is, from a seed.

import { type Call as HistoryCall, historyLines } from "../sim/history.ts";
import { diagramSvg } from "../sim/diagram.ts";
import { mermaidText } from "../sim/mermaid.ts";
import { formatEvent, type WorldEvent } from "../sim/world_event.ts";
import type { Changes } from "../sim/plan.ts";
import { type Result, runScenario, type Verdict } from "../sim/run.ts";
import type { Scenario } from "../sim/scenario.ts";
import { builtInScenarios, caseScenarios } from "../sim/scenarios/registry.ts";
import { shrink, type Shrunk } from "../sim/shrink.ts";
import { sometimesRunsMin, Summary } from "../sim/summary.ts";
import { type Call, type Command, exitCodes, UsageError } from "./command.ts";
import { type Batch, runBatch, work } from "./sim_batch.ts";
import { refuseSandbox } from "./sandbox.ts";
import { runComparison } from "./sim_compare.ts";
import { drawSeed, findScenario, readChanges, readSeed } from "./sim_call.ts";
import {
  formatCount,
  formatFailure,
  formatHeadline,
  formatOptions,
  formatRun,
  formatSummary,
  Progress,
} from "./sim_report.ts";

/** How the program ends, by how the run did. */
const verdictCodes: Readonly<Record<Verdict, number>> = {
  fine: exitCodes.fine,
  safety: 10,
  liveness: 11,
  determinism: 12,
  unknown: exitCodes.failure,
};

/** How many failures of a batch are named, a line and a command each. */
const listedFailuresMax = 10;

/** How many events the story of a shrunk run has. */
const shrunkStoryLines = 200;

const scenarioList = [...builtInScenarios.values()].map(({ name, doc }) =>
  `  ${name.padEnd(6)} ${doc}`
);

/** `ovid sim`. */
export const command: Command = {
  name: "sim",
  synopsis: "SCENARIO [SEED]",
  summary: "Runs a grid in virtual time, under faults that a seed draws.",
  doc:
    `Everything in a run comes from its seed, an unsigned 64-bit number: what the clients ask, what is lost, which box
crashes when. The same seed gives the same run, on every machine. Without SEED one is drawn, and printed. SCENARIO is
one of

${scenarioList.join("\n")}

or an exact case, in which only what its name says goes wrong:

  ${[...caseScenarios.keys()].join(", ")}

or, for agents of your own, a grid file that names its workload and its invariants under "simulation"
(docs/simulation.md; \`ovid new agent\` writes one), or a module with \`export default defineScenario({ ... })\`, which
says everything itself. \`compare A B\` in its place shows what two protocols, such as vr and paxos,
make of the same clients and the same faults.

Exit codes: 0 fine, 10 something happened that must never be, 11 something did not happen that must, 12 the same seed
gave two runs, 1 a history is too hard to judge or a batch of ${sometimesRunsMin} seeds and more has not reached what it should, 2 wrong usage, such as a bad seed.`,
  words: [...builtInScenarios.keys(), ...caseScenarios.keys(), "compare"],
  operands: [1, 8],
  flags: [
    { name: "seed", value: "N", doc: "The seed of a comparison; default: one is drawn" },
    { name: "runs", value: "N", doc: "Runs N seeds, counting up from SEED" },
    { name: "seconds", value: "S", doc: "Begins no seed after S seconds" },
    { name: "until-failure", doc: "Begins no seed after one that failed" },
    { name: "jobs", value: "N", doc: "Runs on N processes; default: one for each processor" },
    { name: "shrink", doc: "Makes the story of a failure as short as it can be" },
    { name: "check-determinism", doc: "Runs each seed twice, and finds the step that differs" },
    { name: "trace", value: "FILE", doc: "Writes every event of the run to FILE" },
    { name: "history", value: "FILE", doc: "Writes what the clients saw to FILE, as JSON lines" },
    {
      name: "diagram",
      value: "FILE",
      doc: "Draws the run, shrunk if --shrink is given, as an SVG",
    },
    { name: "mermaid", doc: "Prints that drawing as Mermaid text" },
    { name: "json", doc: "Prints the results as JSON, a line for each seed" },
    { name: "set", value: "NAME=N,...", doc: "Sets sizes of the scenario" },
    { name: "without", value: "FAULT,...", doc: "Leaves out kinds of faults" },
    { name: "steps", value: "N,...", doc: "Leaves out all steps of the schedule but these" },
    {
      name: "sandbox",
      doc: "Is refused: simulated plugins run inside this program, with all that you may do",
    },
    { name: "worker", doc: "Runs the seeds that come in, a line each", hidden: true },
  ],
  examples: [
    { line: "ovid sim kvs", doc: "One run of the key-value store, from a seed that is drawn" },
    { line: "ovid sim kvs 1 --runs 1000", doc: "The seeds 1 to 1000, on all processors" },
    {
      line: "ovid sim examples/guide/03_counter/broken.json 2 --shrink",
      doc: "The shortest story of a failure",
      code: 10,
    },
    { line: "ovid sim compare paxos vr --seed 1", doc: "Two protocols under the same faults" },
  ],
  async run(call) {
    const [name = "", seed] = call.operands;
    refuseSandbox(call, "in a simulation, whose steps cannot wait for another process");
    if (name === "compare") return runComparison(call);
    if (call.operands.length > 2) {
      throw new UsageError(`Cannot use ${call.operands[2]}, want one SEED`);
    }
    const first = seed === undefined ? drawSeed() : readSeed(seed);
    const scenario = await findScenario(name, call);
    const runs = call.integer("runs", 1, 1_000_000_000);
    const seconds = call.integer("seconds", 1, 1_000_000);
    const jobs = call.integer("jobs", 1, 256) ?? navigator.hardwareConcurrency;
    const batch: Batch = {
      scenario,
      name,
      first,
      runsMax: runs ?? (seconds === undefined ? 1 : Infinity),
      msMax: seconds === undefined ? Infinity : 1000 * seconds,
      untilFailure: call.has("until-failure"),
      jobs,
      changes: readChanges(call),
      twice: call.has("check-determinism"),
    };
    if (call.has("worker")) {
      await work(batch);
      return exitCodes.fine;
    }
    requirePlan(scenario, first, batch.changes);
    return batch.runsMax === 1 ? await runSeed(batch, call) : await runSeeds(batch, call);
  },
};

/** Refuses sizes that the scenario does not have before anything runs. */
function requirePlan(scenario: Scenario, seed: bigint, changes: Changes): void {
  try {
    formatOptions(scenario, seed, changes);
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  }
}

async function runSeed(batch: Batch, call: Call): Promise<number> {
  const { scenario, name, first: seed, changes } = batch;
  if (!call.has("json") && call.operands[1] === undefined) console.log(`seed ${seed}`);
  const trace = call.value("trace");
  if (trace !== undefined) await writeTrace(trace, scenario, seed, changes);
  const history = call.value("history");
  if (history !== undefined) await writeHistory(history, scenario, seed, changes);
  let result: Result | undefined;
  await runBatch({ ...batch, jobs: 1 }, (each) => result = each);
  if (result === undefined) return exitCodes.failure;
  if (call.has("json")) console.log(JSON.stringify(result));
  else if (result.verdict === "fine") console.log(formatRun(result));
  else if (call.has("shrink")) console.log(formatHeadline(name, result, changes));
  else console.log(formatFailure(scenario, name, result, changes));
  const shrunk = call.has("shrink") ? tellShrunk(batch, result) : undefined;
  await draw(call, scenario, shrunk?.seed ?? seed, shrunk?.changes ?? changes);
  return verdictCodes[result.verdict];
}

async function runSeeds(batch: Batch, call: Call): Promise<number> {
  const { scenario, name, first, changes } = batch;
  for (const flag of ["trace", "history", "diagram", "mermaid"]) {
    const given = flag === "mermaid" ? call.has(flag) : call.value(flag) !== undefined;
    if (given) {
      throw new UsageError(`Cannot use --${flag} for more than one run, want one SEED`);
    }
  }
  const json = call.has("json");
  if (!json) console.log(`seed ${first} and up`);
  const summary = new Summary(scenario);
  const progress = new Progress();
  await runBatch(batch, (result) => {
    summary.add(result);
    if (json) console.log(JSON.stringify(result));
    progress.show(() =>
      `${summary.runs}${batch.runsMax === Infinity ? "" : ` of ${batch.runsMax}`} seeds, ` +
      `${formatCount(summary.events / progress.seconds)} events a second, ` +
      `${summary.failed} failures`
    );
  });
  progress.end();
  const { failures } = summary;
  const [failure] = failures;
  if (!json) {
    for (const each of failures.slice(0, listedFailuresMax)) {
      console.log(formatHeadline(name, each, changes));
    }
    const more = failures.length - listedFailuresMax;
    if (more > 0) console.log(`and ${more} more`);
    if (failure !== undefined && !call.has("shrink")) {
      console.log(`\n${formatFailure(scenario, name, failure, changes)}\n`);
    }
    console.log(formatSummary(summary, progress.seconds));
  }
  if (failure === undefined) return summary.isVacuous ? exitCodes.failure : exitCodes.fine;
  if (call.has("shrink")) tellShrunk(batch, failure);
  return verdictCodes[failure.verdict];
}

// The shortest story; undefined if there is nothing to shrink.
function tellShrunk({ scenario, name, changes }: Batch, failed: Result): Shrunk | undefined {
  if (failed.verdict === "fine" || failed.verdict === "determinism") {
    const why = failed.verdict === "fine" ? "fine" : "not the same twice";
    console.log(`\nThere is nothing to shrink: the run is ${why}`);
    return undefined;
  }
  const progress = new Progress();
  const shrunk = shrink(scenario, BigInt(failed.seed), changes, {
    tried: (runs) => progress.show(() => `shrinking, ${runs} runs`),
  });
  progress.end();
  const result = runScenario(scenario, shrunk.seed, {
    changes: shrunk.changes,
    storyLines: shrunkStoryLines,
  });
  console.log(`\nShrunk in ${shrunk.runs} runs to ${result.events} events:\n`);
  console.log(formatFailure(scenario, name, result, shrunk.changes));
  return shrunk;
}

async function draw(call: Call, scenario: Scenario, seed: bigint, changes: Changes): Promise<void> {
  const path = call.value("diagram");
  if (path === undefined && !call.has("mermaid")) return;
  const events: WorldEvent[] = [];
  const { failure } = runScenario(scenario, seed, {
    changes,
    observer: (event) => events.push(event),
  });
  const title = `${scenario.name} ${seed}`;
  const options = failure === undefined ? { title } : { title, failure };
  if (path !== undefined) await Deno.writeTextFile(path, diagramSvg(events, options));
  if (call.has("mermaid")) console.log(mermaidText(events, options));
}

async function writeHistory(
  path: string,
  scenario: Scenario,
  seed: bigint,
  changes: Changes,
): Promise<void> {
  let text = "";
  const history = (calls: readonly HistoryCall[]) => text = [...historyLines(calls)].join("");
  runScenario(scenario, seed, { changes, history });
  await Deno.writeTextFile(path, text);
}

async function writeTrace(
  path: string,
  scenario: Scenario,
  seed: bigint,
  changes: Changes,
): Promise<void> {
  const lines: string[] = [];
  runScenario(scenario, seed, { changes, observer: (event) => lines.push(formatEvent(event)) });
  await Deno.writeTextFile(path, lines.map((line) => `${line}\n`).join(""));
}
