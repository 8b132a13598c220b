import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { boxId } from "./plain_grid.ts";
import { Transcript } from "./transcript.ts";
import type { WorldEvent } from "./world_event.ts";

const wake = (atUs: number): WorldEvent => ({ kind: "wake", atUs, box: boxId("b1") });

Deno.test("Transcript.lines(): are the last events, oldest first, as many as are kept", () => {
  const transcript = new Transcript(3);
  assertEquals(transcript.lines(), []);
  for (let ms = 1; ms <= 2; ms++) transcript.record(wake(ms * 1000));
  assertEquals(transcript.lines(), ["       1.000  b1 wakes", "       2.000  b1 wakes"]);
  for (let ms = 3; ms <= 5; ms++) transcript.record(wake(ms * 1000));
  assertEquals(transcript.lines().map((line) => line.trim()[0]), ["3", "4", "5"]);
  assertEquals(transcript.lines(1), ["       5.000  b1 wakes"]);
  assertEquals(transcript.lines(0), []);
  assertEquals(transcript.events, 5);
});

Deno.test("Transcript.hash: depends on every event, also on those that are no longer kept", () => {
  const hashOf = (times: number[], linesMax: number) => {
    const transcript = new Transcript(linesMax);
    for (const time of times) transcript.record(wake(time));
    return transcript.hash;
  };
  assertEquals(hashOf([1, 2, 3], 1), hashOf([1, 2, 3], 1000));
  assertNotEquals(hashOf([1, 2, 3], 1), hashOf([0, 2, 3], 1));
  assertNotEquals(hashOf([1, 2, 3], 1), hashOf([2, 1, 3], 1));
});

Deno.test("Transcript.observe(): shows each event once, to everybody, in order", () => {
  const transcript = new Transcript();
  const seen: string[] = [];
  transcript.observe((event) => seen.push(`first ${event.atUs}`));
  transcript.observe((event) => seen.push(`second ${event.atUs}`));
  transcript.record(wake(1));
  transcript.record(wake(2));
  assertEquals(seen, ["first 1", "second 1", "first 2", "second 2"]);
});

Deno.test("Transcript: keeps one line at least", () => {
  new Transcript(1);
  for (const lines of [0, -1, 1.5, Infinity]) {
    assertThrows(() => new Transcript(lines), RangeError, "want at least 1");
  }
});
