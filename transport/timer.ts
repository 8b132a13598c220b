// Timers for what runs in every box. Deno's own `setTimeout` is Node's, and loads a part of Node's library when it is
// first called: 5 to 8 ms of processor time and 2 MB, a tenth of a box's start. Here all timers of a process hang on one
// alarm, which a signal that times out stands for; elsewhere than on Deno `setTimeout` it is.

/** A timer that runs: of use to {@linkcode stopTimer} alone. */
export type Timer = Wait | { readonly native: ReturnType<typeof setTimeout> };

interface Wait {
  /** When it is due, by `performance.now()`. */
  readonly at: number;
  readonly act: () => void;
}

// More than a 32-bit number of milliseconds is no alarm of any runtime.
const alarmMsMax = 2 ** 31 - 1;
const hasSignals = "Deno" in globalThis;

/** Those that run, the next one last; of two that are due at once, the one that was started first is nearer the end. */
const waits: Wait[] = [];
let alarm: AbortSignal | undefined;
let alarmAt = Infinity;

/** Calls `act` once, after `ms` milliseconds or a little later. Keeps the process alive until then, or until stopped. */
export function startTimer(ms: number, act: () => void): Timer {
  if (!hasSignals) return { native: setTimeout(act, Math.min(ms, alarmMsMax)) };
  const wait: Wait = { at: performance.now() + Math.max(0, ms), act };
  waits.splice(placeOf(wait.at), 0, wait);
  wind();
  return wait;
}

/** Stops a timer; one that has gone off, or none, is left alone. */
export function stopTimer(timer: Timer | undefined): void {
  if (timer === undefined) return;
  if ("native" in timer) return clearTimeout(timer.native);
  const index = waits.indexOf(timer, placeOf(timer.at));
  if (index < 0) return;
  waits.splice(index, 1);
  if (waits.length === 0) silence();
}

/** Where one that is due at `at` begins to stand: behind all that are due later, before those that are due as late. */
function placeOf(at: number): number {
  let low = 0;
  let high = waits.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((waits[middle]?.at ?? at) > at) low = middle + 1;
    else high = middle;
  }
  return low;
}

// An alarm that goes off too early, since what it was for has been stopped, costs less than one for each timer.
function wind(): void {
  const next = waits.at(-1);
  if (next === undefined || next.at >= alarmAt) return;
  silence();
  alarmAt = next.at;
  alarm = AbortSignal.timeout(
    Math.min(alarmMsMax, Math.ceil(Math.max(0, next.at - performance.now()))),
  );
  // As long as somebody listens, it keeps the process alive.
  alarm.addEventListener("abort", ring);
}

function silence(): void {
  alarm?.removeEventListener("abort", ring);
  alarm = undefined;
  alarmAt = Infinity;
}

// One by one, as each may stop the next.
function ring(): void {
  silence();
  // What they start waits for the others: the next alarm is set once.
  alarmAt = -Infinity;
  const now = performance.now();
  try {
    for (let next = waits.at(-1); next !== undefined && next.at <= now; next = waits.at(-1)) {
      waits.pop();
      next.act();
    }
  } finally {
    silence();
    wind();
  }
}
