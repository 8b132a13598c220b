// The faults of a world beyond crashes and cuts: links that are clogged, boxes that are slow, clocks that are wrong.

import {
  assertEquals,
  assertGreater,
  assertLess,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import { keeperGrid, makeWorld, say, wordsOf } from "../tests/sim/keeper_grid.ts";

type World = ReturnType<typeof makeWorld>;

function saidTo(world: World): number {
  return Reflect.get(world.inspect("keeper")?.state ?? {}, "said");
}

const words = Array.from({ length: 20 }, (_, index) => `word ${index}`);

Deno.test("World.clog(): one message after the other, in order, until the link is free again", () => {
  const world = makeWorld();
  world.clog("b1", "b2", 10);
  say(world, ...words);
  world.runFor(105);
  assertEquals(world.printed("keeper"), words.slice(0, 10));
  world.runFor(200);
  assertEquals(world.printed("keeper"), words);
  world.clog("b1", "b2", 0);
  say(world, ...words);
  world.runFor(10);
  assertEquals(world.printed("keeper").length, 40);
});

Deno.test("World.clog(): what finds too many waiting is lost", () => {
  const world = makeWorld();
  world.clog("b1", "b2", 10);
  say(world, ...Array.from({ length: 1100 }, (_, index) => `word ${index}`));
  world.runFor(1);
  assertEquals([world.mail.sent, world.mail.lost], [1100, 99]);
});

Deno.test("World.slow(): each step takes so long, what comes meanwhile waits in order", () => {
  const world = makeWorld();
  world.slow("b2", 10);
  say(world, ...words);
  world.runFor(60);
  // What it has heard it shows later: that a sync has ended waits like everything else.
  assertGreater(saidTo(world), 2);
  assertLess(saidTo(world), 8);
  world.runFor(400);
  assertEquals(world.printed("keeper"), words);
});

Deno.test("World.slow(): a box that crashes loses what waits for it, and one that stands still keeps it", () => {
  const world = makeWorld();
  world.slow("b2", 10);
  say(world, ...words);
  world.runFor(15);
  world.pause("b2");
  world.runFor(100);
  const heard = saidTo(world);
  world.resume("b2");
  world.runFor(25);
  assertGreater(saidTo(world), heard);
  world.crash("b2");
  world.restart("b2");
  world.slow("b2", 0);
  world.runFor(1000);
  assertLess(world.printed("keeper").length, words.length);
});

Deno.test("World.crash(): a box that is killed leaves on its disk what was written and not synced", () => {
  for (const [kept, found] of [["synced", []], ["written", ["one"]]] as const) {
    const disk = { sync: { minUs: 5000, maxUs: 5000 }, tornTails: false };
    const world = makeWorld({ disk });
    say(world, "one");
    world.runFor(3);
    world.crash("b2", kept);
    world.restart("b2");
    assertEquals(wordsOf(world), found);
  }
});

Deno.test("World.driftClock() and World.jumpClock(): timers go by the clock of their box", () => {
  const ticks = (act: (world: World) => void) => {
    const world = makeWorld();
    let count = 0;
    world.observe((event) => {
      if (event.kind === "note" && event.note.event === "tick") count++;
    });
    act(world);
    world.runFor(1005);
    return count;
  };
  assertEquals(ticks(() => {}), 100);
  assertEquals(ticks((world) => world.driftClock("b2", 500_000)), 150);
  assertEquals(ticks((world) => world.driftClock("b2", -500_000)), 50);
  // One tick comes at once, and all later ones are counted from it.
  assertEquals(ticks((world) => world.jumpClock("b2", 500)), 101);
  assertThrows(() => makeWorld().driftClock("b2", 500_001), RangeError, "Cannot drift by 500001");
});

Deno.test("World.calm(): chance does no harm to a link any more, and a cut stays a cut", () => {
  const world = makeWorld({ network: { loss: 1 } });
  say(world, "one");
  world.runFor(5);
  world.calm("b1", "b2");
  say(world, "two");
  world.runFor(5);
  assertEquals([world.printed("keeper"), world.printed("speaker")], [["two"], []]);
  world.cut("b1", "b2");
  say(world, "three");
  world.runFor(5);
  assertEquals(world.printed("keeper"), ["two"]);
});

Deno.test("WorldOptions.laterGrid: holds for every start of a box but its first", () => {
  const laterGrid = { ...keeperGrid, agents: new Map(keeperGrid.agents) };
  const speaker = [...laterGrid.agents.values()].find(({ box }) => box === "b1");
  if (speaker === undefined) throw new Error("b1 has a speaker");
  laterGrid.agents.set(speaker.id, { ...speaker, routes: new Map() });
  const world = makeWorld({ laterGrid });
  say(world, "one");
  world.runFor(5);
  world.restart("b1");
  say(world, "two");
  world.runFor(5);
  assertEquals(world.printed("keeper"), ["one"]);
});

Deno.test("World.drop(): the next messages of a type are lost on that way, and no others", () => {
  const world = makeWorld();
  world.drop("b1", "b2", "say", 2);
  world.drop("b1", "b2", "heard");
  world.drop("b2", "b1", "say");
  say(world, "one", "two", "three");
  world.runFor(20);
  assertEquals(world.printed("keeper"), ["three"]);
  assertEquals(world.printed("speaker"), ["keeper three"]);
  assertEquals(world.mail.lost, 2);
  assertThrows(() => world.drop("b1", "b3", "say"), RangeError, "b3");
});

Deno.test("World.clock() shows what a box takes for the time, and when it will show what", () => {
  const world = makeWorld();
  world.start();
  world.driftClock("b2", 100_000);
  const clock = world.clock("b2");
  const shown = clock.now(0);
  assertEquals(clock.now(1_000_000), shown + 1100);
  assertEquals(clock.reaches(shown + 1100), 1_000_000);
  world.restart("b2");
  assertNotEquals(world.clock("b2").now(0), shown);
});
