// Waiting for something, but not for ever, and not when all is over.

import { pause } from "../transport/pause.ts";

/** What `promise` resolves to; undefined after `ms`, or when `signal` aborts. Leaves no timer behind. */
export async function within<T>(
  promise: Promise<T>,
  ms: number,
  signal: AbortSignal,
): Promise<T | undefined> {
  const done = new AbortController();
  const either = AbortSignal.any([signal, done.signal]);
  try {
    return await Promise.race([promise, pause(Math.max(0, ms), either).then(() => undefined)]);
  } finally {
    done.abort();
  }
}

/** How the waits between two tries grow. */
export interface Backoff {
  readonly firstMs: number;
  readonly factor: number;
  readonly mostMs: number;
}

/**
 * Tries until `attempt` gives something other than undefined, until `deadline` by `performance.now()`, or until
 * `signal` aborts. There is at least one try, unless all is over already.
 */
export async function retry<T>(
  attempt: () => Promise<T | undefined>,
  backoff: Backoff,
  deadline: number,
  signal: AbortSignal,
): Promise<T | undefined> {
  for (
    let ms = backoff.firstMs;
    !signal.aborted;
    ms = Math.min(ms * backoff.factor, backoff.mostMs)
  ) {
    const result = await attempt();
    const leftMs = deadline - performance.now();
    if (result !== undefined || leftMs <= 0) return result;
    await pause(Math.min(ms, leftMs), signal);
  }
  return undefined;
}
