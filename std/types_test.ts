// The ambient types must say what the modules do: each test compiles against the types and runs against the modules.

import {
  assert,
  assertEquals,
  assertExists,
  assertInstanceOf,
  AssertionError,
  assertNotInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";
import { red, stripAnsiCode } from "@std/fmt/colors";
import { getAvailablePort } from "@std/net";
import { dirname, join, parse } from "@std/path";
import { closestString, compareSimilarity, levenshteinDistance } from "@std/text";
import { parse as parseYaml } from "@std/yaml";

type Same<A, B> = (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true
  : false;
/** Compiles only where `T` is `true`. */
function holds<T extends true>(..._: T[]): void {}

Deno.test("@std/assert: assertions narrow", () => {
  const maybe = [1].find((n) => n > 0);
  assert(maybe !== undefined);
  holds<Same<typeof maybe, number>>();
  const other = ["a"].at(0);
  assertExists(other);
  holds<Same<typeof other, string>>();
  const error: unknown = new RangeError("high");
  assertInstanceOf(error, RangeError);
  assertEquals(error.message, "high");
  assertNotInstanceOf(error, SyntaxError);
});

Deno.test("@std/assert: assertThrows() and assertRejects() give the error of the class asked for", async () => {
  const thrown = assertThrows(() => assert(false, "no"), AssertionError, "no");
  holds<Same<typeof thrown, AssertionError>>();
  const rejected = await assertRejects(() => Promise.reject(new TypeError("bad")), TypeError);
  holds<Same<typeof rejected, TypeError>>();
  assertEquals([thrown.message, rejected.message], ["no", "bad"]);
});

Deno.test("@std/assert: a misspelt expectation does not compile", () => {
  // @ts-expect-error the types of the two sides differ
  assertThrows(() => assertEquals(1, "1"), AssertionError);
});

Deno.test("parseArgs(): declared flags have their types", () => {
  const args = parseArgs(["--debug", "--seed", "7", "--name=x", "--name=y", "grid.json", "1"], {
    boolean: ["debug", "json"],
    string: ["seed", "name", "log", "_"],
    collect: ["name"],
    alias: { d: "debug" },
    default: { log: "none" },
  });
  holds<Same<typeof args.debug, boolean>>();
  holds<Same<typeof args.seed, string | undefined>>();
  holds<Same<typeof args.name, string[]>>();
  holds<Same<typeof args._, string[]>>();
  holds<Same<typeof args.other, unknown>>();
  assertEquals([args.debug, args.json, args.seed, args.log], [true, false, "7", "none"]);
  assertEquals([args.name, args._], [["x", "y"], ["grid.json", "1"]]);
});

Deno.test("parseArgs(): flags that nobody declared, or with computed names, are loose", () => {
  const bare = parseArgs(["-n", "3", "--quick"]);
  const n = bare.n;
  assert(typeof n === "number");
  assertStrictEquals(n, 3);
  assertStrictEquals(bare.quick, true);
  const names: string[] = ["seed"];
  const computed = parseArgs(["--seed", "7", "5"], { string: names, unknown: () => true });
  holds<Same<typeof computed, typeof bare>>();
  assertEquals([computed.seed, computed._], ["7", [5]]);
});

Deno.test("the other modules load under their names", () => {
  assertEquals([stripAnsiCode(red("x")), stripAnsiCode("\x1b[31mx\x1b[39m")], ["x", "x"]);
  assert(getAvailablePort() > 0);
  assertEquals([join("a", "..", "b"), dirname("a/b"), parse("a/b.ts").name], ["b", "a", "b"]);
  assertEquals([closestString("hep", ["size", "help"]), levenshteinDistance("ab", "b")], [
    "help",
    1,
  ]);
  assertEquals(["blah", "help"].toSorted(compareSimilarity("hep")), ["help", "blah"]);
  assertEquals(parseYaml("a:\n  - b\n"), { a: ["b"] });
});
