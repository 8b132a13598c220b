// What many runs of a scenario came to: how many failed and how, what was reached how often, and what never was.

import type { Result, Verdict } from "./run.ts";
import { RunningHash } from "./running_hash.ts";
import type { Scenario } from "./scenario.ts";

/** In fewer runs than this something may be left unreached by bad luck. */
export const sometimesRunsMin = 100;

/** How often a mark was counted, and in how many runs at all. */
export interface Tally {
  count: number;
  runs: number;
}

/** Adds up results, in any order. */
export class Summary {
  readonly verdicts: Record<Verdict, number> = {
    fine: 0,
    safety: 0,
    liveness: 0,
    determinism: 0,
    unknown: 0,
  };
  readonly #failures: Result[] = [];
  readonly #scenario: Scenario;
  readonly #tallies = new Map<string, Tally>();
  readonly #hashes: [seed: bigint, hash: string][] = [];
  events = 0;
  virtualMs = 0;
  runs = 0;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
  }

  add(result: Result): void {
    this.runs++;
    this.verdicts[result.verdict]++;
    this.events += result.events;
    this.virtualMs += result.virtualMs;
    this.#hashes.push([BigInt(result.seed), result.hash]);
    if (result.verdict !== "fine") this.#failures.push(result);
    for (const [mark, count] of Object.entries(result.counters)) {
      const tally = this.#tallies.get(mark);
      if (tally === undefined) this.#tallies.set(mark, { count, runs: 1 });
      else {
        tally.count += count;
        tally.runs++;
      }
    }
  }

  /** How many seeds have failed. */
  get failed(): number {
    return this.#failures.length;
  }

  /** The failures in the order of their seeds: processes end theirs in any order. */
  get failures(): readonly Result[] {
    return this.#failures.toSorted((a, b) => BigInt(a.seed) < BigInt(b.seed) ? -1 : 1);
  }

  /** The marks in their order. */
  get tallies(): ReadonlyMap<string, Readonly<Tally>> {
    return new Map([...this.#tallies].sort(([a], [b]) => a < b ? -1 : 1));
  }

  /** What the scenario wants to see sometimes, and no run has reached. */
  get unreached(): readonly string[] {
    return (this.#scenario.sometimes ?? []).filter((mark) => !this.#tallies.has(mark));
  }

  /** Whether there were runs enough to reach everything, and something was never reached. */
  get isVacuous(): boolean {
    return this.runs >= sometimesRunsMin && this.unreached.length > 0;
  }

  /** Over the hashes of all runs: equal for equal batches. */
  get hash(): string {
    const hash = new RunningHash();
    for (const [seed, text] of this.#hashes.toSorted(([a], [b]) => a < b ? -1 : 1)) {
      hash.text(`${seed} ${text}`);
    }
    return hash.digest();
  }
}
