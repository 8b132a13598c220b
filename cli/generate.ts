// `ovid generate`: writes grids that follow a pattern, as GoOvid's generator did.

import {
  controllerId,
  failuresMax,
  generatedClientsMax,
  generateGrid,
} from "../agents/paxos_chatroom/grid.ts";
import { messageOf } from "../core/error.ts";
import { type Command, exitCodes, unknownWord, UsageError } from "./command.ts";

/** `ovid generate`. */
export const command: Command = {
  name: "generate",
  synopsis: "paxos F CLIENTS MODE [--output FILE]",
  summary: "Writes the grid of a paxos_chatroom, of which F replicas may fail.",
  doc:
    `2F + 1 paxos_replicas on 127.0.0.1:5001 and up, CLIENTS paxos_clients on 127.0.0.1:8100 and up, and the
paxos_controller ${controllerId} on 127.0.0.1:9999. F is 1 to ${failuresMax}, CLIENTS 1 to ${generatedClientsMax}. MODE is script, for clients that issue
a command about once a second, or manual, for clients that issue what the controller says.`,
  words: ["paxos"],
  operands: [4, 4],
  flags: [{
    name: "output",
    value: "FILE",
    doc: "Writes the grid there; default: standard output",
  }],
  examples: [
    { line: "ovid generate paxos 1 2 manual --output paxos.json", doc: "Three replicas" },
    {
      line: "ovid box paxos.json 127.0.0.1:9999",
      doc: "Its controller: start 5001 0, ...",
      after: ["ovid generate paxos 1 2 manual --output paxos.json"],
      serves: "up, seed",
    },
  ],
  async run(call) {
    const [what = "", failures = "", clients = "", mode = ""] = call.operands;
    if (what !== "paxos") throw new UsageError(unknownWord(what, what, [{ name: "paxos" }]));
    if (mode !== "script" && mode !== "manual") {
      throw new UsageError(`Cannot use ${JSON.stringify(mode)} for MODE, want script or manual`);
    }
    const grid = generateGrid({
      failures: readNumber("F", failures, failuresMax),
      clients: readNumber("CLIENTS", clients, generatedClientsMax),
      mode,
    });
    const text = JSON.stringify(grid, undefined, 2);
    const file = call.value("output");
    if (file === undefined) console.log(text);
    else await write(file, `${text}\n`);
    return exitCodes.fine;
  },
};

function readNumber(name: string, text: string, max: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= max) return number;
  throw new UsageError(
    `Cannot use ${JSON.stringify(text)} for ${name}, want a whole number from 1 to ${max}`,
  );
}

async function write(file: string, text: string): Promise<void> {
  try {
    await Deno.writeTextFile(file, text);
  } catch (error) {
    throw new UsageError(`Cannot write ${JSON.stringify(file)}: ${messageOf(error)}`);
  }
}
