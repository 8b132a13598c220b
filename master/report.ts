// What a grading came to: a line a test, what differs where something does, and a summary; or all of it as JSON.

import { green, red } from "@std/fmt/colors";
import { type DiffLine, diffLines } from "./diff.ts";

/** What a test came to. */
export type Verdict = "pass" | "wrong" | "timeout" | "error";

/** The result of one test. */
export interface TestResult {
  /** The script's path below the folder, without `.input`. */
  readonly name: string;
  readonly verdict: Verdict;
  /** How long it took. */
  readonly ms: number;
  /** Why the test could not run, or what was wrong besides its output. */
  readonly faults: readonly string[];
  /** What the master said on standard error, faults included. */
  readonly notes: readonly string[];
  /** Undefined if the test did not run. */
  readonly expected?: string;
  readonly actual?: string;
}

/** The results of a folder of tests. */
export interface Report {
  readonly folder: string;
  readonly tests: readonly TestResult[];
  readonly ms: number;
  /** Whether it was ended before the last test. */
  readonly interrupted: boolean;
}

/** How a report is shown. */
export interface ReportStyle {
  readonly colour: boolean;
  /** Shows what the master noted, and differences in full. */
  readonly verbose: boolean;
}

const contextLines = 2;
const diffLinesMax = 40;
const lineLengthMax = 500;

const words: Readonly<Record<Verdict, string>> = {
  pass: "correct",
  wrong: "wrong",
  timeout: "timeout",
  error: "error",
};

/** Whether there are tests, and all of them pass. */
export function allPass(report: Report): boolean {
  return !report.interrupted && report.tests.length > 0 &&
    report.tests.every(({ verdict }) => verdict === "pass");
}

/** A test's line, and what there is to say about it if it fails. No line feed at the end. */
export function formatResult(result: TestResult, style: ReportStyle): string {
  const { name, verdict, ms, faults, notes, expected, actual } = result;
  const paint = style.colour ? (verdict === "pass" ? green : red) : plain;
  const lines = [`${name} ${paint(words[verdict])} (${seconds(ms)})`];
  const said = style.verbose ? notes : verdict === "pass" ? [] : faults;
  lines.push(...said.map((text) => `  ${text.replaceAll("\n", "\n  ")}`));
  if (verdict === "pass" || expected === undefined || actual === undefined) {
    return lines.join("\n");
  }
  if (expected !== actual) lines.push(...formatDiff(diffLines(expected, actual), style));
  return lines.join("\n");
}

/** The last line of a report. */
export function formatSummary(report: Report, style: ReportStyle): string {
  const { folder, tests, ms } = report;
  if (tests.length === 0 && !report.interrupted) {
    return `No test found in ${JSON.stringify(folder)}, want files NAME.input and NAME.output`;
  }
  const passed = tests.filter(({ verdict }) => verdict === "pass").length;
  const count = `${passed} of ${tests.length} correct`;
  const paint = style.colour ? (allPass(report) ? green : red) : plain;
  const stop = report.interrupted ? "; interrupted" : "";
  return `${paint(count)} (${seconds(ms)})${stop}`;
}

/** A whole report. No line feed at the end. */
export function formatReport(report: Report, style: ReportStyle): string {
  const results = report.tests.map((result) => formatResult(result, style));
  return [...results, formatSummary(report, style)].join("\n");
}

/** The JSON form of a report. */
export interface JsonReport {
  readonly folder: string;
  readonly passed: number;
  readonly failed: number;
  readonly ms: number;
  readonly interrupted: boolean;
  readonly tests: readonly (TestResult & { readonly diff?: readonly DiffLine[] })[];
}

/** A report for programs: `JSON.stringify` takes it as it is. */
export function jsonReport(report: Report): JsonReport {
  const passed = report.tests.filter(({ verdict }) => verdict === "pass").length;
  return {
    folder: report.folder,
    passed,
    failed: report.tests.length - passed,
    ms: Math.round(report.ms),
    interrupted: report.interrupted,
    tests: report.tests.map((result) => {
      const { expected, actual } = result;
      const differs = expected !== undefined && actual !== undefined && expected !== actual;
      const diff = differs ? { diff: diffLines(expected, actual) } : {};
      return { ...result, ms: Math.round(result.ms), ...diff };
    }),
  };
}

function formatDiff(diff: readonly DiffLine[], { colour, verbose }: ReportStyle): string[] {
  const lines = ["  - expected, + actual:"];
  const shown = verbose ? diff.map(() => true) : nearChanges(diff);
  let skipped = 0;
  for (const [index, { side, line }] of diff.entries()) {
    if (!shown[index]) {
      skipped++;
      continue;
    }
    if (skipped > 0) lines.push(`    (${skipped} the same)`);
    skipped = 0;
    if (!verbose && lines.length > diffLinesMax) {
      lines.push(`    (${diff.length - index} more; --verbose shows them)`);
      return lines;
    }
    lines.push(`  ${formatLine(side, verbose ? line : shorten(line), colour)}`);
  }
  if (skipped > 0) lines.push(`    (${skipped} the same)`);
  return lines;
}

function nearChanges(diff: readonly DiffLine[]): boolean[] {
  const shown = diff.map(() => false);
  for (const [index, { side }] of diff.entries()) {
    if (side === "both") continue;
    const from = Math.max(0, index - contextLines);
    shown.fill(true, from, index + contextLines + 1);
  }
  return shown;
}

function formatLine(side: DiffLine["side"], line: string, colour: boolean): string {
  // Blanks at the end of a line count, and cannot be seen.
  const text = line.replace(/ +$/, (blanks) => "·".repeat(blanks.length));
  if (side === "both") return `  ${text}`;
  const marked = side === "expected" ? `- ${text}` : `+ ${text}`;
  if (!colour) return marked;
  return side === "expected" ? green(marked) : red(marked);
}

function shorten(line: string): string {
  return line.length <= lineLengthMax
    ? line
    : `${line.slice(0, lineLengthMax)}... (${line.length} characters)`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function plain(text: string): string {
  return text;
}
