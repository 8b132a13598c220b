import {
  assertEquals,
  assertFalse,
  assertGreater,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { OvidError } from "../core/error.ts";
import { makeWorld, notesOf, say, wordsOf } from "../tests/sim/keeper_grid.ts";

Deno.test("World.crash(): nothing is shown or sent that the disk does not hold", () => {
  const slow = { minUs: 10_000, maxUs: 10_000 };
  const world = makeWorld({ disk: { sync: slow, tornTails: false } });
  say(world, "one");
  world.runFor(5);
  // The keeper has it, and waits for its disk.
  assertEquals(wordsOf(world), ["one"]);
  assertEquals(world.printed("keeper"), []);
  world.crash("b2");
  assertEquals(wordsOf(world), undefined);
  world.restart("b2");
  world.runFor(50);
  assertEquals(wordsOf(world), []);
  assertEquals([world.printed("keeper"), world.printed("speaker")], [[], []]);
  say(world, "two");
  world.runFor(50);
  assertEquals(world.printed("speaker"), ["keeper two"]);
});

Deno.test("World: one sync covers all that came during the one before it", () => {
  const world = makeWorld({ disk: { sync: { minUs: 10_000, maxUs: 10_000 } } });
  const syncs: number[] = [];
  world.observe((event) => {
    if (event.kind === "sync") syncs.push(event.records);
  });
  say(world, "1", "2", "3", "4", "5");
  world.runFor(50);
  assertEquals(syncs, [1, 4]);
  assertEquals(world.printed("speaker").length, 5);
});

Deno.test("World: what needs no sync waits behind what does", () => {
  const world = makeWorld({ disk: { sync: { minUs: 30_000, maxUs: 30_000 } } });
  say(world, "aside", "one", "aside");
  world.runFor(20);
  assertEquals(world.printed("keeper"), ["aside"]);
  world.runFor(20);
  assertEquals(world.printed("keeper"), ["aside", "one", "aside"]);
  assertEquals(world.disk("b2").records, 1);
});

Deno.test("World.restart(): timers are armed anew, those of the life before are dead", () => {
  const world = makeWorld();
  const ticks = notesOf(world, "keeper", "tick");
  world.runFor(25);
  assertEquals(ticks, [{ ticks: 1 }, { ticks: 2 }]);
  world.crash("b2");
  world.runFor(100);
  assertEquals(ticks.length, 2);
  world.restart("b2");
  world.runFor(9);
  assertEquals(ticks.length, 2);
  world.runFor(2);
  assertEquals(ticks, [{ ticks: 1 }, { ticks: 2 }, { ticks: 1 }]);
  // Of a box that is up, a restart is a crash first.
  world.restart("b2");
  world.runFor(9);
  assertEquals(ticks.length, 3);
});

Deno.test("World.restart(): gives agents what the disk holds, also by way of a snapshot", () => {
  const world = makeWorld({ disk: { compactBytes: 200 } });
  const ups = notesOf(world, "keeper", "up");
  for (let i = 1; i <= 20; i++) {
    say(world, `word ${i}`);
    world.runUntil(() => world.printed("speaker").length === i);
  }
  assertGreater(world.disk("b2").compactions, 0);
  world.restart("b2");
  assertEquals(ups, [{ why: "recovered", words: 20 }]);
});

Deno.test("World: an agent that throws is rebuilt from its disk", () => {
  const world = makeWorld({ allowFaults: true });
  say(world, "one", "throw");
  world.runFor(20);
  say(world, "two");
  world.runFor(20);
  assertEquals(world.printed("speaker"), ["keeper one", "keeper two"]);
  // Neither the word nor anything else of the step that threw is left; the rest is, volatile state aside.
  assertEquals(wordsOf(world), ["one", "two"]);
  assertEquals(Reflect.get(world.inspect("keeper")?.state ?? {}, "said"), 1);
  assertEquals(world.failures.length, 1);
  assertEquals(world.failures[0]?.fault.then, "rebuild");
});

Deno.test("World: an agent that gives up stays down until its box restarts", () => {
  const world = makeWorld({ allowFaults: true });
  say(world, "one", "fail", "two");
  world.runFor(50);
  assertEquals(world.printed("speaker"), ["keeper one"]);
  assertEquals(world.failures[0]?.fault.then, "stopped");
  world.restart("b2");
  say(world, "three");
  world.runFor(50);
  assertEquals(wordsOf(world), ["one", "three"]);
});

Deno.test("World: a fault ends the run unless faults are allowed, with the story behind it", () => {
  for (const word of ["throw", "fail", "wrong"]) {
    const world = makeWorld({ seed: 77n });
    say(world, word);
    const error = assertThrows(() => world.runFor(100), OvidError, 'Agent "keeper" faulted');
    assertEquals(error.code, "sim.safety");
    assertStringIncludes(error.message, "seed 77");
    assertStringIncludes(error.message, `speaker -> keeper  say {"word":"${word}"}`);
    assertEquals(world.failures.length, 1);
  }
  const unchecked = makeWorld({ checks: false });
  say(unchecked, "wrong");
  unchecked.runFor(100);
});

Deno.test("World.pause(): a box stands still, and catches up afterwards", () => {
  const world = makeWorld();
  const ticks = notesOf(world, "keeper", "tick");
  world.pause("b2");
  say(world, "one", "two");
  world.runFor(100);
  assertEquals([world.printed("keeper"), ticks.length], [[], 0]);
  world.resume("b2");
  world.runFor(5);
  assertEquals(world.printed("speaker"), ["keeper one", "keeper two"]);
  // One timer was overdue; it is not made up for the others that would have followed.
  assertEquals(ticks.length, 1);
});

Deno.test("World.pause(): a sync ends while a box stands still, its consequences wait", () => {
  const world = makeWorld({ disk: { sync: { minUs: 5000, maxUs: 5000 } } });
  say(world, "one");
  world.runUntil(() => Array.isArray(wordsOf(world)) && String(wordsOf(world)) === "one");
  world.pause("b2");
  world.runFor(50);
  assertEquals(world.printed("keeper"), []);
  world.resume("b2");
  assertEquals(world.printed("keeper"), ["one"]);
});

Deno.test("World.crash(): a box that stands still loses what waits for it", () => {
  const world = makeWorld();
  world.pause("b2");
  say(world, "one");
  world.runFor(10);
  world.restart("b2");
  say(world, "two");
  world.runFor(10);
  assertEquals(world.printed("keeper"), ["two"]);
  assertEquals(world.mail.down, 1);
});

Deno.test("World.limitDisk(): a full disk ends the box, and nothing that it lacks gets out", () => {
  const world = makeWorld();
  say(world, "one");
  world.runFor(20);
  world.limitDisk("b2", 0);
  say(world, "two");
  world.runFor(20);
  assertFalse(world.isUp("b2"));
  assertEquals(world.printed("speaker"), ["keeper one"]);
  assertStringIncludes(world.transcript.lines().join("\n"), "b2 crashes: its disk is full");
  world.limitDisk("b2", Infinity);
  world.restart("b2");
  assertEquals(wordsOf(world), ["one"]);
});

Deno.test("World.loseDisk(): a box whose disk was lost begins anew", () => {
  const world = makeWorld();
  const ups = notesOf(world, "keeper", "up");
  say(world, "one");
  world.runFor(20);
  assertThrows(() => world.loseDisk("b2"), Error, "it is up");
  world.crash("b2");
  world.loseDisk("b2");
  world.restart("b2");
  assertEquals(ups, [{ why: "new", words: 0 }]);
  assertEquals(world.file("b2", "words"), undefined);
});

Deno.test("World: input for a box that is down is lost with it", () => {
  const world = makeWorld();
  world.crash("b1");
  say(world, "one");
  world.runFor(10);
  world.restart("b1");
  world.runFor(20);
  assertEquals(world.printed("keeper"), []);
});
