// Checks what a grid file says under "simulation": by its schema, and against the agents of the grid. The modules
// that it names are for whoever loads them.

import type { Json } from "../data.ts";
import { agentId, type BoxId } from "../id.ts";
import { toJsonSchema, validate } from "../schema.ts";
import type { Draft } from "./draft.ts";
import { refusalsOf } from "./issues.ts";
import { type Collector, collectProblems, type Problem, type Source } from "./problem.ts";
import type { AgentShape, LookUp } from "./shape.ts";
import {
  drawnHoles,
  holesIn,
  type MailSettings,
  modelNames,
  type Simulation,
  simulationSchema,
  type TerminalSettings,
} from "./simulation.ts";
import { oneOf, type Path, perhaps, quote } from "./wording.ts";

const root = "simulation";

/** What {@linkcode checkSimulation} made of a draft. */
export interface CheckedSimulation {
  /** Undefined if it has not the form that it must have, or there is none. */
  readonly simulation: Simulation | undefined;
  readonly problems: Problem[];
}

/** Checks the "simulation" of a draft that has one. */
export function checkSimulation(draft: Draft, source: Source, lookUp: LookUp): CheckedSimulation {
  const problems = collectProblems(source.file);
  if (draft.simulation === undefined) return { simulation: undefined, problems: [] };
  const simulation = readSimulation(draft.simulation, source, problems);
  if (simulation !== undefined) {
    const checking = { draft, source, lookUp, problems };
    const { workload } = simulation;
    if (typeof workload !== "string") {
      if (workload.type === "terminal") checkTerminals(workload, checking);
      else checkMail(workload, checking);
      checkTemplates(simulation, workload, checking);
    }
    checkFaults(simulation.faults, checking);
  }
  return { simulation, problems: problems.list() };
}

function readSimulation(
  value: Json,
  source: Source,
  problems: Collector,
): Simulation | undefined {
  const verdict = validate(simulationSchema, value);
  if (verdict.ok) return verdict.value;
  const judged = { value, schema: toJsonSchema(simulationSchema) ?? {}, owner: "a simulation" };
  for (const issue of verdict.issues) {
    for (const { steps, part, ...problem } of refusalsOf(issue, judged)) {
      problems.add(source.locate([root, ...steps], part), problem);
    }
  }
  return undefined;
}

interface Checking {
  readonly draft: Draft;
  readonly source: Source;
  readonly lookUp: LookUp;
  readonly problems: Collector;
}

/** The shape of an agent that is named at `path`; undefined if there is none, or its type has an error already. */
function checkAgent(id: string, path: Path, checking: Checking): AgentShape | undefined {
  const { draft, source, lookUp, problems } = checking;
  const entry = draft.agents.get(agentId(id));
  if (entry === undefined) {
    const ids = [...draft.agents.keys()];
    const problem = { found: `is ${quote(id)}`, wanted: oneOf(ids), hint: perhaps(id, ids) };
    problems.add(source.locate([root, ...path]), problem);
    return undefined;
  }
  const shape = entry.type === undefined ? undefined : lookUp(entry.type);
  return shape === undefined || "error" in shape ? undefined : shape;
}

function checkTerminals({ agents }: TerminalSettings, checking: Checking): void {
  for (const [index, id] of agents.entries()) {
    const path = ["workload", "agents", index];
    const shape = checkAgent(id, path, checking);
    if (shape === undefined || shape.devices?.includes("terminal")) continue;
    const found = `is ${quote(id)}, whose type ${shape.type} has no terminal`;
    const wanted = 'an agent with devices: ["terminal"]';
    checking.problems.add(checking.source.locate([root, ...path]), { found, wanted });
  }
}

function checkMail({ to, messages }: MailSettings, checking: Checking): void {
  const targets: [string, Path][] = typeof to === "string"
    ? [[to, ["workload", "to"]]]
    : to.map((id, index) => [id, ["workload", "to", index]]);
  for (const [id, path] of targets) {
    const shape = checkAgent(id, path, checking);
    if (shape?.on === undefined) continue;
    const taken = Object.keys(shape.on);
    for (const [index, { message: { type } }] of messages.entries()) {
      if (taken.includes(type)) continue;
      const place = [root, "workload", "messages", index, "message", "type"];
      const found = `is ${quote(type)}, which ${shape.type} does not take`;
      const problem = { found, wanted: oneOf(taken), hint: perhaps(type, taken) };
      checking.problems.add(checking.source.locate(place), problem);
    }
  }
}

