import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { copyData, decodeData, encodeData, type Json } from "../../core/data.ts";
import { validate } from "../../core/schema.ts";
import {
  entryOverhead,
  keyLengthMax,
  kv,
  type KvOperation,
  kvResult,
  storeLengthMax,
  valueLengthMax,
} from "./kv.ts";

function run(
  operations: readonly Json[],
): { state: ReturnType<typeof kv.initial>; results: Json[] } {
  const state = kv.initial();
  return { state, results: operations.map((operation) => kv.apply(state, operation)) };
}

Deno.test("kv: get finds what put stored, and nothing after delete", () => {
  const { results } = run([
    { kind: "get", key: "a" },
    { kind: "put", key: "a", value: "1" },
    { kind: "get", key: "a" },
    { kind: "delete", key: "a" },
    { kind: "delete", key: "a" },
    { kind: "get", key: "a" },
  ]);
  assertEquals(results, [
    { kind: "value", value: null },
    { kind: "stored" },
    { kind: "value", value: "1" },
    { kind: "deleted", existed: true },
    { kind: "deleted", existed: false },
    { kind: "value", value: null },
  ]);
});

Deno.test("kv: cas stores only over the value it expects", () => {
  const { results } = run([
    { kind: "cas", key: "a", expected: "1", value: "2" },
    { kind: "cas", key: "a", expected: null, value: "" },
    { kind: "cas", key: "a", expected: null, value: "2" },
    { kind: "cas", key: "a", expected: "", value: "2" },
    { kind: "get", key: "a" },
  ]);
  assertEquals(results, [
    { kind: "differs", value: null },
    { kind: "stored" },
    { kind: "differs", value: "" },
    { kind: "stored" },
    { kind: "value", value: "2" },
  ]);
});

Deno.test("kv: keys and values have their limits, from both sides", () => {
  const put = (key: string, value: string) =>
    validate(kv.operation, { kind: "put", key, value }).ok;
  assertEquals(put("k".repeat(keyLengthMax), "v".repeat(valueLengthMax)), true);
  assertEquals(put("k".repeat(keyLengthMax + 1), ""), false);
  assertEquals(put("", "v"), false);
  assertEquals(put("k", "v".repeat(valueLengthMax + 1)), false);
  assertEquals(validate(kv.operation, { kind: "increment", key: "k" }).ok, false);
});

Deno.test("kv: a full store takes no more, but lets go and replaces", () => {
  const state = kv.initial();
  const cost = 8 + valueLengthMax + entryOverhead;
  const fits = Math.floor(storeLengthMax / cost);
  const value = "v".repeat(valueLengthMax);
  const key = (number: number) => String(number).padStart(8, "0");
  for (let number = 0; number < fits; number++) {
    assertEquals(kv.apply(state, { kind: "put", key: key(number), value }), { kind: "stored" });
  }
  const more = { kind: "put", key: key(fits), value };
  assertEquals(kv.apply(state, more), { kind: "full" });
  assertEquals(kv.apply(state, { ...more, kind: "cas", expected: null }), { kind: "full" });
  assertEquals(kv.apply(state, { kind: "put", key: key(0), value }), { kind: "stored" });
  kv.apply(state, { kind: "delete", key: key(0) });
  assertEquals(kv.apply(state, more), { kind: "stored" });
});

Deno.test("kv: isRead() names what changes no state, key() what it concerns", () => {
  const get = { kind: "get", key: "a" };
  assertEquals(kv.isRead(get), true);
  assertEquals(kv.isRead({ kind: "put", key: "a", value: "" }), false);
  assertEquals(kv.key?.(get), "a");
});

const key = fc.constantFrom("a", "b", "__proto__", "c");
const value = fc.string({ maxLength: 3 });
const operation: fc.Arbitrary<KvOperation> = fc.oneof(
  fc.record({ kind: fc.constant("get" as const), key }),
  fc.record({ kind: fc.constant("put" as const), key, value }),
  fc.record({ kind: fc.constant("delete" as const), key }),
  fc.record({ kind: fc.constant("cas" as const), key, expected: fc.option(value), value }),
);

Deno.test("kv: does what a plain map does, and a copy of its state goes on alike", () => {
  fc.assert(fc.property(fc.array(operation), fc.array(operation), (before, after) => {
    const { state } = run(before);
    const twin = new Map<string, string>();
    for (const each of before) applyTo(twin, each);
    const copy = decodeData(encodeData(copyData(state)));
    for (const each of after) {
      const found = twin.get(each.key) ?? null;
      const result = kv.apply(state, each);
      assertEquals(kv.apply(copy, each), result);
      assertEquals(validate(kvResult, result).ok, true);
      if (each.kind === "get") assertEquals(result, { kind: "value", value: found });
      applyTo(twin, each);
    }
    assertEquals(encodeData(copy), encodeData(state));
    const length = [...twin].reduce((sum, [k, v]) => sum + k.length + v.length + entryOverhead, 0);
    assertEquals(state, { entries: twin, length });
  }));
});

function applyTo(map: Map<string, string>, operation: KvOperation): void {
  if (operation.kind === "delete") map.delete(operation.key);
  if (operation.kind === "put") map.set(operation.key, operation.value);
  if (operation.kind === "cas" && (map.get(operation.key) ?? null) === operation.expected) {
    map.set(operation.key, operation.value);
  }
}
