import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { assert, messageOf, OvidError } from "./error.ts";

Deno.test("assert() fails with the belief that was wrong", () => {
  assert(true, "never said");
  assertThrows(() => assert(false, "two is three"), Error, "Broken belief: two is three");
});

Deno.test("messageOf() has words for whatever was thrown", () => {
  assertEquals(messageOf(new TypeError("no")), "no");
  assertEquals(messageOf("no"), "no");
  assertEquals(messageOf(undefined), "undefined");
});

Deno.test("OvidError carries a code that a program can act on, and its cause", () => {
  const cause = new Error("disk");
  const error = new OvidError("journal.corrupt", "Cannot read", { cause });
  assertInstanceOf(error, Error);
  assertEquals([error.name, error.code, error.message, error.cause], [
    "OvidError",
    "journal.corrupt",
    "Cannot read",
    cause,
  ]);
});
