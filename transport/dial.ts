// Keeps one connection to one address for as long as somebody wants it: dial, use, and dial again.

import type { Random } from "../core/random.ts";
import { pause } from "./pause.ts";
import { startTimer, stopTimer } from "./timer.ts";
import type { Connection } from "./transport.ts";

/** What {@linkcode keepDialling} needs. */
export interface DialOptions {
  dial(signal: AbortSignal): Promise<Connection>;
  /** Takes a connection that stands; resolves when it is closed and nothing of it is left. */
  use(connection: Connection): Promise<void>;
  /** Hears of the first failure after each success. */
  failed(reason: string): void;
  readonly random: Random;
  /** How long one attempt may take. */
  readonly dialMs: number;
  /** The longest pause between two attempts. */
  readonly redialMsMax: number;
}

const redialMsMin = 25;
// A connection that ends sooner counts as a failure, or two boxes that disagree would dial each other without pause.
const stableMs = 1000;

/** Dials until `signal` aborts, with pauses as of {@linkcode redialMs}. */
export async function keepDialling(options: DialOptions, signal: AbortSignal): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    const connection = await attempt(options, signal, failures === 0);
    if (signal.aborted) return connection?.close();
    const began = performance.now();
    if (connection !== undefined) await options.use(connection);
    failures = performance.now() - began >= stableMs ? 0 : failures + 1;
    await pause(redialMs(failures, options.redialMsMax, options.random), signal);
  }
}

/** The pause before the next attempt: doubled for each failure in a row, bounded, and jittered down to the half. */
export function redialMs(failures: number, redialMsMax: number, random: Random): number {
  const longest = Math.min(redialMsMax, redialMsMin * 2 ** Math.min(failures, 16));
  return longest * (0.5 + random() / 2);
}

async function attempt(
  options: DialOptions,
  signal: AbortSignal,
  first: boolean,
): Promise<Connection | undefined> {
  const limit = new AbortController();
  const abort = () => limit.abort(new Error("stopped"));
  const late = () => limit.abort(new Error(`no answer within ${options.dialMs} ms`));
  const timer = startTimer(options.dialMs, late);
  signal.addEventListener("abort", abort);
  try {
    return await options.dial(limit.signal);
  } catch (error) {
    if (first && !signal.aborted) {
      options.failed(error instanceof Error ? error.message : String(error));
    }
    return undefined;
  } finally {
    stopTimer(timer);
    signal.removeEventListener("abort", abort);
  }
}
