import { assert, assertEquals } from "@std/assert";
import { type GobbyEvent, gobbyEvent } from "./machine_event.ts";
import { jsonLengthAtMost } from "./machine_history.ts";
import type { EventTarget } from "./machine_operation.ts";
import { longest, Trial } from "./machine_test_support.ts";

const all = { kind: "all" } as const;

function read(trial: Trial, target: EventTarget, from = 1, limit = 100): GobbyEvent[] {
  return trial.get("events", { kind: "events", target, from, limit }).events;
}

const brief = (events: readonly GobbyEvent[]) =>
  events.map(({ revision, kind }) => `${revision} ${kind}`);

Deno.test("gobby: events tell all that happened, in order, and nothing of what was refused or read", () => {
  const trial = new Trial();
  const session = trial.open("c1");
  const token = trial.lock(session, "l");
  trial.put("a", "1", session);
  trial.ask({ kind: "get", key: "a" });
  trial.ask({ kind: "put", key: "a", value: "2", ifRevision: 1 });
  trial.ask({ kind: "delete", key: "nothing" });
  trial.ask({ kind: "release", key: "l", token });
  trial.ask({ kind: "delete", key: "a" });
  const entry = { key: "a", value: "1", createRevision: 3, modifyRevision: 3, version: 1 };
  assertEquals(read(trial, all), [
    { kind: "sessionOpened", revision: 1, session, client: "c1", ttlMs: 10_000 },
    {
      kind: "lockGranted",
      revision: 2,
      key: "l",
      session,
      token,
      mode: "exclusive",
      ticket: null,
    },
    { kind: "keyStored", revision: 3, entry: { ...entry, session, ttlMs: null } },
    { kind: "lockReleased", revision: 4, key: "l", session, token, how: "released" },
    { kind: "keyDeleted", revision: 5, key: "a", how: "deleted" },
  ]);
});

Deno.test("gobby: events can be asked for by key, by prefix and by session", () => {
  const trial = new Trial();
  const [one, two] = [trial.open(), trial.open()];
  trial.put("a", "", one);
  trial.put("ab", "");
  trial.lock(two, "a");
  trial.put("b", "");
  const events = (target: EventTarget) => brief(read(trial, target));
  assertEquals(events({ kind: "key", key: "a" }), ["3 keyStored", "5 lockGranted"]);
  assertEquals(events({ kind: "key", key: "a", only: "keys" }), ["3 keyStored"]);
  assertEquals(events({ kind: "prefix", prefix: "a", only: "locks" }), ["5 lockGranted"]);
  assertEquals(events({ kind: "prefix", prefix: "a" }), [
    "3 keyStored",
    "4 keyStored",
    "5 lockGranted",
  ]);
  assertEquals(events({ kind: "prefix", prefix: "" }).length, 4);
  assertEquals(events({ kind: "session", session: one }), ["1 sessionOpened", "3 keyStored"]);
  assertEquals(events({ kind: "session", session: two }), ["2 sessionOpened", "5 lockGranted"]);
});

Deno.test("gobby: a page of events ends with a whole revision, and the next one begins there", () => {
  const trial = new Trial();
  trial.put("a", "");
  const puts = ["b", "c", "d"].map((key) => ({ kind: "put" as const, key, value: "" }));
  trial.ask({ kind: "transaction", if: [], then: puts, else: [] });
  trial.put("e", "");
  const page = (from: number, limit: number) => {
    const answer = trial.get("events", { kind: "events", target: all, from, limit });
    return [answer.events.length, answer.next];
  };
  assertEquals(page(1, 1), [1, 2]);
  assertEquals(page(1, 2), [4, 3]);
  assertEquals(page(2, 1), [3, 3]);
  assertEquals(page(3, 1), [1, 4]);
  assertEquals(page(4, 1), [0, 4]);
  assertEquals(page(9, 1), [0, 9], "a revision to come is waited for");
});

