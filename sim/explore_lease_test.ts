import { assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import { leaseNode, makeLeaseNode } from "../agents/lease/node.ts";
import { type LeaseRules, leaseRules } from "../agents/lease/rules.ts";
import { explore } from "./explore.ts";
import { reachedUs, shownMs } from "./explore_clock.ts";
import { leaseSubjectOf } from "./explore_lease.ts";
import { type BoxState, choicesOf } from "./explore_state.ts";
import { boxId } from "./plain_grid.ts";

function broken(rules: Partial<LeaseRules>) {
  return leaseSubjectOf(makeLeaseNode({ ...leaseRules, ...rules }));
}

Deno.test("explore() goes through all of lease, with a timer or with a crash, and finds nothing", () => {
  const subject = leaseSubjectOf(leaseNode);
  const timer = explore(subject, { timers: 1, crashes: 0 });
  const crash = explore(subject, { timers: 0, crashes: 1 });
  assertEquals([timer.complete, timer.violation], [true, undefined]);
  assertEquals([crash.complete, crash.violation], [true, undefined]);
  // Far fewer would mean that something never happens.
  assertGreater(timer.states, 30_000);
  assertGreater(crash.states, 10_000);
});

Deno.test("explore() reaches an owner in lease, and a second one after the first", () => {
  const subject = leaseSubjectOf(leaseNode);
  const owners = new Set<string>();
  const watched: typeof subject = {
    ...subject,
    judge(seen, step, violated) {
      const next = subject.judge(seen, step, violated);
      for (const agent of Object.keys(next)) owners.add(agent);
      return next;
    },
  };
  explore(watched, { timers: 1, crashes: 0 });
  assertEquals([...owners].sort(), ["n1", "n2"]);
});

Deno.test("explore() finds an acceptor of a lease that votes as soon as it has started", () => {
  const { violation } = explore(broken({ firstVoteAt: (startedAt) => startedAt }), { timers: 0 });
  assertStringIncludes(violation?.what ?? "", "owns the lease while");
  assertEquals(violation?.story.some((line) => line.includes("crashes")), true);
});

Deno.test("explore() finds an owner of a lease that takes slow and fast clocks for right", () => {
  const bounds = { timers: 1, crashes: 0 };
  const { violation } = explore(broken({ countedMs: (leaseMs) => leaseMs }), bounds);
  assertEquals(violation?.what, "n2 owns the lease while n1 does");
});

Deno.test("shownMs() and reachedUs(): a clock shows a time from the first moment on that it reaches it", () => {
  for (const driftPpm of [-500_000, -100_000, -1, 0, 1, 100_000, 500_000]) {
    for (const ms of [0, 0.001, 1, 81, 120, 1234.567]) {
      const us = reachedUs(ms, driftPpm);
      assertEquals(shownMs(us, driftPpm) >= ms, true);
      assertEquals(us === 0 || shownMs(us - 1, driftPpm) < ms, true);
    }
  }
});

Deno.test("choicesOf(): in a time of all boxes only those timers may fire that are due first", () => {
  const box = (dueUs: number | undefined): BoxState => ({
    ...{ id: 0, box: boxId("b"), agents: new Map(), up: true, life: 1, now: 0, durable: "" },
    ...{ images: new Map(), wakeAt: dueUs === undefined ? undefined : dueUs / 1000, dueUs },
  });
  const timers = (us: number, ...dues: (number | undefined)[]) => {
    const boxes = dues.map(box);
    const seen = { id: 0, value: 0 };
    const whole = { ...{ path: undefined, us, boxes, links: [], seen }, losses: 0, crashes: 0 };
    return [...choicesOf({ ...whole, timers: 1 }, [])].map((choice) =>
      "box" in choice ? choice.box : -1
    );
  };
  assertEquals(timers(0, 3000, 2000, undefined, 2000), [1, 3]);
  // What is overdue is due now, all alike.
  assertEquals(timers(5000, 3000, 2000, 6000), [0, 1]);
});
