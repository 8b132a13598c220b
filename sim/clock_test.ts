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

Deno.test("Clock.drift(): is fast or slow by so much, and reaches() knows it", () => {
  const ppm = fc.integer({ min: -500_000, max: 500_000 });
  fc.assert(fc.property(ppm, fc.nat(10_000_000), fc.nat(1_000_000), (driftPpm, us, waitUs) => {
    const clock = new Clock(seededRandom(1n), 0, driftPpm);
    const before = clock.now(us);
    const passedUs = Math.round(1000 * (clock.now(1_000_000) - clock.now(0)));
    assertEquals(passedUs, 1_000_000 + driftPpm);
    clock.drift(us, 0);
    assertEquals(clock.now(us), before);
    clock.drift(us, driftPpm);
    const wanted = before + waitUs / 1000;
    const reached = clock.reaches(wanted);
    assert(clock.now(reached) >= wanted && clock.now(reached - 1) < wanted);
  }));
});

Deno.test("Clock.jump(): goes forward at once, and timers come due", () => {
  const clock = new Clock(seededRandom(1n), 0);
  const due = clock.now(0) + 100;
  clock.jump(40_000, 50_000);
  assertEquals(clock.reaches(due), 50_000);
});