Deno.test("gobby: a page of events is no longer than an answer may be, by a revision at most", () => {
  const trial = new Trial({ answerLength: 50 });
  for (const key of ["a", "b", "c"]) trial.put(key, "v".repeat(20));
  const answer = trial.get("events", { kind: "events", target: all, from: 1, limit: 100 });
  assertEquals([answer.events.length, answer.next], [2, 3]);
});

Deno.test("gobby: a key's events go on where they were, whatever happens to others in between", () => {
  const trial = new Trial();
  const target = { kind: "key", key: "a" } as const;
  let next = 1;
  const values: string[] = [];
  for (let round = 0; round < 20; round++) {
    trial.put(round % 3 === 0 ? "a" : "b", `${round}`);
    if (round % 4 !== 0) continue;
    const answer = trial.get("events", { kind: "events", target, from: next, limit: 1 });
    next = answer.next;
    for (const event of answer.events) {
      if (event.kind === "keyStored") values.push(event.entry.value);
    }
  }
  const rest = read(trial, target, next);
  for (const event of rest) if (event.kind === "keyStored") values.push(event.entry.value);
  assertEquals(values, ["0", "3", "6", "9", "12", "15", "18"]);
});

Deno.test("gobby: who asks for what was compacted is told the oldest revision left", () => {
  const trial = new Trial();
  for (const key of ["a", "b", "c", "d"]) trial.put(key, "");
  assertEquals(trial.ask({ kind: "compact", revision: 3 }), { kind: "compacted", oldest: 3 });
  const events = { kind: "events", target: all, limit: 100 } as const;
  const compacted = { kind: "refused", why: "compacted", from: 2, oldest: 3 } as const;
  assertEquals(trial.ask({ ...events, from: 2 }), compacted);
  assertEquals(brief(read(trial, all, 3)), ["3 keyStored", "4 keyStored"]);
  assertEquals(trial.ask({ kind: "compact", revision: 1 }), { kind: "compacted", oldest: 3 });
  assertEquals(trial.ask({ kind: "compact", revision: 5 }), { kind: "compacted", oldest: 5 });
  assertEquals(read(trial, all, 5), []);
  const future = { kind: "refused", why: "future", wanted: 6, revision: 4 } as const;
  assertEquals(trial.ask({ kind: "compact", revision: 6 }), future);
  trial.put("e", "");
  assertEquals(brief(read(trial, all, 5)), ["5 keyStored"]);
});

Deno.test("gobby: a history that is full forgets its oldest revisions, whole ones", () => {
  const trial = new Trial({ historyEvents: 16 });
  const puts = ["b", "c", "d"].map((key) => ({ kind: "put" as const, key, value: "" }));
  for (let round = 0; round < 5; round++) {
    trial.ask({ kind: "transaction", if: [], then: puts, else: [] });
  }
  assertEquals(trial.state.history.oldest, 1);
  trial.ask({ kind: "transaction", if: [], then: puts, else: [] });
  assertEquals(trial.state.history.oldest, 3);
  assertEquals(trial.state.history.events.length, 12);
});

Deno.test("gobby: a history that is too long forgets, even all of it", () => {
  const trial = new Trial({ historyLength: 100 });
  trial.put("a", "v".repeat(83));
  assertEquals(trial.state.history.oldest, 1);
  trial.put("a", "v".repeat(84));
  assertEquals([trial.state.history.oldest, trial.state.history.events.length], [3, 0]);
  trial.put("a", "");
  assertEquals(brief(read(trial, all, 3)), ["3 keyStored"]);
  assert(trial.state.history.length < 100);
});

Deno.test("jsonLengthAtMost() is no less than the length of the longest events, and not ten times too much", () => {
  for (const length of [0, 1, 100]) {
    const all = gobbyEvent.options.map((each) => gobbyEvent.parse(longest(each, length)));
    assertEquals(all.length, 12);
    for (const events of [[], all, ...all.map((event) => [event])]) {
      const exact = JSON.stringify(events).length;
      const most = jsonLengthAtMost(events);
      assert(
        exact <= most && most <= 10 * exact,
        `${exact} and ${most}: ${JSON.stringify(events)}`,
      );
    }
  }
});
