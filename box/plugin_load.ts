// Runs a plugin's code and takes its default export, a definition made by `defineAgent`.

import { toFileUrl } from "@std/path";
import { type AgentDefinition, findFault, isAgentDefinition } from "../core/define.ts";
import { bundlePlugin, type PluginBundle } from "./plugin_bundle.ts";
import { PluginSource } from "./plugin_source.ts";

/** A plugin that has been run. */
export interface LoadedPlugin {
  readonly definition: AgentDefinition;
  readonly source: PluginSource;
  /** What was run in the place of its files; undefined if the runtime imported them. */
  readonly bundle?: PluginBundle;
}

/** How a plugin's file is turned into code. */
export interface LoadOptions {
  /**
   * Whether the file is bundled with all that it imports, so that it is read again each time. By default the runtime
   * imports it, unless it cannot, as one inside an executable cannot import files from outside.
   */
  readonly bundled?: boolean;
}

/**
 * Runs a file and takes its default export, undefined if it has none.
 *
 * @param what What errors call the file.
 * @throws {Error} that names the file, line and column, if it cannot be read, does not compile, or throws.
 */
export async function importDefault(file: string, what: string): Promise<unknown> {
  const { value } = await importFile(file, what, {});
  return value;
}

/**
 * Runs a plugin's file and takes its default export, a definition made by `defineAgent`.
 *
 * @throws {Error} that names the file, if it cannot be read, does not compile, or exports something else.
 */
export async function loadPlugin(file: string, options: LoadOptions = {}): Promise<LoadedPlugin> {
  return definitionIn(file, await importFile(file, "plugin", options));
}

/** Runs a plugin that has been bundled, as {@linkcode loadPlugin} does. */
export async function loadBundle(bundle: PluginBundle): Promise<LoadedPlugin> {
  return definitionIn(bundle.file, await importBundle(bundle, "plugin"));
}

function definitionIn(file: string, { value, ...imported }: Imported): LoadedPlugin {
  if (isAgentDefinition(value)) return { definition: value, ...imported };
  const found = value === undefined
    ? "it has no default export"
    : typeof value === "object" && value !== null
    ? findFault(value as AgentDefinition)
    : `its default export is a ${typeof value}`;
  throw new Error(
    `Cannot load plugin ${file}: ${found}, want \`export default defineAgent({ ... })\``,
  );
}

interface Imported extends Omit<LoadedPlugin, "definition"> {
  readonly value: unknown;
}

async function importFile(
  file: string,
  what: string,
  { bundled = Deno.build.standalone }: LoadOptions,
): Promise<Imported> {
  const source = new PluginSource(file);
  return await naming(what, source, async () => {
    if (bundled) return await importBundle(await bundlePlugin(file), what);
    const module: { default?: unknown } = await import(toFileUrl(file).href);
    return { value: module.default, source };
  });
}

async function importBundle(bundle: PluginBundle, what: string): Promise<Imported> {
  const url = URL.createObjectURL(new Blob([bundle.code], { type: "text/javascript" }));
  const source = new PluginSource(bundle.file, { url, bundle });
  return await naming(what, source, async () => {
    try {
      const module: { default?: unknown } = await import(url);
      return { value: module.default, source, bundle };
    } finally {
      URL.revokeObjectURL(url);
    }
  });
}

/** A plugin, or another module of a user's, that cannot be used; the file, the line and the column are in the words. */
class LoadError extends Error {}

async function naming(
  what: string,
  source: PluginSource,
  work: () => Promise<Imported>,
): Promise<Imported> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof LoadError) throw error;
    const words = `Cannot load ${what} ${source.file}: ${source.messageOf(error)}`;
    throw new LoadError(words, { cause: error });
  }
}
