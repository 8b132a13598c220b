// Stands for the package of the bundler inside the program: its JavaScript and its executable lie beside this file,
// which travels with them and stands alone. No executable can be run from inside another one that `deno compile` has
// made, so there it is copied out for as long as the process lives.

import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

function findExecutable(): string {
  const inside = fileURLToPath(new URL("esbuild_bin", import.meta.url));
  if (!Deno.build.standalone) return inside;
  const folder = Deno.makeTempDirSync({ prefix: "ovid-esbuild-" });
  addEventListener("unload", () => {
    try {
      Deno.removeSync(folder, { recursive: true });
    } catch {
      // Somebody has cleaned up already.
    }
  });
  const outside = `${folder}/esbuild`;
  Deno.writeFileSync(outside, Deno.readFileSync(inside), { mode: 0o700 });
  return outside;
}

function load() {
  const name = "ESBUILD_BINARY_PATH";
  const before = Deno.env.get(name);
  Deno.env.set(name, findExecutable());
  try {
    return createRequire(import.meta.url)("./esbuild_main.cjs");
  } finally {
    if (before === undefined) Deno.env.delete(name);
    else Deno.env.set(name, before);
  }
}

export const { build, context, formatMessages, stop, transform, version } = load();
