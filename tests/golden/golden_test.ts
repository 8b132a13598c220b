// Every golden transcript of this folder is told again, and must come out as it stands. `deno test -A tests/golden --
// --update` writes down what happens now; read the diff before you believe it. README.md says how to write one.

import { assert, assertEquals } from "@std/assert";
import { builtInCasts } from "../../sim/casts/registry.ts";
import { retell } from "../../sim/golden.ts";
import { storyOf } from "../../sim/story.ts";
import { names, read, write } from "./files.ts";

const update = Deno.args.includes("--update");

Deno.test("golden: there are stories, and each opens by saying what must not happen", () => {
  assert(names().length > 0, "tests/golden has no stories");
  for (const name of names()) {
    assert(read(name).startsWith("# "), `tests/golden/${name} opens without a comment`);
  }
});

for (const name of names()) {
  Deno.test(`golden: ${name}`, () => {
    const file = `tests/golden/${name}`;
    const text = read(name);
    const told = retell(text, { file, teller: storyOf(builtInCasts) });
    if (told === text) return;
    if (update) return write(name, told);
    const how = "if it should: deno test -A tests/golden -- --update, and read the diff";
    assertEquals(told, text, `${file} does not happen like this any more; ${how}`);
  });
}
