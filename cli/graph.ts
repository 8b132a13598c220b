// `ovid graph`: a picture of a grid.

import { basename } from "@std/path";
import { type Call, type Command, exitCodes, UsageError } from "./command.ts";
import { fileFault } from "./file_fault.ts";
import { graphMermaid } from "./graph_mermaid.ts";
import { graphOf, type GridGraph } from "./graph_model.ts";
import { graphSvg } from "./graph_svg.ts";
import { readGridFile, refused } from "./grid_file.ts";

/** `ovid graph`. */
export const command: Command = {
  name: "graph",
  synopsis: "GRID",
  summary: "Draws the boxes, agents and routes of a grid.",
  doc:
    `An SVG in black and white, on standard output unless --out names a file. A solid arrow is a route, with its name
and port; a dashed one leads to an agent that attrs name. What many agents call by one name meets in a bar.
Plugins are not loaded: none of their code runs.`,
  operands: [1, 1],
  flags: [
    { name: "out", value: "FILE", doc: "Writes the picture there" },
    { name: "mermaid", doc: "Writes a Mermaid flowchart in the place of the SVG" },
    { name: "json", doc: "Writes what would be drawn, as JSON" },
  ],
  examples: [
    { line: "ovid graph examples/gobby/grid.json --out gobby.svg", doc: "Gobby's three boxes" },
    { line: "ovid graph examples/chat/grid.json --mermaid", doc: "For a page that draws Mermaid" },
  ],
  async run(call) {
    const [path = ""] = call.operands;
    const graph = await readGraph(path, call);
    const text = call.has("json")
      ? `${JSON.stringify(graph, undefined, 2)}\n`
      : call.has("mermaid")
      ? graphMermaid(graph)
      : await graphSvg(graph, basename(path));
    const out = call.value("out");
    if (out === undefined) console.log(text.trimEnd());
    else await write(out, text);
    return exitCodes.fine;
  },
};

async function readGraph(path: string, call: Call): Promise<GridGraph> {
  // A picture reaches no other machine, whatever the addresses in it.
  const open = { ...call, has: (flag: string) => flag === "insecure" || call.has(flag) };
  const { grid, problems } = await readGridFile(path, open, false);
  if (grid === undefined) throw refused("draw", path, problems);
  return graphOf(grid);
}

async function write(file: string, text: string): Promise<void> {
  try {
    await Deno.writeTextFile(file, text);
  } catch (error) {
    throw new UsageError(`Cannot write ${JSON.stringify(file)}: ${fileFault(error, "folder")}`);
  }
}
