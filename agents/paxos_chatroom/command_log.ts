// The machine that a paxos_chatroom replicates: all commands in the order in which they were decided.

import { z } from "zod";
import { defineMachine } from "../machine/machine.ts";
import { type Command, messageLengthMax } from "./texts.ts";

/** How many commands a log has at most. */
export const commandsMax = 1_000_000;

/** How many characters all messages of a log have together, at most. */
export const logLengthMax = 64 * 1024 * 1024;

const command = z.object({
  client: z.string(),
  request: z.int().nonnegative(),
  message: z.string().max(messageLengthMax),
});

/** The state of the machine. */
export interface CommandLog {
  readonly commands: Command[];
  /** The characters of all messages. */
  length: number;
}

/** The machine's name. */
export const commandLogName = "command_log";

/** See the top of this file. */
export const commandLog = defineMachine({
  name: commandLogName,
  doc: "The commands of clients, in the order in which they were decided.",
  operation: command,
  result: z.object({ kind: z.enum(["kept", "full"]) }),
  initial: (): CommandLog => ({ commands: [], length: 0 }),
  apply(state, added) {
    const length = state.length + added.message.length;
    if (state.commands.length >= commandsMax || length > logLengthMax) {
      return { kind: "full" as const };
    }
    state.commands.push(added);
    state.length = length;
    return { kind: "kept" as const };
  },
  isRead: () => false,
});
