// The flags that put plugins into sandboxes, and the processes that these are.

import type { LoaderOptions } from "../box/loader.ts";
import type { SandboxOptions } from "../box/sandbox_type.ts";
import { type SandboxLimits, sandboxLimits } from "../box/sandbox_limits.ts";
import type { AgentDefinition } from "../core/define.ts";
import { type Call, exitCodes, type Flag, UsageError } from "./command.ts";
import { selfCommand } from "./self.ts";

/** The flags of subcommands that run plugins. */
export const sandboxFlags: readonly Flag[] = [
  {
    name: "sandbox",
    doc: "Runs plugins where they can read no file, open no connection and block nobody",
  },
  {
    name: "sandbox-ms",
    value: "MS",
    doc: "How long a handler in a sandbox may take before it is killed; default 1000",
  },
];

/** The flag by which the program becomes the process of a sandbox, with the megabytes that its heap may take. */
export const sandboxedFlag: Flag = {
  name: "sandboxed",
  value: "MB",
  doc: "Keeps one agent for a box, by its standard input and output",
  hidden: true,
};

// Beside the heap that the plugin may fill stand the engine, this program's code and a second, smaller heap.
const besideHeapMegabytes = 256;

/** What the flags say of sandboxes. */
export function readSandbox(
  call: Pick<Call, "has" | "integer">,
): SandboxOptions & { readonly all: boolean } {
  const stepMs = call.integer("sandbox-ms", 1, 3_600_000) ?? sandboxLimits.stepMs;
  const limits = { ...sandboxLimits, stepMs };
  return { all: call.has("sandbox"), start: startSandbox, limits };
}

/** Throws a `UsageError` if sandboxes are asked for where there can be none: a flag that protects is never ignored. */
export function refuseSandbox(call: Call, why: string): void {
  if (!call.has("sandbox")) return;
  throw new UsageError(`Cannot use --sandbox ${why}`);
}

/** The flags that ask the same of another `ovid box`. */
export function passSandbox(call: Call): string[] {
  const ms = call.value("sandbox-ms");
  return [
    ...call.has("sandbox") ? ["--sandbox"] : [],
    ...ms === undefined ? [] : [`--sandbox-ms=${ms}`],
  ];
}

/** The definition in a plugin's file; with --sandbox one that stands for it, and none of its code has run here. */
export async function definitionFrom(
  file: string,
  call: Pick<Call, "has" | "integer">,
): Promise<AgentDefinition> {
  const sandbox: Exclude<LoaderOptions["sandbox"], undefined | "ignored"> = readSandbox(call);
  if (!sandbox.all) {
    const { loadPlugin } = await import("../box/plugin_load.ts");
    return (await loadPlugin(file)).definition;
  }
  const { bundleConfined, describeConfined } = await import("../box/sandbox_type.ts");
  return (await describeConfined(await bundleConfined(file), [], sandbox)).definition;
}

/** Starts the process of a sandbox. */
export function startSandbox({ heapMegabytes }: SandboxLimits): Deno.ChildProcess {
  // What is not in the cache would be looked for in the network, permitted or not.
  const { command, args } = selfCommand(["box", `--sandboxed=${heapMegabytes}`], ["--cached-only"]);
  return new Deno.Command(command, {
    args,
    env: { DENO_V8_FLAGS: `--max-old-space-size=${heapMegabytes}` },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
}

/** The process of a sandbox, until its box has gone or its plugin must not go on. */
export async function runSandboxed(heapMegabytes: number): Promise<number> {
  const { keepSandbox } = await import("../box/sandbox_keeper.ts");
  await keepSandbox({
    worker: new URL("../box/sandbox_worker.ts", import.meta.url),
    input: Deno.stdin.readable,
    output: Deno.stdout,
    memoryBytesMax: (heapMegabytes + besideHeapMegabytes) * 1024 * 1024,
  });
  return exitCodes.fine;
}
