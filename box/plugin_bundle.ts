// One file from a plugin and all that it imports by relative paths: what a reload needs, as a module that was
// imported once is never read again, and what a sandbox needs, which can read nothing. The host's own modules are
// left out, so that there is one instance of them.

import { dirname, fromFileUrl, resolve, toFileUrl } from "@std/path";
import type { BuildOptions, Loader, Message, OnLoadResult, OnResolveResult, Plugin } from "esbuild";
import { messageOf } from "../core/error.ts";
import { hostModules } from "./plugin_api.ts";

/** A plugin in one piece. */
export interface PluginBundle {
  /** The plugin's own file, absolute. */
  readonly file: string;
  readonly code: string;
  /** Its source map, as JSON; the files in it are relative to the folder of `file`. */
  readonly map: string;
  /** The files that it was made from, absolute. */
  readonly inputs: readonly string[];
}

/** What may be imported. */
export interface BundleOptions {
  /**
   * The names of the values that each host module has. These modules are taken from a global then, which
   * {@linkcode hostModules} names, and nothing else may be imported than they and scripts below the plugin's folder.
   * Default: host modules, and whatever else is no relative path, are left to the runtime.
   */
  readonly confined?: ReadonlyMap<string, readonly string[]>;
}

/** A plugin that cannot be bundled; each fault with its place, a line each. */
export class BundleError extends Error {
  override readonly name = "BundleError";

  constructor(
    message: string,
    /** The files that were read, absolute. */ readonly inputs: readonly string[],
  ) {
    super(message);
  }
}

const scripts: Readonly<Record<string, Loader>> = {
  ".ts": "ts",
  ".mts": "ts",
  ".tsx": "tsx",
  ".js": "js",
  ".mjs": "js",
  ".jsx": "jsx",
};

// The bundler is one process for the whole program, stopped when nobody needs it, so that it keeps no box alive.
let builds: Promise<unknown> = Promise.resolve();

/**
 * Bundles the plugin `file`.
 *
 * @throws {BundleError} if it, or a file that it imports, cannot be read or does not compile.
 */
export function bundlePlugin(file: string, options: BundleOptions = {}): Promise<PluginBundle> {
  const bundle = builds.then(() => build(resolve(file), options));
  builds = bundle.catch(() => {});
  return bundle;
}

async function build(file: string, { confined }: BundleOptions): Promise<PluginBundle> {
  const inputs = new Set<string>();
  const esbuild = await import("esbuild");
  try {
    const { outputFiles = [] } = await esbuild.build({
      ...settings(file),
      plugins: [
        confined === undefined ? openImports(inputs) : closedImports(file, inputs, confined),
      ],
    });
    const text = (end: string) => outputFiles.find(({ path }) => path.endsWith(end))?.text ?? "";
    return { file, code: text(".js"), map: text(".map"), inputs: [...inputs] };
  } catch (error) {
    throw new BundleError(wordsOf(error, dirname(file)), [...new Set([file, ...inputs])]);
  } finally {
    await esbuild.stop();
  }
}

function settings(file: string): BuildOptions {
  return {
    entryPoints: [file],
    bundle: true,
    write: false,
    format: "esm",
    platform: "neutral",
    target: "esnext",
    // Only to say where the map's paths begin.
    outfile: resolve(dirname(file), "plugin.js"),
    absWorkingDir: dirname(file),
    sourcemap: "external",
    sourcesContent: false,
    define: {
      "import.meta.url": JSON.stringify(toFileUrl(file).href),
      "import.meta.main": "false",
    },
    // A tsconfig.json that happens to lie about says nothing to Deno either.
    tsconfigRaw: {},
    logLevel: "silent",
  };
}

