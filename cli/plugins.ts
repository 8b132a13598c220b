// What a box is told of the plugins that its grid names.

import type { BoxOptions } from "../box/box_options.ts";
import type { PluginSource } from "../box/plugin_source.ts";
import type { SandboxedType } from "../box/sandbox_type.ts";
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
