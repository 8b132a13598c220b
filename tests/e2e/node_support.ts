// What tests of the client library on Node share: the library in one file, and programs that use it.

import { assert } from "@std/assert";
import { type Outcome, projectPath, type Workspace } from "./support.ts";

/** Bundles the client library as `client.mjs`. */
export async function bundleClient(workspace: Workspace): Promise<void> {
  const esbuild = await import("esbuild");
  await esbuild.build({
    entryPoints: [projectPath("client", "mod.ts")],
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    outfile: workspace.file("client.mjs"),
    alias: { zod: await zodFolder() },
    logLevel: "error",
  });
  await esbuild.stop();
}

/** Runs a program that imports `./client.mjs` on Node. */
export async function runOnNode(workspace: Workspace, source: string): Promise<Outcome> {
  const program = workspace.file("program.mjs");
  await Deno.writeTextFile(program, source);
  const { code, stdout, stderr } = await new Deno.Command("node", { args: [program] }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Where Deno keeps the package that the bundle is to hold. */
async function zodFolder(): Promise<string> {
  const resolved = new URL(import.meta.resolve("zod"));
  if (resolved.protocol === "file:") return decodeURIComponent(resolved.pathname);
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "--config", projectPath("deno.json"), projectPath("client", "mod.ts")],
  }).output();
  const graph: { modules: { specifier: string }[] } = JSON.parse(new TextDecoder().decode(stdout));
  const found = graph.modules.find(({ specifier }) => /\/zod\/[^/]+\/index\.js$/.test(specifier));
  assert(found !== undefined, "zod is among the modules of the client");
  return decodeURIComponent(new URL(found.specifier).pathname);
}
