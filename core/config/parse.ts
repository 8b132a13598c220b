// Reads a grid file, in GoOvid's form or in the longer one: all that can be judged by the file alone. What needs
// the definitions of agents is in check.ts.

import type { Json } from "../data.ts";
import type { Grid } from "../grid.ts";
import type { AgentId } from "../id.ts";
import { type Draft, type DraftEntry, gridOf } from "./draft.ts";
import { gridKeys, gridLimits } from "./form.ts";
import { type JsonMember, type JsonNode, type JsonObject, readJson, toJson } from "./json.ts";
import { type Collector, collectProblems, type Problem, type Source } from "./problem.ts";
import { readAgent, readText, reportToken, showNode, unknownKey } from "./read_agent.ts";
import { reportKeys } from "./read_keys.ts";
import { type PlaceOf, placesOf, type Reading, sourceOf } from "./source.ts";
import { count, type Path, perhaps } from "./wording.ts";

/** What {@linkcode parseGrid} made of a text. */
export interface ParsedGrid {
  /** Undefined if there is any error. */
  readonly grid: Grid | undefined;
  /** The grid as far as it could be read. */
  readonly draft: Draft;
  /** In the order of the file. */
  readonly problems: Problem[];
  readonly source: Source;
}

/** How {@linkcode parseGrid} speaks of its file. */
export interface ParseOptions {
  /** The file's name in problems, such as the user typed it; else the file itself. */
  readonly shownAs?: string;
}

/**
 * Reads the text of a grid file. Never throws: whatever is wrong, all of it is in `problems`. Give `draft` and
 * `source` to {@linkcode checkGrid} even so, that the user may see all errors at once.
 *
 * @example
 * ```ts
 * import { describeProblem, parseGrid } from "ovid";
 *
 * const text = `{ "1": { "type": "dummy", "box": "127.0.0.1:05000" } }`;
 * const { grid, problems } = parseGrid(text, "grid.json");
 * if (grid === undefined) throw new SyntaxError(problems.map(describeProblem).join("\n"));
 * console.log(grid.boxes); // [ "127.0.0.1:5000" ]
 * ```
 */
export function parseGrid(text: string, file: string, options: ParseOptions = {}): ParsedGrid {
  const shownAs = options.shownAs ?? file;
  const problems = collectProblems(shownAs);
  // A byte order mark is not text.
  const body = text.startsWith("\uFEFF") ? text.slice(1) : text;
  const placeOf = placesOf(body, shownAs);
  const root = readRoot(body, placeOf, problems);
  const form = root === undefined ? emptyForm : formOf(root);
  const source = sourceOf(shownAs, form.agentsPath, root, placeOf);
  const reading: Reading = {
    agentsPath: form.agentsPath,
    error: (path, offset, problem) => problems.add(placeOf(path, offset), problem),
  };
  if (root !== undefined) {
    reportKeys(root, reading, placeOf);
    reportNumber(root, form, reading);
  }
  const others = readOthers(form, reading);
  const draft = { agents: readAgents(form, reading), ...others };
  const grid = problems.failed ? undefined : gridOf(draft, file);
  return { grid, draft, problems: problems.list(), source };
}

/** The object that the whole text is. */
function readRoot(text: string, placeOf: PlaceOf, problems: Collector): JsonObject | undefined {
  const wanted = "an object of agents";
  if (text.length > gridLimits.charactersMax) {
    problems.add(placeOf([], 0), {
      found: `has ${count(text.length, "character")}`,
      wanted: `at most ${count(gridLimits.charactersMax, "character")}`,
    });
    return undefined;
  }
  if (text.trim() === "") {
    problems.add(placeOf([], 0), { found: "is empty", wanted });
    return undefined;
  }
  const root = readJson(text, gridLimits.depthMax, ({ path, offset, found, wanted }) => {
    problems.add(placeOf(path, offset), { found, wanted });
  });
  if (root === undefined || root.kind === "object") return root;
  problems.add(placeOf([], root.offset), { found: `is ${showNode(root)}`, wanted });
  return undefined;
}

/** Where the agents are, and what is beside them. */
interface Form {
  /** Whether the agents stand under "agents". */
  readonly extended: boolean;
  readonly agentsPath: Path;
  readonly agents: readonly JsonMember[];
  readonly others: readonly JsonMember[];
}

const emptyForm: Form = { extended: false, agentsPath: [], agents: [], others: [] };

/**
 * Tells the two forms apart: "agents" holds the agents, unless it looks like an agent itself, of a grid in
 * GoOvid's form that happens to have this id.
 */
