// A wait that can be cut short, so that whatever waits can be closed without leaving a timer behind.

import { startTimer, stopTimer } from "./timer.ts";

/** Resolves after `ms`, or at once when `signal` aborts; never rejects. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const finish = () => {
      stopTimer(timer);
      signal.removeEventListener("abort", finish);
      resolve();
    };
    const timer = startTimer(ms, finish);
    signal.addEventListener("abort", finish);
  });
}
