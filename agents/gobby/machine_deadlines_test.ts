import { assertEquals } from "@std/assert";
import { type Deadline, deadlineOf, deadlinesOf } from "./machine_deadlines.ts";
import { Trial } from "./machine_test_support.ts";

function timed(): Trial {
  const trial = new Trial();
  trial.ask({ kind: "beginTerm", master: "b1", after: 0 });
  const [a, b] = [trial.open(), trial.open()];
  trial.ask({ kind: "renewSession", session: b });
  trial.ask({ kind: "put", key: "k", value: "", ttlMs: 70 });
  trial.put("permanent", "");
  trial.lock(a, "l", { lockDelayMs: 90 });
  trial.wait(b, "l");
  trial.expire(a);
  return trial;
}

const wanted: readonly Deadline[] = [
  { ms: 10_000, operation: { kind: "expireSession", session: 3, renewal: 1, term: 1 } },
  { ms: 70, operation: { kind: "expireKey", key: "k", modifyRevision: 5 } },
  { ms: 5000, operation: { kind: "cancelWait", key: "l", ticket: 8 } },
  { ms: 90, operation: { kind: "endLockDelay", key: "l", token: 7 } },
];

Deno.test("deadlinesOf() names everything that a new master must time", () => {
  assertEquals(deadlinesOf(timed().state), wanted);
});

Deno.test("deadlineOf() names the same, event by event", () => {
  const { state } = timed();
  const begun = state.history.events.flatMap((event) => deadlineOf(event, 1) ?? []);
  const expiries = [[2, 0], [3, 0], [3, 1]].map(([session, renewal]) => ({
    ms: 10_000,
    operation: { kind: "expireSession", session, renewal, term: 1 },
  }));
  assertEquals<unknown>(begun, [...expiries, ...wanted.slice(1)]);
});

Deno.test("a deadline is carried out once, and refused the second time", () => {
  const trial = timed();
  for (const { operation } of deadlinesOf(trial.state).reverse()) {
    assertEquals(trial.ask(operation).kind === "refused", operation.kind === "cancelWait");
    assertEquals(trial.ask(operation).kind, "refused");
  }
  assertEquals(deadlinesOf(trial.state), []);
});
