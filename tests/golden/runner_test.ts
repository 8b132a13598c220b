// The runner itself: what is no story fails, and so does what is stale.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { checkStory } from "./runner.ts";

const opening = "# Nothing must happen that is not written here.\n\n";
const block = "grid kvs seed=1\nstart\n----\nc1 store :: starts with an empty disk\n";

function check(text: string): void {
  checkStory({ file: "story.txt", text, write: undefined });
}

Deno.test("checkStory() takes a story that happens as it is written", () => {
  check(opening + block);
});

Deno.test("checkStory() refuses a file that is empty, or tells nothing", () => {
  assertThrows(() => check(""), Error, "story.txt opens without a comment");
  assertThrows(() => check(block), Error, "story.txt opens without a comment");
  assertThrows(() => check(opening), SyntaxError, "Cannot tell story.txt: it has no block");
});

Deno.test("checkStory() refuses a block without its rule", () => {
  const text = `${opening}grid kvs seed=1\n\n${block}`;
  assertThrows(() => check(text), SyntaxError, "story.txt:3: the block has no line ----");
});

Deno.test("checkStory() refuses what is stale, a line more, a line less or another one", () => {
  for (
    const stale of [
      `${block}c1       >  ok\n`,
      block.replace(/c1 store.*\n/, ""),
      block.replace("c1 store", "store c1"),
      `${block}\n`,
    ]
  ) {
    assertThrows(() => check(opening + stale), Error, "-- --update");
  }
});

Deno.test("checkStory() rewrites what is stale where it may, and nothing else", () => {
  const written: string[] = [];
  const write = (text: string) => void written.push(text);
  checkStory({ file: "story.txt", text: opening + block, write });
  assertEquals(written, []);
  const stale = opening + block.replace(/c1 store.*\n/, "");
  checkStory({ file: "story.txt", text: stale, write });
  assertEquals(written, [opening + block]);
  const wrong = `${opening}gird kvs\n----\n`;
  assertThrows(() => checkStory({ file: "story.txt", text: wrong, write }), SyntaxError, "gird");
  assert(written.length === 1);
});
