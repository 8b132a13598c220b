import { assertEquals } from "@std/assert";
import { type Collector, Garbage } from "./garbage.ts";

/** A collector that remembers when it was asked for what. */
function recorder(): { asked: string[]; at: number; collector: Collector } {
  const asked: string[] = [];
  const recorded = {
    asked,
    at: 0,
    collector: {
      collect: () => void asked.push(`${recorded.at} some`),
      collectAll: () => void asked.push(`${recorded.at} all`),
    },
  };
  return recorded;
}

function tickTo(garbage: Garbage, recorded: { at: number }, until: number): void {
  for (; recorded.at < until; recorded.at += 250) garbage.tick(recorded.at);
}

Deno.test("Garbage: what a start has left is collected once, when the box is quiet", () => {
  const recorded = recorder();
  const garbage = new Garbage(recorded.collector, () => 0.5);
  for (let round = 0; round < 10; round++) {
    garbage.stirred = true;
    tickTo(garbage, recorded, (round + 1) * 750);
  }
  // The last stir was told by the tick at 6750, and a box is quiet for 1000 ms here.
  assertEquals(recorded.asked, []);
  tickTo(garbage, recorded, 20_000);
  garbage.stirred = true;
  tickTo(garbage, recorded, 40_000);
  assertEquals(recorded.asked, ["7750 all"]);
});

Deno.test("Garbage: boxes of one machine draw when they collect", () => {
  const times = [0, 0.25, 0.5, 0.999].map((drawn) => {
    const recorded = recorder();
    tickTo(new Garbage(recorded.collector, () => drawn), recorded, 5000);
    return recorded.asked;
  });
  assertEquals(times, [["500 all"], ["750 all"], ["1000 all"], ["1500 all"]]);
});
