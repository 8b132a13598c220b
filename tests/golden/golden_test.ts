// Every golden transcript of this folder is told again, and must come out as it stands. `deno test -A tests/golden --
// --update` writes down what happens now; read the diff before you believe it. README.md says how to write one.

import { assert } from "@std/assert";
import { names, read, write } from "./files.ts";
import { checkStory } from "./runner.ts";

const update = Deno.args.includes("--update");

Deno.test("golden: there are stories", () => {
  assert(names().length > 0);
});

for (const name of names()) {
  Deno.test(`golden: ${name}`, () => {
    checkStory({
      file: `tests/golden/${name}`,
      text: read(name),
      write: update ? (text) => write(name, text) : undefined,
    });
  });
}
