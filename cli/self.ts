// How the program starts itself again, for the boxes that it runs as processes of their own.

import { fromFileUrl } from "@std/path";

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
  const main = fromFileUrl(new URL("./main.ts", import.meta.url));
  const config = fromFileUrl(new URL("../deno.json", import.meta.url));
  return {
    command: Deno.execPath(),
    args: [
      ...["run", "--allow-all", "--quiet", "--no-prompt", ...runtimeFlags],
      ...["--config", config, main, ...args],
    ],
  };
}
