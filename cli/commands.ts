// The subcommands of the program: a line about each, and where to find it. Each is loaded only when it is called.

import type { Command } from "./command.ts";

/** A subcommand that has not been loaded. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  load(): Promise<Command>;
}

/** All subcommands, in the order of the help. */
export const commands: readonly CommandEntry[] = [
  {
    name: "box",
    summary: "Runs the boxes of a grid, all of them or one",
    load: async () => (await import("./box.ts")).command,
  },
  {
    name: "chatroom",
    summary: "Runs one server of the numeric chatroom",
    load: async () => (await import("./chatroom.ts")).command,
  },
  {
    name: "master",
    summary: "Starts, commands and crashes boxes, by script or by hand",
    load: async () => (await import("./master.ts")).command,
  },
  {
    name: "grade",
    summary: "Runs a folder of scripts against their expected output",
    load: async () => (await import("./grade.ts")).command,
  },
  {
    name: "sim",
    summary: "Runs a grid in virtual time, under faults that a seed draws",
    load: async () => (await import("./sim.ts")).command,
  },
  {
    name: "explore",
    summary: "Tries all that can happen to a small grid, in every order",
    load: async () => (await import("./explore.ts")).command,
  },
  {
    name: "check",
    summary: "Checks a grid file and shows what it would run",
    load: async () => (await import("./check.ts")).command,
  },
  {
    name: "graph",
    summary: "Draws the boxes, agents and routes of a grid",
    load: async () => (await import("./graph.ts")).command,
  },
  {
    name: "trace",
    summary: "Follows the mail of a running grid, a line a message",
    load: async () => (await import("./trace.ts")).command,
  },
  {
    name: "agents",
    summary: "Lists the types of agents, or describes one",
    load: async () => (await import("./agents.ts")).command,
  },
  {
    name: "bench",
    summary: "Measures messages, round trips, puts and starts beside bare sockets",
    load: async () => (await import("./bench.ts")).command,
  },
  {
    name: "new",
    summary: "Writes an agent of your own, with its simulation and its test",
    load: async () => (await import("./new.ts")).command,
  },
  {
    name: "test",
    summary: "Runs the tests of agents of your own",
    load: async () => (await import("./test.ts")).command,
  },
  {
    name: "vr",
    summary: "Runs a replica of a key-value store, or a client of one",
    load: async () => (await import("./vr.ts")).command,
  },
  {
    name: "gobby",
    summary: "Uses the keys, locks and elections of a running Gobby",
    load: async () => (await import("./gobby.ts")).command,
  },
  {
    name: "export",
    summary: "Writes how to run a grid elsewhere: a compose file for containers",
    load: async () => (await import("./export.ts")).command,
  },
  {
    name: "generate",
    summary: "Writes the grid of a paxos_chatroom, as GoOvid's generator did",
    load: async () => (await import("./generate.ts")).command,
  },
  {
    name: "completions",
    summary: "Prints what makes a shell complete commands and flags",
    load: async () => (await import("./completions.ts")).command,
  },
  {
    name: "consistency",
    summary: "Compares what replicas have dumped, line by line",
    load: async () => (await import("./consistency.ts")).command,
  },
];
