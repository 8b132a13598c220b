import {
  assert,
  assertEquals,
  assertFalse,
  assertGreater,
  assertNotEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { z } from "zod";
import { type AgentDefinition, defineAgent } from "../core/define.ts";
import { OvidError } from "../core/error.ts";
import { text } from "../core/text.ts";
import { plainGrid } from "./plain_grid.ts";
import { World } from "./world.ts";
import type { WorldEvent } from "./world_event.ts";
import type { WorldOptions } from "./world_options.ts";
import { keeper, keeperGrid, makeWorld, say, speaker, wordsOf } from "../tests/sim/keeper_grid.ts";

Deno.test("World: carries lines from the terminal to the answer", () => {
  const world = makeWorld();
  say(world, "one", "two");
  assertEquals(world.printed("speaker"), []);
  world.runUntil(() => world.printed("speaker").length === 2);
  assertEquals(world.printed("speaker"), ["keeper one", "keeper two"]);
  assertEquals(world.printed("keeper"), ["one", "two"]);
  assertEquals(wordsOf(world), ["one", "two"]);
  assertEquals(world.file("b2", "words")?.replaceAll(/[\d.]+ /g, ""), "one\ntwo\n");
  assertEquals(world.mail.delivered, 4);
});

Deno.test("World: equal seeds give equal runs, byte for byte; others do not", () => {
  const run = (seed: bigint) => {
    const world = makeWorld({ seed, network: { loss: 0.2, duplicate: 0.1, reorder: 0.1 } });
    for (let i = 0; i < 50; i++) world.at(i, () => say(world, `word ${i}`));
    for (let i = 0; i < 5; i++) world.at(5 + 10 * i, () => world.crash("b2"));
    for (let i = 0; i < 5; i++) world.at(8 + 10 * i, () => world.restart("b2"));
    world.runFor(100);
    return world.transcript;
  };
  for (let seed = 0n; seed < 20n; seed++) {
    const [first, second, other] = [run(seed), run(seed), run(seed + 1n)];
    assertEquals(first.lines(), second.lines());
    assertEquals(first.hash, second.hash);
    assertNotEquals(first.hash, other.hash);
    assertGreater(first.events, 100);
  }
});

Deno.test("World: who looks on changes nothing", () => {
  const run = (options: Partial<WorldOptions>, seen: WorldEvent[]) => {
    const world = makeWorld(options);
    world.observe((event) => seen.push(event));
    say(world, "one");
    world.runFor(20);
    return world;
  };
  const seen: WorldEvent[] = [];
  const plain = run({}, []);
  const watched = run({ transcriptLines: 1 }, seen);
  assertEquals(watched.transcript.hash, plain.transcript.hash);
  assertEquals(watched.transcript.lines().length, 1);
  const kinds = new Set(seen.map((event) => event.kind));
  for (const kind of ["mail", "wake", "append", "sync", "input", "output", "note"] as const) {
    assert(kinds.has(kind), kind);
  }
});

Deno.test("World.runUntil(): says what did not happen, and what did", () => {
  const world = makeWorld({ seed: 99n });
  world.cut("b1", "b2");
  say(world, "one");
  const reached = () => world.printed("speaker").length > 0;
  const options = { withinMs: 50, what: "an echo" };
  const error = assertThrows(() => world.runUntil(reached, options), OvidError);
  assertEquals(error.code, "sim.liveness");
  assertStringIncludes(
    error.message,
    "Waited 50 virtual ms in vain for an echo (seed 99, at 50.000 ms)",
  );
  assertStringIncludes(error.message, 'speaker x  keeper  say {"word":"one"} (cut)');
  assertEquals(world.now, 50);
  // What is so already takes no time, and what comes true by time alone is seen.
  world.runUntil(() => true, { withinMs: 0 });
  world.runUntil(() => world.now >= 55, { withinMs: 5 });
});

Deno.test("World.runFor(): stops at its time, not before and not after", () => {
  const world = makeWorld();
  const seen: number[] = [];
  for (const ms of [1, 2, 3]) world.at(ms, () => seen.push(ms));
  world.runFor(2);
  assertEquals([seen, world.now], [[1, 2], 2]);
  world.runFor(0);
  assertEquals(seen, [1, 2]);
  world.runFor(0.999);
  assertEquals(seen, [1, 2]);
  world.runFor(0.001);
  assertEquals([seen, world.now], [[1, 2, 3], 3]);
});

Deno.test("World.step(): takes one event, and says when there is none", () => {
  const world = new World({ grid: keeperGrid, definitions: [keeper, speaker], seed: 1n });
  assertFalse(world.step());
  world.start();
  const { events } = world.transcript;
  assert(world.step());
  assertGreater(world.transcript.events, events);
});

Deno.test("World.cut(): stops mail both ways or one way, until heal()", () => {
  const world = makeWorld();
  world.cut("b2", "b1", { oneWay: true });
  say(world, "one");
  world.runFor(20);
  assertEquals([world.printed("keeper"), world.printed("speaker")], [["one"], []]);
  world.cut("b1", "b2");
  say(world, "two");
  world.runFor(20);
  assertEquals(world.printed("keeper"), ["one"]);
  world.heal("b1", "b2");
  say(world, "three");
  world.runFor(20);
  assertEquals([world.printed("keeper"), world.printed("speaker")], [["one", "three"], [
    "keeper three",
  ]]);
  world.cut("b1", "b2");
  world.heal();
  say(world, "four");
  world.runFor(20);
  assertEquals(world.printed("speaker"), ["keeper three", "keeper four"]);
});

Deno.test("World.eof(): reaches the agent, which may end in peace", () => {
  const world = makeWorld();
  world.eof("speaker");
  world.runFor(1);
  assertEquals(world.inspect("speaker")?.status, "stopped");
  assertStringIncludes(world.transcript.lines().join("\n"), "speaker ends");
});

Deno.test("World: a run in which time stands still is ended", () => {
  const spinner = defineAgent({
    type: "spinner",
    version: 1,
    doc: "Sets a timer of no length again and again.",
    attrs: z.object({}),
    protocol: {},
    timers: ["now"],
    init: () => ({}),
    start: (_state, ctx) => ctx.setTimer("now", 0),
    on: {},
    onTimer: { now: (_state, ctx) => ctx.setTimer("now", 0) },
  });
  const grid = plainGrid({ spinner: { type: "spinner", box: "b1" } });
  const world = new World({ grid, definitions: [spinner], seed: 1n });
  world.start();
  assertThrows(() => world.runFor(1), OvidError, "Time stands still");
});

Deno.test("World: work that one step leaves is done in the next", () => {
  const crowd = defineAgent({
    type: "crowd",
    version: 1,
    doc: "Writes 3000 times to itself.",
    attrs: z.object({}),
    protocol: { text },
    init: () => ({ heard: 0 }),
    start(_state, ctx) {
      for (let i = 0; i < 3000; i++) ctx.sendTo(ctx.self, { type: "text", port: 0, text: "x" });
    },
    on: {
      text(state) {
        state.heard++;
      },
    },
  });
  const grid = plainGrid({ crowd: { type: "crowd", box: "b1" } });
  const world = new World({ grid, definitions: [crowd], seed: 1n });
  world.start();
  world.runFor(0);
  assertEquals(world.inspect("crowd")?.state, { durable: undefined, heard: 3000 });
});

Deno.test("World: boxes do not share a clock or their luck, nor do two lives of one box", () => {
  const seer = defineAgent({
    type: "seer",
    version: 1,
    doc: "Tells the time and a number.",
    attrs: z.object({}),
    protocol: {},
    init: () => ({}),
    start: (_state, ctx) => ctx.note("saw", { now: ctx.now, random: ctx.random() }),
    on: {},
  });
  const grid = plainGrid({ a: { type: "seer", box: "b1" }, b: { type: "seer", box: "b2" } });
  const world = new World({ grid, definitions: [seer], seed: 1n });
  const seen = new Set<unknown>();
  world.observe((event) => {
    if (event.kind !== "note" || typeof event.note.detail !== "object") return;
    for (const value of Object.values(event.note.detail ?? {})) seen.add(value);
  });
  world.start();
  world.restart("b1");
  assertEquals(seen.size, 6);
});

Deno.test("World: loss takes mail within a box as well", () => {
  const world = makeWorld({ loss: 1 });
  say(world, "one");
  world.runFor(20);
  assertEquals(world.mail.sent, 0);
  assertStringIncludes(world.transcript.lines().join("\n"), "mail.lost");
});

Deno.test("World: misuse is answered with what is wanted", () => {
  const world = makeWorld();
  const refusals: [() => void, string][] = [
    [() => world.crash("b9"), 'Cannot crash box "b9", want one of b1, b2'],
    [() => world.start("b1"), 'Cannot start box "b1": it is up'],
    [() => world.resume("b1"), "it does not stand still"],
    [() => world.line("nobody", "x"), 'Cannot find agent "nobody", want one of speaker, keeper'],
    [() => world.line("keeper", "x"), "its type keeper has no terminal"],
    [() => world.at(-1, () => {}), "Cannot use -1 ms"],
    [() => world.runFor(NaN), "Cannot use NaN ms"],
  ];
  for (const [act, words] of refusals) assertThrows(act, Error, words);
  world.pause("b1");
  assertThrows(() => world.pause("b1"), Error, "it stands still");
  world.crash("b1");
  for (const act of ["crash", "pause", "resume"] as const) {
    assertThrows(() => world[act]("b1"), Error, `Cannot ${act} box "b1": it is down`);
  }
  world.runFor(10);
  assertThrows(() => world.at(9, () => {}), RangeError, "it is 10 ms already");
});

Deno.test("World: options out of range are refused", () => {
  const make = (options: Partial<WorldOptions>) => () => makeWorld(options);
  assertThrows(make({ seed: -1n }), RangeError, "seed is -1");
  assertThrows(make({ seed: 1n << 64n }), RangeError, "want 0 to 18446744073709551615");
  assertThrows(make({ loss: 2 }), RangeError, "loss is 2");
  assertThrows(make({ network: { loss: 2 } }), RangeError, "network.loss is 2");
  assertThrows(
    make({ definitions: [keeper] }),
    TypeError,
    'its type is "speaker", want one of keeper',
  );
  makeWorld({ seed: (1n << 64n) - 1n });
});

Deno.test("World: takes definitions by the names that the grid uses", () => {
  const grid = plainGrid({ a: { type: "./my_keeper.ts", box: "b1" } });
  const definitions = new Map<string, AgentDefinition>([["./my_keeper.ts", keeper]]);
  const world = new World({ grid, definitions, seed: 1n });
  world.start();
  assertEquals(world.inspect("a")?.status, "running");
});
