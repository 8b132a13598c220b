import { assertEquals } from "@std/assert";
import type { Call } from "./history.ts";
import { kvModel } from "./linearizable_model.ts";
import { type Part, preparePart, type Step } from "./linearizable_part.ts";
import { EventRing } from "./linearizable_ring.ts";

function put(invokeUs: number, returnUs?: number): Call {
  const operation = { kind: "put", key: "x", value: `${invokeUs}` };
  const result = returnUs === undefined ? undefined : { kind: "stored" };
  return { client: `c${invokeUs}`, operation, result, invokeUs, returnUs };
}

/** The numbers of the steps in the order of the events that are in the ring. */
function eventsIn(ring: EventRing): number[] {
  const events: number[] = [];
  for (let place = ring.after(ring.end); place !== ring.end; place = ring.after(place)) {
    events.push(ring.stepAt(place));
  }
  return events;
}

function makeRing(...calls: Call[]): { ring: EventRing; steps: readonly Step[] } {
  const { steps, places }: Part<string> = preparePart(calls, kvModel);
  return { ring: new EventRing(steps, places), steps };
}

function step(steps: readonly Step[], index: number): Step {
  const found = steps[index];
  if (found === undefined) throw new Error(`There is no step ${index}`);
  return found;
}

Deno.test("EventRing is empty without answered steps", () => {
  assertEquals(eventsIn(makeRing().ring), []);
  const cas = { kind: "cas", key: "x", expected: "1", value: "2" };
  const lost = { client: "c", operation: cas, result: undefined, invokeUs: 1, returnUs: undefined };
  assertEquals(eventsIn(makeRing(lost).ring), []);
});

Deno.test("EventRing goes through invocations and returns in their order", () => {
  assertEquals(eventsIn(makeRing(put(0, 20), put(5, 10), put(30, 40)).ring), [0, 1, 1, 0, 2, 2]);
});

Deno.test("EventRing takes steps out and gets them back in the opposite order", () => {
  const { ring, steps } = makeRing(put(0, 20), put(5, 10), put(30, 40));
  const [first, second, third] = [step(steps, 0), step(steps, 1), step(steps, 2)];
  ring.remove(second);
  assertEquals(eventsIn(ring), [0, 0, 2, 2]);
  ring.remove(first);
  assertEquals(eventsIn(ring), [2, 2]);
  ring.remove(third);
  assertEquals(eventsIn(ring), []);
  ring.restore(third);
  ring.restore(first);
  assertEquals(eventsIn(ring), [0, 0, 2, 2]);
  ring.restore(second);
  assertEquals(eventsIn(ring), [0, 1, 1, 0, 2, 2]);
});

Deno.test("EventRing lets who stands at an invocation go on when the step is taken out", () => {
  const { ring, steps } = makeRing(put(0, 1), put(5, 10), put(30, 40));
  const first = step(steps, 0);
  ring.remove(first);
  assertEquals(ring.stepAt(ring.after(first.invokedAt)), 1);
});
