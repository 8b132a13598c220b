// The scenario of a grid file that has a "simulation": checks it, loads the modules that it names, and composes them.

import { basename, resolve } from "@std/path";
import { definitionsOf, findBelow } from "../box/loader.ts";
import { importDefault } from "../box/plugin_load.ts";
import { checkSimulation } from "../core/config/check_simulation.ts";
import { compareProblems, type Problem } from "../core/config/problem.ts";
import { modelNames, type Simulation } from "../core/config/simulation.ts";
import { type Path, quote } from "../core/config/wording.ts";
import { messageOf } from "../core/error.ts";
import { gridScenario, type GridSimulation } from "../sim/grid_scenario.ts";
import {
  findInvariantFault,
  type Invariant,
  isInvariant,
  type NamedInvariant,
} from "../sim/invariant.ts";
import { findModelFault, isModel, type Model } from "../sim/linearizable_model.ts";
import type { Scenario } from "../sim/scenario.ts";
import { findOperationFaults } from "../sim/workloads/operations.ts";
import { findWorkloadFault, isWorkload, type Workload } from "../sim/workloads/workload.ts";
import { BadGridError, type Call } from "./command.ts";
import { type GridFile, readGridFile, refused } from "./grid_file.ts";

/** The "simulation" of a grid file, and the modules that it names. */
export interface SimulationFile {
  /** Undefined if there are errors. */
  readonly parts:
    | Pick<GridSimulation, "simulation" | "workload" | "model" | "invariants">
    | undefined;
  readonly problems: readonly Problem[];
}

/** What a module must export. */
interface Wanted<T> {
  readonly what: string;
  readonly form: string;
  readonly is: (value: unknown) => value is T;
  readonly fault: (value: unknown) => string | undefined;
}

const workloads: Wanted<Workload> = {
  what: "workload",
  form: "export default defineWorkload({ ... })",
  is: isWorkload,
  fault: findWorkloadFault,
};

const models: Wanted<Model<unknown>> = {
  what: "model",
  form: "export default { initial, apply, encode }",
  is: isModel,
  fault: findModelFault,
};

const invariantModules: Wanted<Invariant> = {
  what: "invariant",
  form: "export default defineInvariant({ ... })",
  is: isInvariant,
  fault: findInvariantFault,
};

/** Checks what a grid file says under "simulation", and loads the modules that it names, which runs their code. */
export async function readSimulation(path: string, file: GridFile): Promise<SimulationFile> {
  const { simulation, problems } = checkSimulation(file.draft, file.source, file.lookUp);
  if (simulation === undefined) return { parts: undefined, problems };
  const modules = new Modules(resolve(path), file);
  const parts = await loadParts(simulation, modules);
  const operations = findOperationFaults(simulation).map(({ steps, fault }): Problem => ({
    ...file.source.locate(["simulation", ...steps]),
    ...{ severity: "error", found: "is an object", hint: fault },
    wanted: `an operation of the model ${simulation.model}`,
  }));
  const all = [...problems, ...modules.problems, ...operations].sort(compareProblems);
  return { parts: all.length === 0 ? parts : undefined, problems: all };
}

async function loadParts(
  simulation: Simulation,
  modules: Modules,
): Promise<SimulationFile["parts"]> {
  const { workload, model, invariants } = simulation;
  const own = typeof workload === "string"
    ? await modules.load(workload, ["workload"], workloads)
    : undefined;
  const judging = model === undefined || modelNames.some((name) => name === model)
    ? undefined
    : await modules.load(model, ["model"], models);
  const kept: NamedInvariant[] = [];
  for (const [index, name] of invariants.entries()) {
    const invariant = await modules.load(name, ["invariants", index], invariantModules);
    if (invariant !== undefined) kept.push({ name, invariant });
  }
  return {
    simulation,
    invariants: kept,
    ...own === undefined ? {} : { workload: own },
    ...judging === undefined ? {} : { model: judging },
  };
}

/** Loads modules by the rules of plugins, and tells where the grid names one that cannot be used. */
class Modules {
  readonly problems: Problem[] = [];
  readonly #gridFile: string;
  readonly #file: GridFile;

  constructor(gridFile: string, file: GridFile) {
    this.#gridFile = gridFile;
    this.#file = file;
  }

  /** The default export of a module; undefined if it is not what is wanted. */
  async load<T>(path: string, steps: Path, wanted: Wanted<T>): Promise<T | undefined> {
    const { what, form, is, fault } = wanted;
    let hint: string | undefined;
    try {
      const loaded = await importDefault(findBelow(path, this.#gridFile), what);
      if (is(loaded)) return loaded;
      hint = loaded === undefined ? "it has no default export" : fault(loaded);
    } catch (error) {
      hint = messageOf(error);
    }
    this.problems.push({
      ...this.#file.source.locate(["simulation", ...steps]),
      ...{ severity: "error", found: `is ${quote(path)}`, wanted: `a module with \`${form}\`` },
      ...hint === undefined ? {} : { hint },
    });
    return undefined;
  }
}

/**
 * The scenario of a grid file.
 *
 * @throws {BadGridError} with all that is wrong, a line each, or with what to add to a grid without a simulation.
 */
export async function loadGridScenario(path: string, call: Call): Promise<Scenario> {
  // No box of a simulated grid listens anywhere.
  const quiet = { ...call, has: (flag: string) => flag === "insecure" };
  const file = await readGridFile(path, quiet, true, "ignored");
  const asked = [...file.draft.agents.values()].filter(({ sandbox }) => sandbox);
  if (asked.length > 0) {
    const ids = asked.map(({ id }) => id).join(", ");
    console.error(`ovid: simulated without a sandbox, with all that you may do: ${ids}`);
  }
  const { parts, problems } = await readSimulation(path, file);
  const all = [...file.problems, ...problems].sort(compareProblems);
  const { grid, draft, loaded } = file;
  if (grid === undefined || problems.length > 0) throw refused("simulate", path, all);
  if (draft.simulation === undefined || parts === undefined) {
    throw new BadGridError(
      `Cannot simulate grid ${JSON.stringify(path)}: it has no "simulation", want one beside ` +
        `"agents", such as\n${smallest(file)}`,
    );
  }
  const name = basename(path).replace(/\.json$/, "").replace(/\s+/g, "_") || "grid";
  return gridScenario({ name, grid, definitions: definitionsOf(loaded), ...parts });
}

/** The smallest simulation that the grid could have. */
function smallest({ draft, lookUp }: GridFile): string {
  for (const { id, type } of draft.agents.values()) {
    const shape = type === undefined ? undefined : lookUp(type);
    if (shape === undefined || "error" in shape) continue;
    if (shape.devices?.includes("terminal")) {
      const workload = { type: "terminal", agents: [id], lines: ["hello"] };
      return `  "simulation": { "workload": ${JSON.stringify(workload)} }`;
    }
    const [message] = Object.keys(shape.on ?? {});
    if (message === undefined) continue;
    const workload = {
      type: "mail",
      to: id,
      messages: [{ message: { type: message }, answers: ["TYPE"] }],
    };
    return `  "simulation": { "workload": ${JSON.stringify(workload)} }\n` +
      `with the other fields of ${message}, and the type of the message that answers it`;
  }
  return `  "simulation": { "workload": "./workload.ts" }`;
}
