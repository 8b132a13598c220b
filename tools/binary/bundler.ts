// The bundler of plugins, as files of the program: sandboxes, reloads, and executables into which no file from
// outside can be imported, want plugins in one piece.

import { stripTypeScriptTypes } from "node:module";
import { join } from "@std/path";
import { ROOT } from "../files.ts";
import { packageFolders } from "./packages.ts";

/** What the program imports in the place of the bundler's package. */
export const BUNDLER = "esbuild.js";
/** The bundler's executable. */
export const BUNDLER_EXECUTABLE = "esbuild_bin";

/** The files of the bundler, by their names. */
export async function bundlerFiles(): Promise<Map<string, Uint8Array>> {
  const folders = await packageFolders(["tools/binary/bundle.ts"]);
  const platform = `@esbuild/${Deno.build.os}-${Deno.build.arch.replace("x86_64", "x64")}`
    .replace("aarch64", "arm64").replace("windows", "win32");
  const [main, native] = [folders.get("esbuild"), folders.get(platform)];
  if (main === undefined || native === undefined) {
    throw new Error(`Cannot find the bundler for this machine, want the package ${platform}`);
  }
  const binary = Deno.build.os === "windows" ? "esbuild.exe" : "bin/esbuild";
  const module = await Deno.readTextFile(join(ROOT, "tools/binary/bundler_module.ts"));
  return new Map([
    [BUNDLER, new TextEncoder().encode(stripTypeScriptTypes(module))],
    ["esbuild_main.cjs", await Deno.readFile(join(main, "lib/main.js"))],
    [BUNDLER_EXECUTABLE, await Deno.readFile(join(native, binary))],
  ]);
}
