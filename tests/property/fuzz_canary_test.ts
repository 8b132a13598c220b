// Readers that are broken on purpose, one for each law: the fuzz tests must notice each.

import { assert, assertThrows } from "@std/assert";
import fc from "fast-check";
import { check, type Reading, refusing, type Subject } from "./fuzz.ts";

// `(1,2)`: a pair of whole numbers.
function readPair(text: string): Reading {
  return refusing([SyntaxError], () => {
    const [, a, b] = /^\((\d{1,9}),(\d{1,9})\)$/.exec(text) ?? [];
    if (a === undefined) throw new SyntaxError(`Cannot read ${JSON.stringify(text)}, want (A,B)`);
    const pair = [Number(a), Number(b)];
    return { taken: pair, printed: `(${pair.join()})` };
  });
}

const pairs: Subject = {
  name: "pairs",
  valid: fc.tuple(fc.nat(999), fc.nat(999)).map(([a, b]) => `(${a},${b})`),
  refusal: /, want \(A,B\)$/,
  read: readPair,
};

Deno.test("check: a reader that obeys the laws passes, and reads inputs of both kinds", () => {
  const { taken, refused } = check(pairs, 500);
  assert(taken > 50 && refused > 50, `${taken} taken, ${refused} refused`);
});

const broken: Readonly<Record<string, (text: string) => Reading>> = {
  "throws an error of another class": (text) => {
    if (text.endsWith(",")) throw new TypeError("It has no second number");
    return readPair(text);
  },
  "says nothing of what is wanted": (text) =>
    text.includes("((") ? { refused: "no" } : readPair(text),
  "refuses what is right": (text) =>
    /^\(\d+,7\d+\)$/.test(text) ? { refused: "7, want (A,B)" } : readPair(text),
  "prints what it does not read": (text) => {
    const reading = readPair(text);
    return "taken" in reading ? { ...reading, printed: `${reading.printed}!` } : reading;
  },
  "prints another meaning": (text) => {
    const [, a = "", b = ""] = /^\((\d+),(\d+)\)/.exec(text) ?? [];
    return text.length > 9 && a !== b ? { taken: [a, b], printed: `(${b},${a})` } : readPair(text);
  },
  "takes forever over what is nested": (text) => {
    const until = performance.now() + (text.includes("(((((") ? 60 : 0);
    while (performance.now() < until);
    return readPair(text);
  },
};

for (const [what, read] of Object.entries(broken)) {
  Deno.test(`canary: a reader that ${what} is found out`, () => {
    // A limit that a busy machine may pass without a fault is well for a canary, which is to be caught.
    const msMax = what.startsWith("takes forever") ? 40 : undefined;
    assertThrows(
      () => check({ ...pairs, pieces: ["((((("], read }, 5000, msMax),
      Error,
      "Property failed",
    );
  });
}

Deno.test("canary: a reader that is fed with nothing that it takes, or refuses, is found out", () => {
  assertThrows(
    () => check({ ...pairs, read: () => ({ taken: 1 }) }, 50),
    Error,
    "it refused nothing",
  );
});
