// Makes the story of a failure short: leaves out kinds of faults, steps of the schedule, and clients, requests and
// boxes, as long as a run fails as before. A smaller grid draws everything else anew, so that one seed alone soon finds
// nothing smaller that fails; then other seeds are asked, too.

import { deriveSeed, type Random, randomInteger, seededRandom } from "../core/random.ts";
import { type Changes, makePlan, type Plan } from "./plan.ts";
import { type Result, runScenario } from "./run.ts";
import type { Scenario } from "./scenario.ts";

/** What shrinking came to. */
export interface Shrunk {
  /** Not always the one that was given. */
  readonly seed: bigint;
  readonly changes: Changes;
  readonly result: Result;
  /** How many runs it took. */
  readonly runs: number;
}

/** How much {@linkcode shrink} may try, and who is told. */
export interface ShrinkOptions {
  /** Default 4000. */
  readonly runsMax?: number;
  /** How many other seeds may be asked in a row without one that is better; default 1000. */
  readonly seedsMax?: number;
  /** Called before each run. */
  readonly tried?: (runs: number) => void;
  /** Default: {@linkcode runScenario}. */
  readonly run?: (seed: bigint, changes: Changes) => Result;
}

/**
 * Makes a failing run smaller until nothing more can be left out.
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
  const { seed: told, changes: left, result } = shrinker.lightest();
  // Steps of kinds that were left out later are no longer there.
  const steps = makePlan(scenario, told, left).schedule.map(({ id }) => id);
  return { seed: told, changes: { ...left, steps }, result, runs: shrinker.runs };
}

/** A run that fails. */
interface Failing {
  readonly seed: bigint;
  readonly changes: Changes;
  readonly result: Result;
  /** How much there is to understand, in events. */
  readonly weight: number;
}

// What a reader has to bear in mind for each kind of fault, step and box, as if it were so many events more.
const faultWeight = 50;
const boxWeight = 20;

class Shrinker {
  now: Failing;
  runs = 0;
  readonly #scenario: Scenario;
  readonly #options: ShrinkOptions;
  readonly #random: Random;

  constructor(scenario: Scenario, seed: bigint, changes: Changes, options: ShrinkOptions) {
    this.#scenario = scenario;
    this.#options = options;
    this.#random = seededRandom(deriveSeed(seed, "shrink"));
    const result = this.#run(seed, changes);
    if (result.verdict === "fine") {
      throw new RangeError(`Cannot shrink seed ${seed} of ${scenario.name}: it does not fail`);
    }
    this.now = { seed, changes, result, weight: this.#weigh(seed, changes, result) };
  }

  /** The lightest run that fails in the same way, of this seed and of those that follow it. */
  lightest(): Failing {
    this.#leaveOut();
    let best = this.now;
    const { seedsMax = 1000 } = this.#options;
    for (let index = 1; index <= seedsMax && this.#mayRun; index++) {
      const seed = BigInt.asUintN(64, best.seed + BigInt(index));
      const { without = [] } = this.#random() < 0.5 ? best.changes : {};
      const changes = { without, sizes: this.#drawSizes(seed) };
      const failing = this.#runFailing(seed, changes);
      // Faults that it has no need of still weigh.
      if (failing === undefined || failing.result.events >= best.result.events) continue;
      this.now = failing;
      this.#leaveOut();
      if (this.now.weight < best.weight) {
        best = this.now;
        index = 0;
      } else this.now = best;
    }
    return best;
  }

  /** Leaves out one thing at a time, until nothing more can be left out. */
  #leaveOut(): void {
    // What is left out first leaves less to try later: whole kinds, then steps, then sizes.
    while (this.#leaveOutFaults() || this.#leaveOutSteps() || this.#lowerSizes());
  }

  /** Each size up to what it is now, or that of another seed: to wait as short as can be makes no short story. */
  #drawSizes(seed: bigint): { [name: string]: number } {
    const drawn = makePlan(this.#scenario, seed).sizes;
    return Object.fromEntries(
      Object.entries(this.#plan.sizes).map(([name, size]) => {
        if (this.#random() < 0.5) return [name, drawn[name] ?? size];
        const least = this.#least(name);
        // Two draws, so that little is likelier than much.
        const most = randomInteger(this.#random, least, size);
        return [name, randomInteger(this.#random, least, most)];
      }),
    );
  }

  #least(name: string): number {
    return this.#scenario.sizes[name]?.[0] ?? 0;
  }

  get #plan(): Plan {
    return makePlan(this.#scenario, this.now.seed, this.now.changes);
  }

  #leaveOutFaults(): boolean {
    let some = false;
    for (const kind of this.#plan.weather.faults) {
      const { changes } = this.now;
      some = this.#change({ ...changes, without: [...changes.without ?? [], kind] }) || some;
    }
    return some;
  }

  /** Halves first, then quarters, down to single steps. */
  #leaveOutSteps(): boolean {
    let some = false;
    let steps = this.#plan.schedule.map(({ id }) => id);
    for (let count = steps.length; count >= 1; count = Math.floor(count / 2)) {
      for (let start = 0; start < steps.length;) {
        const rest = [...steps.slice(0, start), ...steps.slice(start + count)];
        if (rest.length < steps.length && this.#change({ ...this.now.changes, steps: rest })) {
          steps = rest;
          some = true;
        } else start += count;
      }
    }
    return some;
  }

  #lowerSizes(): boolean {
    let some = false;
    for (const name of Object.keys(this.#scenario.sizes)) {
      let low = this.#least(name);
      const sizeNow = () => this.#plan.sizes[name] ?? low;
      // Failing is not monotonic in a size, so that the search may miss the smallest; it ends all the same.
      while (low < sizeNow()) {
        const middle = Math.floor((low + sizeNow()) / 2);
        const { changes } = this.now;
        const sizes = { ...changes.sizes, [name]: middle };
        if (this.#change({ ...changes, sizes }, true)) some = true;
        else low = middle + 1;
      }
    }
    return some;
  }

  /** Goes on with this run, if it fails in the same way and weighs less, or no more with `orEqual`. */
  #change(changes: Changes, orEqual = false): boolean {
    const failing = this.#runFailing(this.now.seed, changes);
    if (failing === undefined || failing.weight > this.now.weight) return false;
    if (failing.weight === this.now.weight && !orEqual) return false;
    this.now = failing;
    return true;
  }

  get #mayRun(): boolean {
    return this.runs < (this.#options.runsMax ?? 4000);
  }

  #runFailing(seed: bigint, changes: Changes): Failing | undefined {
    if (!this.#mayRun) return undefined;
    const result = this.#run(seed, changes);
    if (result.verdict !== this.now.result.verdict) return undefined;
    return { seed, changes, result, weight: this.#weigh(seed, changes, result) };
  }

  #weigh(seed: bigint, changes: Changes, { events }: Result): number {
    const { sizes, weather, schedule } = makePlan(this.#scenario, seed, changes);
    const { boxes } = this.#scenario.grid(sizes);
    const faults = weather.faults.length + schedule.length;
    return events + faultWeight * faults + boxWeight * boxes.length;
  }

  #run(seed: bigint, changes: Changes): Result {
    this.runs++;
    this.#options.tried?.(this.runs);
    return this.#options.run?.(seed, changes) ??
      runScenario(this.#scenario, seed, { changes, brief: true });
  }
}
