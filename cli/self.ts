// How the program starts itself again, for the boxes that it runs as processes of their own.

import { dirname, fromFileUrl, join } from "@std/path";
import { isBuilt } from "./built.ts";

/** A command and its arguments. */
export interface SelfCommand {
  readonly command: string;
  readonly args: string[];
}

/**
 * The command that runs this very program with other arguments.
 *
 * @param runtimeFlags What the runtime is told besides, where the program runs from its sources.
 */
export function selfCommand(
  args: readonly string[],
  runtimeFlags: readonly string[] = [],
): SelfCommand {
  if (isBuilt) return { command: builtExecutable(), args: [...args] };
  const main = fromFileUrl(new URL("./main.ts", import.meta.url));
  return {
    command: Deno.execPath(),
    args: [
      ...["run", "--allow-all", "--quiet", "--no-prompt", ...runtimeFlags],
      ...["--config", configFile(), main, ...args],
    ],
  };
}

/** A command for Deno's own tools, which are part of the program. */
export interface ToolCommand extends SelfCommand {
  readonly env: Record<string, string>;
}

/** The command that runs tests, with what they may import; `args` are flags and paths. */
export function testCommand(args: readonly string[]): ToolCommand {
  const run = ["test", "--allow-all", "--quiet", "--no-prompt", "--no-check"];
  if (!isBuilt) return toolCommand([...run, "--config", configFile(), ...args]);
  const settings = ["--no-config", "--no-lock", "--no-npm", "--no-remote"];
  const sanitizers = ["--sanitize-ops", "--sanitize-resources"];
  const map = `--import-map=${join(programFolder(), "import_map.json")}`;
  return toolCommand([...run, ...settings, ...sanitizers, map, ...args]);
}

/** The command that checks types of files and folders. */
export function checkCommand(paths: readonly string[]): ToolCommand {
  const config = isBuilt ? join(programFolder(), "types", "deno.json") : configFile();
  return toolCommand(["check", "--quiet", "--no-lock", "--config", config, ...paths]);
}

function toolCommand(args: string[]): ToolCommand {
  if (!isBuilt) return { command: Deno.execPath(), args, env: {} };
  return {
    command: Deno.execPath(),
    args,
    env: {
      DENO_DIR: Deno.env.get("DENO_DIR") ?? join(dirname(Deno.execPath()), "deno"),
      DENO_NO_PACKAGE_JSON: "1",
      DENO_NO_UPDATE_CHECK: "1",
      DENO_DISABLE_NODE_SHIM: "1",
    },
  };
}

// All modules of a single executable are in one folder.
function programFolder(): string {
  return dirname(fromFileUrl(import.meta.url));
}

/** The project's configuration, where the program runs from its sources. */
export function configFile(): string {
  return fromFileUrl(new URL("../deno.json", import.meta.url));
}

// An executable that unpacks itself runs as the runtime that was in it, and says where it is itself.
function builtExecutable(): string {
  const outer = Deno.build.standalone ? undefined : Deno.env.get("OVID_EXE");
  return outer ?? Deno.execPath();
}

/** Takes back what the executable has set for the runtime alone, so that what it starts has the user's environment. */
export function restoreEnvironment(): void {
  if (!isBuilt) return;
  for (const name of Deno.env.get("OVID_UNSET")?.split(" ") ?? []) Deno.env.delete(name);
}
