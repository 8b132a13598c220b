// Checks a grid against the agents that there are: types, attrs, destinations, devices, addresses.

import type { AgentId, BoxId } from "../id.ts";
import { isLoopback } from "./address.ts";
import { attrProblems } from "./check_attrs.ts";
import type { Draft, DraftEntry } from "./draft.ts";
import { type Collector, collectProblems, type Problem, type Source } from "./problem.ts";
import type { AgentShape, LookUp } from "./shape.ts";
import { oneOf, type Path, perhaps, quote } from "./wording.ts";

/** Against what {@linkcode checkGrid} checks. */
export interface CheckOptions {
  readonly lookUp: LookUp;
  /** The names of all types there are, to be shown where one is unknown. */
  readonly known: readonly string[];
  /** The names that no plugin may take. */
  readonly builtIn?: readonly string[];
  /** Whether boxes may have addresses that other machines can reach. */
  readonly insecure?: boolean;
}

/**
 * Checks a grid: every type is known, the attrs are what the type wants, every destination exists, no plugin has
 * the name of a built-in, every box is on a loopback address. Warnings: a destination that the type sends to and
 * the grid does not name, and a second agent of a box that wants the terminal.
 *
 * @example
 * ```ts
 * import { checkGrid, describeProblem, parseGrid } from "ovid";
 *
 * const { draft, source } = parseGrid(`{ "1": { "type": "tty", "box": "127.0.0.1:5000" } }`, "grid.json");
 * const problems = checkGrid(draft, source, { lookUp: () => undefined, known: ["chat", "dummy"] });
 * console.log(problems.map(describeProblem));
 * // [ 'grid.json:1:18: 1.type is "tty", want one of chat, dummy' ]
 * ```
 */
export function checkGrid(draft: Draft, source: Source, options: CheckOptions): Problem[] {
  const problems = collectProblems(source.file);
  const checking = { draft, source, options, problems, ids: [...draft.agents.keys()] };
  const terminals = new Map<BoxId, AgentId>();
  for (const entry of draft.agents.values()) {
    const path = [...source.agentsPath, entry.id];
    const shape = checkType(entry, path, checking);
    checkBox(entry, path, checking);
    checkSandbox(entry, path, checking);
    checkTargets(entry, path, checking);
    if (shape === undefined) continue;
    if (entry.attrs !== undefined) {
      for (const { steps, part, ...problem } of attrProblems(entry.attrs, shape)) {
        problems.add(source.locate([...path, "attrs", ...steps], part), problem);
      }
    }
    checkRoutes(entry, path, shape, checking);
    checkTerminal(entry, path, shape, terminals, checking);
  }
  checkPlugins(checking);
  return problems.list();
}

/** What all checks look at. */
interface Checking {
  readonly draft: Draft;
  readonly source: Source;
  readonly options: CheckOptions;
  readonly problems: Collector;
  readonly ids: readonly AgentId[];
}

function checkType(entry: DraftEntry, path: Path, checking: Checking): AgentShape | undefined {
  const { type } = entry;
  if (type === undefined) return undefined;
  const { source, options, problems } = checking;
  const shape = options.lookUp(type);
  if (shape !== undefined && !("error" in shape)) return shape;
  const found = `is ${quote(type)}`;
  problems.add(
    source.locate([...path, "type"]),
    shape === undefined
      ? { found, wanted: oneOf(options.known), hint: perhaps(type, options.known) }
      : { found, wanted: "a plugin that loads", hint: shape.error },
  );
  return undefined;
}

function checkBox({ box }: DraftEntry, path: Path, { source, options, problems }: Checking): void {
  // Nothing on the wire is protected, so only programs of the same machine may reach it unasked.
  if (box === undefined || options.insecure === true || isLoopback(box)) return;
  const wanted = "a loopback address such as 127.0.0.1, or --insecure";
  problems.add(source.locate([...path, "box"]), { found: `is ${quote(box)}`, wanted });
}

function checkSandbox(
  entry: DraftEntry,
  path: Path,
  { source, options, problems }: Checking,
): void {
  if (!entry.sandbox || !options.builtIn?.includes(entry.type ?? "")) return;
  const found = `is true, and ${entry.type} is a built-in type`;
  problems.add(source.locate([...path, "sandbox"]), { found, wanted: "it for plugins alone" });
}

function checkTargets({ routes }: DraftEntry, path: Path, checking: Checking): void {
  const { draft, source, problems, ids } = checking;
  for (const [virtual, targets] of routes) {
    for (const { agent } of targets) {
      if (draft.agents.has(agent)) continue;
      const route = source.locate([...path, "routes", virtual]);
      const target = source.locate([...path, "routes", virtual, agent], "key");
      problems.add({ ...target, path: route.path }, {
        found: `names agent ${quote(agent)}`,
        wanted: oneOf(ids),
        hint: perhaps(agent, ids),
      });
    }
  }
}

/** Warns of destinations that the type sends to and the grid leaves out; `{}` says that nobody is meant. */
function checkRoutes(
  { routes }: DraftEntry,
  path: Path,
  shape: AgentShape,
  { source, problems }: Checking,
): void {
  const virtuals: readonly string[] = [...routes.keys()];
  for (const route of shape.routes ?? []) {
    if (virtuals.includes(route)) continue;
    const wanted = `the agents to which ${shape.type} sends by this name`;
    problems.warn(source.locate([...path, "routes"]), { found: `has no ${quote(route)}`, wanted });
  }
}

function checkTerminal(
  { id, box }: DraftEntry,
  path: Path,
  shape: AgentShape,
  terminals: Map<BoxId, AgentId>,
  { source, problems }: Checking,
): void {
  if (box === undefined || !shape.devices?.includes("terminal")) return;
  const first = terminals.get(box);
  if (first === undefined) {
    terminals.set(box, id);
    return;
  }
  const found = `uses the terminal of box ${box} beside ${quote(first)}`;
  problems.warn(source.locate(path, "key"), { found, wanted: "one such agent in a box" });
}

function checkPlugins({ draft, source, options, problems }: Checking): void {
  for (const name of draft.plugins.keys()) {
    if (!options.builtIn?.includes(name)) continue;
    const found = "has the name of a built-in type";
    problems.add(source.locate(["plugins", name], "key"), { found, wanted: "another" });
  }
}
