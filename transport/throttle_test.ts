import { assertEquals } from "@std/assert";
import type { Json } from "../core/data.ts";
import { NoteThrottle } from "./throttle.ts";

Deno.test("NoteThrottle: passes one note a period for each key", () => {
  const noted: [string, Json][] = [];
  const throttle = new NoteThrottle(1e9, (...note) => noted.push(note));
  for (let i = 0; i < 3; i++) {
    throttle.note("mail a", "mail", { peer: "a", i });
    throttle.note("mail b", "mail", { peer: "b", i });
  }
  assertEquals(noted, [["mail", { peer: "a", i: 0 }], ["mail", { peer: "b", i: 0 }]]);
});

Deno.test("NoteThrottle: says after the period how many notes were left out", async () => {
  const noted: Json[] = [];
  const throttle = new NoteThrottle(500, (_, detail) => noted.push(detail));
  for (let i = 0; i < 4; i++) throttle.note("key", "event", { i });
  await new Promise((resolve) => setTimeout(resolve, 510));
  throttle.note("key", "event", { i: 4 });
  assertEquals(noted, [{ i: 0 }, { i: 4, leftOut: 3 }]);
});
