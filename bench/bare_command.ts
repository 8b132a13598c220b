// How a ceiling is started: as a program of its own, with nothing of Ovid around it.

import { fileURLToPath } from "node:url";
import type { Invocation, Self } from "./process.ts";

/**
 * What the executable tells its engine. All functions are compiled at once, so that they are in the cache that the next
 * start reads; the young generation is large enough for a start to end before its first collection; and a collection
 * can be asked for without Node's library. A ceiling is told the same.
 */
export const engineFlags = "--v8-flags=--no-lazy,--min-semi-space-size=8,--expose-gc";

const bare = new URL("./bare.ts", import.meta.url);

/**
 * The command that plays a role of `bare.ts`.
 *
 * @param self The program itself, which plays it where the runtime can run no other: in what `deno compile` has made.
 */
export function bareCommand(self: Self, role: readonly string[]): Invocation {
  if (Deno.build.standalone) return self(["bench", "--bare", ...role]);
  const flags = [
    "run",
    engineFlags,
    "--allow-all",
    "--quiet",
    "--no-config",
    "--no-lock",
    "--no-remote",
  ];
  return { command: Deno.execPath(), args: [...flags, fileURLToPath(bare), ...role] };
}
