// Gobby's machine against its naive twin, on random operations: the same results, the same events, and invariants that
// hold after every step.

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { applyGobby, isRead, makeGobby } from "../../agents/gobby/machine.ts";
import { checkGobby } from "../../agents/gobby/machine_check.ts";
import { eventsSince } from "../../agents/gobby/machine_history.ts";
import { type GobbyState, initialState } from "../../agents/gobby/machine_state.ts";
import {
  type GobbyEvent,
  type GobbyLimits,
  type GobbyOperation,
  type GobbyResult,
  gobbyResult,
  refusal,
} from "../../agents/gobby/machine_types.ts";
import { copyData, encodeData, type Json } from "../../core/data.ts";
import { validate } from "../../core/schema.ts";
import { type Draft, draft, operationOf, roomyLimits, smallLimits } from "./gobby/operations.ts";
import { applyToTwin } from "./gobby/twin_apply.ts";
import { refusalsOf } from "./gobby/twin_refusals.ts";
import { newTwin, type Twin } from "./gobby/twin.ts";

const runs = Deno.env.has("OVID_SHORT") ? 150 : 2000;
const drafts = fc.array(draft, { maxLength: 120, size: "max" });

interface Pair {
  readonly state: GobbyState;
  readonly twin: Twin;
  readonly limits: GobbyLimits;
}

const newPair = (limits = smallLimits): Pair => ({
  state: initialState(),
  twin: newTwin(),
  limits,
});

/** Carries out an operation on both, and holds them against each other. */
function step({ state, twin, limits }: Pair, operation: GobbyOperation): GobbyResult {
  const before = encodeData(state);
  const deserved = refusalsOf(twin, operation, limits);
  const result = applyGobby(state, operation, limits);
  if (deserved.length > 0) {
    const isDeserved = deserved.some((each) => encodeData(each) === encodeData(result));
    if (!isDeserved) assertEquals<unknown>(result, deserved);
  } else assertEquals(result, applyToTwin(twin, operation, limits));
  if (deserved.length > 0 || isRead(operation)) {
    assertEquals(encodeData(state), before, "what is refused, or only reads, changes nothing");
  }
  compare(state, twin, limits);
  checkGobby(state, limits);
  return result;
}

function compare(state: GobbyState, twin: Twin, limits: GobbyLimits): void {
  const { oldest } = state.history;
  assert(oldest >= twin.oldest, "what is forgotten stays forgotten");
  // A machine forgets of itself only when it must, and then not everything.
  const kept = (from: number) => twin.events.filter((event) => event.revision >= from);
  if (oldest > twin.oldest) {
    const length = kept(twin.oldest).length;
    const characters = encodeData(kept(twin.oldest)).length;
    assert(length > limits.historyEvents || characters > limits.historyLength);
    twin.oldest = oldest;
  }
  assertEquals(state.history.events, kept(oldest));
  assertEquals(state.revision, twin.revision);
  const byKey = [...twin.entries].sort((a, b) => a.key < b.key ? -1 : 1);
  assertEquals(state.order.flat().map((key) => state.entries.get(key)), byKey);
  assertEquals([...state.sessions.keys()], twin.sessions.map(({ session }) => session));
  assertEquals(state.claims, twin.claims.length);
}

function runAll(pair: Pair, all: readonly Draft[], seen?: (result: GobbyResult) => void): void {
  for (const each of all) {
    const result = step(pair, operationOf(each, pair.twin));
    seen?.(result);
  }
}

Deno.test(`gobby: does what its naive twin does, ${runs} times`, () => {
  fc.assert(
    fc.property(
      drafts,
      fc.constantFrom(smallLimits, roomyLimits),
      (all, limits) => runAll(newPair(limits), all),
    ),
    { numRuns: runs },
  );
});

/** What a result is an example of. */
function exampleOf(result: GobbyResult): string {
  if (result.kind !== "refused") return result.kind;
  return result.why === "limit" ? `limit ${result.limit}` : `refused: ${result.why}`;
}

