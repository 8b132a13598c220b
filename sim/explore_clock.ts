// The clocks of an exploration in which all boxes live in one time: each is wrong by a fixed rate, and shows the same at
// the same moment on every path.

const million = 1_000_000;

/** What a clock shows, in milliseconds, that is too fast by so many millionths, or too slow. */
export function shownMs(us: number, driftPpm: number): number {
  return Math.floor(us * (million + driftPpm) / million) / 1000;
}

/** The first moment, in microseconds, at which such a clock shows `ms` or more. */
export function reachedUs(ms: number, driftPpm: number): number {
  // Rounded products: begins one moment too early rather than one too late.
  let us = Math.max(0, Math.floor(ms * 1000 * million / (million + driftPpm)) - 2);
  while (shownMs(us, driftPpm) < ms) us++;
  return us;
}
