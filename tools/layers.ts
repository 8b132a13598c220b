// Checks who imports whom: down the layers, never up or sideways, and never in a circle.
// The table below is the one in docs/ARCHITECTURE.md.

import { toFileUrl } from "@std/path";
import { conclude, projectFiles, ROOT } from "./files.ts";

/** One import of a project file by another. */
export interface Import {
  readonly to: string;
  /** Whether it is loaded while the program runs, by `import()`. */
  readonly lazy: boolean;
}

/** Every file of the project with its imports of other files of the project. */
export type Graph = ReadonlyMap<string, readonly Import[]>;

interface Layer {
  /** The other layers that it may import. */
  readonly below: readonly string[];
  /** Says so in words. */
  readonly rule: string;
}

const PURE = ["core", "core/config", "agents"];
const OUTSIDE: Layer = {
  below: ["core", "core/config", "transport", "std"],
  rule: "drives a grid from outside, by wire only: it may import core/, transport/ and std/",
};
const ALL = [...PURE, "transport", "box", "sim", "master", "client", "web", "bench", "std"];

const LAYERS: Readonly<Record<string, Layer>> = {
  "std": { below: [], rule: "stands alone" },
  "core": { below: [], rule: "imports nothing of the project" },
  "core/config": { below: ["core"], rule: "may import core/ only" },
  "agents": { below: ["core"], rule: "may import core/ only" },
  "transport": { below: ["core"], rule: "knows envelopes, not agents: it may import core/ only" },
  "box": { below: [...PURE, "transport", "std"], rule: "drives the host: not sim/, nothing above" },
  "sim": { below: [...PURE, "transport", "std"], rule: "drives the host: not box/, nothing above" },
  "master": OUTSIDE,
  // A client runs the agent that asks a group, so that its protocol is the one that was simulated.
  "client": {
    below: [...PURE, "transport"],
    rule: "reaches a grid by wire only: no box/, no sim/",
  },
  "web": OUTSIDE,
  "bench": {
    below: [...PURE, "transport", "client", "std"],
    rule: "measures boxes from outside: no box/, no sim/",
  },
  "cli": { below: ALL, rule: "may import every layer, but no test, tool or example" },
  "mod.ts": { below: ALL, rule: "may re-export every layer but cli/" },
  "examples": { below: ["mod.ts"], rule: "may import ovid and its own files only" },
  "tests/binary": { below: [], rule: "tries what users run: it imports no product code" },
};

/** The layer of a file: a key of the table, or one of the free ones, `tests` and `tools`. */
function layerOf(path: string): string {
  if (path.startsWith("examples/") || path.startsWith("tests/binary/")) {
    return path.startsWith("examples/") ? "examples" : "tests/binary";
  }
  if (/_(test|bench|test_support)\.ts$/.test(path) || path.startsWith("tests/")) return "tests";
  if (path.startsWith("core/config/")) return "core/config";
  return path.split("/", 1)[0] ?? path;
}

function isOneExample(from: string, to: string): boolean {
  return from.split("/")[1] === to.split("/")[1];
}

function mayImport(from: string, to: string): boolean {
  const [importer, imported] = [layerOf(from), layerOf(to)];
  if (importer === imported) return importer !== "examples" || isOneExample(from, to);
  return LAYERS[importer]?.below.includes(imported) ?? true;
}

/** Every import that the table forbids, as `core/host.ts imports box/box.ts: core/ imports nothing of the project`. */
export function findForbidden(graph: Graph): string[] {
  const problems: string[] = [];
  for (const [from, imports] of graph) {
    const layer = layerOf(from);
    if (layer === "tests" || layer === "tools") continue;
    const rule = LAYERS[layer]?.rule;
    if (rule === undefined) {
      problems.push(`${from} is in no layer, want one of ${Object.keys(LAYERS).join(", ")}`);
      continue;
    }
    const name = layer === "mod.ts" ? layer : `${layer}/`;
    for (const { to } of imports) {
      if (!mayImport(from, to)) problems.push(`${from} imports ${to}: ${name} ${rule}`);
    }
  }
  return problems;
}

/** Each circle of imports once, as `Circle: a.ts -> b.ts -> a.ts`. An import at run time closes no circle. */
export function findCircles(graph: Graph): string[] {
  const circles: string[] = [];
  const done = new Set<string>();
  function visit(path: string, trail: readonly string[]): void {
    const start = trail.indexOf(path);
    if (start >= 0) {
      circles.push(`Circle: ${[...trail.slice(start), path].join(" -> ")}`);
      return;
    }
    if (done.has(path)) return;
    for (const { to, lazy } of graph.get(path) ?? []) {
      if (!lazy) visit(to, [...trail, path]);
    }
    done.add(path);
  }
  for (const path of graph.keys()) visit(path, []);
  return circles;
}

/** What is used of the output of `deno info --json`. */
interface ModuleInfo {
  readonly specifier: string;
  readonly error?: string;
  readonly dependencies?: readonly {
    readonly code?: { readonly specifier?: string };
    readonly type?: { readonly specifier?: string };
    readonly isDynamic?: boolean;
  }[];
}

/** Reads the graph of `files` below `root`, and the errors of those that could not be read. */
export async function readGraph(
  root: string,
  files: readonly string[],
): Promise<{ graph: Graph; errors: string[] }> {
  const base = toFileUrl(`${root}/`);
  const imports = files.map((path) => `import ${JSON.stringify(new URL(path, base).href)};`);
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", `data:text/typescript,${encodeURIComponent(imports.join(""))}`],
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  if (!success) {
    throw new Error(`Cannot read the module graph: ${new TextDecoder().decode(stderr)}`);
  }
  const info = JSON.parse(new TextDecoder().decode(stdout)) as { modules: readonly ModuleInfo[] };
  const here = (specifier: string | undefined) =>
    specifier?.startsWith(base.href) ? decodeURIComponent(specifier.slice(base.href.length)) : "";
  const graph = new Map<string, readonly Import[]>();
  const errors: string[] = [];
  for (const module of info.modules) {
    const path = here(module.specifier);
    if (path === "") continue;
    if (module.error !== undefined) errors.push(`Cannot load ${path}: ${module.error}`);
    graph.set(
      path,
      (module.dependencies ?? []).map(({ code, type, isDynamic }) => ({
        to: here(code?.specifier ?? type?.specifier),
        lazy: isDynamic ?? false,
      })).filter(({ to }) => to !== ""),
    );
  }
  return { graph, errors };
}

if (import.meta.main) {
  const files = (await projectFiles(ROOT)).filter((path) => /(?<!\.d)\.ts$/.test(path));
  const { graph, errors } = await readGraph(ROOT.replace(/\/$/, ""), files);
  conclude([...errors, ...findForbidden(graph), ...findCircles(graph)]);
}
