import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { deriveSeed, parseSeed, randomInteger, seededRandom, seedMax } from "./random.ts";

function draw(seed: bigint, count: number): number[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => random() * 2 ** 32);
}

Deno.test("seededRandom() gives the same numbers for ever", () => {
  // From an implementation in another language: a change here breaks every seed that anyone has kept.
  assertEquals(draw(0n, 4), [3737715805, 2584255861, 2876751074, 3298130565]);
  assertEquals(draw(1n, 4), [1695105466, 1423115009, 634581793, 1068227753]);
  assertEquals(draw(seedMax, 4), [477689756, 2493998634, 555695776, 607808419]);
});

Deno.test("seededRandom() uses all 64 bits of its seed", () => {
  const first = new Set<number>();
  for (let bit = 0n; bit < 64n; bit++) first.add(draw(1n << bit, 1)[0] ?? -1);
  assertEquals(first.size, 64);
});

Deno.test("seededRandom() stays in [0, 1) and fills it evenly", () => {
  const random = seededRandom(7n);
  const counts = new Array<number>(10).fill(0);
  for (let i = 0; i < 100_000; i++) {
    const value = random();
    assert(value >= 0 && value < 1);
    const bin = Math.floor(value * 10);
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  // Five standard deviations around 10,000.
  for (const count of counts) assert(Math.abs(count - 10_000) < 475, `${counts}`);
});

Deno.test("deriveSeed() gives the same seeds for ever", () => {
  assertEquals(deriveSeed(0n, ""), 16294208416658607535n);
  assertEquals(deriveSeed(0n, "a"), 10361829843645232397n);
  assertEquals(deriveSeed(1n, "a"), 6774081908283191102n);
  assertEquals(deriveSeed(seedMax, "kv/é"), 9213948450615238010n);
});

Deno.test("deriveSeed() differs for different names, and for different seeds", () => {
  const seeds = new Set<bigint>();
  for (let seed = 0n; seed < 100n; seed++) {
    for (let name = 0; name < 100; name++) seeds.add(deriveSeed(seed, String(name)));
  }
  assertEquals(seeds.size, 10_000);
  assertNotEquals(deriveSeed(1n, "ab"), deriveSeed(1n, "ba"));
});

Deno.test("parseSeed() takes every unsigned 64-bit number", () => {
  assertEquals(parseSeed("0"), 0n);
  assertEquals(parseSeed("007"), 7n);
  assertEquals(parseSeed("9223372036854775808"), 2n ** 63n);
  assertEquals(parseSeed("18446744073709551615"), seedMax);
});

Deno.test("parseSeed() refuses everything else", () => {
  const refused = [
    "",
    "-1",
    "+1",
    " 1",
    "1 ",
    "1.0",
    "1e3",
    "0x10",
    "1n",
    "١",
    "18446744073709551616",
  ];
  for (const text of [...refused, "1".repeat(21), "1\n"]) {
    assertThrows(
      () => parseSeed(text),
      SyntaxError,
      `Cannot use ${JSON.stringify(text)} as a seed, want a whole number from 0 to ${seedMax}`,
    );
  }
});

Deno.test("randomInteger() reaches both ends and nothing beyond", () => {
  const random = seededRandom(3n);
  const seen = new Set<number>();
  for (let i = 0; i < 1000; i++) seen.add(randomInteger(random, -2, 2));
  assertEquals([...seen].sort((a, b) => a - b), [-2, -1, 0, 1, 2]);
  assertEquals(randomInteger(() => 0, 5, 9), 5);
  assertEquals(randomInteger(() => 1 - 2 ** -32, 5, 9), 9);
  assertEquals(randomInteger(random, 4, 4), 4);
});
