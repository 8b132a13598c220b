// Grades a folder of scripts: each is run by a master, its output compared with what is expected, and nothing of it
// is left when the next one starts.

import { basename, resolve } from "@std/path";
import { messageOf } from "../core/error.ts";
import { Master, type Outcome, timeoutMsDefault } from "./master.ts";
import type { Launcher } from "./process.ts";
import type { Report, TestResult, Verdict } from "./report.ts";
import { type Dialect, recogniseDialect, strip } from "./script.ts";
import { findTests, type FoundTest, gridBeside, readGridOf } from "./suite.ts";

/** How a folder is graded. */
export interface GradeOptions {
  readonly launcher: Launcher;
  /** The grid of all scripts that name boxes; by default the only JSON file beside each. */
  readonly config?: string;
  /** For each test; two minutes by default. */
  readonly timeoutMs?: number;
  /** Added to all ports. */
  readonly portOffset?: number;
  /** Notes what servers print. */
  readonly debug?: boolean;
  readonly onProgress?: (progress: Progress) => void;
  /** Ends the grading at once; the report has the tests that ended before. */
  readonly signal?: AbortSignal;
}

/** How far a grading has come. */
export type Progress =
  | {
    readonly kind: "begun";
    readonly name: string;
    readonly index: number;
    readonly total: number;
  }
  | {
    readonly kind: "ended";
    readonly result: TestResult;
    readonly index: number;
    readonly total: number;
  };

// More than any expected output; a server that babbles must not fill the memory.
const outputLengthMax = 64 * 1024 * 1024;
const notesMax = 10_000;

/**
 * Grades all tests of a folder, one after the other, since scripts fix the ports of their servers.
 *
 * @example
 * ```ts ignore
 * const report = await gradeFolder("tests", { launcher: foreignLauncher("./process") });
 * console.log(formatReport(report, { colour: false, verbose: false }));
 * Deno.exitCode = allPass(report) ? 0 : 1;
 * ```
 *
 * @throws {Error} if the folder cannot be read.
 */
export async function gradeFolder(folder: string, options: GradeOptions): Promise<Report> {
  const start = performance.now();
  const found = await findTests(folder);
  const tests: TestResult[] = [];
  const { onProgress, signal } = options;
  for (const [index, test] of found.entries()) {
    if (signal?.aborted) break;
    onProgress?.({ kind: "begun", name: test.name, index, total: found.length });
    const result = await gradeTest(test, options);
    if (signal?.aborted) break;
    tests.push(result);
    onProgress?.({ kind: "ended", result, index, total: found.length });
  }
  return { folder, tests, ms: performance.now() - start, interrupted: signal?.aborted ?? false };
}

async function readExpected(script: string): Promise<string> {
  const file = script.replace(/\.input$/, ".output");
  try {
    return strip(await Deno.readTextFile(file));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error(`There is no ${JSON.stringify(basename(file))} beside the script`);
  }
}

// A script without servers says nothing about its dialect, but its surroundings may.
async function dialectOf(
  test: FoundTest,
  script: string,
  config: string | undefined,
): Promise<Dialect> {
  const hasGrid = async () => (config ?? await gridBeside(test.input)) !== undefined;
  return recogniseDialect(script) ?? (await hasGrid() ? "box" : "numeric");
}

async function gradeTest(test: FoundTest, options: GradeOptions): Promise<TestResult> {
  const start = performance.now();
  const ms = () => performance.now() - start;
  const notes: string[] = [];
  try {
    const expected = await readExpected(test.input);
    const script = await Deno.readTextFile(test.input);
    const { outcome, output } = await runScript(test, script, options, notes);
    const actual = strip(output);
    const { faults } = outcome;
    const verdict = judge(outcome, expected === actual);
    return { name: test.name, verdict, ms: ms(), faults, notes, expected, actual };
  } catch (error) {
    const fault = messageOf(error);
    return {
      name: test.name,
      verdict: "error",
      ms: ms(),
      faults: [fault],
      notes: [...notes, fault],
    };
  }
}

// An output may be right by chance, when a server hung or would not be crashed: the original did not survive that.
function judge({ ended, faults }: Outcome, same: boolean): Verdict {
  if (ended === "timeout") return "timeout";
  if (!same) return "wrong";
  return faults.length > 0 ? "error" : "pass";
}

async function runScript(
  test: FoundTest,
  script: string,
  options: GradeOptions,
  notes: string[],
): Promise<{ outcome: Outcome; output: string }> {
  const { config, launcher, portOffset = 0, debug = false } = options;
  const dialect = await dialectOf(test, script, config);
  const grid = dialect === "box" ? await readGridOf(test.input, config) : undefined;
  const over = new AbortController();
  const signal = options.signal === undefined
    ? over.signal
    : AbortSignal.any([options.signal, over.signal]);
  const dataDir = await Deno.makeTempDir({ prefix: "ovid-grade-" });
  const output: string[] = [];
  let outputLength = 0;
  try {
    const master = new Master({
      dialect,
      launcher,
      portOffset,
      debug,
      dataDir,
      ...grid === undefined ? {} : { gridFile: resolve(grid.file), boxes: grid.boxes },
      timeoutMs: options.timeoutMs ?? timeoutMsDefault,
      out: (line) => {
        outputLength += line.length + 1;
        if (outputLength > outputLengthMax) over.abort();
        else output.push(line);
      },
      note: (line) => {
        if (notes.length < notesMax) notes.push(line);
      },
      signal,
    });
    const outcome = await master.run(ReadableStream.from(script.split("\n")));
    if (over.signal.aborted) {
      throw new Error(`The output is longer than ${outputLengthMax} characters`);
    }
    return { outcome, output: output.join("\n") };
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
}
