import { assertEquals, assertThrows } from "@std/assert";
import { OvidError } from "../core/error.ts";
import { Timeline, toUs } from "./timeline.ts";

Deno.test("Timeline.next(): moves time to the event, and no further than it may", () => {
  const timeline = new Timeline<string>();
  timeline.schedule(5, "later");
  timeline.schedule(2, "sooner");
  assertEquals([timeline.next(1), timeline.nowUs], [undefined, 0]);
  assertEquals([timeline.next(2), timeline.nowUs], ["sooner", 2]);
  assertEquals([...timeline.pending()], ["later"]);
  assertEquals([timeline.next(4), timeline.nowUs], [undefined, 2]);
  assertEquals([timeline.next(Infinity), timeline.nowUs], ["later", 5]);
  assertEquals([timeline.next(Infinity), timeline.nowUs], [undefined, 5]);
});

Deno.test("Timeline.schedule(): what is overdue happens now, behind what is due already", () => {
  const timeline = new Timeline<string>();
  timeline.pass(10);
  timeline.schedule(10, "due");
  timeline.schedule(3, "overdue");
  assertEquals([timeline.next(10), timeline.next(10), timeline.nowUs], ["due", "overdue", 10]);
});

Deno.test("Timeline.pass(): never goes back", () => {
  const timeline = new Timeline<string>();
  timeline.pass(10);
  timeline.pass(5);
  assertEquals(timeline.nowUs, 10);
});

Deno.test("Timeline.eventsAtOnce: counts what happens while time stands still", () => {
  const timeline = new Timeline<number>();
  for (const atUs of [1, 1, 1, 2]) timeline.schedule(atUs, atUs);
  const counts: number[] = [];
  while (timeline.next(9) !== undefined) counts.push(timeline.eventsAtOnce);
  assertEquals(counts, [1, 2, 3, 1]);
});

Deno.test("Timeline.schedule(): refuses to fill the memory", () => {
  const timeline = new Timeline<number>(3);
  for (let i = 0; i < 3; i++) timeline.schedule(i, i);
  assertThrows(() => timeline.schedule(3, 3), OvidError, "3 events are pending");
  timeline.next(Infinity);
  timeline.schedule(3, 3);
});

Deno.test("toUs(): takes milliseconds from 0, to the microsecond", () => {
  assertEquals([0, 0.001, 0.0014, 12.345, 1e12].map(toUs), [0, 1, 1, 12_345, 1e15]);
  for (const ms of [-0.001, NaN, Infinity, 1e13]) assertThrows(() => toUs(ms), RangeError);
});