/** A request as both workloads have it. */
interface Request {
  readonly path: Path;
  readonly template: unknown;
  readonly operation?: unknown;
  readonly answers?: readonly string[] | { readonly [answer: string]: unknown } | undefined;
}

function requestsOf(workload: TerminalSettings | MailSettings): Request[] {
  if (workload.type === "terminal") {
    return workload.lines.map((each, index) => ({
      path: ["workload", "lines", index],
      ...typeof each === "string" ? { template: each } : { ...each, template: each.line },
    }));
  }
  return workload.messages.map((each, index) => ({
    ...{ path: ["workload", "messages", index], template: each.message },
    ...each,
  }));
}

function checkTemplates(
  { model }: Simulation,
  workload: TerminalSettings | MailSettings,
  checking: Checking,
): void {
  const isTerminal = workload.type === "terminal";
  const drawn = [...Object.keys(drawnHoles), ...isTerminal ? [] : ["id"]];
  const found = isTerminal ? ["text", "number"] : ["reply."];
  for (const { path, template, operation, answers = [] } of requestsOf(workload)) {
    checkHoles(template, [...path, isTerminal ? "line" : "message"], drawn, checking);
    checkHoles(operation, [...path, "operation"], drawn, checking);
    const named: readonly string[] = isList(answers) ? answers : Object.keys(answers);
    const results: readonly unknown[] = isList(answers) ? [] : Object.values(answers);
    if (isTerminal) checkHoles(named, [...path, "answers"], [...drawn, ...found], checking);
    checkHoles(results, [...path, "answers"], [...drawn, ...found], checking);
    if (!modelNames.some((name) => name === model)) continue;
    if (operation !== undefined && !isList(answers)) continue;
    const { source, problems } = checking;
    problems.add(source.locate([root, ...path]), {
      found: operation === undefined ? 'has no "operation"' : "has no results for its answers",
      wanted: `what the model ${model} takes and gives, such as ${modelExamples(model)}`,
    });
  }
}

function modelExamples(model: string | undefined): string {
  return model === "kv"
    ? '"operation": { "kind": "get", "key": "{key}" } with a result { "kind": "value", "value": ... }'
    : '"operation": { "kind": "add", "amount": 1 } with a result { "kind": "total", "total": ... }';
}

function checkHoles(
  template: unknown,
  path: Path,
  known: readonly string[],
  { source, problems }: Checking,
): void {
  for (const hole of holesIn(template)) {
    if (known.includes(hole) || (known.includes("reply.") && hole.startsWith("reply."))) continue;
    problems.add(source.locate([root, ...path]), {
      found: `has {${hole}}`,
      wanted: oneOf(known.map((each) => each === "reply." ? "{reply.FIELD}" : `{${each}}`)),
      hint: perhaps(hole, known),
    });
  }
}

function checkFaults(
  { victims = [], disks, quorum }: Simulation["faults"],
  checking: Checking,
): void {
  for (const [index, id] of victims.entries()) {
    checkAgent(id, ["faults", "victims", index], checking);
  }
  for (const [key, group] of Object.entries({ disks, quorum })) {
    if (group === undefined) continue;
    for (const [index, id] of group.agents.entries()) {
      checkAgent(id, ["faults", key, "agents", index], checking);
    }
    const field = "size" in group ? "size" : "max";
    const most = "size" in group ? group.size : group.max;
    const boxes = boxesOf(group.agents, checking.draft);
    if (boxes.size === 0 || most <= boxes.size) continue;
    checking.problems.add(checking.source.locate([root, "faults", key, field]), {
      found: `is ${most}`,
      wanted: `at most ${boxes.size}, the number of boxes that its agents live in`,
    });
  }
}

function boxesOf(agents: readonly string[], draft: Draft): Set<BoxId | undefined> {
  return new Set(agents.map((id) => draft.agents.get(agentId(id))?.box));
}

function isList(
  answers: readonly string[] | { readonly [answer: string]: unknown },
): answers is readonly string[] {
  return Array.isArray(answers);
}
