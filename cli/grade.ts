// `ovid grade`: runs a folder of scripts against their expected output.

import { resolve } from "@std/path";
import { foreignLauncher } from "../master/foreign.ts";
import { gradeFolder, type Progress } from "../master/grader.ts";
import {
  allPass,
  formatResult,
  formatSummary,
  jsonReport,
  type ReportStyle,
} from "../master/report.ts";
import { type Call, type Command, exitCodes, UsageError } from "./command.ts";
import { fileFault } from "./file_fault.ts";
import { gradeSimulated } from "./grade_simulated.ts";
import { ownLauncher } from "./launcher.ts";
import { wantsColour } from "./log.ts";
import { passSandbox, refuseSandbox, sandboxFlags } from "./sandbox.ts";
import { onStopSignals } from "./signals.ts";

/** `ovid grade`. */
export const command: Command = {
  name: "grade",
  synopsis: "DIR",
  summary: "Runs a folder of scripts against their expected output.",
  doc:
    `Every NAME.input below DIR is run as a script of ovid master, and what it prints is compared with NAME.output,
blanks at the ends aside. Each script gets fresh data, kept across its crashes. Exit code 0 only if all pass; no test
is a failure, too, and a folder that cannot be read is exit code 2.`,
  operands: [1, 1],
  flags: [
    {
      name: "config",
      value: "GRID",
      doc: "The grid of scripts that name boxes; default: the one .json of their folder",
    },
    {
      name: "process",
      value: "FILE",
      doc: "Grades the server that this script starts: ./process ID N PORT or GRID BOX PORT",
    },
    {
      name: "simulated",
      doc: "Runs the scripts on simulated boxes, in virtual time: the same verdicts, at once",
    },
    { name: "timeout", value: "S", doc: "How long a test may take; default 120" },
    { name: "port-offset", value: "N", doc: "Adds N to the ports of Ovid's own boxes" },
    ...sandboxFlags,
    { name: "json", doc: "Prints the report as JSON" },
    { name: "verbose", doc: "Shows what the master noted, and differences in full" },
    { name: "debug", doc: "Notes what the servers print" },
  ],
  examples: [
    {
      line: "ovid grade tests/conformance/goovid/chatroom",
      doc: "The original's tests, against Ovid's own servers",
    },
    {
      line: "ovid grade my_tests --process ./process",
      doc: "Your tests, against a server in any language",
    },
    {
      line: "ovid grade my_tests --simulated",
      doc: "Whether the scripts are right, in milliseconds; no process is started",
    },
  ],
  async run(call) {
    const [folder = ""] = call.operands;
    await requireFolder(folder);
    const style = { colour: wantsColour(Deno.stdout), verbose: call.has("verbose") };
    const stop = new AbortController();
    let signalled = 130;
    using _signals = onStopSignals((code) => {
      signalled = code;
      stop.abort();
    });
    const options = {
      ...readOptions(call),
      onProgress: show(call, style),
      signal: stop.signal,
    };
    const report =
      await (call.has("simulated")
        ? gradeSimulated(folder, options)
        : gradeFolder(folder, options));
    if (call.has("json")) console.log(JSON.stringify(jsonReport(report), undefined, 2));
    else console.log(formatSummary(report, style));
    return report.interrupted ? signalled : allPass(report) ? exitCodes.fine : exitCodes.failure;
  },
};

async function requireFolder(folder: string): Promise<void> {
  let why = "it is no folder";
  try {
    if ((await Deno.stat(folder)).isDirectory) return;
  } catch (error) {
    why = fileFault(error, "folder");
  }
  throw new UsageError(`Cannot read folder ${JSON.stringify(folder)}: ${why}`);
}

function readOptions(call: Call) {
  const config = call.value("config");
  const processFile = call.value("process");
  if (processFile !== undefined && call.has("simulated")) {
    throw new UsageError("Cannot use --simulated with --process, want one of them");
  }
  if (processFile !== undefined) {
    refuseSandbox(call, "with --process, whose servers do as they like");
  }
  if (call.has("simulated")) {
    refuseSandbox(call, "with --simulated, whose steps cannot wait for it");
  }
  const timeoutS = call.integer("timeout", 1, 1_000_000);
  return {
    launcher: processFile === undefined
      ? ownLauncher(passSandbox(call))
      : foreignLauncher(processFile),
    portOffset: call.integer("port-offset", 0, 50_000) ?? 0,
    debug: call.has("debug"),
    ...config === undefined ? {} : { config: resolve(config) },
    ...timeoutS === undefined ? {} : { timeoutMs: timeoutS * 1000 },
  };
}

// A line for each test as it ends; on a terminal a bar below them, which the next line replaces.
function show(call: Call, style: ReportStyle): (progress: Progress) => void {
  const bar = Deno.stderr.isTerminal();
  const write = (text: string) => void Deno.stderr.writeSync(new TextEncoder().encode(text));
  return (progress) => {
    if (bar) write("\r\x1b[K");
    if (progress.kind === "ended" && !call.has("json")) {
      console.log(formatResult(progress.result, style));
    }
    if (!bar || progress.kind === "ended" && progress.index + 1 === progress.total) return;
    const done = progress.kind === "ended" ? progress.index + 1 : progress.index;
    const width = 24;
    const filled = Math.round(done * width / progress.total);
    const name = progress.kind === "begun" ? ` ${progress.name}` : "";
    write(
      `[${"#".repeat(filled)}${".".repeat(width - filled)}] ${done} of ${progress.total}${name}`,
    );
  };
}
