// What `ovid test --check` reads in the place of the bundled modules, which have no types: the sources behind them,
// and the declarations of the packages that these import.

import { join, relative } from "@std/path";
import { ROOT } from "../files.ts";
import { packageFolders, projectModules } from "./packages.ts";

/** The folder of all that is here, among the program's files. */
export const TYPES = "types";

interface Config {
  readonly imports: Readonly<Record<string, string>>;
  readonly compilerOptions: Readonly<Record<string, unknown>>;
}

/** The sources behind `ovid` and `ovid/client`, and a configuration that leads there. */
export async function typeFiles(): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  const entries = ["mod.ts", "client/mod.ts"];
  let sources = "";
  for (const path of await projectModules(entries)) {
    const text = await Deno.readTextFile(join(ROOT, path));
    files.set(`${TYPES}/source/${path}`, encode(text));
    sources += text;
  }
  const config: Config = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));
  const imports: Record<string, string> = {};
  const folders = await packageFolders(entries);
  for (const [name, target] of Object.entries(config.imports)) {
    const folder = folders.get(name);
    if (name.startsWith("ovid")) imports[name] = `./source/${target.slice("./".length)}`;
    else if (name.startsWith("@std/")) imports[name] = "./untyped.js";
    else if (folder !== undefined && sources.includes(` from "${name}";`)) {
      const main = await addDeclarations(files, name, folder);
      imports[name] = `./packages/${name}/${main}`;
    }
  }
  imports["zod/v4"] = imports["zod"] ?? "";
  // Their types stand in a file of the project's, under these names.
  files.set(`${TYPES}/untyped.js`, encode("export {};\n"));
  files.set(`${TYPES}/std.d.ts`, await Deno.readFile(join(ROOT, "std/types.d.ts")));
  const compilerOptions = { ...config.compilerOptions, types: ["./std.d.ts"] };
  const text = JSON.stringify({ imports, compilerOptions, nodeModulesDir: "none" }, undefined, 2);
  files.set(`${TYPES}/deno.json`, encode(`${text}\n`));
  return files;
}

/** Adds the declarations of a package; gives the path of those of its main module. */
async function addDeclarations(
  files: Map<string, Uint8Array>,
  name: string,
  folder: string,
): Promise<string> {
  const { types, typings }: { types?: string; typings?: string } = JSON.parse(
    await Deno.readTextFile(join(folder, "package.json")),
  );
  for await (const path of declarationsIn(folder)) {
    const text = await Deno.readTextFile(path);
    // Beside a declaration there is no module here.
    const alone = text.replaceAll(/(["'])(\.{1,2}\/[^"']*)\.js\1/g, "$1$2.d.ts$1");
    files.set(`${TYPES}/packages/${name}/${relative(folder, path)}`, encode(alone));
  }
  const main = types ?? typings ?? "index.d.ts";
  return main.replace(/^\.\//, "").replace(/\.d\.cts$/, ".d.ts");
}

async function* declarationsIn(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    // The version before, which nobody imports.
    if (name === "v3" || name === "node_modules") continue;
    if (isDirectory) yield* declarationsIn(join(folder, name));
    else if (name.endsWith(".d.ts")) yield join(folder, name);
  }
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
