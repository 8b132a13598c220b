// `ovid check`: judges a grid file, and shows what it would run.

import { compareProblems, describeProblem } from "../core/config/problem.ts";
import { summariseGrid } from "../core/config/summary.ts";
import { type Command, exitCodes } from "./command.ts";
import { gridFlags, readGridFile } from "./grid_file.ts";
import { sandboxFlags } from "./sandbox.ts";
import { readSimulation } from "./grid_scenario.ts";

/** `ovid check`. */
export const command: Command = {
  name: "check",
  synopsis: "GRID",
  summary: "Checks a grid file and shows what it would run.",
  doc:
    `All errors are shown, each with its place in the file, what was found, and what is wanted. The grid's plugins
and the modules of its "simulation" are loaded, which runs their code; plugins with --sandbox where they can do nothing. Exit code 3 if the grid cannot run.`,
  operands: [1, 1],
  flags: [{ name: "json", doc: "Prints the problems as JSON" }, ...sandboxFlags, ...gridFlags],
  examples: [{
    line: "ovid check examples/kvs/grid.json",
    doc: "What the key-value example would run",
  }],
  async run(call) {
    const [path = ""] = call.operands;
    const file = await readGridFile(path, call);
    const { problems: simulation } = await readSimulation(path, file);
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
