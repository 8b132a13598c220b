// The linearizability checker against a twin that tries all orders: equal verdicts on thousands of small histories,
// from systems that are right and from systems that lie. What the checker says about a failure is held against the
// twin too.

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { counter } from "../../agents/machine/counter.ts";
import { kv } from "../../agents/machine/kv.ts";
import type { AnyMachine } from "../../agents/machine/machine.ts";
import type { Json } from "../../core/data.ts";
import type { Call } from "../../sim/history.ts";
import { checkLinearizable, type Verdict } from "../../sim/linearizable.ts";
import {
  counterModel,
  equalJson,
  isInert,
  kvModel,
  kvWholeModel,
  machineModel,
  type Model,
  modelOf,
  type Passage,
} from "../../sim/linearizable_model.ts";

/** Whether one call must come before another: it was over, or its client went on when it was. */
function precedes(calls: readonly Call[], a: number, b: number): boolean {
  const { client, returnUs } = calls[a] as Call;
  const later = calls[b] as Call;
  if (returnUs === undefined) return false;
  return returnUs < later.invokeUs ||
    (returnUs === later.invokeUs && client === later.client && a < b);
}

/** The dumb twin: tries every order of the calls, with and without those that have no answer. */
function isLinearizable<S>(calls: readonly Call[], model: Model<S>): boolean {
  const hopeless = new Set<string>();
  const search = (state: S, left: readonly number[]): boolean => {
    if (left.every((index) => calls[index]?.returnUs === undefined)) return true;
    const name = `${left} ${model.encode(state)}`;
    if (hopeless.has(name)) return false;
    hopeless.add(name);
    return left.some((index) => {
      if (left.some((other) => precedes(calls, other, index))) return false;
      const { operation, result, returnUs } = calls[index] as Call;
      const applied = model.apply(state, operation);
      if (returnUs !== undefined && !equalJson(applied.result, result)) return false;
      return search(applied.state, left.filter((other) => other !== index));
    });
  };
  return search(model.initial(), calls.map((_, index) => index));
}

/** One operation of a client, as it is drawn. */
interface Deed {
  readonly client: number;
  readonly operation: Json;
  /** How long until it is asked for, until it happens, and until it is answered. */
  readonly think: number;
  readonly wait: number;
  readonly back: number;
  /** Without an answer, whether it happened; with one, how often. Once is right. */
  readonly fate: "lost" | "never" | "once" | "twice" | "dropped";
  /** With a number, the answer is stale: what it was before so many operations. */
  readonly lie: number;
}

/** Runs the deeds on one machine, one after the other when they happen, and lies where that is asked for. */
function historyOf(machine: Pick<AnyMachine, "initial" | "apply">, deeds: readonly Deed[]): Call[] {
  const freeUs = new Map<number, number>();
  const events = deeds.map((deed, index) => {
    const invokeUs = (freeUs.get(deed.client) ?? 0) + deed.think;
    const happensUs = invokeUs + deed.wait;
    const returnUs = happensUs + deed.back;
    const isAnswered = deed.fate !== "lost" && deed.fate !== "never";
    freeUs.set(deed.client, isAnswered ? returnUs : happensUs);
    return { ...deed, index, invokeUs, happensUs, returnUs: isAnswered ? returnUs : undefined };
  });
  const inTime = [...events].sort((a, b) => a.happensUs - b.happensUs || a.index - b.index);
  const done: Json[] = [];
  const results = new Map<number, Json>();
  for (const { index, operation, fate, lie } of inTime) {
    const replay = (operations: readonly Json[]) => {
      const state = machine.initial();
      for (const earlier of operations) machine.apply(state, earlier);
      return machine.apply(state, operation);
    };
    results.set(index, replay(done.slice(0, done.length - lie)));
    if (fate === "twice") done.push(operation);
    if (fate !== "never" && fate !== "dropped") done.push(operation);
  }
  return events.sort((a, b) => a.invokeUs - b.invokeUs || a.index - b.index).map((event) => ({
    client: `c${event.client}`,
    operation: event.operation,
    result: event.returnUs === undefined ? undefined : results.get(event.index),
    invokeUs: event.invokeUs,
    returnUs: event.returnUs,
  }));
}

