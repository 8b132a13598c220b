// The clock of a simulated box: what its host takes for the time, which is not what time it is.

import { type Random, randomInteger } from "../core/random.ts";

// A thousand seconds: far more than any run lasts, so that times of two boxes never agree by luck.
const originUsMax = 1_000_000_000;

/**
 * Monotonic milliseconds since some moment that is drawn at each start of a box, as with a real one: an agent that
 * compares the times of two boxes, or of one box before and after a crash, is found out.
 */
export class Clock {
  readonly #originUs: number;
  readonly #startUs: number;

  constructor(random: Random, startUs: number) {
    this.#originUs = randomInteger(random, 0, originUsMax);
    this.#startUs = startUs;
  }

  /** What the clock shows at a moment of the world. */
  now(worldUs: number): number {
    return (this.#originUs + worldUs - this.#startUs) / 1000;
  }

  /** The first moment of the world at which the clock shows `ms` or more. */
  reaches(ms: number): number {
    // Rounded products: one moment too early, and a timer would not be due when its box wakes.
    let worldUs = Math.floor(ms * 1000) - this.#originUs + this.#startUs;
    while (this.now(worldUs) < ms) worldUs++;
    return worldUs;
  }
}
