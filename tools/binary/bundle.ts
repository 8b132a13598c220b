// The program as a folder of plain modules, which need no package and no configuration: one for each name that a
// plugin may import, one for the program, and chunks that they share, so that there is one `ovid` and one `zod`.

import * as esbuild from "esbuild";
import { basename, dirname, join, relative } from "@std/path";
import { ROOT } from "../files.ts";
import { BUNDLER, bundlerFiles } from "./bundler.ts";
import { packageFolders } from "./packages.ts";
import { importSchemas, zodInTwo } from "./zod_in_two.ts";

/** The bare names that plugins and their tests may import, and what of the project's import map stands behind them. */
const OFFERED: Readonly<Record<string, string>> = {
  "ovid": "ovid",
  "ovid/client": "ovid/client",
  "zod": "zod",
  "zod/v4": "zod",
  "@std/assert": "@std/assert",
};

/** The program's own module. */
export const MAIN = "main.js";
/** Where a plugin's bare names lead, relative to itself. */
export const IMPORT_MAP = "import_map.json";

/** Files by their names, below the program's folder. */
export type Files = ReadonlyMap<string, Uint8Array>;

/** Bundles the program; `dist` never has a part in it. */
export async function bundleProgram(): Promise<Files> {
  const packages = await Deno.makeTempDir({ prefix: "ovid-bundle-" });
  try {
    await linkPackages(packages);
    const imports = await readImports();
    const entries = new Map([["main", join(ROOT, "cli/main.ts")]]);
    for (const name of Object.values(OFFERED)) entries.set(moduleName(name), name);
    // Workers are found in a first round, and bundled in a second.
    for (;;) {
      const named = new Map<string, string>();
      const files = await bundle(entries, imports, packages, named);
      const workers = [...named].filter(([name]) => name.endsWith(".js")).map(
        ([name, path]): [string, string] => [basename(name, ".js"), path],
      ).filter(([name]) => !entries.has(name));
      if (workers.length === 0) return await addFiles(files, named);
      for (const [name, path] of workers) entries.set(name, path);
    }
  } finally {
    await esbuild.stop();
    await Deno.remove(packages, { recursive: true });
  }
}

/** The name of the module behind a bare name: `ovid/client` -> `ovid_client`. */
function moduleName(bare: string): string {
  return bare.replace(/^@/, "").replaceAll("/", "_");
}

/** The import map that leads from the bare names to the modules beside it. */
function importMap(): string {
  const imports = Object.entries(OFFERED).map(([name, target]) => [
    name,
    `./${moduleName(target)}.js`,
  ]);
  return `${JSON.stringify({ imports: Object.fromEntries(imports) }, undefined, 2)}\n`;
}

/** The project's import map, as a bundler of Node's packages understands it. */
async function readImports(): Promise<Record<string, string>> {
  const { imports }: { imports: Record<string, string> } = JSON.parse(
    await Deno.readTextFile(join(ROOT, "deno.json")),
  );
  return Object.fromEntries(
    Object.entries(imports).map(([name, target]) => {
      const [, packageName, path = ""] = /^npm:((?:@[^/]+\/)?[^@/]+)@[^/]+(\/.*)?$/.exec(target) ??
        [];
      return [name, packageName === undefined ? join(ROOT, target) : packageName + path];
    }),
  );
}

/** Makes a folder in which the packages of the lock file are found under their names. */
async function linkPackages(folder: string): Promise<void> {
  const entries = ["cli/main.ts", "mod.ts", "client/mod.ts"];
  for (const [name, target] of await packageFolders(entries)) {
    const link = join(folder, name);
    await Deno.mkdir(dirname(link), { recursive: true });
    await Deno.symlink(target, link);
  }
}

/** Bundles once; `named` gets the files that the sources name beside themselves: new name -> path. */
async function bundle(
  entries: ReadonlyMap<string, string>,
  imports: Record<string, string>,
  packages: string,
  named: Map<string, string>,
): Promise<Map<string, Uint8Array>> {
  const folder = join(packages, "out");
  const { outputFiles } = await esbuild.build({
    entryPoints: Object.fromEntries(entries),
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "esnext",
    mainFields: ["module", "main"],
    alias: withoutBundler(imports),
    nodePaths: [packages],
    outdir: folder,
    chunkNames: "chunk_[hash]",
    // Whoever asks for the other runtime's global, to learn where it is, has all of Node's library loaded.
    define: { OVID_BUILT: "true", "globalThis.process": "undefined" },
    plugins: [adaptSources(named), zodInTwo(packages), leaveBundler, preferDeno],
    logOverride: { "import-is-undefined": "error" },
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: "inline",
    logLevel: "error",
    write: false,
  });
  return new Map(outputFiles.map(({ path, text }) => [relative(folder, path), hideLazy(text)]));
}

// Deno reads a module as soon as it sees its name in an `import()`, and all that this one names, long before anybody
// calls it: for each start of a box the whole program, two hundred modules, in a third of the time that it has.
function hideLazy(text: string): Uint8Array {
  const hidden = text.replaceAll(/\bimport\("(\.\/[\w.]+\.js)"\)/g, 'import(String("$1"))');
  return new TextEncoder().encode(hidden);
}

// A source names a file beside itself by `new URL("./x.ts", import.meta.url)`; in the bundle all lie in one folder.
function adaptSources(named: Map<string, string>): esbuild.Plugin {
  return {
    name: "sources",
    setup(build) {
      build.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        if (!path.startsWith(ROOT)) return undefined;
        const text = await Deno.readTextFile(path);
        const contents = text.replaceAll(
          /new URL\("(\.\.?\/[^"]+)", import\.meta\.url\)/g,
          (_, neighbour: string) => {
            const target = join(dirname(path), neighbour);
            const name = relative(ROOT, target).replaceAll("/", "_").replace(/\.ts$/, ".js");
            const given = name === "cli_main.js" ? MAIN : name;
            if (given !== MAIN) named.set(given, target);
            return `new URL("./${given}", import.meta.url)`;
          },
        );
        return { contents: importSchemas(contents), loader: "ts" };
      });
    },
  };
}

function withoutBundler(
  { esbuild: _, ...imports }: Record<string, string>,
): Record<string, string> {
  return imports;
}

// It cannot be bundled itself: it looks for its executable beside its own file.
const leaveBundler: esbuild.Plugin = {
  name: "bundler",
  setup(build) {
    build.onResolve({ filter: /^esbuild$/ }, () => ({ path: `./${BUNDLER}`, external: true }));
  },
};

// The log has a file for each runtime, and its package names that for Node first, which loads half of Node's library.
const preferDeno: esbuild.Plugin = {
  name: "deno",
  setup(build) {
    build.onResolve({ filter: /^#util$/ }, ({ resolveDir }) => ({
      path: join(resolveDir, "util.deno.js"),
    }));
  },
};

/** Adds the other files that the bundled modules name, and the import map. */
async function addFiles(
  files: Map<string, Uint8Array>,
  named: ReadonlyMap<string, string>,
): Promise<Files> {
  const decoder = new TextDecoder();
  const text = Array.from(files.values(), (bytes) => decoder.decode(bytes)).join("\n");
  for (const [name, path] of named) {
    if (files.has(name) || !text.includes(`"./${name}"`)) continue;
    files.set(name, await Deno.readFile(path));
  }
  if (text.includes(`"./${BUNDLER}"`)) {
    for (const [name, bytes] of await bundlerFiles()) files.set(name, bytes);
  }
  files.set(IMPORT_MAP, new TextEncoder().encode(importMap()));
  return files;
}
