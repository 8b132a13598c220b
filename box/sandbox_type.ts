// A type of agent that runs in sandboxes, as the box sees it: what its sandbox said that it is, and nothing of its
// code but the text.

import type { Json } from "../core/data.ts";
import type { AgentDefinition } from "../core/define.ts";
import { bundlePlugin, type PluginBundle } from "./plugin_bundle.ts";
import { pluginApi } from "./plugin_api.ts";
import { PluginSource } from "./plugin_source.ts";
import { Sandbox, type SandboxStarter } from "./sandbox.ts";
import { codeUrl, judgedSchema, standIn } from "./sandbox_definition.ts";
import type { SandboxLimits } from "./sandbox_limits.ts";

/** A plugin that is run in sandboxes alone. */
export interface SandboxedType {
  readonly bundle: PluginBundle;
  readonly source: PluginSource;
  readonly version: number;
  /** What stands for it: its attrs are judged as they were by its sandbox, and it has no handlers. */
  readonly definition: AgentDefinition;
}

/** How sandboxes are made. */
export interface SandboxOptions {
  readonly start: SandboxStarter;
  readonly limits: SandboxLimits;
}

/** Bundles a plugin for sandboxes. */
export async function bundleConfined(file: string): Promise<PluginBundle> {
  const zod = await import("zod");
  const confined = new Map([["ovid", Object.keys(pluginApi)], ["zod", Object.keys(zod)]]);
  return await bundlePlugin(file, { confined });
}

/**
 * Finds out in a sandbox what a plugin is.
 *
 * @param attrs The attrs of all agents that the grid has of it: no others can be judged later.
 * @throws {Error} that names the file, if the plugin cannot be used.
 */
export async function describeConfined(
  bundle: PluginBundle,
  attrs: readonly Json[],
  { start, limits }: SandboxOptions,
): Promise<SandboxedType> {
  const source = new PluginSource(bundle.file, { url: codeUrl, bundle });
  const sandbox = new Sandbox(start(limits));
  try {
    const request = { do: "describe", code: bundle.code, attrs } as const;
    const answer = await sandbox.ask(request, limits.loadMs);
    if (!("shape" in answer)) throw thrown("failed" in answer ? answer.failed : "It said nothing");
    const { shape } = answer;
    const definition = standIn({
      ...shape,
      attrs: judgedSchema(shape.attrs, attrs, shape.judged),
      messages: Object.keys(shape.messages).filter((name) => shape.messages[name]?.taken),
      bodies: shape.messages,
    });
    return { bundle, source, version: shape.version, definition };
  } catch (error) {
    throw new Error(`Cannot load plugin ${bundle.file}: ${source.messageOf(error)}`);
  } finally {
    await sandbox.end();
  }
}

/** What a sandbox says that its code threw, as if it had been thrown here. */
function thrown(stack: string): Error {
  const end = stack.search(/\n {4}at /);
  const words = end < 0 ? stack : stack.slice(0, end);
  const error = new Error(words.replace(/^[A-Za-z]*Error: /, ""));
  error.stack = stack;
  return error;
}
