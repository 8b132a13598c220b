// The project's own files: what a clone holds, and what was added since.

import { fromFileUrl, join } from "@std/path";

/** The project's folder. */
export const ROOT: string = fromFileUrl(new URL("..", import.meta.url));

const MADE = new Set([".git", ".ovid", "coverage", "dist", "node_modules", "test_output"]);

/** The paths of all files below `root`, relative to it and in order, without what tools and tests have made. */
export async function projectFiles(root: string): Promise<string[]> {
  const paths: string[] = [];
  async function visit(folder: string): Promise<void> {
    for await (const entry of Deno.readDir(join(root, folder))) {
      if (MADE.has(entry.name)) continue;
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory) await visit(path);
      else if (entry.isFile) paths.push(path);
    }
  }
  await visit("");
  return paths.sort();
}

/** Prints what a check has found, if anything, and sets the exit code by it. */
export function conclude(problems: readonly string[]): void {
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) Deno.exitCode = 1;
}
