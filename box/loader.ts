// Finds the definition behind the name that a grid gives to an agent's type: a built-in, an entry of the grid's
// `plugins`, a file of a plugin folder, or a path relative to the grid file.

import { dirname, isAbsolute, join, relative, resolve } from "@std/path";
import type { AgentDefinition } from "../core/define.ts";
import { messageOf } from "../core/error.ts";
import type { Json } from "../core/data.ts";
import type { LoadedPlugin, LoadOptions } from "./plugin_load.ts";
import type { SandboxedType, SandboxOptions } from "./sandbox_type.ts";

/** What an agent says of its type. */
export interface NamedType {
  readonly type: string | undefined;
  readonly attrs?: { readonly [name: string]: Json } | undefined;
  readonly sandbox?: boolean;
}

/** What names types: a grid, or the draft of one that is still wrong. */
export interface TypeNames {
  /** The grid file, absolute. */
  readonly file: string;
  readonly agents: ReadonlyMap<unknown, NamedType>;
  readonly plugins: ReadonlyMap<string, string>;
}

/** Where definitions are looked for. */
export interface LoaderOptions extends LoadOptions {
  readonly builtIns: ReadonlyMap<string, AgentDefinition>;
  /** Folders named on the command line, in order; files there may import from anywhere. */
  readonly pluginFolders?: readonly string[];
  /** Whether plugins are run at all; default true. */
  readonly plugins?: boolean;
  /**
   * How plugins are run in sandboxes, all of them or those of agents that ask for it; `ignored` runs these like any
   * other. Default: there are no sandboxes, and what asks for one is refused.
   */
  readonly sandbox?: SandboxOptions & { readonly all: boolean } | "ignored";
}

/** A type of agent as it was found. */
export interface LoadedType {
  readonly definition: AgentDefinition;
  /** The file it came from; undefined for a built-in. */
  readonly file: string | undefined;
  /** Undefined for a built-in. */
  readonly plugin?: LoadedPlugin;
  /** Present if it runs in sandboxes; the definition only stands for it then. */
  readonly sandboxed?: SandboxedType;
}

/** What was found for each type that a grid names, and why the others were not. */
export interface Loaded {
  readonly types: ReadonlyMap<string, LoadedType>;
  /** Type -> what went wrong, for those that were found and could not be used. */
  readonly errors: ReadonlyMap<string, string>;
}

const extensions = [".ts", ".js"];

/** How many types are loaded at a time: to look at one in a sandbox takes a process, and half a second. */
const loadsAtOnce = 4;

/** Loads every type that `grid` names. A plugin's code runs when it is loaded. */
export async function loadTypes(grid: TypeNames, options: LoaderOptions): Promise<Loaded> {
  const types = new Map<string, LoadedType>();
  const errors = new Map<string, string>();
  for (const name of grid.plugins.keys()) {
    if (options.builtIns.has(name)) {
      errors.set(
        name,
        `plugin ${JSON.stringify(name)} has the name of a built-in, want another name`,
      );
    }
  }
  const names = new Set(Array.from(grid.agents.values(), (entry) => entry.type));
  const wanted = [...names].flatMap((type) => type === undefined || errors.has(type) ? [] : [type]);
  for (let next = 0; next < wanted.length; next += loadsAtOnce) {
    const some = wanted.slice(next, next + loadsAtOnce);
    const found = await Promise.all(some.map((type) => loadType(type, grid, options)));
    for (const [index, type] of some.entries()) {
      const each = found[index];
      if (typeof each === "string") errors.set(type, each);
      else if (each !== undefined) types.set(type, each);
    }
  }
  return { types, errors };
}

/** A type as it is found; what is wrong with it; undefined if there is none. */
async function loadType(
  type: string,
  grid: TypeNames,
  options: LoaderOptions,
): Promise<LoadedType | string | undefined> {
  const builtIn = options.builtIns.get(type);
  if (builtIn !== undefined) return { definition: builtIn, file: undefined };
  try {
    const file = await findFile(type, grid, options);
    if (file === undefined) return undefined;
    if (options.plugins === false) {
      return `is the plugin ${file}, and plugins are not to be run`;
    }
    return await loadFrom(file, type, grid, options);
  } catch (error) {
    return messageOf(error);
  }
}

