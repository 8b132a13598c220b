// The clock of a simulated box: what its host takes for the time, which is not what time it is.

import { type Random, randomInteger } from "../core/random.ts";

// A thousand seconds: far more than any run lasts, so that times of two boxes never agree by luck.
const originUsMax = 1_000_000_000;

/** By how much a clock may be too fast or too slow, in millionths. */
export const driftPpmMax = 500_000;

/**
 * Monotonic milliseconds since some moment that is drawn at each start of a box, as with a real one: an agent that
 * compares the times of two boxes, or of one box before and after a crash, is found out.
 */
export class Clock {
  /** What it showed at `#sinceUs` of the world, since when it goes by its rate. */
  #shownUs: number;
  #sinceUs: number;
  #driftPpm: number;

  constructor(random: Random, startUs: number, driftPpm = 0) {
    this.#shownUs = randomInteger(random, 0, originUsMax);
    this.#sinceUs = startUs;
    this.#driftPpm = driftPpm;
  }

  /** What the clock shows at a moment of the world. */
  now(worldUs: number): number {
    return this.#showsUs(worldUs) / 1000;
  }

  /** The first moment of the world at which the clock shows `ms` or more. */
  reaches(ms: number): number {
    const missingUs = ms * 1000 - this.#shownUs;
    // Rounded products: one moment too early, and a timer would not be due when its box wakes.
    let worldUs = this.#sinceUs - 2 +
      Math.floor(missingUs * 1_000_000 / (1_000_000 + this.#driftPpm));
    while (this.now(worldUs) < ms) worldUs++;
    return worldUs;
  }

  /** From now on it is too fast by so many millionths, or too slow. */
  drift(worldUs: number, driftPpm: number): void {
    this.#jumpTo(worldUs, this.#showsUs(worldUs));
    this.#driftPpm = driftPpm;
  }

  /** Goes forward at once; a monotonic clock never goes back. */
  jump(worldUs: number, byUs: number): void {
    this.#jumpTo(worldUs, this.#showsUs(worldUs) + byUs);
  }

  #jumpTo(worldUs: number, shownUs: number): void {
    this.#shownUs = shownUs;
    this.#sinceUs = worldUs;
  }

  #showsUs(worldUs: number): number {
    const passedUs = worldUs - this.#sinceUs;
    if (this.#driftPpm === 0) return this.#shownUs + passedUs;
    return this.#shownUs + passedUs + Math.floor(passedUs * this.#driftPpm / 1_000_000);
  }
}
