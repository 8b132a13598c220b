// A command that runs while a lock is held, and not longer.

import type { GobbyLock } from "../client/gobby_lock.ts";
import { messageOf } from "../core/error.ts";
import { exitCodes, UsageError } from "./command.ts";
import { fileFault } from "./file_fault.ts";
import { onStopSignals } from "./signals.ts";

/** What stands for an interrupted command in shells. */
const interruptedCode = 130;

/**
 * Waits for a lock, and runs a command while it is held. Gives the command's exit code; if the lock was lost meanwhile,
 * never 0.
 *
 * @param options How long the command may take to end when it is told to, and who may say so besides signals.
 */
export async function runUnder(
  acquire: (signal: AbortSignal) => Promise<GobbyLock>,
  [program = "", ...args]: readonly string[],
  { graceMs, end }: { readonly graceMs: number; readonly end: AbortSignal },
): Promise<number> {
  const stop = new AbortController();
  let stopCode: number | undefined;
  using _signals = onStopSignals((code) => {
    stopCode = code;
    stop.abort(new Error("It was told to stop"));
  });
  end.addEventListener("abort", () => {
    stopCode = interruptedCode;
    stop.abort(new Error("It was interrupted"));
  });
  let lock: GobbyLock;
  try {
    lock = await acquire(stop.signal);
  } catch (error) {
    if (stopCode !== undefined) return stopCode;
    throw error;
  }
  try {
    return await run(lock, stop.signal, { program, args, graceMs, stopCode: () => stopCode });
  } finally {
    // The command has ended, and what it came to is what counts.
    await lock.release().catch((error) => warn(`the lock was not given back: ${messageOf(error)}`));
  }
}

interface Run {
  readonly program: string;
  readonly args: string[];
  readonly graceMs: number;
  /** The exit code of whoever told us to stop; undefined if nobody has. */
  readonly stopCode: () => number | undefined;
}

async function run(
  { key, token, signal }: GobbyLock,
  stop: AbortSignal,
  { program, args, graceMs, stopCode }: Run,
): Promise<number> {
  const end = AbortSignal.any([signal, stop]);
  let code: number = exitCodes.fine;
  if (!end.aborted) {
    const child = spawn(program, args, { OVID_LOCK: key, OVID_TOKEN: `${token}` });
    let killing: ReturnType<typeof setTimeout> | undefined;
    const tellToEnd = () => {
      kill(child, "SIGTERM");
      killing = setTimeout(() => kill(child, "SIGKILL"), graceMs);
    };
    end.addEventListener("abort", tellToEnd);
    ({ code } = await child.status);
    end.removeEventListener("abort", tellToEnd);
    clearTimeout(killing);
    if (!end.aborted) return code;
  }
  const told = stopCode();
  if (told !== undefined) return told;
  warn(
    `the command was stopped, since lock ${JSON.stringify(key)} is not safe: ${
      messageOf(signal.reason)
    }`,
  );
  return code === exitCodes.fine ? exitCodes.failure : code;
}

function spawn(program: string, args: string[], env: Record<string, string>): Deno.ChildProcess {
  try {
    return new Deno.Command(program, { args, env, stdin: "inherit" }).spawn();
  } catch (error) {
    throw new UsageError(`Cannot run ${JSON.stringify(program)}: ${runFault(error)}`);
  }
}

// The runtime's words for one that is not there name the path of this very process.
function runFault(error: unknown): string {
  return error instanceof Deno.errors.NotFound ? "there is no such program" : fileFault(error);
}

function kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch {
    // It has ended meanwhile.
  }
}

function warn(text: string): void {
  console.error(`ovid: ${text}`);
}
