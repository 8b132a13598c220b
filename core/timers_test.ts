import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { agentId } from "./id.ts";
import { type Timer, Timers } from "./timers.ts";

const a = agentId("a");
const b = agentId("b");

/** All that is due at `now`, as `agent name key`. */
function fire(timers: Timers, now: number): string[] {
  const fired: string[] = [];
  const { sequence } = timers;
  for (;;) {
    const timer = timers.popDue(now, sequence);
    if (timer === undefined) return fired;
    fired.push(show(timer));
  }
}

function show({ agent, name, key }: Pick<Timer, "agent" | "name" | "key">): string {
  return [agent, name, ...key === undefined ? [] : [key]].join(" ");
}

Deno.test("timers.popDue() goes by due time, and then by when each was armed", () => {
  const timers = new Timers();
  timers.set(a, "late", undefined, 30);
  timers.set(b, "second", undefined, 10);
  timers.set(a, "third", "k", 10);
  timers.set(a, "first", undefined, 5);
  assertEquals(timers.size, 4);
  assertEquals(fire(timers, 4), []);
  assertEquals(fire(timers, 10), ["a first", "b second", "a third k"]);
  assertEquals(timers.size, 1);
  assertEquals(timers.nextAt(), 30);
});

Deno.test("timers.popDue() fires at the very moment, and not before", () => {
  const timers = new Timers();
  timers.set(a, "x", undefined, 10);
  assertEquals(fire(timers, 9.999), []);
  assertEquals(fire(timers, 10), ["a x"]);
  assertEquals(fire(timers, 100), [], "a timer fires once");
  assertEquals(timers.nextAt(), undefined);
});

Deno.test("timers.popDue() leaves what was armed at or after the given sequence", () => {
  const timers = new Timers();
  timers.set(a, "x", undefined, 0);
  const { sequence } = timers;
  timers.set(a, "y", undefined, 0);
  assertEquals(timers.popDue(0, sequence)?.name, "x");
  assertEquals(timers.popDue(0, sequence), undefined);
  assertEquals(timers.popDue(0, timers.sequence)?.name, "y");
});

Deno.test("timers.set() replaces the timer of the same agent, name and key alone", () => {
  const timers = new Timers();
  timers.set(a, "x", undefined, 10);
  timers.set(a, "x", "k", 11);
  timers.set(b, "x", undefined, 12);
  timers.set(a, "x", undefined, 20);
  assertEquals(timers.size, 3);
  assertEquals(timers.of(a).map(({ at }) => at), [20, 11]);
  assertEquals(fire(timers, 20), ["a x k", "b x", "a x"]);
});

Deno.test("timers.set() of an earlier time counts, too", () => {
  const timers = new Timers();
  timers.set(a, "x", undefined, 20);
  timers.set(a, "x", undefined, 10);
  assertEquals(fire(timers, 10), ["a x"]);
  assertEquals(fire(timers, 20), []);
});

Deno.test("timers.clear() and clearAll() clear what they name, and are no error where there is nothing", () => {
  const timers = new Timers();
  timers.set(a, "x", undefined, 1);
  timers.set(a, "x", "k", 2);
  timers.set(b, "x", undefined, 3);
  timers.clear(a, "x", undefined);
  timers.clear(a, "x", undefined);
  timers.clear(a, "none", undefined);
  assertEquals(timers.size, 2);
  assertEquals(timers.nextAt(), 2);
  timers.clearAll(a);
  timers.clearAll(a);
  assertEquals(timers.size, 1);
  assertEquals(timers.of(a), []);
  assertEquals(fire(timers, 9), ["b x"]);
});

Deno.test("timers: one that is re-armed for ever does not fill the memory", () => {
  const timers = new Timers();
  timers.set(a, "soon", undefined, 1);
  const before = Deno.memoryUsage().heapUsed;
  for (let i = 0; i < 1_000_000; i++) timers.set(a, "far", undefined, 1e9 + i);
  assertEquals(timers.size, 2);
  // A million dead entries would be 80 MB or more.
  assert(Deno.memoryUsage().heapUsed - before < 40e6);
  assertEquals(fire(timers, 1), ["a soon"]);
  assertEquals(timers.nextAt(), 1e9 + 999_999);
});

/** The naive twin: a list, sorted by due time and by when each was armed. */
class Twin {
  list: (Timer & { sequence: number })[] = [];
  #sequence = 0;

  set(timer: Timer): void {
    this.clear(timer);
    this.list.push({ ...timer, sequence: this.#sequence++ });
    this.list.sort((x, y) => x.at - y.at || x.sequence - y.sequence);
  }

  clear(timer: Pick<Timer, "agent" | "name" | "key">): void {
    this.list = this.list.filter((each) => show(each) !== show(timer));
  }
}

Deno.test("timers do as a sorted list does", () => {
  const agent = fc.constantFrom(a, b);
  const name = fc.constantFrom("x", "y");
  const key = fc.constantFrom(undefined, "k", "l");
  const at = fc.integer({ min: 0, max: 20 });
  const act = fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant("set"), agent, name, key, at }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("clear"), agent, name, key, at }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("pop"), agent, name, key, at }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("clearAll"), agent, name, key, at }) },
  );
  // More than 64 acts, so that the heap is rebuilt now and then.
  const acts = fc.array(act, { maxLength: 300, size: "max" });
  fc.assert(
    fc.property(acts, (all) => {
      const timers = new Timers();
      const twin = new Twin();
      for (const { do: verb, ...timer } of all) {
        if (verb === "set") {
          timers.set(timer.agent, timer.name, timer.key, timer.at);
          twin.set(timer);
        } else if (verb === "clear") {
          timers.clear(timer.agent, timer.name, timer.key);
          twin.clear(timer);
        } else if (verb === "clearAll") {
          timers.clearAll(timer.agent);
          twin.list = twin.list.filter((each) => each.agent !== timer.agent);
        } else {
          const popped = timers.popDue(timer.at, timers.sequence);
          const due = twin.list.find((each) => each.at <= timer.at);
          assertEquals(popped && show(popped), due && show(due));
          twin.list = twin.list.filter((each) => each !== due);
        }
        assertEquals(timers.size, twin.list.length);
        assertEquals(timers.nextAt(), twin.list[0]?.at);
      }
    }),
    { numRuns: 50 },
  );
});
