import { assertEquals } from "@std/assert";
import { type Random, randomInteger, seededRandom } from "../../core/random.ts";
import type { Deadline } from "./machine_deadlines.ts";
import {
  begin,
  end,
  follow,
  nameOf,
  newClock,
  nextDue,
  prolong,
  putBack,
  sessionName,
  takeDue,
} from "./server_clock.ts";

function sessionDeadline(session: number, ms: number): Deadline {
  return { ms, operation: { kind: "expireSession", session, renewal: 0, term: 1 } };
}

Deno.test("server_clock takes what is due, the earliest first, and at most so many", () => {
  const clock = newClock();
  for (const [session, ms] of [[1, 30], [2, 10], [3, 20]] as const) {
    begin(clock, sessionDeadline(session, ms), 100);
  }
  assertEquals(nextDue(clock), 110);
  assertEquals(takeDue(clock, 109, 9), []);
  assertEquals(takeDue(clock, 120, 1), ["session 2"]);
  assertEquals(takeDue(clock, 120, 9), ["session 3"]);
  assertEquals(nextDue(clock), 130);
});

Deno.test("server_clock lets a prolonged deadline wait for its new time", () => {
  const clock = newClock();
  begin(clock, sessionDeadline(1, 30), 0);
  const timed = clock.timed.get(sessionName(1));
  if (timed !== undefined) prolong(timed, 20);
  assertEquals(takeDue(clock, 30, 9), []);
  assertEquals(nextDue(clock), 50);
  assertEquals(takeDue(clock, 50, 9), ["session 1"]);
});

Deno.test("server_clock times again what was taken and put back", () => {
  const clock = newClock();
  begin(clock, sessionDeadline(1, 30), 0);
  assertEquals(takeDue(clock, 30, 9), ["session 1"]);
  const timed = clock.timed.get(sessionName(1));
  if (timed !== undefined) prolong(timed, 31);
  putBack(clock, "session 1");
  putBack(clock, "session 1");
  assertEquals(takeDue(clock, 60, 9), []);
  assertEquals(takeDue(clock, 61, 9), ["session 1"]);
  assertEquals(takeDue(clock, 99, 9), []);
});

Deno.test("server_clock begins and ends deadlines as events say", () => {
  const clock = newClock();
  const at = { term: 3, now: 0 };
  const entry = {
    key: "a",
    value: "",
    createRevision: 2,
    modifyRevision: 2,
    version: 1,
    session: null,
    ttlMs: 5,
  };
  follow(clock, { kind: "keyStored", revision: 2, entry }, at);
  const waiting = { key: "l", session: 1, ticket: 3, mode: "exclusive" as const };
  follow(clock, { kind: "waitBegun", revision: 3, ...waiting, waitMs: 7 }, at);
  follow(clock, { kind: "sessionOpened", revision: 4, session: 4, client: "c", ttlMs: 100 }, at);
  follow(clock, { kind: "lockDelayBegun", revision: 5, key: "l", token: 1, delayMs: 9 }, at);
  assertEquals([...clock.timed.keys()], ["key a", "wait 3", "session 4", "delay l"]);
  assertEquals(clock.timed.get("session 4")?.operation, {
    kind: "expireSession",
    session: 4,
    renewal: 0,
    term: 3,
  });
  follow(clock, { kind: "keyStored", revision: 6, entry: { ...entry, ttlMs: null } }, at);
  follow(clock, {
    kind: "waitEnded",
    revision: 7,
    key: "l",
    session: 1,
    ticket: 3,
    how: "cancelled",
  }, at);
  follow(clock, { kind: "sessionEnded", revision: 8, session: 4, how: "closed" }, at);
  follow(clock, { kind: "lockDelayEnded", revision: 9, key: "l", token: 1 }, at);
  assertEquals(clock.timed.size, 0);
  assertEquals(takeDue(clock, 1000, 9), []);
});

/** What a clock of which everything is looked through at each step says is due. */
function* ticks(
  random: Random,
): Generator<[now: number, session: number, ms: number, act: number]> {
  let now = 0;
  for (let step = 0; step < 2000; step++) {
    now += randomInteger(random, 0, 20);
    yield [
      now,
      randomInteger(random, 1, 20),
      randomInteger(random, 1, 200),
      randomInteger(random, 0, 3),
    ];
  }
}

Deno.test("server_clock agrees with one that looks at everything, and does not grow for ever", () => {
  const clock = newClock();
  const plain = new Map<string, { at: number; ms: number }>();
  for (const [now, session, ms, act] of ticks(seededRandom(7n))) {
    const name = sessionName(session);
    if (act === 0) {
      begin(clock, sessionDeadline(session, ms), now);
      plain.set(name, { at: now + ms, ms });
    } else if (act === 1) {
      end(clock, name);
      plain.delete(name);
    } else if (act === 2) {
      const [timed, known] = [clock.timed.get(name), plain.get(name)];
      if (timed !== undefined) prolong(timed, now);
      if (known !== undefined) known.at = Math.max(known.at, now + known.ms);
    }
    const due = takeDue(clock, now, Infinity);
    const wanted = [...plain].filter(([, { at }]) => at <= now).map(([known]) => known);
    assertEquals(due.toSorted(), wanted.toSorted());
    for (const each of due) {
      end(clock, each);
      plain.delete(each);
    }
    assertEquals(clock.heap.length <= 3 * clock.timed.size + 65, true);
  }
});

Deno.test("nameOf() names what is timed, and nothing else", () => {
  assertEquals(nameOf({ kind: "cancelWait", key: "l", ticket: 3 }), "wait 3");
  assertEquals(nameOf({ kind: "get", key: "l" }), undefined);
});
