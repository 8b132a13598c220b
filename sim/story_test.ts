import { assert, assertEquals, assertThrows } from "@std/assert";
import { keeper, keeperGrid, speaker } from "../tests/sim/keeper_grid.ts";
import { defineCast } from "./cast.ts";
import { kvsCast } from "./casts/kvs.ts";
import { type Story, storyOf } from "./story.ts";

/** Speaks to a keeper whose notes nobody wants to read. */
const keeperCast = defineCast({
  name: "keeper",
  options: { words: 1, voice: "low" },
  grid: () => keeperGrid,
  definitions: [{ ...keeper, start() {} }, speaker],
  repeated: ["heard"],
});

function tell(story: Story, ...commands: string[]): readonly string[] {
  for (const command of commands) story.tell(command);
  return story.take();
}

/** A keeper on `b2`, whose box takes 5 ms for a sync, and a speaker on `b1`. */
function started(): Story {
  const story = storyOf([keeperCast, kvsCast]);
  tell(story, "grid keeper sync=5", "start", "run 10");
  return story;
}

Deno.test("Story shows mail where it arrives, and records when they are durable", () => {
  assertEquals(tell(started(), "client speaker hello", "stabilize"), [
    "speaker  -> keeper   say word=hello",
    "         .. 5 ms later",
    "keeper   !  journal  hello",
    "keeper   >  hello",
    "keeper   >  words: hello",
    "keeper   -> speaker  heard word=hello",
    "speaker  >  keeper hello",
  ]);
});

Deno.test("Story leaves out what says again what was said, and says so of nothing else", () => {
  const story = started();
  tell(story, "client speaker a", "stabilize");
  const lines = tell(story, "client speaker a", "stabilize");
  assert(lines.includes("speaker  -> keeper   say word=a"));
  assert(!lines.some((line) => line.includes("heard")));
});

Deno.test("Story joins what several do at once, or one does to several", () => {
  const story = storyOf([kvsCast]);
  assertEquals(tell(story, "grid kvs clients=2", "start"), [
    "c1 c2 store :: starts with an empty disk",
  ]);
});

Deno.test("Story: in a power cut what was not synced is lost; a process that dies leaves what it wrote", () => {
  const cut = started();
  assertEquals(tell(cut, "client speaker a", "run 2", "power-cut", "start", "state keeper"), [
    "speaker  -> keeper   say word=a",
    "keeper   x  journal  a (not synced)",
    "b1 b2    :: starts with an empty disk",
    "keeper   =  ticks=0 said=0 durable={words=[]}",
  ]);
  const killed = started();
  assertEquals(
    tell(killed, "client speaker a", "run 2", "restart b2", "state keeper").at(-1),
    [
      "keeper   =  ticks=0 said=0 durable={words=[a]}",
    ].at(-1),
  );
  assertEquals(
    tell(killed, "crash b2", "lose-disk b2", "start b2", "state keeper").at(-1),
    "keeper   =  ticks=0 said=0 durable={words=[]}",
  );
});

Deno.test("Story: cut and heal, one way or both, and drop", () => {
  const story = started();
  const fates = (...commands: string[]) =>
    tell(story, ...commands, "run 20").filter((line) => line.includes(" say "));
  const arrives = "speaker  -> keeper   say word=a";
  const isCut = "speaker  x  keeper   say word=a (cut)";
  assertEquals(fates("cut b1 -> b2", "client speaker a"), [isCut]);
  assertEquals(fates("heal b1 -> b2", "client speaker a"), [arrives]);
  assertEquals(fates("cut b2 -> b1", "client speaker a"), [arrives]);
  assertEquals(fates("cut b1 b2", "client speaker a"), [isCut]);
  assertEquals(fates("heal", "client speaker a"), [arrives]);
  assertEquals(
    fates("drop b1 b2 say", "drop b1 b2 heard", "client speaker a", "client speaker b"),
    [
      "speaker  x  keeper   say word=a (lost)",
      "speaker  -> keeper   say word=b",
    ],
  );
});

