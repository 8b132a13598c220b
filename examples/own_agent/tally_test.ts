import { assert, assertEquals, assertThrows } from "@std/assert";
import { plainGrid, rig, World } from "ovid";
import tally, { wordsMax } from "./tally.ts";

Deno.test("tally counts what is typed, and says so", () => {
  const agent = rig(tally);
  for (const line of ["tea", " coffee ", "", "tea"]) agent.line(line);
  agent.eof();
  assertEquals(agent.printed, [
    "Words, please (0 known)",
    "tea: 1",
    "coffee: 1",
    "tea: 2",
    "3 typed, goodbye",
  ]);
  assert(agent.stopped);
});

Deno.test("tally counts for other agents, and remembers through a crash", () => {
  const agent = rig(tally, { attrs: { greeting: "Hello" }, peers: ["alice"] });
  agent.deliver("alice", { type: "count", word: "tea" });
  agent.restart();
  agent.deliver("alice", { type: "count", word: "tea" });
  assertEquals(agent.sent, [
    { to: "alice", message: { type: "counted", word: "tea", times: 1 } },
    { to: "alice", message: { type: "counted", word: "tea", times: 2 } },
  ]);
  assertEquals(agent.printed, ["Hello (0 known)", "Hello (1 known)"]);
});

Deno.test("tally counts so many words and no more", () => {
  const agent = rig(tally);
  for (let i = 0; i <= wordsMax; i++) agent.line(`w${i}`);
  assertEquals(agent.notes.map(({ event, detail }) => [event, detail]), [
    ["turned away", `w${wordsMax}`],
  ]);
  agent.line("w0");
  assertEquals(agent.printed.at(-1), "w0: 2");
});

Deno.test("tally takes no messages but its own", () => {
  const agent = rig(tally, { peers: ["alice"] });
  assertThrows(() => agent.deliver("alice", { type: "tell" }), TypeError, "want one of count");
  assertThrows(() => agent.deliver("alice", { type: "count", word: 1 }), TypeError, "word");
});

Deno.test("tally never shows a count that a crash takes back, over 200 seeds", () => {
  for (let seed = 0n; seed < 200n; seed++) {
    const grid = plainGrid({ tally: { type: "tally", box: "b" } });
    const world = new World({ grid, definitions: [tally], seed });
    world.start();
    for (let i = 0; i < 20; i++) world.line("tally", "tea");
    world.runFor(world.random());
    world.restart("b");
    // The greetings aside: nothing was shown twice, so nothing that was shown was forgotten.
    world.line("tally", "tea");
    world.runFor(100);
    const counts = world.printed("tally").filter((line) => line.startsWith("tea"));
    assertEquals(new Set(counts).size, counts.length, `seed ${seed}: ${counts}`);
  }
});
