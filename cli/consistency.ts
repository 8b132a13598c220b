// `ovid consistency`: whether replicas have decided the same, by what they have dumped.

import { findDifference, hole } from "../agents/paxos_chatroom/consistency.ts";
import { type Command, exitCodes, UsageError } from "./command.ts";
import { fileFault } from "./file_fault.ts";

/** The most files of one call. */
const filesMax = 1000;

/** `ovid consistency`. */
export const command: Command = {
  name: "consistency",
  synopsis: "FILE FILE...",
  summary: "Compares dumps of paxos_replicas line by line.",
  doc:
    `Prints "All good :)" if no two files differ in a line that both have, and else the first line that differs, with
exit code 1. A line that says ${hole} agrees with every other, and a file may end sooner than others. A file that
cannot be read is exit code 2.`,
  operands: [2, filesMax],
  flags: [],
  examples: [{
    line: "ovid consistency .ovid/paxos/*/files/tmp/replica*.output",
    doc: "The dumps of all replicas of paxos.json",
  }],
  async run(call) {
    const dumps = [];
    for (const name of call.operands) dumps.push({ name, text: await read(name) });
    const difference = findDifference(dumps);
    if (difference === undefined) {
      console.log("All good :)");
      return exitCodes.fine;
    }
    const { line, first, second } = difference;
    console.log(`Line ${line} differs:`);
    for (const { name, text } of [first, second]) console.log(`  ${name}: ${text}`);
    return exitCodes.failure;
  },
};

async function read(file: string): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    throw new UsageError(`Cannot read dump ${JSON.stringify(file)}: ${fileFault(error)}`);
  }
}
