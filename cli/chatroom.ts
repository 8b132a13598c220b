// `ovid chatroom`: one server of the numeric chatroom, a box without agents whose peers have numbers.

import { standardOutput } from "../box/devices.ts";
import { masterPortMin } from "../box/master_port.ts";
import { memoryJournal } from "../box/memory_journal.ts";
import type { BoxId } from "../core/id.ts";
import { tcp } from "../transport/tcp.ts";
import { type Command, UsageError } from "./command.ts";
import { logFormatFlag, openLog, readLogFormat } from "./log.ts";
import { runBox } from "./one_box.ts";

/** How many servers a chatroom may have. */
export const serversMax = 1000;

/** `ovid chatroom`. */
export const command: Command = {
  name: "chatroom",
  synopsis: "ID N PORT",
  summary: "Runs one server of the numeric chatroom.",
  doc:
    `Server ID of the N servers 0 to N-1. It links to the others at --base-port plus their number, and takes the
commands of masters on PORT, 10000 or higher, on loopback.`,
  operands: [3, 3],
  flags: [
    {
      name: "base-port",
      value: "PORT",
      doc: "Server 0's port for links between servers; default 3000",
    },
    { name: "debug", doc: "Logs more" },
    logFormatFlag,
    { name: "supervised", doc: "Ends with standard input", hidden: true },
  ],
  examples: [{
    line: "ovid chatroom 0 3 10000",
    doc: "The first of three servers",
    serves: "up, seed",
  }],
  async run(call) {
    const [idText = "", countText = "", portText = ""] = call.operands;
    const count = readNumber("N", countText, 1, serversMax);
    const id = readNumber("ID", idText, 0, count - 1);
    const masterPort = readNumber("PORT", portText, masterPortMin, 65535);
    const basePort = call.integer("base-port", 1, 65535 - count) ?? 3000;
    using log = openLog({ debug: call.has("debug"), format: readLogFormat(call), name: idText });
    const boxes = Array.from({ length: count }, (_, index) => String(index) as BoxId);
    return await runBox({
      box: String(id) as BoxId,
      grid: { file: "", agents: new Map(), boxes, plugins: new Map() },
      definitions: new Map(),
      transport: tcp,
      journal: memoryJournal(),
      dialect: "numeric",
      addressOf: (box) => `127.0.0.1:${basePort + Number(box)}`,
      masterPort,
      seed: 0n,
      out: standardOutput(log),
      interactive: false,
      log,
    }, {
      supervised: call.has("supervised"),
      attached: undefined,
      about: `masters on port ${masterPort}`,
    });
  },
};

function readNumber(name: string, text: string, min: number, max: number): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < min || number > max) {
    throw new UsageError(
      `Cannot use ${JSON.stringify(text)} for ${name}, want a whole number from ${min} to ${max}`,
    );
  }
  return number;
}
