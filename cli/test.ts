// `ovid test`: runs the tests of a user's own agents, with all that they may import and nothing to install.

import { resolve } from "@std/path";
import { importDefault } from "../box/plugin_load.ts";
import { type Call, type Command, exitCodes, UsageError } from "./command.ts";
import { checkCommand, testCommand, type ToolCommand } from "./self.ts";
import { onStopSignals } from "./signals.ts";
import { findTests, runTests } from "./test_runner.ts";

/** `ovid test`. */
export const command: Command = {
  name: "test",
  synopsis: "[FILE|FOLDER...]",
  summary: "Runs the tests of agents of your own.",
  doc:
    `Runs the tests of files, and of every NAME_test.ts in folders and below; by default of this folder. They may
import "ovid", "ovid/client", "zod" and "@std/assert", which are part of the program, and files beside them. No
deno.json is needed, and none is read. A test that leaves a timer or a file open fails. Exit code 1 if one fails.`,
  operands: [0, 1000],
  flags: [
    {
      name: "check",
      doc: "Checks the types of all that the tests import first; takes some seconds",
    },
    { name: "filter", value: "TEXT", doc: "Runs only tests that have it in their names" },
  ],
  examples: [
    {
      line: "ovid test --check",
      doc: "All types and tests in this folder",
      after: ["mkdir mine && cd mine && ovid new agent counter"],
    },
    {
      line: "ovid test counter_test.ts --filter crash",
      doc: "Some tests of one file",
      after: ["ovid new agent counter"],
    },
  ],
  async run(call) {
    const filter = call.value("filter");
    const paths = call.operands.length === 0 ? ["."] : call.operands;
    if (Deno.build.standalone) return await runAlone(paths, call);
    if (call.has("check")) {
      const code = await runTool(checkCommand(paths));
      if (code !== 0) return exitCodes.failure;
    }
    const flags = filter === undefined ? [] : [`--filter=${filter}`];
    const code = await runTool(testCommand([...flags, ...paths]));
    return code === 0 ? exitCodes.fine : exitCodes.failure;
  },
};

// An executable that deno compile has made has no tools of Deno's inside.
async function runAlone(paths: readonly string[], call: Call): Promise<number> {
  if (call.has("check")) {
    throw new UsageError("Cannot use --check: this executable has no compiler inside");
  }
  const filter = call.value("filter");
  const fine = await runTests(await findTests(paths), {
    ...filter === undefined ? {} : { filter },
    load: (file) => importDefault(resolve(file), "test"),
    print: console.log,
  });
  return fine ? exitCodes.fine : exitCodes.failure;
}

async function runTool({ command, args, env }: ToolCommand): Promise<number> {
  const child = new Deno.Command(command, { args, env }).spawn();
  using _signals = onStopSignals(() => child.kill("SIGTERM"));
  return (await child.status).code;
}
