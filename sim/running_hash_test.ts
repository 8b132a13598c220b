import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import type { Json } from "../core/data.ts";
import { HashWords } from "./hash_words.ts";
import { RunningHash } from "./running_hash.ts";

function digest(...values: (Json | undefined)[]): string {
  const hash = new RunningHash();
  for (const value of values) hash.json(value);
  return hash.digest();
}

Deno.test("RunningHash: the digits are the same on every machine", () => {
  assertEquals(new RunningHash().digest(), "4a216c311210181e");
  assertEquals(
    digest({ a: [1, -2.5, 1e300, true, false, null], b: "é\u{1F600}" }),
    "e34dfe93c33c7ae4",
  );
});

Deno.test("RunningHash.json(): different values give different digests", () => {
  const value = fc.jsonValue();
  fc.assert(fc.property(value, value, (a, b) => {
    const [left, right] = [JSON.stringify(a), JSON.stringify(b)];
    const same = left === right;
    // Read back, since JSON has no -0.
    const digests = [digest(JSON.parse(left)), digest(JSON.parse(right))];
    assertEquals(digests[0] === digests[1], same);
    assertMatch(digests[0] ?? "", /^[0-9a-f]{16}$/);
  }));
});

Deno.test("RunningHash.json(): values that are easily confused are told apart", () => {
  const values = [
    [[1, 2], [12]],
    [["ab"], ["a", "b"]],
    ["1", 1],
    [[], {}],
    [0, false],
    [null, undefined],
    [{ a: 1, b: 2 }, { b: 2, a: 1 }],
    [[[]], [[], []]],
    [[{ a: 1 }], { a: [1] }],
    [{ type: "a" }, { type: { a: null } }],
    [{ type: "a", b: 1 }, { type: "b", a: 1 }],
    [{ a: { b: 1 }, c: 2 }, { a: { b: 1, c: 2 } }],
    ["ab\0", "ab"],
    ["\u0001\0", "\u0001"],
    [2 ** 32, 0],
  ] as const;
  for (const [a, b] of values) assertNotEquals(digest(a), digest(b), JSON.stringify([a, b]));
  assertNotEquals(digest("a", "b"), digest("b", "a"));
  assertNotEquals(digest("a"), digest("a", "a"));
});

Deno.test("RunningHash.name(): tells names apart, also those that it does not remember", () => {
  const digests = new Set<string>();
  const hash = new RunningHash();
  for (let i = 0; i < 10_000; i++) {
    const alone = new RunningHash();
    alone.name(`n${i}`);
    digests.add(alone.digest());
    hash.name(`n${i}`);
  }
  assertEquals(digests.size, 10_000);
  const again = new RunningHash();
  for (let i = 0; i < 10_000; i++) again.name(`n${i}`);
  assertEquals(again.digest(), hash.digest());
});

Deno.test("RunningHash: what it remembers changes no digest", () => {
  const words = new HashWords();
  const value = fc.jsonValue();
  fc.assert(fc.property(fc.array(value), (values) => {
    const plain: Json[] = JSON.parse(JSON.stringify(values));
    const hash = new RunningHash(words);
    for (const each of plain) hash.json(each);
    assertEquals(hash.digest(), digest(...plain));
  }));
  for (let i = 0; i < 10_000; i++) {
    const value = { [`key${i}`]: 1, type: `type${i}` };
    const hash = new RunningHash(words);
    hash.json(value);
    assertEquals(hash.digest(), digest(value));
  }
});

Deno.test("RunningHash: hardly ever collides on small inputs", () => {
  const digests = new Set<string>();
  for (let i = 0; i < 100_000; i++) digests.add(digest(i));
  assertEquals(digests.size, 100_000);
});
