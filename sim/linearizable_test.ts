import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Json } from "../core/data.ts";
import type { Call } from "./history.ts";
import { checkLinearizable, type Verdict, verdictLines } from "./linearizable.ts";
import { counterModel, kvModel, type Model } from "./linearizable_model.ts";

const stored = { kind: "stored" };

/** A call of a client of its own unless one is named. */
function call(
  operation: Json,
  result: Json | undefined,
  [invokeUs, returnUs]: readonly [number, number?],
  client = `c${invokeUs}`,
): Call {
  return { client, operation, result, invokeUs, returnUs };
}

function put(value: string, time: readonly [number, number?], key = "x", client?: string): Call {
  const result = time[1] === undefined ? undefined : stored;
  return call({ kind: "put", key, value }, result, time, client);
}

function get(value: string | null, time: readonly [number, number], key = "x", client?: string) {
  return call({ kind: "get", key }, { kind: "value", value }, time, client);
}

function kindOf(...calls: Call[]): Verdict["kind"] {
  return checkLinearizable(calls, kvModel).kind;
}

/** So many puts at the same time, and a read after them of what nobody put, or of one of them. */
function hard(width: number, found: string, key = "x"): Call[] {
  const puts = Array.from({ length: width }, (_, index) => [
    put(`${key}${index}`, [index, 1000 + index], key),
    call({ kind: "cas", key, expected: null, value: `${key}c${index}` }, stored, [index, 1000]),
    call({ kind: "delete", key }, { kind: "deleted", existed: true }, [index, 1000]),
  ]).flat();
  return [...puts, get(found, [2000, 2010], key)];
}

Deno.test("checkLinearizable() explains nothing, and what happened one after the other", () => {
  assertEquals(kindOf(), "linearizable");
  assertEquals(kindOf(get(null, [0, 1]), put("1", [2, 3]), get("1", [4, 5])), "linearizable");
  assertEquals(kindOf(put("1", [2, 3]), get("2", [4, 5])), "not linearizable");
});

Deno.test("checkLinearizable() keeps to the order of calls of which one was over before the other began", () => {
  const puts = [put("1", [0, 10]), put("2", [20, 30])];
  assertEquals(kindOf(...puts, get("2", [31, 40])), "linearizable");
  assertEquals(kindOf(...puts, get("1", [31, 40])), "not linearizable");
  // The second put may come after a read that overlaps it, but not after two reads and before the first.
  assertEquals(kindOf(...puts, get("1", [25, 40])), "linearizable");
  assertEquals(kindOf(...puts, get("2", [21, 24]), get("1", [25, 40])), "not linearizable");
});

Deno.test("checkLinearizable() takes calls that touch for overlapping, unless one client made both", () => {
  const first = put("1", [0, 10], "x", "ann");
  assertEquals(kindOf(first, get(null, [10, 20], "x", "bob")), "linearizable");
  assertEquals(kindOf(first, get(null, [10, 20], "x", "ann")), "not linearizable");
  assertEquals(kindOf(first, get(null, [11, 20], "x", "bob")), "not linearizable");
});

Deno.test("checkLinearizable() lets a call without an answer happen at any time after it, or never", () => {
  const lost = put("1", [10]);
  assertEquals(kindOf(lost, get(null, [50, 60])), "linearizable");
  assertEquals(kindOf(lost, get(null, [50, 60]), get("1", [70, 80])), "linearizable");
  // It is not undone, does not happen twice, and not before it was asked for.
  assertEquals(kindOf(lost, get("1", [50, 60]), get(null, [70, 80])), "not linearizable");
  const between = [put("2", [55, 56]), get("2", [57, 58])];
  assertEquals(
    kindOf(lost, get("1", [50, 54]), ...between, get("1", [70, 80])),
    "not linearizable",
  );
  assertEquals(kindOf(get("1", [1, 9]), lost), "not linearizable");
});

Deno.test("checkLinearizable() checks each key for itself, and names the one that is wrong", () => {
  const right = [put("1", [0, 10], "x"), get("1", [20, 30], "x")];
  const wrong = [put("2", [0, 10], "y"), get(null, [20, 30], "y")];
  const verdict = checkLinearizable([...right, ...wrong], kvModel);
  assert(verdict.kind === "not linearizable");
  assertEquals([verdict.part, verdict.calls], ["y", 2]);
  assertEquals(verdict.clash, wrong);
});

