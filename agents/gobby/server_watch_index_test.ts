import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { GobbyEvent } from "./machine_event.ts";
import { isOf } from "./machine_history.ts";
import type { EventTarget } from "./machine_operation.ts";
import { indexWatch, newWatchIndex, unindexWatch, watchersOf } from "./server_watch_index.ts";

const key = fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1, maxLength: 4 });
const session = fc.integer({ min: 1, max: 3 });
const only = fc.constantFrom({}, { only: "keys" as const }, { only: "locks" as const });

const target: fc.Arbitrary<EventTarget> = fc.oneof(
  fc.constant({ kind: "all" as const }),
  session.map((session) => ({ kind: "session" as const, session })),
  fc.tuple(key, only).map(([key, only]) => ({ kind: "key" as const, key, ...only })),
  fc.tuple(fc.constantFrom("", "a", "ab", "ba", "abb"), only)
    .map(([prefix, only]) => ({ kind: "prefix" as const, prefix, ...only })),
);

const event: fc.Arbitrary<GobbyEvent> = fc.oneof(
  fc.tuple(key, fc.option(session)).map(([key, session]): GobbyEvent => ({
    kind: "keyStored",
    revision: 1,
    entry: {
      ...{ key, value: "", createRevision: 1, modifyRevision: 1 },
      ...{ version: 1, session, ttlMs: null },
    },
  })),
  fc.tuple(key, session).map(([key, session]): GobbyEvent => ({
    kind: "lockReleased",
    revision: 1,
    key,
    session,
    token: 1,
    how: "released",
  })),
  session.map((session): GobbyEvent => (
    { kind: "sessionEnded", revision: 1, session, how: "closed" }
  )),
);

Deno.test("watchersOf() names whoever an event is for, as one that asks each does", () => {
  fc.assert(fc.property(
    fc.array(fc.tuple(target, fc.boolean()), { maxLength: 12 }),
    event,
    (targets, event) => {
      const index = newWatchIndex();
      for (const [number, [target]] of targets.entries()) indexWatch(index, `${number}`, target);
      for (const [number, [target, leaves]] of targets.entries()) {
        if (leaves) unindexWatch(index, `${number}`, target);
      }
      const targetOf = (name: string) => targets[Number(name)]?.[0] ?? { kind: "all" };
      const found = [...watchersOf(index, event)].filter((name) => isOf(event, targetOf(name)));
      const wanted = [...targets.entries()]
        .filter(([, [target, leaves]]) => !leaves && isOf(event, target)).map(([name]) =>
          `${name}`
        );
      assertEquals(found.toSorted(), wanted.toSorted());
    },
  ));
});

Deno.test("unindexWatch() leaves nothing behind", () => {
  const targets: EventTarget[] = [
    { kind: "all" },
    { kind: "key", key: "a" },
    { kind: "session", session: 1 },
    { kind: "prefix", prefix: "a" },
    { kind: "prefix", prefix: "b" },
  ];
  const index = newWatchIndex();
  for (const target of targets) indexWatch(index, "w", target);
  for (const target of targets) unindexWatch(index, "w", target);
  assertEquals(index, newWatchIndex());
});
