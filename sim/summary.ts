// What many runs of a scenario came to: how many failed and how, what was reached how often, and what never was.

import type { Result, Verdict } from "./run.ts";
import { RunningHash } from "./running_hash.ts";
import type { Scenario } from "./scenario.ts";

/** The share of seeds that are to reach a mark of which nothing else is said. */
export const usualShare = 1 / 8;

/** How likely a batch may be to miss a mark by bad luck alone, and be blamed for it. */
const missedMax = 1.6e-6;

/** What the weather brings to few seeds, however hard it is: as measured over all scenarios, and half of that. */
const rareFaults: ReadonlyMap<string, number> = new Map([
  ["fault.tornTail", 1 / 80],
  ["fault.fullDisk", 1 / 20],
]);

/** In fewer runs than this a mark that so many seeds reach may be left unreached by bad luck. */
export function runsToReach(share: number): number {
  let runs = 0;
  for (let missed = 1; missed > missedMax; missed *= 1 - share) runs++;
  return runs;
}

/** The same for marks of which nothing else is said. */
export const sometimesRunsMin: number = runsToReach(usualShare);

/** A mark that no run has reached. */
export interface Unreached {
  readonly mark: string;
  /** In how many runs it should have been. */
  readonly runsMin: number;
}

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
  get unreached(): readonly Unreached[] {
    return (this.#scenario.sometimes ?? []).map((wanted) => {
      const { mark, share = rareFaults.get(mark) ?? usualShare } = typeof wanted === "string"
        ? { mark: wanted }
        : wanted;
      return { mark, runsMin: runsToReach(share) };
    }).filter(({ mark }) => !this.#tallies.has(mark));
  }

  /** Whether there were runs enough to reach something that was never reached. */
  get isVacuous(): boolean {
    return this.unreached.some(({ runsMin }) => this.runs >= runsMin);
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
