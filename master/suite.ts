// The tests of a folder: scripts with the output that is expected of them, and the grids that they run on.

import { basename, dirname, join } from "@std/path";
import { parseGrid } from "../core/config/parse.ts";
import { describeProblem } from "../core/config/problem.ts";
import { messageOf } from "../core/error.ts";
import { compareBytes } from "../core/id.ts";

/** A script that was found. */
export interface FoundTest {
  /** Its path below the folder, without `.input`. */
  readonly name: string;
  /** The file of its script. */
  readonly input: string;
}

/** A grid that a script runs on. */
export interface TestGrid {
  readonly file: string;
  readonly boxes: readonly string[];
}

const depthMax = 32;

/**
 * All tests of a folder and the folders in it, by name. Folders whose names begin with a dot hold none.
 *
 * @throws {Error} if a folder cannot be read.
 */
export async function findTests(folder: string): Promise<FoundTest[]> {
  const tests: FoundTest[] = [];
  await collect(folder, "", tests);
  return tests.sort((a, b) => compareBytes(a.name, b.name));
}

async function collect(folder: string, prefix: string, tests: FoundTest[]): Promise<void> {
  if (prefix.split("/").length > depthMax) return;
  let entries: Deno.DirEntry[];
  try {
    entries = await Array.fromAsync(Deno.readDir(folder));
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound
      ? "there is no such folder"
      : messageOf(error);
    throw new Error(`Cannot read folder ${JSON.stringify(folder)}: ${why}`);
  }
  for (const { name, isDirectory } of entries) {
    const path = join(folder, name);
    if (isDirectory) {
      if (!name.startsWith(".")) await collect(path, `${prefix}${name}/`, tests);
    } else if (name.endsWith(".input")) {
      tests.push({ name: prefix + basename(name, ".input"), input: path });
    }
  }
}

/** The only JSON file beside a script; undefined if there is none or a choice. */
export async function gridBeside(script: string): Promise<string | undefined> {
  const files = await jsonFilesBeside(script);
  return files.length === 1 ? files[0] : undefined;
}

/**
 * The grid that a script runs on: the file `config`, or else the only JSON file beside the script.
 *
 * @throws {Error} if there is no such file, a choice of them, or something wrong with it.
 */
export async function readGridOf(script: string, config: string | undefined): Promise<TestGrid> {
  const file = config ?? await requireGridBeside(script);
  const shownAs = JSON.stringify(config ?? basename(file));
  let text: string;
  try {
    text = await Deno.readTextFile(file);
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound ? "there is no such file" : messageOf(error);
    throw new Error(`Cannot read grid ${shownAs}: ${why}`);
  }
  const { grid, problems } = parseGrid(text, file);
  if (grid !== undefined) return { file, boxes: grid.boxes };
  const errors = problems.filter(({ severity }) => severity === "error").map(describeProblem);
  throw new Error(`Cannot use grid ${shownAs}:\n${errors.join("\n")}`);
}

async function requireGridBeside(script: string): Promise<string> {
  const files = await jsonFilesBeside(script);
  const [file] = files;
  if (file !== undefined && files.length === 1) return file;
  throw new Error(
    file === undefined
      ? "There is no grid: want one .json file beside the script, or --config"
      : `There is a choice of grids, ${files.map((each) => basename(each)).join(", ")}: ` +
        "want one .json file beside the script, or --config",
  );
}

async function jsonFilesBeside(script: string): Promise<string[]> {
  const folder = dirname(script);
  const entries = await Array.fromAsync(Deno.readDir(folder));
  return entries
    .filter(({ name, isDirectory }) => !isDirectory && name.endsWith(".json"))
    .map(({ name }) => join(folder, name))
    .sort(compareBytes);
}