// All files are read by ourselves: the bundler's own rules find files that Deno's do not, and in a browser's build
// of it there are none.
function openImports(inputs: Set<string>): Plugin {
  return {
    name: "plugin",
    setup(build) {
      build.onResolve({ filter: /.*/ }, (asked) => {
        return fileOf(asked.path, asked.resolveDir) ?? { path: asked.path, external: true };
      });
      build.onLoad(
        { filter: /.*/, namespace: "file" },
        ({ path }) => read(path, inputs, { ".json": "json" }),
      );
    },
  };
}

function closedImports(
  file: string,
  inputs: Set<string>,
  modules: ReadonlyMap<string, readonly string[]>,
): Plugin {
  const folder = dirname(file);
  return {
    name: "confined plugin",
    setup(build) {
      build.onResolve({ filter: /.*/ }, async ({ path, resolveDir }): Promise<OnResolveResult> => {
        if (modules.has(path)) return { path, namespace: "host" };
        // Those that do anything ask for permissions.
        if (path.startsWith("node:")) return { path, external: true };
        const found = fileOf(path, resolveDir);
        const names = [...modules.keys()].map((name) => JSON.stringify(name)).join(", ");
        const wanted = `want ${names}, or a script below ${folder}`;
        const refused = { errors: [{ text: `Cannot import ${JSON.stringify(path)}, ${wanted}` }] };
        return found !== undefined && await isBelow(folder, found.path) ? found : refused;
      });
      build.onLoad({ filter: /.*/, namespace: "file" }, ({ path }) => read(path, inputs, {}));
      build.onLoad({ filter: /.*/, namespace: "host" }, ({ path }) => ({
        contents: takeFromHost(path, modules.get(path) ?? []),
        loader: "js",
      }));
    },
  };
}

function fileOf(path: string, folder: string): { path: string } | undefined {
  if (path.startsWith("file:")) return { path: fromFileUrl(path) };
  return /^\.{0,2}\//.test(path) ? { path: resolve(folder, path) } : undefined;
}

// A link that leads out of the folder would show the plugin's errors, if nothing else, what it may not read.
async function isBelow(folder: string, path: string): Promise<boolean> {
  try {
    return (await Deno.realPath(path)).startsWith(`${await Deno.realPath(folder)}/`);
  } catch {
    return path.startsWith(`${folder}/`);
  }
}

async function read(
  path: string,
  inputs: Set<string>,
  others: { readonly [extension: string]: Loader },
): Promise<OnLoadResult> {
  inputs.add(path);
  const extension = /\.[^./]*$/.exec(path)?.[0] ?? "";
  const loader = scripts[extension] ?? others[extension];
  if (loader === undefined) {
    return { errors: [{ text: `Cannot import ${path}, want ${Object.keys(scripts).join(", ")}` }] };
  }
  try {
    return { contents: await Deno.readTextFile(path), loader, resolveDir: dirname(path) };
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound ? "there is no such file" : messageOf(error);
    return { errors: [{ text: `Cannot read ${path}: ${why}` }] };
  }
}

function takeFromHost(module: string, names: readonly string[]): string {
  const [symbol, key] = [JSON.stringify(hostModules), JSON.stringify(module)];
  const lines = names.map((name, index) => {
    const quoted = JSON.stringify(name);
    // Some are words of the language, and any may be exported.
    return `const v${index} = host[${quoted}]; export { v${index} as ${quoted} };`;
  });
  return [`const host = globalThis[Symbol.for(${symbol})][${key}];`, ...lines].join("\n");
}

function wordsOf(error: unknown, folder: string): string {
  const { errors } = Object(error) as { errors?: readonly Message[] };
  if (errors === undefined || errors.length === 0) return messageOf(error);
  return errors.map(({ text, location }) => {
    if (location === null) return text;
    const { file, line, column, lineText } = location;
    // Columns are counted from 0 there, and from 1 by everybody else.
    const caret = `${" ".repeat(column)}^`;
    return `${text} at ${resolve(folder, file)}:${line}:${column + 1}\n  ${lineText}\n  ${caret}`;
  }).join("\n");
}
