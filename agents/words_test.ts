import { assertEquals } from "@std/assert";
import { speech, splitWord } from "./words.ts";

Deno.test("splitWord() parts the first word from the rest, whatever white space there is", () => {
  assertEquals(splitWord("put a  b c"), ["put", "a  b c"]);
  assertEquals(splitWord(" \tput \u00a0 a "), ["put", "a"]);
  assertEquals(splitWord("put"), ["put", ""]);
  assertEquals(splitWord("  "), ["", ""]);
  assertEquals(splitWord(""), ["", ""]);
});

Deno.test("speech() names the first word, or whoever sent a single one", () => {
  assertEquals(speech("alice good  morning", "10"), "alice > good  morning");
  assertEquals(speech("hello", "10"), "10 > hello");
  assertEquals(speech("", "10"), "10 > ");
});
