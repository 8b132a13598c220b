// `ovid box`: one box in the foreground, or every box of a grid as a process of its own.

import type { Command } from "./command.ts";
import { exitCodes } from "./command.ts";
import { exampleGrid } from "./example_grid.ts";
import { gridFlags, requireGrid } from "./grid_file.ts";
import { logFormatFlag } from "./log.ts";
import { requireBox, runOneBox } from "./one_box.ts";
import { runSandboxed, sandboxedFlag, sandboxFlags } from "./sandbox.ts";
import { runGrid } from "./whole_grid.ts";

/** `ovid box`. */
export const command: Command = {
  name: "box",
  synopsis: "[GRID [BOX]]",
  summary: "Runs the boxes of a grid, all of them or one.",
  doc:
    `With GRID alone every box runs as a process of its own, and this terminal belongs to the one agent that
declares it; the grid stops when that agent has stopped. With BOX that box alone runs in the foreground.
Without GRID a key-value store in two boxes runs: try \`put a 1\` and \`get a\`.
With --watch a plugin whose files change is reloaded in place: its agents keep their durable state, through upgrade()
where the version has risen, and start again; one that cannot be loaded changes nothing.
Data are kept in .ovid/ beside the grid file.
GoOvid's form \`ovid [-debug] [-log] [-loss=P] [-master=PORT] GRID BOX\` works, too.`,
  operands: [0, 2],
  flags: [
    { name: "attach", value: "AGENT", doc: "Gives the terminal to this agent" },
    {
      name: "master",
      value: "PORT",
      doc: "Takes commands of masters there, on loopback; 10000 or higher",
    },
    {
      name: "loss",
      value: "P",
      doc: "Loses messages between agents with this probability, from 0 to 1",
    },
    {
      name: "seed",
      value: "N",
      doc: "Draws losses and agents' random numbers from it; by default one is drawn",
    },
    {
      name: "new",
      doc:
        "Lets replicas begin with an empty disk: for the first start of their group, and never again",
    },
    { name: "debug", doc: "Logs what every agent notes" },
    { name: "log", value: "FILE", doc: "Logs to this file, too" },
    logFormatFlag,
    { name: "data", value: "FOLDER", doc: "Keeps the box's data there" },
    { name: "port-offset", value: "N", doc: "Listens and dials at each box's port plus N" },
    {
      name: "at",
      value: "BOX=HOST:PORT,...",
      doc: "Reaches boxes there, by names of hosts too; ovid export compose makes use of it",
    },
    { name: "watch", doc: "Reloads a plugin in place when one of its files changes" },
    ...sandboxFlags,
    ...gridFlags,
    sandboxedFlag,
    {
      name: "supervised",
      doc: "Takes terminal lines as control lines, and ends with standard input",
      hidden: true,
    },
    { name: "prompt", doc: "Shows prompts", hidden: true },
  ],
  examples: [
    { line: "ovid box", doc: "A key-value store in two boxes", input: ["put a 1", "get a"] },
    {
      line: "ovid box examples/chat/grid.json --attach 10",
      doc: "A chat, with this terminal as agent 10's",
      input: ["hello"],
    },
    {
      line: "ovid box examples/kvs/grid.json 127.0.0.1:5001",
      doc: "One box of a grid",
      serves: "up, seed",
    },
  ],
  async run(call) {
    const sandboxed = call.integer("sandboxed", 1, 1_000_000);
    if (sandboxed !== undefined) return await runSandboxed(sandboxed);
    const [path = await exampleGrid(), box] = call.operands;
    const runnable = await requireGrid(path, call);
    if (box === undefined) return await runGrid(path, runnable, call);
    const end = await runOneBox(path, runnable, requireBox(runnable.grid, box), call);
    return end ?? exitCodes.fine;
  },
};
