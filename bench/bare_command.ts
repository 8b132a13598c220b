// How a ceiling is started: as a program of its own, with nothing of Ovid around it.

import { fileURLToPath } from "node:url";
import type { Invocation, Self } from "./process.ts";

const bare = new URL("./bare.ts", import.meta.url);

/**
 * The command that plays a role of `bare.ts`.
 *
 * @param self The program itself, which plays it where the runtime can run no other: in what `deno compile` has made.
 */
export function bareCommand(self: Self, role: readonly string[]): Invocation {
  if (Deno.build.standalone) return self(["bench", "--bare", ...role]);
  const flags = ["run", "--allow-all", "--quiet", "--no-config", "--no-lock", "--no-remote"];
  return { command: Deno.execPath(), args: [...flags, fileURLToPath(bare), ...role] };
}
