// What a box is told of the plugins that its grid names, and how it takes up what they become.

import type { Box } from "../box/box.ts";
import type { BoxLog } from "../box/box_options.ts";
import type { Loaded } from "../box/loader.ts";
import { bundlePlugin, type PluginBundle } from "../box/plugin_bundle.ts";
import { loadBundle } from "../box/plugin_load.ts";
import type { PluginSource } from "../box/plugin_source.ts";
import { PluginWatch } from "../box/plugin_watch.ts";

/** Where the code of each type that is a plugin comes from. */
export function sourcesOf(types: Loaded["types"]): Map<string, PluginSource> {
  const sources = new Map<string, PluginSource>();
  for (const [type, { plugin }] of types) if (plugin) sources.set(type, plugin.source);
  return sources;
}

/** Reloads the plugins of a running box in place when their files change. */
export function watchPlugins(box: Box, types: Loaded["types"], log: BoxLog): AsyncDisposable {
  const plugins = new Map<string, PluginBundle>();
  for (const [type, { plugin }] of types) {
    if (plugin?.bundle !== undefined) plugins.set(type, plugin.bundle);
  }
  return new PluginWatch({
    plugins,
    bundle: bundlePlugin,
    async replace(type, bundle) {
      const agents = await box.replace(type, await loadBundle(bundle));
      // The boxes of the agents concerned say so.
      if (agents.length > 0) log.info(`reloaded ${bundle.file} for ${agents.join(", ")}`);
    },
    failed: (type, reason) => log.error(`plugin ${type} goes on as it was: ${reason}`),
    lost: (reason) => log.error(`plugins are not watched any more: ${reason}`),
  });
}
