// `ovid master`: reads commands from a pipe or a terminal, starts servers, commands and crashes them.

import { createInterface } from "node:readline";
import process from "node:process";
import { cyan } from "@std/fmt/colors";
import { readBox } from "../core/config/address.ts";
import type { Grid } from "../core/grid.ts";
import { foreignLauncher } from "../master/foreign.ts";
import { Master } from "../master/master.ts";
import { type Dialect, recogniseDialect } from "../master/script.ts";
import { type Call, type Command, exitCodes } from "./command.ts";
import { gridFlags, requireGrid } from "./grid_file.ts";
import { ownLauncher } from "./launcher.ts";
import { wantsColour } from "./log.ts";
import { passSandbox, refuseSandbox, sandboxFlags } from "./sandbox.ts";
import { onStopSignals } from "./signals.ts";
import { readLines, standardInput } from "./terminal.ts";

const verbs = ["start", "get", "alive", "broadcast", "crash"];

/** `ovid master`. */
export const command: Command = {
  name: "master",
  synopsis: "[GRID]",
  summary: "Starts, commands and crashes boxes, by script or by hand.",
  doc: `Commands, one a line; with GRID boxes are named by their addresses, without it by numbers:

  BOX start [PORT]     starts a box that takes commands on PORT, or on a free port
  ID start N PORT      starts server ID of N
  BOX alive            who is alive, as that box sees it
  BOX broadcast TEXT   sends TEXT to all that are alive
  BOX get              what was broadcast, as that box saw it
  BOX crash            kills it
  sleep MS, exit

After a start or a crash the master goes on as soon as all boxes have seen it, or after 3 s or 1 s. Standard output
is what the original master prints, everything more is on standard error. Exit code 1 if anything went wrong.`,
  operands: [0, 1],
  flags: [
    { name: "debug", doc: "Shows what the boxes print" },
    { name: "annotate", doc: "Shows which box answered" },
    {
      name: "process",
      value: "FILE",
      doc: "Starts servers by this script, ./process ID N PORT or GRID BOX PORT",
    },
    {
      name: "timeout",
      value: "S",
      doc: "How long the script, or by hand an answer, may take; default 120",
    },
    { name: "port-offset", value: "N", doc: "Adds N to the ports of the boxes" },
    ...sandboxFlags,
    ...gridFlags,
  ],
  examples: [
    { line: "ovid master <tests/conformance/goovid/chatroom/alive.input", doc: "Runs a script" },
    {
      line: "ovid master examples/chat/grid.json",
      doc: "Commands the boxes of a grid",
      input: ["127.0.0.1:5000 start", "127.0.0.1:5000 alive", "127.0.0.1:5000 crash", "exit"],
    },
  ],
  async run(call) {
    const [path] = call.operands;
    if (call.value("process") !== undefined) {
      refuseSandbox(call, "with --process, whose servers do as they like");
    }
    const grid = path === undefined ? undefined : (await requireGrid(path, call)).grid;
    const interactive = Deno.stdin.isTerminal();
    const input = interactive ? undefined : await bufferLines(readLines(standardInput()));
    const dialect = grid === undefined ? recogniseDialect(input?.head ?? "") ?? "numeric" : "box";
    const stop = new AbortController();
    let signalled = 130;
    using _signals = onStopSignals((code) => {
      signalled = code;
      stop.abort();
    });
    const master = makeMaster(call, dialect, grid, interactive, stop.signal);
    const lines = input?.lines ??
      typedLines(() => completions(master, dialect, grid), () => stop.abort());
    const { ended, exitCode } = await master.run(lines);
    return ended === "signal" ? signalled : interactive ? exitCodes.fine : exitCode;
  },
};

function makeMaster(
  call: Call,
  dialect: Dialect,
  grid: Grid | undefined,
  interactive: boolean,
  signal: AbortSignal,
): Master {
  const annotate = call.has("annotate");
  const paint = wantsColour(Deno.stdout) ? cyan : (text: string) => text;
  const processFile = call.value("process");
  const timeoutS = call.integer("timeout", 1, 1_000_000);
  return new Master({
    dialect,
    launcher: processFile === undefined
      ? ownLauncher(passSandbox(call))
      : foreignLauncher(processFile),
    portOffset: call.integer("port-offset", 0, 50_000) ?? 0,
    debug: call.has("debug"),
    interactive,
    ...grid === undefined ? {} : { gridFile: grid.file, boxes: grid.boxes },
    ...timeoutS === undefined ? {} : { timeoutMs: timeoutS * 1000 },
    ...annotate ? { showAnswer: (box, line) => `${paint(`${box}:`)} ${line}` } : {},
    out: (line) => writeAll(Deno.stdout, `${line}\n`),
    note: (line) => writeAll(Deno.stderr, `ovid: ${line}\n`),
    signal,
  });
}

function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  let bytes = new TextEncoder().encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
}

// The dialect of a script shows in its first line that names a server; that line must not be lost.
async function bufferLines(lines: AsyncGenerator<string>) {
  const first: string[] = [];
  while (recogniseDialect(first.join("\n")) === undefined) {
    const next = await lines.next();
    if (next.done) break;
    first.push(next.value);
  }
  return {
    head: first.join("\n"),
    lines: async function* () {
      yield* first;
      yield* lines;
    }(),
  };
}

/** Lines that a person types, with history and completion by the tabulator. */
async function* typedLines(words: () => readonly string[], interrupted: () => void) {
  const terminal = createInterface({
    input: process.stdin,
    output: process.stdout,
    prompt: "> ",
    completer: (line: string): [string[], string] => {
      const last = line.slice(line.lastIndexOf(" ") + 1);
      const first = last === line;
      const candidates = first ? words() : verbs;
      return [candidates.filter((word) => word.startsWith(last)).map((word) => `${word} `), last];
    },
  });
  terminal.on("SIGINT", () => {
    interrupted();
    terminal.close();
  });
  try {
    terminal.prompt();
    for await (const line of terminal) {
      yield line;
      terminal.prompt();
    }
  } finally {
    terminal.close();
  }
}

function completions(master: Master, dialect: Dialect, grid: Grid | undefined): string[] {
  const known = grid?.boxes ??
    (dialect === "numeric" ? master.servers.map(({ name }) => name) : []);
  return [
    ...known.filter((box) => dialect === "numeric" || "box" in readBox(box)),
    "sleep",
    "exit",
  ];
}
