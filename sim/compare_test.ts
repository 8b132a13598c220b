import { assertEquals, assertGreater } from "@std/assert";
import { comparable, compare, timesWithoutService } from "./compare.ts";

Deno.test("compare() shows that an operation takes both protocols as many steps as their papers say", () => {
  for (const [name, definition] of comparable) {
    const { verdict, answered, messages, delays, syncs } = compare(name, definition, 5n);
    // Client to leader, leader to acceptors and back, leader to client; the leader's disk, then the others'.
    assertEquals([verdict, delays, syncs], ["fine", 4, 2], name);
    assertGreater(messages, answered);
  }
});

Deno.test("compare() gives the same for the same seed", () => {
  const answered = [...comparable].map(([name, definition]) => compare(name, definition, 9n));
  // Each client asks what it has to, however often it is refused.
  for (const { answered: count } of answered) assertGreater(count, 40);
  const again = [...comparable].map(([name, definition]) => compare(name, definition, 9n));
  assertEquals(again, answered);
});

Deno.test("timesWithoutService() counts while somebody waits, and not while nobody asks", () => {
  const call = (invokeUs: number, returnUs: number | undefined) => ({
    client: "c",
    operation: null,
    result: null,
    invokeUs,
    returnUs,
  });
  const times = timesWithoutService([
    call(1_000, 3_000),
    // Nobody asks for 97 ms; then one waits for 10 ms, another beside it is answered after 4.
    call(100_000, 110_000),
    call(102_000, 104_000),
    call(0, undefined),
  ]);
  assertEquals(times.sort((a, b) => a - b), [2, 4, 6]);
});