async function loadFrom(
  file: string,
  type: string,
  { agents }: TypeNames,
  options: LoaderOptions,
): Promise<LoadedType> {
  const { sandbox } = options;
  const own = [...agents.values()].filter((each) => each.type === type);
  // Code that one agent does not trust is not run elsewhere for another.
  const asked = own.some((each) => each.sandbox);
  if (asked && sandbox === undefined) {
    throw new Error("is to run in a sandbox, and there are none here");
  }
  if (sandbox !== undefined && sandbox !== "ignored" && (asked || sandbox.all)) {
    const attrs = own.map((each) => each.attrs ?? {});
    const { bundleConfined, describeConfined } = await import("./sandbox_type.ts");
    const sandboxed = await describeConfined(await bundleConfined(file), attrs, sandbox);
    return { definition: sandboxed.definition, file, sandboxed };
  }
  const { loadPlugin } = await import("./plugin_load.ts");
  const plugin = await loadPlugin(file, options);
  return { definition: plugin.definition, file, plugin };
}

/** The definitions alone, as a host wants them. */
export function definitionsOf(loaded: Loaded): Map<string, AgentDefinition> {
  return new Map(Array.from(loaded.types, ([type, { definition }]) => [type, definition]));
}

/** The plugin folders that exist, the one beside the grid file last. */
function pluginFolders(grid: TypeNames, { pluginFolders: folders = [] }: LoaderOptions): string[] {
  return [...folders.map((folder) => resolve(folder)), join(dirname(grid.file), "plugins")];
}

/** Files of plugin folders that could be types: name -> file. */
export async function listPlugins(
  grid: TypeNames,
  options: LoaderOptions,
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const [name, path] of grid.plugins) found.set(name, resolve(dirname(grid.file), path));
  for (const folder of pluginFolders(grid, options)) {
    try {
      for await (const entry of Deno.readDir(folder)) {
        const extension = extensions.find((each) => entry.name.endsWith(each));
        if (!entry.isFile || extension === undefined || /_(test|bench)\.[tj]s$/.test(entry.name)) {
          continue;
        }
        const name = entry.name.slice(0, -extension.length);
        if (!found.has(name)) found.set(name, join(folder, entry.name));
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return found;
}

async function findFile(
  type: string,
  grid: TypeNames,
  options: LoaderOptions,
): Promise<string | undefined> {
  const home = dirname(grid.file);
  const listed = grid.plugins.get(type);
  if (listed !== undefined) return resolve(home, listed);
  const isPath = type.includes("/") || extensions.some((extension) => type.endsWith(extension));
  if (isPath) return findBelow(type, grid.file, options.pluginFolders ?? []);
  for (const folder of pluginFolders(grid, options)) {
    for (const extension of extensions) {
      const file = join(folder, type + extension);
      if (await isFile(file)) return file;
    }
  }
}

// A grid from a stranger must not run code from all over the disk: a path stays below the grid's folder, unless
// whoever started the box named a folder for plugins.
/**
 * The file that a path in a grid file means.
 *
 * @param pluginFolders Where else it may be, if there are flags that say so.
 * @throws {Error} if it is elsewhere.
 */
export function findBelow(
  path: string,
  gridFile: string,
  pluginFolders?: readonly string[],
): string {
  const home = dirname(gridFile);
  const file = resolve(home, path);
  const allowed = [home, ...(pluginFolders ?? []).map((folder) => resolve(folder))];
  if (!allowed.some((folder) => isBelow(folder, file))) {
    const flag = pluginFolders === undefined ? "" : " or --plugins FOLDER";
    throw new Error(`is outside the grid's folder ${home}, want a path below it${flag}`);
  }
  return file;
}

function isBelow(folder: string, file: string): boolean {
  const path = relative(folder, file);
  return path !== "" && path !== ".." && !path.startsWith("../") && !isAbsolute(path);
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return false;
    }
    throw error;
  }
}
