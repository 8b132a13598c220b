import { assertEquals, assertThrows } from "@std/assert";
import { type Command, parseCall, UsageError } from "./command.ts";

const command: Command = {
  name: "try",
  synopsis: "[WORD]",
  summary: "Tries.",
  operands: [0, 1],
  flags: [{ name: "runs", value: "N", doc: "How often" }, { name: "debug", doc: "Says more" }],
  examples: [],
  run: () => Promise.resolve(0),
};

Deno.test("parseCall: reads flags with one dash as Go's programs write them", () => {
  const call = parseCall(command, ["-runs=5", "-debug", "word"]);
  assertEquals([call?.integer("runs", 1, 9), call?.has("debug"), call?.operands], [5, true, [
    "word",
  ]]);
  assertEquals(parseCall(command, ["-h"]), undefined);
  assertEquals(parseCall(command, ["--", "-h_"])?.operands, ["-h_"]);
});

Deno.test("parseCall: refuses what would break its parser, or take it very long", () => {
  for (const arg of ["-_", "-h_", "--_", "--_=1", "-hx", "-5", `-${"1e9".repeat(7000)}x`]) {
    assertThrows(() => parseCall(command, [arg]), UsageError, "Unknown flag -");
  }
  assertThrows(() => parseCall(command, ["-rums=5"]), UsageError, "did you mean --runs");
});
