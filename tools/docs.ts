// Checks that everything that mod.ts exports says what it is. The code in doc comments is checked by
// `deno check --doc`, and run by `deno task test`.

import { fromFileUrl, join, relative } from "@std/path";
import { conclude, ROOT } from "./files.ts";

/** What is used of the output of `deno doc --json`. */
interface DocOutput {
  readonly nodes: Readonly<Record<string, { readonly symbols?: readonly DocSymbol[] }>>;
}

interface DocSymbol {
  readonly name: string;
  readonly declarations: readonly {
    readonly jsDoc?: { readonly doc?: string };
    readonly location: { readonly filename: string; readonly line: number };
  }[];
}

/** The exports of `module`, a path below `root`, that have no doc comment: `core/id.ts:3: export "f" has ...`. */
export async function findUndocumented(root: string, module: string): Promise<string[]> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", join(root, module)],
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  if (!success) throw new Error(`Cannot read docs: ${new TextDecoder().decode(stderr)}`);
  const { nodes } = JSON.parse(new TextDecoder().decode(stdout)) as DocOutput;
  const problems = new Set<string>();
  for (const { name, declarations } of Object.values(nodes).flatMap((node) => node.symbols ?? [])) {
    const [first] = declarations;
    if (first === undefined || declarations.some(({ jsDoc }) => (jsDoc?.doc ?? "") !== "")) {
      continue;
    }
    const { filename, line } = first.location;
    // Packages document what is theirs.
    if (!filename.startsWith("file:") || filename.includes("/npm/")) continue;
    const place = `${relative(root, fromFileUrl(filename))}:${line + 1}`; // Deno counts them from 0.
    problems.add(`${place}: export "${name}" of ${module} has no doc comment`);
  }
  return [...problems].sort();
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

if (import.meta.main && await exists(join(ROOT, "mod.ts"))) {
  conclude(await findUndocumented(ROOT, "mod.ts"));
}
