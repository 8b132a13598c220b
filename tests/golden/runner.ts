// Tells a golden transcript again, and compares it with what is written there.

import { assert, assertEquals } from "@std/assert";
import { builtInCasts } from "../../sim/casts/registry.ts";
import { retell } from "../../sim/golden.ts";
import { storyOf } from "../../sim/story.ts";

/** A golden transcript, and what to do if it is stale. */
export interface StoryFile {
  /** Its name, for errors. */
  readonly file: string;
  readonly text: string;
  /** Where the story goes as it happens now; undefined if it must be as it is written. */
  readonly write: ((text: string) => void) | undefined;
}

/**
 * Checks one story, or rewrites it.
 *
 * @throws {Error} if it is no story, or happens otherwise than it is written and may not be rewritten.
 */
export function checkStory({ file, text, write }: StoryFile): void {
  assert(text.startsWith("# "), `${file} opens without a comment on what must not happen`);
  const told = retell(text, { file, teller: storyOf(builtInCasts) });
  if (told === text) return;
  if (write !== undefined) return write(told);
  const how = "if it should: deno test -A tests/golden -- --update, and read the diff";
  assertEquals(told, text, `${file} does not happen like this any more; ${how}`);
}
