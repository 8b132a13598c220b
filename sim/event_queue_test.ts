import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { EventQueue } from "./event_queue.ts";

function drain<E>(queue: EventQueue<E>): E[] {
  const events: E[] = [];
  for (let event = queue.pop(); event !== undefined; event = queue.pop()) events.push(event);
  return events;
}

Deno.test("EventQueue.pop(): gives events by time, and those of one moment in the order of pushing", () => {
  const times = fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 200 });
  fc.assert(fc.property(times, (times) => {
    const queue = new EventQueue<{ time: number; index: number }>();
    const events = times.map((time, index) => ({ time, index }));
    for (const event of events) queue.push(event.time, event);
    // Sorting is stable, so that this is the plain twin.
    assertEquals(drain(queue), events.toSorted((a, b) => a.time - b.time));
  }));
});

Deno.test("EventQueue.push(): between pops keeps the order", () => {
  const operations = fc.array(fc.option(fc.integer({ min: 0, max: 20 })), { maxLength: 200 });
  fc.assert(fc.property(operations, (operations) => {
    const queue = new EventQueue<number>();
    const twin: { time: number; index: number }[] = [];
    for (const [index, time] of operations.entries()) {
      if (time !== null) {
        queue.push(time, index);
        twin.push({ time, index });
        continue;
      }
      twin.sort((a, b) => a.time - b.time || a.index - b.index);
      assertEquals(queue.nextAtUs, twin[0]?.time);
      assertEquals(queue.pop(), twin.shift()?.index);
    }
    assertEquals(queue.size, twin.length);
    assertEquals([...queue.pending()].toSorted(), twin.map(({ index }) => index).toSorted());
  }));
});

Deno.test("EventQueue: an empty one has nothing to give", () => {
  const queue = new EventQueue<string>();
  assertEquals([queue.pop(), queue.nextAtUs, queue.size], [undefined, undefined, 0]);
  queue.push(5, "once");
  assertEquals([queue.nextAtUs, queue.pop(), queue.pop()], [5, "once", undefined]);
});