Deno.test("Story: a box that stands still takes what comes when it goes on", () => {
  const story = started();
  assertEquals(tell(story, "pause b2", "client speaker a", "run 3"), ["ok"]);
  assertEquals(tell(story, "resume b2"), ["speaker  -> keeper   say word=a"]);
});

Deno.test("Story: until lets just so much time pass, and fails if that is not enough", () => {
  const story = started();
  tell(story, "client speaker a", "until keeper said=1");
  assertEquals(tell(story, "run 4").length, 1);
  assert(tell(story, "run 2").includes("keeper   !  journal  a"));
  assertThrows(
    () => tell(story, "until keeper said=2"),
    Error,
    "Waited 5000 ms for keeper said=2, it is ",
  );
});

Deno.test("Story: a quiet block shows what was printed and asked for, and counts the rest", () => {
  const story = started();
  assertEquals(tell(story, "quietly", "client speaker a", "stabilize", "state speaker"), [
    "keeper   >  a",
    "keeper   >  words: a",
    "speaker  >  keeper a",
    "speaker  =",
    "(3 lines left out)",
  ]);
  assertEquals(tell(story, "run 1"), ["ok"]);
  assertThrows(() => tell(story, "run 1", "quietly"), SyntaxError, "quietly stands before");
});

Deno.test("Story: a fault is a line, and the story goes on", () => {
  const lines = tell(started(), "client speaker throw", "client speaker a", "stabilize");
  assert(lines.includes("keeper   :: fault, then rebuild: it was told to"), lines.join("\n"));
  assert(lines.includes("speaker  >  keeper a"));
});

Deno.test("Story: a block does not get longer than anybody could read", () => {
  const story = started();
  for (let i = 0; i < 10_000; i++) story.tell("state speaker");
  assertThrows(() => story.tell("state speaker"), Error, "A block has more than 10000 lines");
});

Deno.test("Story: equal seeds tell equal stories", () => {
  const story = (seed: number) =>
    tell(
      storyOf([kvsCast]),
      `grid kvs seed=${seed}`,
      "start",
      "drop c1 store put",
      "client c1 put a 1",
      "stabilize 400",
    );
  assertEquals(story(1), story(1));
  // The lot that a client draws for its second try.
  assert(story(1).join("\n") !== story(2).join("\n"));
});

Deno.test("Story refuses commands and arguments that it does not know", () => {
  const wrong: [command: string, why: string][] = [
    ["crush b1", 'Cannot do "crush", want one of grid, quietly, '],
    ["run", 'Cannot do "run", want run MS'],
    ["run 1 2", 'Cannot do "run 1 2", want run MS'],
    ["run soon", 'Cannot use "soon", want a number'],
    ["run -1", 'Cannot use "-1", want a number'],
    ["crash", 'Cannot do "crash", want crash BOX...'],
    ["crash b3", 'Cannot crash box "b3", want one of b1, b2'],
    ["cut b1", 'Cannot do "cut b1", want cut BOX [->] BOX...'],
    ["cut b1 ->", 'Cannot do "cut b1 ->", want cut BOX [->] BOX...'],
    ["heal b1", 'Cannot do "heal b1", want heal [BOX [->] BOX...]'],
    ["drop b1 b2 say 1.5", 'Cannot use "1.5", want a whole number'],
    ["start b1", 'Cannot start box "b1": it is up'],
    ["state nobody", 'Cannot find agent "nobody"'],
    ["client keeper hello", 'Cannot type to agent "keeper"'],
    ["grid paxos", 'There is no grid "paxos", want one of keeper, kvs'],
    ["grid keeper sped=1", 'Cannot use "sped=1", want one of seed=..., '],
    ["grid keeper words", 'Cannot use "words", want one of '],
    ["grid keeper words=many", 'Cannot use "words=many", want a number'],
    ["grid keeper seed=x", 'Cannot use "x" as a seed'],
  ];
  for (const [command, why] of wrong) {
    assertThrows(() => started().tell(command), Error, why);
  }
  assertThrows(() => storyOf([keeperCast]).tell("run 1"), Error, "There is no grid yet");
});