Deno.test("checkLinearizable() names the smallest clash, and what else could have helped", () => {
  const overwritten = put("1", [0, 10]);
  const last = put("2", [20, 30]);
  const stale = get("1", [60, 70]);
  const early = put("1", [5]);
  const noise = [get("2", [31, 40]), put("7", [0, 6], "y"), put("3", [90, 99])];
  const verdict = checkLinearizable([overwritten, last, stale, ...noise], kvModel);
  assert(verdict.kind === "not linearizable");
  assertEquals(verdict.clash, [overwritten, last, stale]);
  assertEquals([verdict.isSmallest, verdict.others], [true, []]);
  assertEquals(kindOf(overwritten, last, stale, early), "linearizable");
});

Deno.test("checkLinearizable() names calls that are in a clash without their answers", () => {
  const swapped = call({ kind: "cas", key: "x", expected: "9", value: "1" }, undefined, [0]);
  const found = get("1", [5, 10]);
  const verdict = checkLinearizable([swapped, found], kvModel);
  assert(verdict.kind === "not linearizable");
  assertEquals([verdict.clash, verdict.others], [[found], [swapped]]);
});

Deno.test("checkLinearizable() does not leave a call out that helps once other answers are forgotten", () => {
  // A number that is set, or made larger by one, which answers the sum. Without its answer an increment can follow
  // anything, so that a lost `set` which could not help before it was forgotten can help after that.
  const model: Model<number> = {
    initial: () => 0,
    encode: String,
    apply(state, operation) {
      if (operation === "read") return { state, result: state };
      const next = operation === "increment" ? state + 1 : Number(operation);
      return { state: next, result: next };
    },
    isRead: (operation) => operation === "read",
    passage(operation, result) {
      if (typeof operation === "number") return { from: "any", to: String(operation) };
      if (result === undefined) return operation === "read" ? { from: "some" } : { from: "any" };
      const from = Number(result) - (operation === "read" ? 0 : 1);
      return { from: { only: String(from) }, to: String(result) };
    },
  };
  const lost = call(5, undefined, [0]);
  const increment = call("increment", 1, [1, 5]);
  const read = call("read", 6, [7, 9]);
  const verdict = checkLinearizable([call("read", 0, [0, 1]), lost, increment, read], model);
  assert(verdict.kind === "not linearizable");
  assertEquals(verdict.clash, [increment, read]);
  assertEquals(checkLinearizable([lost, { ...increment, result: 6 }, read], model), {
    kind: "linearizable",
  });
});

Deno.test("checkLinearizable() does not know what it has not the steps for", () => {
  const history = hard(6, "x3");
  assertEquals(checkLinearizable(history, kvModel).kind, "linearizable");
  const verdict = checkLinearizable(history, kvModel, { stepsMax: 20 });
  assert(verdict.kind === "unknown");
  assertEquals([verdict.limit, verdict.part, verdict.calls], ["stepsMax", "x", 19]);
});

Deno.test("checkLinearizable() does not know what it has not the memory for", () => {
  const verdict = checkLinearizable(hard(6, "x3"), kvModel, { configurationsMax: 3 });
  assert(verdict.kind === "unknown");
  assertEquals([verdict.limit, verdict.part, verdict.calls], ["configurationsMax", "x", 19]);
});

Deno.test("checkLinearizable() counts states as memory, where a model names none", () => {
  const sum: Model<number> = {
    initial: () => 0,
    apply: (state, operation) => ({ state: state + Number(operation), result: null }),
    encode: String,
  };
  const adds = Array.from({ length: 20 }, (_, bit) => call(2 ** bit, null, [bit, 100]));
  const all = call(0, null, [200, 201]);
  const limits = { configurationsMax: 30 };
  assertEquals(checkLinearizable([...adds, all], sum).kind, "linearizable");
  assertEquals(checkLinearizable([...adds, all], sum, limits).kind, "unknown");
});

Deno.test("checkLinearizable() finds a clash in another part than the one that is too hard", () => {
  const wrong = [put("1", [0, 10], "y"), get(null, [20, 30], "y")];
  const verdict = checkLinearizable([...hard(6, "x3"), ...wrong], kvModel, { stepsMax: 40 });
  assert(verdict.kind === "not linearizable");
  assertEquals(verdict.part, "y");
});

