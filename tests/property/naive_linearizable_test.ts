// The linearizability checker against a naive twin that tries every order, on thousands of small random histories.

import { assert, assertEquals } from "@std/assert";
import { kv } from "../../agents/machine/kv.ts";
import { copyData, type Json } from "../../core/data.ts";
import { type Random, randomInteger, seededRandom } from "../../core/random.ts";
import type { Call } from "../../sim/history.ts";
import { checkLinearizable } from "../../sim/linearizable.ts";
import { machineModel } from "../../sim/linearizable_model.ts";

const histories = Deno.env.has("OVID_SHORT") ? 1000 : 5000;
const model = machineModel(kv);

/** Whether some order of the calls explains all answers: tries each call that may come next, and none of those lost. */
function isExplained(calls: readonly Call[], state: ReturnType<typeof kv.initial>): boolean {
  const answered = calls.filter(({ returnUs }) => returnUs !== undefined);
  if (answered.length === 0) return true;
  const firstReturn = Math.min(...answered.map(({ returnUs }) => returnUs ?? Infinity));
  return calls.some((call) => {
    if (call.invokeUs > firstReturn) return false;
    const next = copyData(state);
    const result = kv.apply(next, call.operation);
    const fits = call.returnUs === undefined ||
      JSON.stringify(result) === JSON.stringify(call.result);
    return fits && isExplained(calls.filter((each) => each !== call), next);
  });
}

function drawOperation(random: Random): Json {
  const key = `k${randomInteger(random, 0, 5) === 0 ? 1 : 0}`;
  const value = `${randomInteger(random, 1, 3)}`;
  switch (randomInteger(random, 0, 4)) {
    case 0:
    case 1:
      return { kind: "put", key, value };
    case 2:
      return { kind: "delete", key };
    case 3:
      return { kind: "cas", key, expected: `${randomInteger(random, 1, 3)}`, value };
    default:
      return { kind: "get", key };
  }
}

// A store that executes each call at some moment between its two ends, and sometimes answers from the past.
function drawHistory(random: Random): Call[] {
  const drawn = Array.from({ length: randomInteger(random, 1, 7) }, (_, index) => {
    const invokeUs = randomInteger(random, 0, 120);
    const executeUs = invokeUs + randomInteger(random, 1, 20);
    const returnUs = executeUs + randomInteger(random, 1, 20);
    return { client: `c${index}`, operation: drawOperation(random), invokeUs, executeUs, returnUs };
  }).sort((a, b) => a.executeUs - b.executeUs);
  let state = kv.initial();
  let past = kv.initial();
  return drawn.map(({ client, operation, invokeUs, returnUs }) => {
    const lost = random() < 0.1;
    const stale = random() < 0.5;
    if (random() < 0.2) past = copyData(state);
    const executed = !lost || random() < 0.5;
    const result = kv.apply(stale ? past : executed ? state : copyData(state), operation);
    state = copyData(state);
    return lost
      ? { client, operation, invokeUs, result: undefined, returnUs: undefined }
      : { client, operation, invokeUs, result, returnUs };
  });
}

Deno.test(`checkLinearizable() agrees with a twin that tries every order, on ${histories} histories`, () => {
  const random = seededRandom(20_261_121n);
  const seen = { linearizable: 0, "not linearizable": 0, unknown: 0 };
  for (let index = 0; index < histories; index++) {
    const calls = drawHistory(random);
    const { kind } = checkLinearizable(calls, model);
    const expected = isExplained(calls, kv.initial()) ? "linearizable" : "not linearizable";
    assertEquals(kind, expected, JSON.stringify(calls, undefined, 1));
    seen[kind]++;
  }
  // Both answers must be common, or their agreement would mean little.
  assert(
    seen.linearizable > histories / 5 && seen["not linearizable"] > histories / 20,
    JSON.stringify(seen),
  );
});

Deno.test("checkLinearizable() names a part of the history that cannot be explained", () => {
  const call = (
    client: string,
    operation: Json,
    result: Json,
    invokeUs: number,
    returnUs: number,
  ) => ({
    client,
    operation,
    result,
    invokeUs,
    returnUs,
  });
  const calls = [
    call("a", { kind: "put", key: "x", value: "1" }, { kind: "stored" }, 0, 10),
    call("a", { kind: "put", key: "x", value: "2" }, { kind: "stored" }, 20, 30),
    call("b", { kind: "get", key: "y" }, { kind: "value", value: null }, 5, 8),
    call("b", { kind: "get", key: "x" }, { kind: "value", value: "1" }, 40, 50),
  ];
  const verdict = checkLinearizable(calls, model);
  assert(verdict.kind === "not linearizable");
  assert(verdict.clash.some(({ client, invokeUs }) => client === "b" && invokeUs === 40));
  assertEquals(verdict.clash.some(({ invokeUs }) => invokeUs === 5), false);
});
