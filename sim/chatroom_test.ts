// Simulated chatrooms: who sees whom when, in which order messages arrive, and what survives.

import { assertEquals, assertThrows } from "@std/assert";
import { silenceMs } from "../core/membership.ts";
import { SimulatedChatroom } from "./chatroom.ts";

function roomOf(boxes: readonly string[], seed = 0n): SimulatedChatroom {
  const room = new SimulatedChatroom({ numeric: true, seed });
  for (const box of boxes) room.start(box);
  return room;
}

Deno.test("SimulatedChatroom: boxes see each other after a moment of virtual time, not before", () => {
  const room = roomOf(["0", "1"]);
  assertEquals(room.command("0", "alive"), "alive 0");
  room.advance(1);
  assertEquals([room.command("0", "alive"), room.command("1", "alive")], [
    "alive 0,1",
    "alive 0,1",
  ]);
  assertEquals([room.now, room.running], [1, ["0", "1"]]);
});

Deno.test("SimulatedChatroom: numbers are sorted as numbers, names of boxes as text", () => {
  for (const [numeric, alive] of [[true, "alive 2,10"], [false, "alive 10,2"]] as const) {
    const room = new SimulatedChatroom({ numeric });
    room.start("10");
    room.start("2");
    room.advance(1);
    assertEquals(room.command("2", "alive"), alive);
  }
});

Deno.test("SimulatedChatroom: heartbeats keep quiet links up", () => {
  const room = roomOf(["0", "1"]);
  for (let ms = 0; ms < 5 * silenceMs; ms += 10) {
    room.advance(10);
    assertEquals(room.command("0", "alive"), "alive 0,1", `at ${room.now} ms`);
  }
});

Deno.test("SimulatedChatroom: a crash is seen at once, long before silence would tell", () => {
  const room = roomOf(["0", "1", "2"]);
  room.advance(300);
  room.crash("1");
  room.advance(1);
  assertEquals(room.command("0", "alive"), "alive 0,2");
  assertThrows(() => room.command("1", "alive"), RangeError, "box 1: it is not running");
  assertThrows(() => room.crash("1"), RangeError, "box 1: it is not running");
});

Deno.test("SimulatedChatroom: broadcasts of one box arrive in their order, with every seed", () => {
  const texts = Array.from({ length: 50 }, (_, index) => `m${index}`);
  const mixed = new Set<string | undefined>();
  for (let seed = 0n; seed < 20n; seed++) {
    const room = roomOf(["0", "1", "2"], seed);
    room.advance(1);
    for (const text of texts) room.command("1", `broadcast ${text}`);
    assertEquals(room.command("0", "get"), "messages ");
    room.advance(1);
    for (const box of room.running) {
      assertEquals(room.command(box, "get"), `messages ${texts.join(",")}`);
    }
    // Two senders at once have no order between them: the seed decides.
    room.command("1", "broadcast a");
    room.command("2", "broadcast b");
    room.advance(1);
    mixed.add(room.command("0", "get"));
  }
  assertEquals(mixed.size, 2);
});

Deno.test("SimulatedChatroom: what was sent before a crash arrives, also when the box is back at once", () => {
  const room = roomOf(["0", "1"]);
  room.advance(1);
  room.command("1", "broadcast last words");
  assertEquals(room.command("1", "crash"), undefined);
  room.start("1");
  room.advance(1);
  assertEquals(room.command("0", "get"), "messages last words");
  assertEquals(room.command("1", "get"), "messages ");
  room.advance(2 * silenceMs);
  assertEquals(room.command("0", "alive"), "alive 0,1");
  assertThrows(() => room.start("1"), RangeError, "Cannot start box 1: it is running");
});

Deno.test("SimulatedChatroom: two boxes link only if each knows the other", () => {
  const room = new SimulatedChatroom();
  room.start("a", (peer) => peer !== "c");
  room.start("b");
  room.start("c");
  room.advance(1);
  assertEquals(["a", "b", "c"].map((box) => room.command(box, "alive")), [
    "alive a,b",
    "alive a,b,c",
    "alive b,c",
  ]);
});

Deno.test("SimulatedChatroom: time does not go back", () => {
  assertThrows(() => new SimulatedChatroom().advance(-1), RangeError, "-1 ms");
});
