// `ovid export`: what runs a grid elsewhere.

import { dirname, relative, resolve } from "@std/path";
import { type Command, exitCodes, unknownWord, UsageError } from "./command.ts";
import { composeFile } from "./compose.ts";
import { fileFault } from "./file_fault.ts";
import { gridFlags, requireGrid } from "./grid_file.ts";
import { terminalsOf } from "./one_box.ts";

/** `ovid export`. */
export const command: Command = {
  name: "export",
  synopsis: "compose GRID",
  summary: "Writes a compose file, which runs each box of a grid in a container.",
  doc:
    `Each box is a service, in a network of their own that nobody else reaches. Boxes keep their addresses as names;
the services find each other by the names of hosts that containers have. The grid's folder is mounted, and each box
has a volume for its data. The image is what the Dockerfile of Ovid builds: docker build -t ovid .
The service of an agent with a terminal is typed to by docker compose attach SERVICE.`,
  operands: [2, 2],
  flags: [
    { name: "out", value: "FILE", doc: "Writes it there; default: standard output" },
    { name: "image", value: "NAME", doc: "The image; default: ovid" },
    {
      name: "new",
      doc:
        "Lets replicas begin with an empty disk: for the first start of their group, and never again",
    },
    ...gridFlags,
  ],
  examples: [{
    line: "ovid export compose examples/kvs/grid.json --out compose.yaml",
    doc: "Then: docker compose up --detach, docker compose attach box-5000",
  }],
  async run(call) {
    const [what = "", path = ""] = call.operands;
    if (what !== "compose") throw new UsageError(unknownWord(what, what, [{ name: "compose" }]));
    if (call.value("plugins") !== undefined) {
      throw new UsageError("Cannot use --plugins, want the plugins in the grid's folder");
    }
    const { grid, definitions } = await requireGrid(path, call);
    const out = call.value("out");
    const home = out === undefined ? Deno.cwd() : dirname(resolve(out));
    const text = composeFile(grid, {
      folder: relative(home, dirname(resolve(path))),
      terminals: terminalsOf(grid, definitions),
      image: call.value("image") ?? "ovid",
      isNew: call.has("new"),
    });
    if (out === undefined) console.log(text.trimEnd());
    else {
      await Deno.writeTextFile(out, text).catch((error) => {
        throw new UsageError(`Cannot write ${JSON.stringify(out)}: ${fileFault(error, "folder")}`);
      });
    }
    return exitCodes.fine;
  },
};
