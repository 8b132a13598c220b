// What is wrong with a grid: where, what was found, what is wanted. All problems are collected, not the first.

import { gridLimits } from "./form.ts";
import { count, type Path, showPath } from "./wording.ts";

/** Where something stands in a grid file. */
export interface Place {
  /** The file's name as it was given; empty for a grid made by a program. */
  readonly file: string;
  /** The JSON path as the file has it, `agents.200.routes.2`; empty for the whole file. */
  readonly path: string;
  /** From 1; 0 where there is no text. */
  readonly line: number;
  /** In UTF-16 units from 1; 0 where there is no text. */
  readonly column: number;
}

/** Something wrong with a grid. The words of `found` follow the path, those of `wanted` follow "want". */
export interface Problem extends Place {
  /** A grid with an error does not run; a warning is only said. */
  readonly severity: "error" | "warning";
  readonly found: string;
  readonly wanted: string;
  readonly hint?: string;
}

/** Where a grid was read from, so that everything found in it later can still be shown in its file. */
export interface Source {
  readonly file: string;
  /** The path to the object of agents: none in GoOvid's form, `agents` in the other. */
  readonly agentsPath: Path;
  /** The place of the value at `path`, or of its key; where there is none, of the nearest thing around it. */
  locate(path: Path, part?: "key" | "value"): Place;
}

/** The source of a grid that a program made: nothing has a line. */
export const noSource: Source = {
  file: "",
  agentsPath: [],
  locate: (path) => ({ file: "", path: showPath(path), line: 0, column: 0 }),
};

/**
 * A problem as one line of text.
 *
 * @example
 * ```ts
 * import { describeProblem, parseGrid } from "ovid";
 *
 * const { problems } = parseGrid(`{ "1": { "type": "dummy", "box": "here" } }`, "grid.json");
 * console.error(problems.map(describeProblem).join("\n"));
 * // grid.json:1:34: 1.box is "here", want an IP address and a port such as 127.0.0.1:5000 or [::1]:5000
 * ```
 */
export function describeProblem(problem: Problem): string {
  const { file, path, line, column, severity, found, wanted, hint } = problem;
  const position = line === 0 ? file : `${file}:${line}:${column}`;
  return (position === "" ? "" : `${position}: `) +
    (severity === "warning" ? "warning: " : "") +
    `${path === "" ? "the grid" : path} ${found}, want ${wanted}` +
    // A hint may be the error of a plugin, of many lines.
    (hint === undefined ? "" : `; ${hint.trim().replace(/\s*[\r\n]\s*/g, " ")}`);
}

/** The order of problems: by file, then by place in it. */
export function compareProblems(a: Problem, b: Problem): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line || a.column - b.column;
}

/** Collects problems, and counts those that are too many to show. */
export interface Collector {
  add(place: Place, problem: { found: string; wanted: string; hint?: string | undefined }): void;
  warn(place: Place, problem: { found: string; wanted: string; hint?: string | undefined }): void;
  /** Whether the grid must not run. */
  readonly failed: boolean;
  /** All problems by place, and one more that counts the rest if there were too many. */
  list(): Problem[];
}

/** An empty collector. */
export function collectProblems(file: string): Collector {
  const problems: Problem[] = [];
  let untold = 0;
  let failed = false;
  const put =
    (severity: "error" | "warning"): Collector["add"] => (place, { hint, ...problem }) => {
      failed ||= severity === "error";
      if (problems.length >= gridLimits.problemsMax) {
        untold++;
      } else {
        problems.push({ ...place, severity, ...problem, ...(hint === undefined ? {} : { hint }) });
      }
    };
  return {
    add: put("error"),
    warn: put("warning"),
    get failed() {
      return failed;
    },
    list() {
      const listed = problems.toSorted(compareProblems);
      if (untold > 0) {
        listed.push({
          ...{ file, path: "", line: 0, column: 0 },
          severity: failed ? "error" : "warning",
          found: `has ${count(untold, "more problem")}`,
          wanted: "those above corrected first",
        });
      }
      return listed;
    },
  };
}
