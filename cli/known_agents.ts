// The types of agents that there are for a user: the built-ins, and the plugins of a grid and of plugin folders.

import { join, resolve } from "@std/path";
import { builtIns } from "../agents/registry.ts";
import { listPlugins, loadTypes, type TypeNames } from "../box/loader.ts";
import { parseGrid } from "../core/config/parse.ts";
import type { AgentDefinition } from "../core/define.ts";
import { messageOf } from "../core/error.ts";
import { BadGridError, type Call } from "./command.ts";
import { definitionFrom, readSandbox } from "./sandbox.ts";

/** A type of agent, by the name that a grid gives it. */
export interface KnownAgent {
  readonly name: string;
  readonly definition: AgentDefinition;
  /** Where it came from; undefined for a built-in. */
  readonly file: string | undefined;
}

/** Which types there are, and why others are not. */
export interface KnownAgents {
  readonly found: readonly KnownAgent[];
  readonly failed: readonly { readonly name: string; readonly why: string }[];
}

/**
 * Finds all types, and runs the code of plugins to do so, unless --no-plugins is given.
 *
 * @param grid The grid file whose plugins count; without one, the folder plugins/ here is looked at.
 * @throws {BadGridError} if the grid cannot be read at all.
 */
export async function findAgents(
  grid: string | undefined,
  call: Pick<Call, "has" | "value" | "integer">,
): Promise<KnownAgents> {
  const found = new Map<string, KnownAgent>();
  for (const [name, definition] of builtIns) found.set(name, { name, definition, file: undefined });
  const failed = new Map<string, string>();
  if (call.has("no-plugins")) return { found: [...found.values()], failed: [] };
  const folder = call.value("plugins");
  const options = {
    builtIns,
    sandbox: readSandbox(call),
    ...folder === undefined ? {} : { pluginFolders: [folder] },
  };
  const names = await namesOf(grid);
  // What the grid uses, also by path, and then what it could use.
  const { types, errors } = await loadTypes(names, options);
  for (const [name, { definition, file }] of types) found.set(name, { name, definition, file });
  for (const [name, why] of errors) failed.set(name, why);
  for (const [name, file] of await listPlugins(names, options)) {
    if (found.has(name) || failed.has(name)) continue;
    try {
      found.set(name, { name, definition: await definitionFrom(file, call), file });
    } catch (error) {
      failed.set(name, messageOf(error));
    }
  }
  return {
    found: [...found.values()],
    failed: Array.from(failed, ([name, why]) => ({ name, why })),
  };
}

async function namesOf(path: string | undefined): Promise<TypeNames> {
  if (path === undefined) {
    return { file: join(Deno.cwd(), "grid.json"), agents: new Map(), plugins: new Map() };
  }
  try {
    const { draft } = parseGrid(await Deno.readTextFile(path), path);
    return { file: resolve(path), agents: draft.agents, plugins: draft.plugins };
  } catch (error) {
    throw new BadGridError(`Cannot read grid ${JSON.stringify(path)}: ${messageOf(error)}`);
  }
}