interface Size {
  readonly clients: number;
  readonly calls: number;
  /** So many deeds in ten are lies, and as many are done twice or not at all. */
  readonly lies: number;
}

function deedsOf(
  operation: fc.Arbitrary<Json>,
  size: Size,
  thinkMin = 0,
): fc.Arbitrary<Deed[]> {
  const deed = fc.record({
    client: fc.nat({ max: size.clients - 1 }),
    operation,
    think: fc.integer({ min: thinkMin, max: 3 }),
    wait: fc.nat({ max: 3 }),
    back: fc.nat({ max: 3 }),
    fate: fc.oneof(
      { weight: 10 - size.lies, arbitrary: fc.constant("once" as const) },
      { weight: 2, arbitrary: fc.constantFrom("lost" as const, "never" as const) },
      { weight: size.lies, arbitrary: fc.constantFrom("twice" as const, "dropped" as const) },
    ),
    lie: fc.oneof(
      { weight: 10 - size.lies, arbitrary: fc.constant(0) },
      { weight: size.lies, arbitrary: fc.integer({ min: 1, max: 3 }) },
    ),
  });
  return fc.array(deed, { minLength: size.calls - 3, maxLength: size.calls, size: "max" });
}

function kvOperations(keys: readonly string[], values: readonly string[]): fc.Arbitrary<Json> {
  const key = fc.constantFrom(...keys);
  const value = fc.constantFrom(...values);
  return fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("get"), key }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("put"), key, value }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("delete"), key }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant("cas"),
        key,
        expected: fc.option(value),
        value,
      }),
    },
  );
}

const counterOperations: fc.Arbitrary<Json> = fc.oneof(
  fc.record({ kind: fc.constant("read") }),
  fc.record({ kind: fc.constant("add"), amount: fc.constantFrom(1, 1, 2, -1, 0) }),
);

const runs = Deno.env.has("OVID_SHORT") ? 1000 : 5000;
const few = ["1", "2"];
const many = Array.from({ length: 12 }, (_, index) => String(index));

const small: Size = { clients: 4, calls: 7, lies: 6 };
const large: Size = { clients: 5, calls: 14, lies: 3 };

const worlds = [
  { name: "kv, few values", machine: kv, operation: kvOperations(["x"], few), thinkMin: 0 },
  { name: "kv, many values", machine: kv, operation: kvOperations(["x"], many), thinkMin: 0 },
  // What a client asks in the microsecond of its last answer waits for that only if both are about one key.
  { name: "kv, two keys", machine: kv, operation: kvOperations(["x", "y"], many), thinkMin: 1 },
  { name: "counter", machine: counter, operation: counterOperations, thinkMin: 0 },
];

function withoutHints<S>(model: Model<S>): Model<S> {
  const { initial, apply, encode } = model;
  return { initial, apply, encode };
}

for (const { name, machine, operation, thinkMin } of worlds) {
  for (const [size, numRuns] of [[small, runs], [large, runs / 5]] as const) {
    Deno.test(`checkLinearizable(): agrees with the twin (${name}, ${size.calls} calls)`, () => {
      const model = modelOf(machine);
      const plain = machineModel(machine);
      let linearizable = 0;
      fc.assert(
        fc.property(deedsOf(operation, size, thinkMin), (deeds) => {
          const calls = historyOf(machine, deeds);
          const expected = isLinearizable(calls, withoutHints(plain))
            ? "linearizable"
            : "not linearizable";
          if (expected === "linearizable") linearizable++;
          const verdict = checkLinearizable(calls, model);
          assertEquals(verdict.kind, expected);
          assertEquals(checkLinearizable(calls, plain).kind, expected);
          assertEquals(checkLinearizable(calls, withoutHints(plain)).kind, expected);
          requireSmallest(calls, model, verdict);
          if (machine !== kv) return;
          const whole = checkLinearizable(calls, kvWholeModel);
          assertEquals(whole.kind, expected);
          requireSmallest(calls, kvWholeModel, whole);
        }),
        { numRuns },
      );
      // Nothing but good histories, or bad ones, would be no test.
      assert(linearizable > numRuns / 20 && linearizable < numRuns * 19 / 20, `${linearizable}`);
    });
  }
}

