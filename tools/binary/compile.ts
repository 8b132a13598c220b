// `deno task compile`: writes the program as a single executable, and says which of two kinds it has made.

import { dirname, join, resolve } from "@std/path";
import { parseArgs } from "@std/cli/parse-args";
import { engineFlags } from "../../bench/bare_command.ts";
import { version } from "../../cli/version.ts";
import { ROOT } from "../files.ts";
import { bundleProgram, type Files, IMPORT_MAP, MAIN } from "./bundle.ts";
import { selfExtractor } from "./self_extractor.ts";
import { typeFiles } from "./types.ts";

/** How long the download of the base may take. */
const compileMsMax = 300_000;
/** How long the first start of what was made may take. */
const runMsMax = 60_000;

/** Asks `deno compile` for `out`; gives what it said if it could not. */
async function compileNatively(files: Files, out: string): Promise<string | undefined> {
  // It overwrites only what it has made itself.
  const draft = `${out}.new`;
  await Deno.remove(draft).catch(() => {});
  const folder = await Deno.makeTempDir({ prefix: "ovid-compile-" });
  try {
    for (const [name, bytes] of files) await Deno.writeFile(join(folder, name), bytes);
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: compileArgs(folder, files, draft),
      env: { NO_COLOR: "1" },
      // A network that swallows everything must not hold up the other way.
      signal: AbortSignal.timeout(compileMsMax),
    }).output();
    if (!success) return `its base cannot be had: ${causeOf(new TextDecoder().decode(stderr))}`;
    if (!await runs(draft)) return "what it has made does not run";
    await Deno.rename(draft, out);
    return undefined;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Whether an executable is this program: the base of another version or kind gives one that is not. */
async function runs(path: string): Promise<boolean> {
  const { success, stdout } = await new Deno.Command(path, {
    args: ["--version"],
    stdin: "null",
    signal: AbortSignal.timeout(runMsMax),
  }).output();
  return success && new TextDecoder().decode(stdout) === `ovid ${version}\n`;
}

/** The innermost cause that deno names, or its first line. */
function causeOf(stderr: string): string {
  const causes = Array.from(stderr.matchAll(/^\s*\d+: (?!<)(.+)$/gm), ([, cause]) => cause);
  return causes.at(-1) ?? stderr.trim().split("\n", 1)[0] ?? "";
}

/** The arguments for deno that make `out` from the program's modules in `folder`. */
export function compileArgs(folder: string, files: Files, out: string): string[] {
  const options = ["--quiet", "--allow-all", "--no-prompt", "--no-check", "--no-config"];
  const included = [...files.keys()].filter((name) => name !== MAIN);
  return [
    "compile",
    ...options,
    ...["--no-lock", "--no-npm", "--no-remote", engineFlags],
    `--import-map=${join(folder, IMPORT_MAP)}`,
    ...included.map((name) => `--include=${join(folder, name)}`),
    `--output=${out}`,
    join(folder, MAIN),
  ];
}

/** Writes an executable in one step, so that one that runs meanwhile stays whole. */
async function writeExecutable(path: string, parts: readonly Uint8Array[]): Promise<void> {
  const draft = `${path}.new`;
  using file = await Deno.open(draft, { write: true, create: true, truncate: true, mode: 0o755 });
  for (let bytes of parts) while (bytes.length > 0) bytes = bytes.subarray(await file.write(bytes));
  await Deno.chmod(draft, 0o755);
  await Deno.rename(draft, path);
}

async function main(): Promise<void> {
  const flags = parseArgs(Deno.args, {
    string: ["out", "level"],
    boolean: ["self-extracting"],
  });
  const out = resolve(flags.out ?? join(ROOT, "dist", "ovid"));
  await Deno.mkdir(dirname(out), { recursive: true });
  const files = await bundleProgram();
  const asked = flags["self-extracting"];
  const why = asked ? "as asked" : await compileNatively(files, out);
  if (why !== undefined) {
    const runtime = await Deno.readFile(Deno.execPath());
    const level = Number(flags.level ?? 6);
    const all = new Map([...files, ...await typeFiles()]);
    await writeExecutable(out, await selfExtractor(all, { runtime, level }));
  }
  const kind = why === undefined
    ? "by deno compile"
    : `self-extracting, ${asked ? why : `not by deno compile, since ${why}`}`;
  const { size } = await Deno.stat(out);
  console.log(`${out}: ${(size / 1e6).toFixed(1)} MB, made ${kind}`);
}

if (import.meta.main) await main();