Deno.test("gobby: random operations meet every result, every refusal and every limit", () => {
  const seen = new Set<string>();
  for (const all of fc.sample(drafts, { seed: 20_261_126, numRuns: 300 })) {
    runAll(newPair(), all, (result) => void seen.add(exampleOf(result)));
  }
  // These are held by cutting short, or by whoever serves watches.
  const silent = ["answerLength", "historyEvents", "historyLength", "watches", "watchesOfClient"];
  const limits = Object.keys(smallLimits).filter((name) => !silent.includes(name));
  const results = gobbyResult.options.flatMap((option) =>
    "shape" in option ? option.shape.kind.value : []
  );
  assertEquals(
    [...seen].sort(),
    [
      ...results,
      ...refusal.options.map(({ shape }) => shape.why.value).filter((why) => why !== "limit")
        .map((why) => `refused: ${why}`),
      ...limits.map((name) => `limit ${name}`),
    ].sort(),
  );
});

Deno.test("gobby: operations and results are as their schemas say, and results are JSON", () => {
  const machine = makeGobby(smallLimits);
  const isJson = (data: unknown) => assertEquals(JSON.parse(JSON.stringify(data)), data);
  fc.assert(
    fc.property(drafts, (all) => {
      const pair = newPair();
      for (const each of all) {
        const operation = operationOf(each, pair.twin);
        const result = step(pair, operation);
        isJson(result);
        const verdict = validate(machine.result, result as Json);
        assert(verdict.ok, JSON.stringify(verdict));
        assert(validate(machine.operation, operation as Json).ok);
      }
    }),
    { numRuns: runs / 10 },
  );
});

Deno.test("gobby: a copy of its state goes on alike, and the same operations give the same state", () => {
  fc.assert(
    fc.property(drafts, drafts, (before, after) => {
      const pair = newPair();
      const done: GobbyOperation[] = [];
      for (const each of before) {
        done.push(operationOf(each, pair.twin));
        step(pair, done[done.length - 1] ?? { kind: "status" });
      }
      const copy = copyData(pair.state);
      for (const each of after) {
        const operation = operationOf(each, pair.twin);
        done.push(operation);
        assertEquals(applyGobby(copy, operation, smallLimits), step(pair, operation));
      }
      const again = initialState();
      for (const operation of done) applyGobby(again, operation, smallLimits);
      assertEquals(encodeData(copy), encodeData(pair.state));
      assertEquals(encodeData(again), encodeData(pair.state));
    }),
    { numRuns: runs / 10 },
  );
});

Deno.test("gobby: a watch that goes on from `next` sees every event once, or is told what is gone", () => {
  const slow = fc.array(fc.nat(12), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(drafts, slow, fc.integer({ min: 1, max: 5 }), (all, pauses, limit) => {
      const pair = newPair();
      const seen: GobbyEvent[] = [];
      let next = 1;
      let missed = 0;
      const target = { kind: "prefix", prefix: "a" } as const;
      all.forEach((each, index) => {
        step(pair, operationOf(each, pair.twin));
        if (index % ((pauses[index % pauses.length] ?? 0) + 1) > 0) return;
        const answer = eventsSince(pair.state, { target, from: next, limit, lengthMax: 1000 });
        if (answer.kind === "events") {
          seen.push(...answer.events);
          next = answer.next;
          return;
        }
        assert(answer.why === "compacted" && answer.oldest > next);
        missed += isOfPrefix(pair.twin, next, answer.oldest).length;
        next = answer.oldest;
      });
      const wanted = isOfPrefix(pair.twin, 1, next);
      assertEquals(seen.length + missed, wanted.length);
      if (missed === 0) assertEquals(seen, wanted);
      seen.forEach((event, index) => {
        const earlier = seen[index - 1];
        assert(earlier === undefined || earlier.revision <= event.revision);
      });
    }),
    { numRuns: runs / 5 },
  );
});

function isOfPrefix(twin: Twin, from: number, to: number): GobbyEvent[] {
  return twin.events.filter((event) => {
    const key = event.kind === "keyStored" ? event.entry.key : "key" in event ? event.key : "";
    return event.revision >= from && event.revision < to && key.startsWith("a");
  });
}

Deno.test("gobby: tokens only grow, whatever the lock", () => {
  fc.assert(
    fc.property(drafts, (all) => {
      const pair = newPair();
      runAll(pair, all);
      const tokens = pair.twin.events
        .flatMap((event) => event.kind === "lockGranted" ? event.token : []);
      tokens.forEach((token, index) => assert(index === 0 || token > (tokens[index - 1] ?? 0)));
    }),
    { numRuns: runs / 10 },
  );
});
