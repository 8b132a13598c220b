import { assertEquals } from "@std/assert";
import type { Json } from "../core/data.ts";
import type { Call } from "./history.ts";
import { counterModel, isInert, kvModel, type Model, passageOf } from "./linearizable_model.ts";
import { usefulDrafts } from "./linearizable_useful.ts";

const stored = { kind: "stored" };
const existed = { kind: "deleted", existed: true };

function call(operation: Json, result: Json | undefined, invokeUs: number, lasts = 5): Call {
  const returnUs = result === undefined ? undefined : invokeUs + lasts;
  return { client: `c${invokeUs}`, operation, result, invokeUs, returnUs };
}

const put = (value: string, at: number, result?: Json) =>
  call({ kind: "put", key: "x", value }, result, at);
const cas = (expected: string | null, value: string, at: number, result?: Json) =>
  call({ kind: "cas", key: "x", expected, value }, result, at);
const remove = (at: number, result?: Json) => call({ kind: "delete", key: "x" }, result, at);
const get = (value: string | null, at: number) =>
  call({ kind: "get", key: "x" }, { kind: "value", value }, at);

/** When the calls that are left were invoked. */
function usefulIn(calls: readonly Call[], model: Model<string> = kvModel): number[] {
  const drafts = calls.map((call) => {
    const passage = passageOf(call, model);
    return { call, passage, inert: isInert(call, model, passage) };
  });
  return usefulDrafts(drafts).map(({ call }) => call.invokeUs);
}

Deno.test("usefulDrafts() keeps whatever has an answer", () => {
  assertEquals(usefulIn([put("1", 0, stored), get("2", 1), remove(2, existed)]), [0, 1, 2]);
});

Deno.test("usefulDrafts() leaves out a call without an answer that leaves all as it is", () => {
  const get = call({ kind: "get", key: "x" }, undefined, 0);
  assertEquals(usefulIn([get, cas("1", "1", 1)]), []);
});

Deno.test("usefulDrafts() keeps lost calls that lead to a state that somebody found, by way of others too", () => {
  assertEquals(usefulIn([put("1", 0), put("2", 1), get("1", 2)]), [0, 2]);
  assertEquals(usefulIn([put("1", 0), cas("1", "2", 1), cas("2", "3", 2), get("3", 3)]), [
    0,
    1,
    2,
    3,
  ]);
  assertEquals(usefulIn([put("1", 0), cas("1", "2", 1), cas("2", "3", 2), get("2", 3)]), [0, 1, 3]);
});

Deno.test("usefulDrafts() keeps as many lost calls as can help one out of the state that it cannot follow", () => {
  const lost = [put("1", 0), put("2", 1), put("3", 2)];
  assertEquals(usefulIn([...lost, remove(3, existed)]), [0, 3]);
  assertEquals(usefulIn([...lost, remove(3, existed), remove(4, existed)]), [0, 1, 3, 4]);
  // A deletion helps nobody, nor does what can only follow a value; what follows no value may.
  assertEquals(usefulIn([remove(0), cas("7", "8", 1), cas(null, "9", 2), remove(3, existed)]), [
    2,
    3,
  ]);
});

Deno.test("usefulDrafts() does not choose among lost calls of the same microsecond", () => {
  const lost = [put("1", 0), put("2", 0), put("3", 1)];
  assertEquals(usefulIn([...lost, remove(3, existed)]), [0, 0, 3]);
});

Deno.test("usefulDrafts() leaves out nothing where the model does not tell what calls lead to", () => {
  const add = (at: number, result?: Json) => call({ kind: "add", amount: 1 }, result, at);
  const calls = [add(0), add(1), add(2, { kind: "total", total: 1 })];
  assertEquals(usefulIn(calls, counterModel), [0, 1, 2]);
});