/** Of so few calls, the clash can always be made as small as can be. */
function requireSmallest<S>(calls: readonly Call[], model: Model<S>, verdict: Verdict): void {
  if (verdict.kind === "not linearizable") assert(verdict.isSmallest);
  requireClash(calls, model, verdict);
}

/** Holds what is said about a failure against the twin. */
function requireClash<S>(calls: readonly Call[], model: Model<S>, verdict: Verdict): void {
  if (verdict.kind !== "not linearizable") return;
  const { clash, others, isSmallest, explainedAnswers, part } = verdict;
  const mine = calls.filter(({ operation }) => (model.partition?.(operation) ?? "") === part);
  assertEquals(verdict.calls, mine.length);
  for (const call of [...clash, ...others]) assert(mine.includes(call));

  // What answered that it changed nothing disappears with its answer; others may have happened or not.
  const inOrder = (chosen: readonly Call[], bound: readonly Call[]) =>
    mine.filter((call) => chosen.includes(call) && (bound.includes(call) || !isInert(call, model)))
      .map((call) => bound.includes(call) ? call : forget(call));
  const whole = withoutHints(model);
  assert(!isLinearizable(inOrder([...clash, ...others], clash), whole), "the clash is one");
  assert(!isLinearizable(inOrder(mine, clash), whole), "no other call resolves it");
  for (const call of isSmallest ? clash : []) {
    const rest = clash.filter((other) => other !== call);
    assert(isLinearizable(inOrder(mine, rest), whole), "every answer in the clash is needed");
  }

  const answered = mine.filter((call) => call.returnUs !== undefined)
    .sort((a, b) => (a.returnUs ?? 0) - (b.returnUs ?? 0));
  assert(isLinearizable(inOrder(mine, answered.slice(0, explainedAnswers)), whole));
}

function forget(call: Call): Call {
  return { ...call, result: undefined, returnUs: undefined };
}

Deno.test("checkLinearizable(): says nothing wrong when it has too little to spend", () => {
  const limits = fc.record({
    stepsMax: fc.nat({ max: 80 }),
    configurationsMax: fc.nat({ max: 20 }),
    shrinkStepsMax: fc.nat({ max: 300 }),
  });
  const seen = { linearizable: 0, "not linearizable": 0, unknown: 0 };
  fc.assert(
    fc.property(deedsOf(kvOperations(["x"], few), large), limits, (deeds, limits) => {
      const calls = historyOf(kv, deeds);
      const verdict = checkLinearizable(calls, kvModel, limits);
      seen[verdict.kind]++;
      if (verdict.kind === "unknown") return;
      const isRight = isLinearizable(calls, withoutHints(kvModel));
      assertEquals(verdict.kind, isRight ? "linearizable" : "not linearizable");
      requireClash(calls, kvModel, verdict);
    }),
    { numRuns: runs },
  );
  for (const count of Object.values(seen)) assert(count > runs / 50, JSON.stringify(seen));
});

/** A machine that is nothing but tables: for each state and operation the next state and the result. */
interface Tables {
  readonly next: readonly (readonly number[])[];
  readonly results: readonly (readonly number[])[];
}

const stateCount = 4;
const operationCount = 4;

function table(max: number): fc.Arbitrary<number[][]> {
  const row = fc.array(fc.nat({ max }), { minLength: operationCount, maxLength: operationCount });
  return fc.array(row, { minLength: stateCount, maxLength: stateCount });
}

