// Zod in two parts, so that a start reads the one that it needs: schemas and what they stand on. The other, with its
// messages in fifty languages, its compiler and its JSON Schemas, is read when a plugin asks for all of zod. Both are
// one zod: what is in the first is in no other module of the bundle.

import type * as esbuild from "esbuild";
import { join } from "@std/path";

/** What the program's own sources import in the place of `zod`. */
const SCHEMAS = "zod-schemas";

/** What stands before the rest of a source: comments and imports. */
const HEAD = /^(?:(?:\/\/.*|import [^;]*;|)\n)*/;

/** Leads a source's `z` to the schemas, as a namespace of which unused names cost nothing. */
export function importSchemas(source: string): string {
  const [head = ""] = HEAD.exec(source) ?? [];
  // Sources that write sources have such lines in their texts, too.
  const own = head.replace(/^import \{ z \} from "zod";$/m, `import * as z from "${SCHEMAS}";`);
  return own + source.slice(head.length);
}

/** Files of zod that schemas stand on, which name all of its core and mean some of it. */
const SCHEMA_FILES = /\/v4\/classic\/(?:schemas|checks|errors|parse|iso)\.js$/;

/** What they mean: what is missing here stops the build, as an import that is undefined. */
const CORE = `
  export * from "./api.js";
  export * from "./checks.js";
  export * from "./core.js";
  export * from "./errors.js";
  export * from "./memoizer.js";
  export * from "./parse.js";
  export * from "./registries.js";
  export * from "./schemas.js";
  export * as regexes from "./regexes.js";
  export * as util from "./util.js";
`;

/** @param packages The folder in which zod is. */
export function zodInTwo(packages: string): esbuild.Plugin {
  return {
    name: "zod in two",
    async setup(build) {
      // Zod's files import each other by where they really are.
      const folder = join(await Deno.realPath(join(packages, "zod")), "v4");
      build.onResolve({ filter: new RegExp(`^${SCHEMAS}$`) }, () => ({
        path: join(folder, "classic/schemas.js"),
      }));
      build.onResolve(
        { filter: /^\.\.\/core\/index\.js$/ },
        ({ importer }) =>
          SCHEMA_FILES.test(importer)
            ? { path: "core", namespace: SCHEMAS, sideEffects: false }
            : undefined,
      );
      build.onLoad({ filter: /./, namespace: SCHEMAS }, () => ({
        contents: CORE,
        resolveDir: join(folder, "core"),
      }));
    },
  };
}
