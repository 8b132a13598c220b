// What is left to chance in a simulated world: how long things take, and how often they go wrong.
// Integers alone, and nothing from Math that may differ between machines.

import { type Random, randomInteger } from "../core/random.ts";

/** How long something takes: drawn anew each time, in whole microseconds, both ends included. */
export interface Delay {
  readonly minUs: number;
  readonly maxUs: number;
  /**
   * Default false, which is uniform. With true nearly all draws are near `minUs` and a few are huge: the
   * probability of more than x falls as 1/x, as it does on a network or a disk that has a bad day.
   */
  readonly heavyTail?: boolean;
}

// The shortest step of a heavy tail is this part of the whole range: half of all draws lie within it.
const heavyTailSteps = 1024;

/** A delay by its distribution. */
export function drawDelay(random: Random, delay: Delay): number {
  const { minUs, maxUs } = delay;
  if (delay.heavyTail !== true) return randomInteger(random, minUs, maxUs);
  const rangeUs = maxUs - minUs;
  let lowUs = 0;
  let highUs = Math.ceil(rangeUs / heavyTailSteps);
  while (highUs < rangeUs && random() < 0.5) {
    lowUs = highUs;
    highUs = Math.min(2 * highUs, rangeUs);
  }
  return minUs + randomInteger(random, lowUs, highUs);
}

/** @throws {RangeError} if `delay` is not made of whole microseconds in ascending order. */
export function requireDelay(delay: Delay, name: string): void {
  const { minUs, maxUs } = delay;
  if (Number.isSafeInteger(minUs) && Number.isSafeInteger(maxUs) && minUs >= 0 && minUs <= maxUs) {
    return;
  }
  throw new RangeError(
    `Cannot simulate: ${name} is from ${minUs} to ${maxUs} us, want whole numbers, ascending from 0`,
  );
}

/** @throws {RangeError} if `value` is not from 0 to 1. */
export function requireProbability(value: number, name: string): void {
  if (value >= 0 && value <= 1) return;
  throw new RangeError(`Cannot simulate: ${name} is ${value}, want a probability from 0 to 1`);
}
