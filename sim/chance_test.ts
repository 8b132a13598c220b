import { assert, assertEquals, assertGreater, assertLess, assertThrows } from "@std/assert";
import fc from "fast-check";
import { seededRandom } from "../core/random.ts";
import { drawDelay, requireDelay, requireProbability } from "./chance.ts";

Deno.test("drawDelay(): stays within its range, in whole microseconds", () => {
  const range = fc.tuple(fc.nat(10_000), fc.nat(100_000_000), fc.boolean(), fc.bigInt(0n, 999n));
  fc.assert(fc.property(range, ([minUs, widthUs, heavyTail, seed]) => {
    const random = seededRandom(seed);
    for (let i = 0; i < 20; i++) {
      const us = drawDelay(random, { minUs, maxUs: minUs + widthUs, heavyTail });
      assert(Number.isInteger(us) && us >= minUs && us <= minUs + widthUs);
    }
  }));
});

Deno.test("drawDelay(): reaches both ends", () => {
  for (const heavyTail of [false, true]) {
    const random = seededRandom(1n);
    const drawn = new Set<number>();
    for (let i = 0; i < 1000; i++) drawn.add(drawDelay(random, { minUs: 3, maxUs: 5, heavyTail }));
    assertEquals([...drawn].toSorted(), [3, 4, 5]);
  }
});

Deno.test("drawDelay(): a heavy tail is mostly short, and now and then enormous", () => {
  const random = seededRandom(1n);
  const drawn = Array.from(
    { length: 10_000 },
    () => drawDelay(random, { minUs: 0, maxUs: 1_024_000, heavyTail: true }),
  );
  const longer = (us: number) => drawn.filter((each) => each > us).length;
  assertGreater(drawn.filter((us) => us <= 1000).length, 4500);
  // The probability of more than x falls as 1/x: ten times less at ten times the length, not e^-10.
  assertGreater(longer(16_000), 240);
  assertLess(longer(16_000), 390);
  assertGreater(longer(256_000), 8);
  assertLess(longer(256_000), 40);
});

Deno.test("requireDelay(): refuses fractions, negative times and a range upside down", () => {
  requireDelay({ minUs: 0, maxUs: 0 }, "x");
  for (const [minUs, maxUs] of [[0.5, 1], [-1, 1], [2, 1], [0, Infinity], [NaN, 1]] as const) {
    assertThrows(() => requireDelay({ minUs, maxUs }, "disk.sync"), RangeError, "disk.sync");
  }
});

Deno.test("requireProbability(): takes 0 to 1", () => {
  for (const value of [0, 0.5, 1]) requireProbability(value, "x");
  for (const value of [-0.01, 1.01, NaN]) {
    assertThrows(() => requireProbability(value, "network.loss"), RangeError, "network.loss");
  }
});