Deno.test("checkLinearizable() leaves a clash as it was found if there are no steps for more", () => {
  const history = [put("1", [0, 10]), put("2", [20, 30]), get("2", [31, 39]), get("1", [40, 50])];
  const verdict = checkLinearizable(history, kvModel, { shrinkStepsMax: 0 });
  assert(verdict.kind === "not linearizable");
  assertEquals([verdict.clash.length, verdict.isSmallest], [4, false]);
});

Deno.test("checkLinearizable() looks for clashes in all hard parts on one budget", () => {
  const keys = Array.from({ length: 40 }, (_, index) => `k${index}`);
  const history = keys.flatMap((key) => hard(6, `${key}3`, key));
  let looks = 0;
  const counting: Model<string> = {
    ...kvModel,
    passage(operation, result) {
      looks++;
      return kvModel.passage?.(operation, result) ?? { from: "some" };
    },
  };
  const limits = { stepsMax: 1, shrinkStepsMax: 1 };
  assertEquals(checkLinearizable(history, counting, limits).kind, "unknown");
  // It looks three times at each call: to search, and for two kinds of suspicion. Then the budget is spent.
  assert(looks < 4 * history.length, `${looks}`);
});

Deno.test("checkLinearizable() finds one addition that was carried out twice", () => {
  const add = (total: number, time: readonly [number, number]) =>
    call({ kind: "add", amount: 1 }, { kind: "total", total }, time);
  const right = [add(1, [0, 10]), add(2, [5, 20]), add(3, [30, 40])];
  assertEquals(checkLinearizable(right, counterModel).kind, "linearizable");
  const wrong = [add(1, [0, 10]), add(3, [5, 20]), add(4, [30, 40])];
  assertEquals(checkLinearizable(wrong, counterModel).kind, "not linearizable");
});

Deno.test("checkLinearizable() refuses times that cannot be", () => {
  for (const time of [[10, 9], [-1, 5], [0.5, 2], [1, 2.5]] as const) {
    assertThrows(() => checkLinearizable([put("1", time)], kvModel), RangeError, "want whole");
  }
});

Deno.test("verdictLines() says in words what was found", () => {
  assertEquals(verdictLines({ kind: "linearizable" }), ["The history is linearizable"]);
  assertEquals(
    verdictLines({
      kind: "unknown",
      part: "x",
      calls: 9,
      explainedAnswers: 4,
      limit: "stepsMax",
    }),
    [
      'Nobody knows whether the history is linearizable: stepsMax was reached on the 9 calls on "x", when the first ' +
      "4 answers were explained",
    ],
  );
});

Deno.test("verdictLines() lists the calls of a clash, and the last of the others", () => {
  const clash = [put("1", [0, 10]), get(null, [20, 30])];
  const others = Array.from({ length: 12 }, (_, index) => put("2", [index]));
  const verdict: Verdict = {
    kind: "not linearizable",
    part: "",
    calls: 14,
    explainedAnswers: 1,
    clash,
    others,
    isSmallest: true,
  };
  const lines = verdictLines(verdict);
  assertEquals(lines.slice(0, 5), [
    "The history is not linearizable: of the 14 calls, the first 1 answers can be explained, but not all",
    "These 2 contradict each other, and without any one of them there is no contradiction:",
    '  c0  0.000..0.010 ms  {"kind":"put","key":"x","value":"1"}  {"kind":"stored"}',
    '  c20  0.020..0.030 ms  {"kind":"get","key":"x"}  {"kind":"value","value":null}',
    "Nor do these explain it, whether and whenever they happened:",
  ]);
  assertEquals(lines.length, 16);
  assertEquals(lines[5], '  c2  0.002.. ms  {"kind":"put","key":"x","value":"2"}  no answer');
  assertEquals(lines.at(-1), "  and 2 before them");
  assertEquals(
    verdictLines({ ...verdict, others: [], isSmallest: false })[1],
    "Among these 2 there is a contradiction:",
  );
  assertEquals(
    verdictLines({ ...verdict, clash: clash.slice(1) })[1],
    "Nothing explains this one:",
  );
});