function formOf(root: JsonObject): Form {
  const holder = root.byKey.get("agents")?.value;
  if (holder !== undefined && !looksLikeAgent(holder)) {
    const agents = root.members.flatMap(({ key, value }) =>
      key === "agents" && value.kind === "object" ? value.members : []
    );
    return { extended: true, agentsPath: ["agents"], agents, others: root.members };
  }
  const keys: readonly string[] = gridKeys;
  const isOther = ({ key, value }: JsonMember) => keys.includes(key) && !looksLikeAgent(value);
  return {
    extended: false,
    agentsPath: [],
    agents: root.members.filter((member) => !isOther(member)),
    others: root.members.filter(isOther),
  };
}

/** Whether an object has a `type` or a `box` that is not itself an object, as agents of those names would be. */
function looksLikeAgent(node: JsonNode): boolean {
  if (node.kind !== "object") return false;
  return ["type", "box"].some((key) => (node.byKey.get(key)?.value.kind ?? "object") !== "object");
}

function reportNumber(root: JsonObject, form: Form, reading: Reading): void {
  const holder = form.extended ? root.byKey.get("agents")?.value : root;
  // An "agents" that is no object has its own error.
  if (holder?.kind !== "object") return;
  const number = form.agents.length;
  const { agentsMax } = gridLimits;
  if (number === 0) {
    reading.error(form.agentsPath, holder.offset, {
      found: "has no agents",
      wanted: "at least one",
    });
  } else if (number > agentsMax) {
    const found = `has ${count(number, "agent")}`;
    reading.error(form.agentsPath, holder.offset, {
      found,
      wanted: `at most ${count(agentsMax, "agent")}`,
    });
  }
}

function readAgents(form: Form, reading: Reading): Map<AgentId, DraftEntry> {
  const agents = new Map<AgentId, DraftEntry>();
  for (const member of form.agents) {
    const entry = readAgent(member, reading);
    if (entry !== undefined && !agents.has(entry.id)) agents.set(entry.id, entry);
  }
  return agents;
}

/** Reads what stands beside "agents". */
function readOthers(
  form: Form,
  reading: Reading,
): { plugins: Map<string, string>; simulation?: Json } {
  const plugins = new Map<string, string>();
  let simulation: Json | undefined;
  for (const member of form.others) {
    if (form.extended) {
      if (member.key === "simulation") simulation = toJson(member.value);
      else readOther(member, plugins, reading);
      continue;
    }
    // An address of a schema cannot be mistaken for an agent, and editors want it in files of either form.
    if (member.key === "$schema") {
      readOther(member, plugins, reading);
      continue;
    }
    reading.error([member.key], member.offset, {
      found: "stands beside the agents",
      wanted: `the agents inside "agents" in a grid that has "${member.key}"`,
      hint: form.agents.map(({ key }) => perhaps(key, ["agents"])).find((hint) =>
        hint !== undefined
      ),
    });
  }
  return { plugins, ...simulation === undefined ? {} : { simulation } };
}

function readOther(member: JsonMember, plugins: Map<string, string>, reading: Reading): void {
  const { key, offset, value } = member;
  switch (key) {
    case "agents":
      requireObject(member, "an object of agents", reading);
      break;
    case "plugins":
      for (const plugin of requireObject(member, "an object of names and paths", reading)) {
        readPlugin(plugin, plugins, reading);
      }
      break;
    case "limits":
    case "security":
      // A setting that does nothing would be taken for one that protects.
      for (const setting of requireObject(member, "an object", reading)) {
        const problem = { found: "is not supported", wanted: `nothing inside "${key}"` };
        reading.error([key, setting.key], setting.offset, problem);
      }
      break;
    case "$schema":
      readText([key], value, "the address of a JSON Schema", reading);
      break;
    default:
      reading.error(
        [key],
        offset,
        looksLikeAgent(value)
          ? { found: 'is an agent beside "agents"', wanted: 'it inside "agents"' }
          : unknownKey(key, gridKeys),
      );
  }
}

/** The members of an object, none and an error if it is something else. */
function requireObject(
  member: JsonMember,
  wanted: string,
  reading: Reading,
): readonly JsonMember[] {
  const { key, value } = member;
  if (value.kind === "object") return value.members;
  reading.error([key], value.offset, { found: `is ${showNode(value)}`, wanted });
  return [];
}

function readPlugin(member: JsonMember, plugins: Map<string, string>, reading: Reading): void {
  const path = ["plugins", member.key];
  const isName = reportToken(path, member, reading);
  const file = readText(path, member.value, "the path of a file", reading);
  if (isName && file !== undefined && !plugins.has(member.key)) plugins.set(member.key, file);
}
