// What the user asked of `ovid sim`: which scenario, which seeds, and what is to be left out.

import { resolve, toFileUrl } from "@std/path";
import { type FaultKind, faultNames } from "../core/config/fault_kinds.ts";
import { messageOf } from "../core/error.ts";
import { parseSeed, seedMax } from "../core/random.ts";
import type { Changes } from "../sim/plan.ts";
import { findScenarioFault, isScenario, type Scenario } from "../sim/scenario.ts";
import { builtInScenarios, caseScenarios } from "../sim/scenarios/registry.ts";
import { type Call, unknownWord, UsageError } from "./command.ts";
import { loadGridScenario } from "./grid_scenario.ts";

/**
 * The scenario of a built-in name, of a grid file that has a "simulation", or of a module that exports one as its
 * default.
 *
 * @throws {UsageError} if there is none.
 * @throws {BadGridError} if a grid cannot be simulated.
 */
export async function findScenario(name: string, call: Call): Promise<Scenario> {
  const builtIn = builtInScenarios.get(name) ?? caseScenarios.get(name);
  if (builtIn !== undefined) return builtIn;
  if (name.endsWith(".json")) return await loadGridScenario(name, call);
  if (!/\.[cm]?[jt]s$/.test(name)) {
    throw new UsageError(
      `${unknownWord(`scenario ${name}`, name, allScenarios())}, a grid file ` +
        'that has a "simulation", or a module with `export default defineScenario({ ... })`',
    );
  }
  let module: { default?: unknown };
  try {
    module = await import(toFileUrl(resolve(name)).href);
  } catch (error) {
    throw new UsageError(`Cannot load scenario ${name}: ${messageOf(error)}`);
  }
  const { default: scenario } = module;
  if (isScenario(scenario)) return scenario;
  const fault = typeof scenario === "object" && scenario !== null
    ? findScenarioFault(scenario as Scenario)
    : "it has no scenario as its default export";
  throw new UsageError(
    `Cannot load scenario ${name}: ${fault}, want \`export default defineScenario({ ... })\``,
  );
}

function allScenarios(): Scenario[] {
  return [...builtInScenarios.values(), ...caseScenarios.values()];
}

/** @throws {UsageError} if it is anything but an unsigned 64-bit number. */
export function readSeed(text: string): bigint {
  try {
    return parseSeed(text);
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
}

/** A seed that nobody has chosen. */
export function drawSeed(): bigint {
  const [seed = 0n] = crypto.getRandomValues(new BigUint64Array(1));
  return seed;
}

/** The seed that is `index` behind `first`, around the end of all seeds. */
export function seedAfter(first: bigint, index: number): bigint {
  return (first + BigInt(index)) & seedMax;
}

/**
 * What `--set`, `--without` and `--steps` say.
 *
 * @throws {UsageError} if they cannot be read.
 */
export function readChanges(call: Call): Changes {
  const sizes = call.value("set")?.split(",").map((part): [string, number] => {
    const [, name, number] = /^([^=]+)=(\d{1,9})$/.exec(part) ?? [];
    if (name === undefined) {
      throw new UsageError(`Cannot use ${JSON.stringify(part)} for --set, want NAME=NUMBER`);
    }
    return [name, Number(number)];
  });
  const without = call.value("without")?.split(",").map(readFault);
  const steps = call.value("steps");
  return {
    ...sizes === undefined ? {} : { sizes: Object.fromEntries(sizes) },
    ...without === undefined ? {} : { without },
    ...steps === undefined ? {} : { steps: readSteps(steps) },
  };
}

function readFault(name: string): FaultKind {
  const fault = faultNames.find((each) => each === name);
  if (fault !== undefined) return fault;
  throw new UsageError(unknownWord(`fault ${name}`, name, faultNames.map((name) => ({ name }))));
}

function readSteps(text: string): number[] {
  if (text === "none") return [];
  return text.split(",").map((part) => {
    if (/^\d{1,9}$/.test(part)) return Number(part);
    throw new UsageError(
      `Cannot use ${JSON.stringify(part)} for --steps, want numbers of steps, or none`,
    );
  });
}

/** The flags that {@linkcode readChanges} reads. */
export function formatChanges({ sizes = {}, without = [], steps }: Changes): string[] {
  const set = Object.entries(sizes).map(([name, value]) => `${name}=${value}`);
  return [
    ...set.length === 0 ? [] : [`--set=${set.join(",")}`],
    ...without.length === 0 ? [] : [`--without=${without.join(",")}`],
    ...steps === undefined ? [] : [`--steps=${steps.length === 0 ? "none" : steps.join(",")}`],
  ];
}