/** All that can truly be said of an operation of the tables and its result. */
function passageIn(
  { next, results }: Tables,
  operation: number,
  result: Json | undefined,
): Passage {
  const after = (state: number) => next[state]?.[operation] ?? 0;
  const states = next.map((_, state) => state);
  const from = states.filter((state) =>
    result === undefined ? after(state) !== state : results[state]?.[operation] === result
  );
  const [to, ...others] = new Set(from.map(after));
  const known = to === undefined || others.length > 0 ? {} : { to: String(to) };
  if (from.length === 0) return { from: "none" };
  if (from.length === 1) return { from: { only: String(from[0]) }, ...known };
  if (from.length === stateCount) return { from: "any", ...known };
  if (from.length < stateCount - 1) return { from: "some", ...known };
  return { from: { but: String(states.find((state) => !from.includes(state))) }, ...known };
}

Deno.test("checkLinearizable(): agrees with the twin on machines of all kinds, whatever is told of them", () => {
  const tables = fc.record({ next: table(stateCount - 1), results: table(1) });
  const operation: fc.Arbitrary<Json> = fc.nat({ max: operationCount - 1 });
  let linearizable = 0;
  fc.assert(
    fc.property(tables, deedsOf(operation, small), (tables, deeds) => {
      const apply = (state: number, operation: Json) => ({
        state: tables.next[state]?.[Number(operation)] ?? 0,
        result: tables.results[state]?.[Number(operation)] ?? 0,
      });
      const calls = historyOf({
        initial: () => [0],
        apply(place, operation) {
          const state = place as number[];
          const applied = apply(state[0] ?? 0, operation);
          state[0] = applied.state;
          return applied.result;
        },
      }, deeds);
      const plain: Model<number> = { initial: () => 0, apply, encode: String };
      const isRead = (operation: Json) =>
        tables.next.every((row, state) => row[Number(operation)] === state);
      const passage = (operation: Json, result: Json | undefined) =>
        passageIn(tables, Number(operation), result);
      const expected = isLinearizable(calls, plain) ? "linearizable" : "not linearizable";
      if (expected === "linearizable") linearizable++;
      for (const hints of [{}, { isRead }, { passage }, { isRead, passage }]) {
        const model = { ...plain, ...hints };
        const verdict = checkLinearizable(calls, model);
        assertEquals(verdict.kind, expected);
        requireSmallest(calls, model, verdict);
      }
    }),
    { numRuns: runs },
  );
  assert(linearizable > runs / 20 && linearizable < runs * 19 / 20, `${linearizable}`);
});

Deno.test("kvModel, counterModel: what they tell of an operation and its result is true", () => {
  const states = [...many.slice(0, 3), null].map((value) => JSON.stringify(value));
  const results: Json[] = [
    { kind: "stored" },
    { kind: "deleted", existed: true },
    { kind: "deleted", existed: false },
    { kind: "full" },
    null,
    ...["value", "differs"].flatMap((kind) =>
      states.map((state) => ({ kind, value: JSON.parse(state) as Json }))
    ),
    ...["total", "overflow"].flatMap((kind) => [-1, 0, 1, 2, 3].map((total) => ({ kind, total }))),
  ];
  const totals = ["-2", "-1", "0", "1", "2", "3", String(Number.MAX_SAFE_INTEGER)];
  const draws = [
    { model: kvModel, states, operation: kvOperations(["x"], many.slice(0, 3)) },
    { model: counterModel, states: totals, operation: counterOperations },
  ];
  for (const { model, states, operation } of draws) {
    const result = fc.option(fc.constantFrom(...results), { nil: undefined });
    fc.assert(fc.property(operation, result, (operation, result) => {
      const { from = "some", to } = model.passage?.(operation, result) ?? {};
      for (const state of states) {
        const after = model.apply(state, operation);
        const fits = result === undefined ? after.state !== state : equalJson(after.result, result);
        const allowed = from === "any" || from === "some" ||
          (typeof from === "object" && ("only" in from ? from.only === state : from.but !== state));
        if (fits) assert(allowed);
        // Without an answer, to do nothing is allowed everywhere.
        if (!fits && result !== undefined && from !== "some") assert(!allowed);
        if (fits && to !== undefined) assertEquals(after.state, to);
      }
    }));
  }
});
