// What a box is told of the plugins that its grid names, and how it takes up what they become.

import type { Box } from "../box/box.ts";
import type { BoxLog, BoxOptions, Replacement } from "../box/box_options.ts";
import { bundlePlugin, type PluginBundle } from "../box/plugin_bundle.ts";
import { loadBundle } from "../box/plugin_load.ts";
import type { PluginSource } from "../box/plugin_source.ts";
import { PluginWatch } from "../box/plugin_watch.ts";
import { bundleConfined, describeConfined, type SandboxedType } from "../box/sandbox_type.ts";
import type { Call } from "./command.ts";
import type { RunnableGrid } from "./grid_file.ts";
import { readSandbox } from "./sandbox.ts";

type Types = RunnableGrid["types"];

/** Where the code of each type that is a plugin comes from. */
export function sourcesOf(types: Types): Map<string, PluginSource> {
  const sources = new Map<string, PluginSource>();
  for (const [type, { plugin, sandboxed }] of types) {
    const source = plugin?.source ?? sandboxed?.source;
    if (source !== undefined) sources.set(type, source);
  }
  return sources;
}

/** The plugins that run in sandboxes, and how, if there are any. */
export function sandboxesOf(types: Types, call: Call): Pick<BoxOptions, "sandboxes"> {
  const sandboxed = new Map<string, SandboxedType>();
  for (const [type, found] of types) if (found.sandboxed) sandboxed.set(type, found.sandboxed);
  return sandboxed.size === 0 ? {} : { sandboxes: { types: sandboxed, ...readSandbox(call) } };
}

/** Reloads the plugins of a running box in place when their files change. */
export function watchPlugins(
  box: Box,
  { grid, types }: Pick<RunnableGrid, "grid" | "types">,
  call: Call,
  log: BoxLog,
): AsyncDisposable {
  const plugins = new Map<string, PluginBundle>();
  for (const [type, { plugin, sandboxed }] of types) {
    const bundle = plugin?.bundle ?? sandboxed?.bundle;
    if (bundle !== undefined) plugins.set(type, bundle);
  }
  const isSandboxed = (type: string) => types.get(type)?.sandboxed !== undefined;
  const load = async (type: string, bundle: PluginBundle): Promise<Replacement> => {
    if (!isSandboxed(type)) return await loadBundle(bundle);
    const own = [...grid.agents.values()].filter((entry) => entry.type === type);
    const attrs = own.map((entry) => entry.attrs);
    const sandboxed = await describeConfined(bundle, attrs, readSandbox(call));
    return { definition: sandboxed.definition, source: sandboxed.source, sandboxed };
  };
  return new PluginWatch({
    plugins,
    bundle: (file, type) => isSandboxed(type) ? bundleConfined(file) : bundlePlugin(file),
    async replace(type, bundle) {
      const agents = await box.replace(type, await load(type, bundle));
      // The boxes of the agents concerned say so.
      if (agents.length > 0) log.info(`reloaded ${bundle.file} for ${agents.join(", ")}`);
    },
    failed: (type, reason) => log.error(`plugin ${type} goes on as it was: ${reason}`),
    lost: (reason) => log.error(`plugins are not watched any more: ${reason}`),
  });
}
