// Where the packages of the lock file lie on this machine, and which modules of the project belong to one.

import { relative } from "@std/path";
import { ROOT } from "../files.ts";

/** What is used of the output of `deno info --json`. */
interface Info {
  readonly modules: readonly { readonly local?: string }[];
  readonly npmPackages: Readonly<
    Record<string, { readonly name: string; readonly localPath: string }>
  >;
}

/** The packages that modules of the project import, with all that these need: name -> folder. */
export async function packageFolders(entries: readonly string[]): Promise<Map<string, string>> {
  await runDeno(["install", "--quiet", "--frozen", "--entrypoint", ...entries]);
  const folders = new Map<string, string>();
  for (const entry of entries) {
    const { npmPackages } = await readInfo(entry);
    for (const { name, localPath } of Object.values(npmPackages)) folders.set(name, localPath);
  }
  return folders;
}

/** The project's own modules that are loaded with `entries`, as paths below its folder. */
export async function projectModules(entries: readonly string[]): Promise<Set<string>> {
  const paths = new Set<string>();
  for (const entry of entries) {
    for (const { local } of (await readInfo(entry)).modules) {
      if (local?.startsWith(ROOT)) paths.add(relative(ROOT, local));
    }
  }
  return paths;
}

async function readInfo(entry: string): Promise<Info> {
  return JSON.parse(await runDeno(["info", "--json", entry]));
}

async function runDeno(args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: ROOT })
    .output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`Cannot run deno ${args.join(" ")}: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}
