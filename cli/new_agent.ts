// The files of a new agent: a small one that works, with a grid that simulates it, and a test. They are written where
// nothing of Ovid is, so that a folder of its own says where Ovid is to be found.

import { dirname, fromFileUrl, join, resolve } from "@std/path";
import { builtIns } from "../agents/registry.ts";
import { isBuilt } from "./built.ts";
import { UsageError } from "./command.ts";
import type { Template } from "./new_agent_template.ts";
import { textAgent } from "./new_agent_text.ts";
import { typedAgent } from "./new_agent_typed.ts";
import { configFile } from "./self.ts";

/** The kinds of agents that there are templates of. */
export const templates: { readonly [kind in "typed" | "text"]: Template } = {
  typed: typedAgent,
  text: textAgent,
};

/** A file to be written. */
export interface NewFile {
  readonly name: string;
  readonly text: string;
}

/** What {@linkcode writeAgent} has done. */
export interface WrittenAgent {
  readonly folder: string;
  readonly files: readonly string[];
  /** A deno.json that was there before, in the folder or around it: it decides where `ovid` is found. */
  readonly config: string | undefined;
}

/** The files of a new agent. */
export function filesOf(name: string, template: Template): NewFile[] {
  return [
    { name: `${name}.ts`, text: template.agent(name) },
    { name: `${name}.json`, text: `${JSON.stringify(template.grid(name), undefined, 2)}\n` },
    { name: `${name}_invariant.ts`, text: template.invariant(name) },
    { name: `${name}_test.ts`, text: template.test(name) },
  ];
}

/** The deno.json of a folder outside of Ovid's own: where `ovid` and what it needs are found. */
export function configText(): string {
  const config = configFile();
  const main = fromFileUrl(new URL("./main.ts", import.meta.url));
  const quote = (path: string) => `'${path.replaceAll("'", `'"'"'`)}'`;
  const tasks = { ovid: `deno run -A --quiet --config ${quote(config)} ${quote(main)}` };
  const settings = { importMap: config, tasks, fmt: { lineWidth: 100 } };
  return `${JSON.stringify(settings, undefined, 2)}\n`;
}

/**
 * Writes the files of a new agent.
 *
 * @throws {UsageError} if the name is none, or a file is there already; then nothing is written.
 */
export async function writeAgent(
  name: string,
  template: Template,
  into: string,
): Promise<WrittenAgent> {
  requireName(name);
  const folder = resolve(into);
  // A single executable brings along what the files import, and reads no deno.json.
  const config = isBuilt ? undefined : await findConfig(folder);
  const files = filesOf(name, template);
  if (!isBuilt && config === undefined) files.push({ name: "deno.json", text: configText() });
  const there: string[] = [];
  for (const file of files) if (await exists(join(folder, file.name))) there.push(file.name);
  if (there.length > 0) {
    throw new UsageError(`Cannot write agent ${name}: ${there.join(", ")} is there already`);
  }
  await Deno.mkdir(folder, { recursive: true });
  for (const file of files) {
    await Deno.writeTextFile(join(folder, file.name), file.text, { createNew: true });
  }
  return { folder, files: files.map((file) => file.name), config };
}

function requireName(name: string): void {
  if (!/^[a-z][a-z0-9_]{0,63}$/.test(name) || /_(test|bench|invariant)$/.test(name)) {
    throw new UsageError(
      `Cannot name an agent ${JSON.stringify(name)}, want a to z, 0 to 9 and _, a letter first, ` +
        "and no _test, _bench or _invariant at the end",
    );
  }
  if (builtIns.has(name)) {
    throw new UsageError(`Cannot name an agent ${name}: there is a built-in type of this name`);
  }
}

/** The deno.json that Deno would take for the files of a folder. */
async function findConfig(folder: string): Promise<string | undefined> {
  for (let here = folder;; here = dirname(here)) {
    for (const name of ["deno.json", "deno.jsonc"]) {
      if (await exists(join(here, name))) return join(here, name);
    }
    if (dirname(here) === here) return undefined;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return false;
    }
    throw error;
  }
}
