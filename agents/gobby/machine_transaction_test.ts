import { assertEquals } from "@std/assert";
import type { Comparison, TransactionStep } from "./machine_operation.ts";
import { Trial } from "./machine_test_support.ts";

const put = (key: string, value: string) => ({ kind: "put", key, value }) as const;

function isTrue(trial: Trial, ...comparisons: Comparison[]): boolean {
  const transaction = { kind: "transaction", if: comparisons, then: [], else: [] } as const;
  return trial.get("transaction", { ...transaction, then: [], else: [] }).succeeded;
}

Deno.test("gobby: a transaction writes all at one revision, and later steps see earlier ones", () => {
  const trial = new Trial();
  trial.put("from", "10");
  const result = trial.ask({
    kind: "transaction",
    if: [{ target: "value", key: "from", is: "equal", value: "10" }],
    then: [
      { kind: "get", key: "to" },
      put("from", "7"),
      put("to", "3"),
      { kind: "range", range: { prefix: "" }, limit: 9, keysOnly: true },
      { kind: "delete", key: "nothing" },
    ],
    else: [put("from", "wrong")],
  });
  assertEquals(result, {
    kind: "transaction",
    revision: 2,
    succeeded: true,
    results: [
      { kind: "entry", revision: 1, entry: null },
      { kind: "stored", revision: 2, version: 2 },
      { kind: "stored", revision: 2, version: 1 },
      { kind: "keys", revision: 2, keys: ["from", "to"], count: 2, more: false },
      { kind: "deleted", revision: 2, count: 0, more: false },
    ],
  });
});

Deno.test("gobby: a transaction whose comparisons do not hold does the other thing", () => {
  const trial = new Trial();
  const operation = {
    kind: "transaction" as const,
    if: [{ target: "version" as const, key: "a", is: "greater" as const, number: 0 }],
    then: [{ kind: "get" as const, key: "a" }],
    else: [put("a", "first")],
  };
  assertEquals(trial.get("transaction", operation).succeeded, false);
  const { succeeded, results } = trial.get("transaction", operation);
  assertEquals(succeeded, true);
  assertEquals(results.map((result) => result.kind === "entry" && result.entry?.value), ["first"]);
  assertEquals(trial.state.revision, 1);
});

Deno.test("gobby: comparisons are of values, revisions and versions, also of keys that do not exist", () => {
  const trial = new Trial();
  trial.put("other", "");
  trial.put("a", "b");
  trial.put("a", "m");
  const value = (is: "equal" | "notEqual" | "less" | "greater", value: string, key = "a") =>
    isTrue(trial, { target: "value", key, is, value });
  assertEquals([value("equal", "m"), value("equal", "n"), value("notEqual", "n")], [
    true,
    false,
    true,
  ]);
  assertEquals([value("less", "n"), value("less", "m"), value("greater", "l")], [
    true,
    false,
    true,
  ]);
  assertEquals([value("equal", "", "no"), value("notEqual", "", "no")], [false, true]);
  assertEquals([value("less", "x", "no"), value("greater", "", "no")], [false, false]);
  const numbers = { createRevision: 2, modifyRevision: 3, version: 2 };
  for (const target of ["createRevision", "modifyRevision", "version"] as const) {
    assertEquals(isTrue(trial, { target, key: "a", is: "equal", number: numbers[target] }), true);
    assertEquals(isTrue(trial, { target, key: "a", is: "less", number: numbers[target] }), false);
    assertEquals(isTrue(trial, { target, key: "no", is: "equal", number: 0 }), true);
  }
});

Deno.test("gobby: comparisons are of who holds a lock, and under which token", () => {
  const trial = new Trial();
  const [holder, waiter] = [trial.open(), trial.open()];
  const free = { target: "holder", lock: "l", session: null } as const;
  assertEquals(isTrue(trial, free), true);
  const token = trial.lock(holder, "l");
  trial.wait(waiter, "l");
  const held = { target: "token", lock: "l", token } as const;
  assertEquals([isTrue(trial, free), isTrue(trial, held)], [false, true]);
  assertEquals(isTrue(trial, { ...held, token: token + 1 }), false);
  assertEquals(isTrue(trial, { ...held, lock: "m" }), false);
  assertEquals(isTrue(trial, { ...free, session: holder }), true);
  assertEquals(isTrue(trial, { ...free, session: waiter }), false);
  assertEquals(isTrue(trial, { ...free, session: 999 }), false);
  assertEquals(isTrue(trial, held, free), false, "all must hold");
});

Deno.test("gobby: a transaction of which one step is refused does nothing at all", () => {
  const trial = new Trial({ valueLength: 2, keys: 2, transactionSteps: 4, answers: 5 });
  trial.put("a", "1");
  const why = (...steps: TransactionStep[]) => {
    const operation = { kind: "transaction", if: [], then: steps, else: [] } as const;
    const result = trial.get("refused", { ...operation, if: [], else: [] });
    return result.why === "limit" ? result.limit : result.why;
  };
  assertEquals(why(put("a", "2"), put("b", "too long")), "valueLength");
  assertEquals(why(put("a", "2"), { ...put("b", ""), session: 77 }), "unknownSession");
  assertEquals(why(put("a", "2"), put("b", ""), put("c", "")), "keys");
  assertEquals(why(put("a", "2"), { kind: "delete", key: "a" }), "writtenTwice");
  assertEquals(why({ kind: "range", range: { prefix: "" }, limit: 6 }, put("a", "2")), "answers");
  assertEquals(
    why(put("a", ""), put("b", ""), put("c", ""), put("d", ""), put("e", "")),
    "transactionSteps",
  );
  assertEquals([trial.valueOf("a"), trial.state.revision], ["1", 1]);
  const swap = [{ kind: "delete", key: "a" } as const, put("b", ""), put("c", "")];
  trial.get("transaction", { kind: "transaction", if: [], then: swap, else: [] });
  assertEquals(trial.get("status", { kind: "status" }).keys, 2);
});

Deno.test("gobby: the ranges of a transaction share the length of an answer", () => {
  const trial = new Trial({ answerLength: 60 });
  for (const key of ["a", "b", "c"]) trial.put(key, "v");
  const range = { kind: "range", range: { prefix: "" }, limit: 9 } as const;
  const operation = { kind: "transaction" as const, if: [], then: [range, range], else: [] };
  const { results } = trial.get("transaction", operation);
  const lengths = results.map((each) => each.kind === "entries" ? each.entries.length : 0);
  assertEquals(lengths, [3, 1]);
});
