// Reads a grid file for a subcommand: parses it, loads the agents it names, and checks one against the other.

import { resolve } from "@std/path";
import {
  definitionsOf,
  listPlugins,
  type Loaded,
  type LoaderOptions,
  loadTypes,
} from "../box/loader.ts";
import { checkGrid } from "../core/config/check.ts";
import type { Draft } from "../core/config/draft.ts";
import { parseGrid } from "../core/config/parse.ts";
import type { AgentShape, LookUp } from "../core/config/shape.ts";
import {
  compareProblems,
  describeProblem,
  type Problem,
  type Source,
} from "../core/config/problem.ts";
import type { AgentDefinition } from "../core/define.ts";
import type { Grid } from "../core/grid.ts";
import type { Schema } from "../core/schema.ts";
import { builtInTypes, loadBuiltIns } from "./built_ins.ts";
import { BadGridError, type Call, type Flag } from "./command.ts";
import { fileFault } from "./file_fault.ts";
import { readSandbox } from "./sandbox.ts";

/** The flags of every subcommand that reads a grid. */
export const gridFlags: readonly Flag[] = [
  { name: "plugins", value: "FOLDER", doc: "Looks for plugins there, too" },
  {
    name: "insecure",
    doc: "Allows boxes at addresses that other machines can reach, without any protection",
  },
];

/** Says that the code of plugins is not to be run. */
export const noPluginsFlag: Flag = {
  name: "no-plugins",
  doc: "Loads no plugins, so that none of their code runs; their attrs are not judged",
};

/** A grid file that was read. */
export interface GridFile {
  /** Undefined if there are errors. */
  readonly grid: Grid | undefined;
  readonly problems: readonly Problem[];
  readonly draft: Draft;
  readonly source: Source;
  readonly loaded: Loaded;
  readonly lookUp: LookUp;
}

/** A grid that can run. */
export interface RunnableGrid {
  readonly grid: Grid;
  readonly definitions: ReadonlyMap<string, AgentDefinition>;
  /** What is behind the definitions. */
  readonly types: Loaded["types"];
}

/**
 * Reads and checks a grid file.
 *
 * @param runPlugins Whether plugins are loaded, which runs their code; where not, their attrs are not judged.
 * @throws {BadGridError} if the file cannot be read at all.
 */
export async function readGridFile(
  path: string,
  call: Call,
  runPlugins = true,
  sandbox: LoaderOptions["sandbox"] = readSandbox(call),
): Promise<GridFile> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    throw new BadGridError(`Cannot read grid ${JSON.stringify(path)}: ${fileFault(error)}`);
  }
  const { grid, draft, problems, source } = parseGrid(text, path);
  const file = resolve(path);
  const folder = call.value("plugins");
  const types = Array.from(draft.agents.values(), ({ type }) => type ?? "");
  const builtIns = await loadBuiltIns([...types, ...draft.plugins.keys()]);
  const options = {
    builtIns,
    sandbox,
    ...call.has("watch") ? { bundled: true } : {},
    ...folder === undefined ? {} : { pluginFolders: [folder] },
  };
  const names = { file, agents: draft.agents, plugins: draft.plugins };
  const listed = await listPlugins(names, options);
  const loaded: Loaded = runPlugins
    ? await loadTypes(names, options)
    : { types: new Map(), errors: new Map() };
  const lookUp: LookUp = (type) => {
    if (!runPlugins) return builtIns.get(type) ?? notLoaded(type, listed);
    const error = loaded.errors.get(type);
    return error === undefined ? loaded.types.get(type)?.definition : { error };
  };
  const checked = checkGrid(draft, source, {
    lookUp,
    known: [...builtInTypes, ...listed.keys()],
    builtIn: builtInTypes,
    insecure: call.has("insecure"),
  });
  const all = [...problems, ...checked].sort(compareProblems);
  const failed = grid === undefined || all.some((problem) => problem.severity === "error");
  return {
    grid: failed ? undefined : { ...grid, file },
    ...{ problems: all, draft, source, loaded, lookUp },
  };
}

// By hand, since a box need not load a library for it.
const anything: Schema<unknown> = {
  "~standard": { version: 1, vendor: "ovid", validate: (value) => ({ value }) },
};

/** What stands for a plugin that was not loaded: nothing is known of it, and its attrs may be anything. */
function notLoaded(type: string, listed: ReadonlyMap<string, string>): AgentShape | undefined {
  const isPath = type.includes("/") || /\.[jt]s$/.test(type);
  return isPath || listed.has(type) ? { type, doc: "", attrs: anything } : undefined;
}

/**
 * The grid of a file that must be able to run.
 *
 * @throws {BadGridError} with all that is wrong, a line each.
 */
export async function requireGrid(path: string, call: Call): Promise<RunnableGrid> {
  const { grid, problems, loaded } = await readGridFile(path, call);
  if (grid === undefined) throw refused("run", path, problems);
  return { grid, definitions: definitionsOf(loaded), types: loaded.types };
}

/** The error of a grid that cannot be used, with all its errors, a line each. */
export function refused(act: string, path: string, problems: readonly Problem[]): BadGridError {
  const errors = problems.filter((problem) => problem.severity === "error");
  const lines = [`Cannot ${act} grid ${JSON.stringify(path)}:`, ...errors.map(describeProblem)];
  return new BadGridError(lines.join("\n"));
}
