import { assertEquals } from "@std/assert";
import type { Json } from "../core/data.ts";
import type { Call } from "./history.ts";
import { counterModel, kvModel } from "./linearizable_model.ts";
import { suspectCalls } from "./linearizable_suspects.ts";

function call(operation: Json, result: Json | undefined, invokeUs: number, returnUs?: number) {
  return { client: `c${invokeUs}`, operation, result, invokeUs, returnUs } satisfies Call;
}

function put(value: string, invokeUs: number, returnUs?: number): Call {
  const result = returnUs === undefined ? undefined : { kind: "stored" };
  return call({ kind: "put", key: "x", value }, result, invokeUs, returnUs);
}

function get(value: string | null, invokeUs: number, returnUs: number): Call {
  return call({ kind: "get", key: "x" }, { kind: "value", value }, invokeUs, returnUs);
}

/** When those that are suspect were invoked. */
function suspectsIn(...calls: Call[]): number[] {
  return suspectCalls(calls, kvModel).map(({ invokeUs }) => invokeUs);
}

Deno.test("suspectCalls() suspects a read of what was overwritten, with who wrote and overwrote it", () => {
  assertEquals(suspectsIn(put("1", 0, 9), put("2", 10, 19), get("1", 20, 29)), [0, 10, 20]);
  assertEquals(suspectsIn(put("2", 10, 19), get(null, 20, 29)), [10, 20]);
});

Deno.test("suspectCalls() suspects nobody where things may have overlapped", () => {
  assertEquals(suspectsIn(put("1", 0, 9), put("2", 10, 19), get("1", 19, 29)), []);
  assertEquals(suspectsIn(put("1", 0, 9), put("2", 9, 19), get("1", 20, 29)), []);
  assertEquals(suspectsIn(put("1", 0, 9), put("2", 10, 19), get("2", 20, 29)), []);
  assertEquals(suspectsIn(put("1", 0, 9), put("1", 10, 19), get("1", 20, 29)), []);
});

Deno.test("suspectCalls() suspects nobody where a lost or a later call may have written it again", () => {
  const calls = [put("1", 0, 9), put("2", 10, 19)];
  assertEquals(suspectsIn(...calls, put("1", 15), get("1", 20, 29)), []);
  assertEquals(suspectsIn(put("1", 0), put("2", 10, 19), get("1", 20, 29)), []);
  assertEquals(suspectsIn(...calls, get("1", 20, 29), put("1", 25, 40)), []);
  assertEquals(suspectsIn(...calls, get("1", 20, 29), put("1", 30, 40)), [0, 10, 20]);
});

Deno.test("suspectCalls() knows who overwrote a state although others wrote the same since", () => {
  const calls = [put("1", 0, 9), put("2", 10, 19), put("2", 20, 29), put("3", 30, 39)];
  assertEquals(suspectsIn(...calls, get("2", 40, 49)), [10, 20, 30, 40]);
  assertEquals(suspectsIn(...calls, get("3", 40, 49)), []);
  assertEquals(suspectsIn(...calls, get("1", 40, 49)), [0, 30, 40]);
});

Deno.test("suspectCalls() names the fewest", () => {
  const calls = [put("1", 0, 9), put("1", 10, 19), put("2", 20, 29), put("3", 30, 39)];
  assertEquals(suspectsIn(...calls, get("1", 40, 49), get("2", 50, 59)), [20, 30, 50]);
});

Deno.test("suspectCalls() suspects nobody where a call may have left any state behind", () => {
  const add = (at: number, total?: number) => {
    const result = total === undefined ? undefined : { kind: "total", total };
    return call({ kind: "add", amount: 1 }, result, at, total === undefined ? undefined : at + 5);
  };
  const stale = call({ kind: "read" }, { kind: "total", total: 1 }, 20, 25);
  assertEquals(suspectCalls([add(0, 1), add(10, 2), stale], counterModel).length, 3);
  assertEquals(suspectCalls([add(0, 1), add(1), add(10, 2), stale], counterModel), []);
});
