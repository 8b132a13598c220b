// What a run consists of: a seed, and what it was drawn into. All of it is data, and all of it can be had again from
// the scenario, the seed and the changes.

import type { FaultKind } from "../core/config/fault_kinds.ts";
import { deriveSeed, randomInteger, seededRandom } from "../core/random.ts";
import { drawSchedule, type FaultScene, type FaultStep } from "./fault_schedule.ts";
import type { Exposure, Scenario, Sizes } from "./scenario.ts";
import { type Climate, drawWeather, type Weather, withoutFaults } from "./swarm.ts";

/** What a run differs in from the one that its seed has drawn. */
export interface Changes {
  /** Sizes by name. */
  readonly sizes?: { readonly [name: string]: number };
  /** Kinds of faults that are left out. */
  readonly without?: readonly FaultKind[];
  /** The only steps of the schedule that happen; default: all. */
  readonly steps?: readonly number[];
}

/** All that a run depends on, besides the scenario. */
export interface Plan {
  readonly seed: bigint;
  readonly sizes: Sizes<string>;
  readonly weather: Weather;
  readonly schedule: readonly FaultStep[];
  /** When the faults end, in virtual milliseconds. */
  readonly safetyMs: number;
}

const calmMsDefault = 20;
const safetyMsDefault = [500, 3000] as const;

/**
 * What a seed makes of a scenario, with changes.
 *
 * @throws {RangeError} if a change names a size that the scenario does not have, or one out of its range.
 */
export function makePlan(scenario: Scenario, seed: bigint, changes: Changes = {}): Plan {
  const drawn = drawSizes(scenario, seed);
  const climate = climateOf(scenario, drawn);
  const weather = drawWeather(seed, climate);
  const { calmMs = calmMsDefault, safetyMs: [least, most] = safetyMsDefault } = scenario;
  const safetyMs = calmMs +
    randomInteger(seededRandom(deriveSeed(seed, "safety phase")), least, most);
  // By the sizes that were drawn, so that a step keeps its number in a smaller grid.
  const scene = sceneOf(scenario, drawn, [1000 * calmMs, 1000 * safetyMs]);
  const { without = [], steps } = changes;
  const schedule = drawSchedule(seed, weather, scene).filter(({ id, act }) =>
    !without.includes(act.kind) && (steps === undefined || steps.includes(id))
  );
  return {
    seed,
    sizes: { ...drawn, ...checkSizes(scenario, changes.sizes ?? {}) },
    weather: withoutFaults(seed, weather, without, climate),
    schedule,
    safetyMs,
  };
}

function climateOf(scenario: Scenario, sizes: Sizes<string>): Climate {
  const { spares = [], driftPpmMax, loss, late } = scenario;
  return {
    spares: [...spares, ...scenario.exposure?.(sizes).spares ?? []],
    ...driftPpmMax === undefined ? {} : { driftPpmMax },
    ...loss === undefined ? {} : { loss },
    ...late === undefined ? {} : { late },
  };
}

function drawSizes({ sizes }: Scenario, seed: bigint): Record<string, number> {
  return Object.fromEntries(
    Object.entries(sizes).map(([name, [least, most]]) => {
      // A stream for each, so that a scenario may get another size without all its seeds becoming others.
      const random = seededRandom(deriveSeed(seed, `size ${name}`));
      return [name, randomInteger(random, least, most)];
    }),
  );
}

function checkSizes(
  { name: scenario, sizes }: Scenario,
  changed: { readonly [name: string]: number },
): { readonly [name: string]: number } {
  for (const [name, value] of Object.entries(changed)) {
    const range = Object.hasOwn(sizes, name) ? sizes[name] : undefined;
    if (range === undefined) {
      const names = Object.keys(sizes).join(", ");
      throw new RangeError(`Cannot set ${name} of scenario ${scenario}, want one of ${names}`);
    }
    const [least, most] = range;
    if (!Number.isSafeInteger(value) || value < least || value > most) {
      throw new RangeError(
        `Cannot set ${name} of scenario ${scenario} to ${value}, want ${least} to ${most}`,
      );
    }
  }
  return changed;
}

function sceneOf(
  scenario: Scenario,
  sizes: Sizes<string>,
  [fromUs, untilUs]: readonly [number, number],
): FaultScene {
  const { boxes } = scenario.grid(sizes);
  const { victims, disks, ambushes } = exposureOf(scenario, sizes);
  return { fromUs, untilUs, boxes, victims: victims ?? boxes, disks, ambushes };
}

/** Where faults may strike, with what is left out filled in. */
export function exposureOf(
  scenario: Scenario,
  sizes: Sizes<string>,
): Exposure & Required<Pick<Exposure, "disks" | "ambushes">> {
  return {
    disks: { boxes: [], max: 0 },
    ambushes: ["append", "sync"],
    ...scenario.exposure?.(sizes),
  };
}
