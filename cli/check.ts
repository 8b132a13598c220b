// `ovid check`: judges a grid file, and shows what it would run.

import { compareProblems, describeProblem, type Problem } from "../core/config/problem.ts";
import { gridSchema } from "../core/config/schema.ts";
import { summariseGrid } from "../core/config/summary.ts";
import { type Call, type Command, exitCodes, UsageError } from "./command.ts";
import { type GridFile, gridFlags, noPluginsFlag, readGridFile } from "./grid_file.ts";
import { sandboxFlags } from "./sandbox.ts";

/** `ovid check`. */
export const command: Command = {
  name: "check",
  synopsis: "GRID | --schema [GRID]",
  summary: "Checks a grid file and shows what it would run.",
  doc:
    `All errors are shown, each with its place in the file, what was found, and what is wanted. The grid's plugins
and the modules of its "simulation" are loaded, which runs their code unless --no-plugins says otherwise, and with --sandbox where it can do nothing.
Exit code 3 if the grid cannot run.
A grid file whose "$schema" names what --schema printed is completed and judged by editors as it is typed.`,
  operands: [0, 1],
  flags: [
    { name: "json", doc: "Prints the problems as JSON" },
    {
      name: "schema",
      doc: "Prints the JSON Schema of grid files, with the attrs of all known types",
    },
    noPluginsFlag,
    ...sandboxFlags,
    ...gridFlags,
  ],
  examples: [{
    line: "ovid check examples/kvs/grid.json",
    doc: "What the key-value example would run",
  }, {
    line: "ovid check --schema examples/own_agent/grid.json",
    doc: "The JSON Schema of grid files, with the attrs of this one's plugins",
  }],
  async run(call) {
    const [path] = call.operands;
    if (call.has("schema")) return await printSchema(path, call);
    if (path === undefined) {
      throw new UsageError("Cannot check without a grid, want GRID or --schema");
    }
    const runPlugins = !call.has("no-plugins");
    const file = await readGridFile(path, call, runPlugins);
    const simulation = runPlugins ? await simulationProblems(path, file) : [];
    const problems = [...file.problems, ...simulation].sort(compareProblems);
    const { lookUp } = file;
    // Boxes ignore a simulation, but what is wrong with it is wrong with the file.
    const grid = simulation.length === 0 ? file.grid : undefined;
    if (call.has("json")) {
      console.log(JSON.stringify({ runnable: grid !== undefined, problems }, undefined, 2));
    } else {
      for (const problem of problems) console.error(describeProblem(problem));
      if (grid !== undefined) console.log(summariseGrid(grid, lookUp));
    }
    return grid === undefined ? exitCodes.badGrid : exitCodes.fine;
  },
};

async function simulationProblems(path: string, file: GridFile): Promise<readonly Problem[]> {
  // Most grids have none, and need not wait for the simulator.
  if (file.draft.simulation === undefined) return [];
  const { readSimulation } = await import("./grid_scenario.ts");
  return (await readSimulation(path, file)).problems;
}

// Named as the grid names them: by path, if need be.
async function printSchema(path: string | undefined, call: Call): Promise<number> {
  const { findAgents } = await import("./known_agents.ts");
  const { found, failed } = await findAgents(path, call);
  const shapes = found.map(({ name, definition }) => ({ ...definition, type: name }));
  console.log(JSON.stringify(gridSchema(shapes), undefined, 2));
  for (const { why } of failed) console.error(`ovid: ${why}`);
  return failed.length === 0 ? exitCodes.fine : exitCodes.failure;
}
