// What a seed makes of the weather: each kind of fault is there or not, and then how hard. A run in which everything
// goes wrong a little finds less than many runs in each of which a few things go wrong badly.

import { type FaultKind, faultNames } from "../core/config/fault_kinds.ts";
import { deriveSeed, type Random, randomInteger, seededRandom } from "../core/random.ts";
import type { Delay } from "./chance.ts";
import type { DiskOptions } from "./disk.ts";
import type { Late, NetworkOptions } from "./network.ts";

/** What goes wrong all the time of a run, and what else may go wrong in it. */
export interface Weather {
  /** The kinds of faults that this run has, in the order of {@linkcode faultNames}. */
  readonly faults: readonly FaultKind[];
  readonly network: NetworkOptions;
  readonly disk: DiskOptions;
  /** By how much any clock may be too fast or too slow, in millionths. */
  readonly driftPpm: number;
}

/** What a scenario says about its weather. */
export interface Climate {
  /** Faults that it never has. */
  readonly spares?: readonly FaultKind[];
  /** By how much clocks may drift, in millionths; default 10,000, which is 1 %. */
  readonly driftPpmMax?: number;
  /** The share of mail between boxes that is lost in every run; default: some runs lose some, as the seed has it. */
  readonly loss?: number;
  /** Mail that is late in every run; default: none. */
  readonly late?: Late;
}

/** The stream of chance of one kind of fault: whether others are there does not change what it draws. */
export function faultRandom(seed: bigint, kind: FaultKind): Random {
  return seededRandom(deriveSeed(seed, `fault ${kind}`));
}

/** The weather of a seed. */
export function drawWeather(seed: bigint, climate: Climate = {}): Weather {
  const { spares = [], loss } = climate;
  const faults = faultNames.filter((kind) => {
    if (kind === "loss" && loss !== undefined) return true;
    return seededRandom(deriveSeed(seed, `whether ${kind}`))() < 0.5 && !spares.includes(kind);
  });
  return weatherOf(seed, faults, climate);
}

/** The weather of a seed without some kinds of faults; the others stay as hard as they were. */
export function withoutFaults(
  seed: bigint,
  weather: Weather,
  kinds: readonly FaultKind[],
  climate: Climate = {},
): Weather {
  return weatherOf(seed, weather.faults.filter((kind) => !kinds.includes(kind)), climate);
}

function weatherOf(
  seed: bigint,
  faults: readonly FaultKind[],
  { driftPpmMax = 10_000, loss, late }: Climate,
): Weather {
  const has = (kind: FaultKind) => faults.includes(kind);
  const draw = (kind: FaultKind, min: number, max: number) =>
    has(kind) ? randomInteger(faultRandom(seed, kind), min, max) : 0;
  return {
    faults,
    network: {
      latency: latencyOf(seed, has),
      loss: has("loss") && loss !== undefined ? loss : draw("loss", 1, 20) / 100,
      duplicate: draw("duplicate", 1, 30) / 100,
      reorder: draw("reorder", 1, 50) / 100,
      ...late === undefined ? {} : { late },
    },
    disk: {
      sync: has("slowDisk")
        ? { minUs: 50, maxUs: draw("slowDisk", 2_000, 50_000), heavyTail: true }
        : { minUs: 50, maxUs: 500 },
      tornTails: has("tornTail"),
      // Small, so that journals of short runs are compacted too.
      compactBytes: 1 << randomInteger(seededRandom(deriveSeed(seed, "compact")), 9, 15),
    },
    driftPpm: has("drift") ? draw("drift", 1, driftPpmMax) : 0,
  };
}

// (measured) A lease broken on purpose was never found with uniform delays alone, and in one of 200 seeds once half
// of them had heavy tails.
function latencyOf(seed: bigint, has: (kind: FaultKind) => boolean): Delay {
  const uniformMaxUs = has("delay")
    ? randomInteger(faultRandom(seed, "delay"), 1_000, 40_000)
    : 1_000;
  if (!has("heavyTail")) return { minUs: 100, maxUs: uniformMaxUs };
  const times = randomInteger(faultRandom(seed, "heavyTail"), 10, 100);
  return { minUs: 100, maxUs: uniformMaxUs * times, heavyTail: true };
}
