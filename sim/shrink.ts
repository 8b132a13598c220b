// Makes the story of a failure short: leaves out kinds of faults, steps of the schedule, and clients, requests and
// boxes, as long as a run fails as before.

import { type Changes, makePlan } from "./plan.ts";
import { type Result, runScenario, type Verdict } from "./run.ts";
import type { Scenario } from "./scenario.ts";

/** What shrinking came to. */
export interface Shrunk {
  readonly changes: Changes;
  readonly result: Result;
  /** How many runs it took. */
  readonly runs: number;
}

/** How much {@linkcode shrink} may try, and who is told. */
export interface ShrinkOptions {
  /** Default 1000. */
  readonly runsMax?: number;
  /** Called before each run. */
  readonly tried?: (runs: number) => void;
  /** Default: {@linkcode runScenario}. */
  readonly run?: (changes: Changes) => Result;
}

/**
 * Makes a failing run smaller until nothing more can be left out, one thing at a time.
 *
 * @throws {RangeError} if the run with `changes` does not fail.
 */
export function shrink(
  scenario: Scenario,
  seed: bigint,
  changes: Changes = {},
  options: ShrinkOptions = {},
): Shrunk {
  const shrinker = new Shrinker(scenario, seed, changes, options);
  // What is left out first leaves less to try later: whole kinds, then steps, then sizes.
  while (shrinker.leaveOutFaults() || shrinker.leaveOutSteps() || shrinker.lowerSizes());
  const { changes: left, result } = shrinker;
  // Steps of kinds that were left out later are no longer there.
  const steps = makePlan(scenario, seed, left).schedule.map(({ id }) => id);
  return { changes: { ...left, steps }, result, runs: shrinker.runs };
}

class Shrinker {
  changes: Changes;
  result: Result;
  runs = 0;
  readonly #scenario: Scenario;
  readonly #seed: bigint;
  readonly #options: ShrinkOptions;
  readonly #verdict: Verdict;

  constructor(scenario: Scenario, seed: bigint, changes: Changes, options: ShrinkOptions) {
    this.#scenario = scenario;
    this.#seed = seed;
    this.#options = options;
    this.changes = changes;
    this.result = this.#run(changes);
    this.#verdict = this.result.verdict;
    if (this.#verdict === "fine") {
      throw new RangeError(`Cannot shrink seed ${seed} of ${scenario.name}: it does not fail`);
    }
  }

  leaveOutFaults(): boolean {
    let some = false;
    for (const kind of makePlan(this.#scenario, this.#seed, this.changes).weather.faults) {
      const without = [...this.changes.without ?? [], kind];
      some = this.#try({ ...this.changes, without }) || some;
    }
    return some;
  }

  /** Halves first, then quarters, down to single steps. */
  leaveOutSteps(): boolean {
    let some = false;
    let steps = makePlan(this.#scenario, this.#seed, this.changes).schedule.map(({ id }) => id);
    for (let count = steps.length; count >= 1; count = Math.floor(count / 2)) {
      for (let start = 0; start < steps.length;) {
        const rest = [...steps.slice(0, start), ...steps.slice(start + count)];
        if (rest.length < steps.length && this.#try({ ...this.changes, steps: rest })) {
          steps = rest;
          some = true;
        } else start += count;
      }
    }
    return some;
  }

  lowerSizes(): boolean {
    let some = false;
    for (const [name, [least]] of Object.entries(this.#scenario.sizes)) {
      let low = least;
      const sizeNow = () => makePlan(this.#scenario, this.#seed, this.changes).sizes[name] ?? least;
      // Failing is not monotonic in a size, so that the search may miss the smallest; it ends all the same.
      while (low < sizeNow()) {
        const middle = Math.floor((low + sizeNow()) / 2);
        const sizes = { ...this.changes.sizes, [name]: middle };
        if (this.#try({ ...this.changes, sizes })) some = true;
        else low = middle + 1;
      }
    }
    return some;
  }

  #try(changes: Changes): boolean {
    if (this.runs >= (this.#options.runsMax ?? 1000)) return false;
    const result = this.#run(changes);
    if (result.verdict !== this.#verdict) return false;
    this.changes = changes;
    this.result = result;
    return true;
  }

  #run(changes: Changes): Result {
    this.runs++;
    this.#options.tried?.(this.runs);
    return this.#options.run?.(changes) ?? runScenario(this.#scenario, this.#seed, { changes });
  }
}
