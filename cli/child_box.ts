// A box as a child of this process: it ends when its control pipe closes, as it also does when this process is killed.

import type { BoxId } from "../core/id.ts";
import type { BoxStarter } from "../box/processes.ts";
import type { Call } from "./command.ts";
import { readLogFormat } from "./log.ts";
import { passSandbox } from "./sandbox.ts";
import { selfCommand } from "./self.ts";
import { readLines } from "./terminal.ts";

/** How long a box may take to end before it is killed. */
export const boxEndMsMax = 3000;

/** A box that this process has started. */
export interface Child {
  readonly box: BoxId;
  readonly process: Deno.ChildProcess;
  readonly control: WritableStreamDefaultWriter<Uint8Array>;
  readonly logged: Promise<void>;
}

/** Starts a box of the grid in file `path`; its log goes to standard error, each line behind `prefix`. */
export function startChild(
  path: string,
  box: BoxId,
  flags: readonly string[],
  prefix: string,
): Child {
  const { command, args } = selfCommand(["box", path, box, "--supervised", ...flags]);
  const process = new Deno.Command(command, {
    args,
    stdin: "piped",
    stdout: "inherit",
    stderr: "piped",
  }).spawn();
  return {
    box,
    process,
    control: process.stdin.getWriter(),
    logged: prefixLines(process.stderr, prefix),
  };
}

async function prefixLines(stream: ReadableStream<Uint8Array>, prefix: string): Promise<void> {
  for await (const line of readLines(stream)) console.error(prefix + line);
}

/** Ends a box in order, or by force if that takes too long. */
export async function stopChild({ process, control, logged }: Child): Promise<void> {
  await control.close().catch(() => {});
  const timer = setTimeout(() => kill(process), boxEndMsMax);
  await process.status;
  clearTimeout(timer);
  await logged;
}

function kill(process: Deno.ChildProcess): void {
  try {
    process.kill("SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}

/** Starts boxes for the agents of a box that was itself called with the flags of `call`. */
export function starterOf(path: string, call: Call): BoxStarter {
  const flags = ["port-offset", "at", "plugins", "log-format"].flatMap((flag) => {
    const value = call.value(flag);
    return value === undefined ? [] : [`--${flag}=${value}`];
  });
  for (const flag of ["debug", "insecure", "new", "watch"]) {
    if (call.has(flag)) flags.push(`--${flag}`);
  }
  flags.push(...passSandbox(call));
  return {
    start(box, { loss }) {
      const prefix = readLogFormat(call) === "json" ? "" : `${box} | `;
      const child = startChild(path, box, [...flags, `--loss=${loss}`], prefix);
      // A box that has ended leaves its pipe behind.
      child.process.status.then(() => child.control.close()).catch(() => {});
      return {
        ended: child.process.status.then(({ code, signal }) => signal === null ? code : null),
        kill: () => kill(child.process),
        stop: () => stopChild(child),
      };
    },
  };
}
