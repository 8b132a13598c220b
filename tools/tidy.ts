// Refuses what should never be committed: notes of unfinished work, files that have grown too long, merge
// conflicts, and the names of the machine or the registry that somebody happened to work with.

import { join } from "@std/path";
import { conclude, projectFiles, ROOT } from "./files.ts";

const SOURCE_LINES_MAX = 400;
const README_LINES_MAX = 80;

const TEXT = /\.(ts|md|json|txt|lock)$|^\.ci\/run$|^LICENSE$/;

interface Refusal {
  /** The files that it looks at. */
  readonly files: RegExp;
  readonly pattern: RegExp;
  readonly reason: string;
}

const REFUSALS: readonly Refusal[] = [
  {
    files: /\.(ts|md)$/,
    pattern: /\b(TODO|FIXME|XXX)\b/,
    reason: "do it now, or open an issue",
  },
  {
    files: TEXT,
    pattern: /^(<{7}|>{7})( |$)/,
    reason: "a merge was left unfinished",
  },
  {
    files: /^(?!.*_test\.ts$|tests\/).*(\.(ts|md|json)|^\.ci\/run)$/,
    pattern: /(?<![\w.~*-])\/(work|tmp|root|home|Users)\/\w[\w.-]*/,
    reason: "a path of one machine; make it relative, or ask the system for it",
  },
  {
    files: TEXT,
    pattern: /\bregistry\.npmjs\.\w+|https?:\/\/[^\s"'/]*\bregistry\b[^\s"']*/,
    reason: "a package comes from whichever registry the user has",
  },
];

/** What is wrong with the file `path`, each as `README.md:7: ...`. */
export function findUntidy(path: string, text: string): string[] {
  const lines = text.replace(/\n$/, "").split("\n");
  const problems: string[] = [];
  const linesMax = path === "README.md" ? README_LINES_MAX : SOURCE_LINES_MAX;
  if ((path.endsWith(".ts") || path === "README.md") && lines.length > linesMax) {
    problems.push(`${path}: has ${lines.length} lines, want at most ${linesMax}`);
  }
  for (const { files, pattern, reason } of REFUSALS) {
    if (!files.test(path)) continue;
    lines.forEach((line, index) => {
      const found = pattern.exec(line)?.[0];
      if (found !== undefined) problems.push(`${path}:${index + 1}: has "${found}": ${reason}`);
    });
  }
  return problems;
}

if (import.meta.main) {
  const problems: string[] = [];
  for (const path of await projectFiles(ROOT)) {
    // This file and its test name what they refuse.
    if (!TEXT.test(path) || path.startsWith("tools/tidy")) continue;
    problems.push(...findUntidy(path, await Deno.readTextFile(join(ROOT, path))));
  }
  conclude(problems);
}
