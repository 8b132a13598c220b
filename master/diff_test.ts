import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { type DiffLine, diffLines } from "./diff.ts";

const signs = { both: " ", expected: "-", actual: "+" } as const;

function show(diff: readonly DiffLine[]): string[] {
  return diff.map(({ side, line }) => signs[side] + line);
}

Deno.test("diffLines: shows what is missing, what is too much, and what was replaced", () => {
  assertEquals(show(diffLines("a\nb\nc", "a\nc")), [" a", "-b", " c"]);
  assertEquals(show(diffLines("a\nc", "a\nb\nc")), [" a", "+b", " c"]);
  assertEquals(show(diffLines("a\nb\nc", "a\nx\nc")), [" a", "-b", "+x", " c"]);
});

Deno.test("diffLines: an empty text has no lines", () => {
  assertEquals(show(diffLines("", "")), []);
  assertEquals(show(diffLines("", "a")), ["+a"]);
  assertEquals(show(diffLines("a", "")), ["-a"]);
});

Deno.test("diffLines: a line that moved appears twice", () => {
  assertEquals(show(diffLines("a\nb\nc\nd", "b\nc\nd\na")), ["-a", " b", " c", " d", "+a"]);
});

Deno.test("diffLines: texts too long to compare are shown as replaced, but for their common ends", () => {
  const many = (mark: string) => Array.from({ length: 2500 }, (_, i) => `${mark}${i}`).join("\n");
  const diff = diffLines(`same\n${many("a")}\nend`, `same\n${many("b")}\nend`);
  assertEquals(diff.length, 5002);
  assertEquals(show(diff.slice(0, 2)), [" same", "-a0"]);
  assertEquals(show(diff.slice(-2)), ["+b2499", " end"]);
});

// The dumb twin: tries both ways at each difference.
function commonLength(left: readonly string[], right: readonly string[]): number {
  const [first, ...others] = left;
  const [second, ...rest] = right;
  if (first === undefined || second === undefined) return 0;
  return first === second
    ? 1 + commonLength(others, rest)
    : Math.max(commonLength(others, right), commonLength(left, rest));
}

Deno.test("diffLines: holds both texts, in order, with as much in common as there is", () => {
  const text = fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 7 });
  fc.assert(fc.property(text, text, (left, right) => {
    const diff = diffLines(left.join("\n"), right.join("\n"));
    const without = (side: DiffLine["side"]) =>
      diff.filter((each) => each.side !== side).map(({ line }) => line);
    assertEquals(without("actual"), left);
    assertEquals(without("expected"), right);
    assertEquals(diff.filter(({ side }) => side === "both").length, commonLength(left, right));
  }));
});
