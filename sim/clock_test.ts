import { assert, assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { seededRandom } from "../core/random.ts";
import { Clock } from "./clock.ts";

Deno.test("Clock.reaches(): is the first moment at which the clock shows the time", () => {
  const ms = fc.double({ min: 0, max: 1e7, noNaN: true });
  const at = fc.nat(1_000_000_000);
  fc.assert(
    fc.property(ms, at, fc.bigInt(0n, 999n), (ms, startUs, seed) => {
      const clock = new Clock(seededRandom(seed), startUs);
      const wanted = clock.now(startUs) + ms;
      const reached = clock.reaches(wanted);
      assert(Number.isInteger(reached));
      assert(clock.now(reached) >= wanted);
      assert(clock.now(reached - 1) < wanted);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("Clock.now(): goes with the world, from a moment that each start draws", () => {
  const clock = new Clock(seededRandom(1n), 5_000_000);
  assertEquals(clock.now(5_000_500) - clock.now(5_000_000), 0.5);
  assertNotEquals(clock.now(0), new Clock(seededRandom(2n), 5_000_000).now(0));
  assert(clock.now(5_000_000) >= 0);
});
