// Where the packages of the lock file lie on this machine.

import { ROOT } from "../files.ts";

/** What is used of the output of `deno info --json`. */
interface Info {
  readonly npmPackages: Readonly<
    Record<string, { readonly name: string; readonly localPath: string }>
  >;
}

/** The packages that modules of the project import, with all that these need: name -> folder. */
export async function packageFolders(entries: readonly string[]): Promise<Map<string, string>> {
  await runDeno(["install", "--quiet", "--frozen", "--entrypoint", ...entries]);
  const folders = new Map<string, string>();
  for (const entry of entries) {
    const { npmPackages }: Info = JSON.parse(await runDeno(["info", "--json", entry]));
    for (const { name, localPath } of Object.values(npmPackages)) folders.set(name, localPath);
  }
  return folders;
}

async function runDeno(args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: ROOT })
    .output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`Cannot run deno ${args.join(" ")}: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}
