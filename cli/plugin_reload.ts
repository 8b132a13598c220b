// How a running box takes up what its plugins become.

import type { Box } from "../box/box.ts";
import type { BoxLog, Replacement } from "../box/box_options.ts";
import { bundlePlugin, type PluginBundle } from "../box/plugin_bundle.ts";
import { loadBundle } from "../box/plugin_load.ts";
import { PluginWatch } from "../box/plugin_watch.ts";
import { bundleConfined, describeConfined } from "../box/sandbox_type.ts";
import type { Call } from "./command.ts";
import type { RunnableGrid } from "./grid_file.ts";
import { readSandbox } from "./sandbox.ts";

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
