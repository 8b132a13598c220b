import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { blockMax, countKeys, insertKey, keysIn, type Order, removeKey } from "./machine_order.ts";

function orderOf(keys: readonly string[]): Order {
  const order: Order = [];
  for (const key of keys) insertKey(order, key);
  return order;
}

const numbered = (count: number) =>
  Array.from({ length: count }, (_, index) => String((index * 7919) % count).padStart(6, "0"));

Deno.test("insertKey() and removeKey() keep many keys in order, in blocks that are filled", () => {
  const keys = numbered(5000);
  const order = orderOf(keys);
  assertEquals(order.flat(), [...keys].sort());
  assert(order.length >= 5000 / blockMax);
  for (const key of keys.slice(0, 4900)) {
    removeKey(order, key);
    assert(order.every(({ length }) => length > 0 && length <= blockMax));
  }
  assertEquals(order.flat(), keys.slice(4900).sort());
  assert(order.length < 10, "blocks that are nearly empty are joined");
  for (const key of keys.slice(4900)) removeKey(order, key);
  assertEquals(order, []);
});

Deno.test("keysIn() goes on after a key, across blocks, and says how many are left", () => {
  const order = orderOf(numbered(2000));
  const range = { from: "000100", to: "001900" };
  const seen: string[] = [];
  for (let after: string | undefined = undefined;;) {
    const { keys, total }: ReturnType<typeof keysIn> = keysIn(order, range, 700, after);
    assertEquals(total, 1800 - seen.length);
    seen.push(...keys);
    after = keys.at(-1);
    if (keys.length === total) break;
  }
  assertEquals(seen, numbered(2000).sort().slice(100, 1900));
  assertEquals(countKeys(order, range), 1800);
});

Deno.test("keysIn() of a range the wrong way round, or after its end, is empty", () => {
  const order = orderOf(numbered(2000));
  assertEquals(keysIn(order, { from: "001900", to: "000100" }, 5), { keys: [], total: 0 });
  assertEquals(keysIn(order, { prefix: "0001" }, 5, "0002"), { keys: [], total: 0 });
  assertEquals(keysIn(order, { prefix: "0001" }, 5, "0000").total, 100);
  assertEquals(countKeys(order, { from: "001900", to: "000100" }), 0);
  assertEquals(countKeys([], { prefix: "" }), 0);
});

const key = fc.oneof(
  fc.string({ unit: "binary", maxLength: 3 }),
  fc.constantFrom("a", "ab", "a\uffff", "b", "\u{1F600}", "\ud83d", "\uffff"),
);

Deno.test("keysIn() finds what looking at every key finds", () => {
  const range = fc.oneof(
    fc.record({ prefix: key }),
    fc.record({ from: key, to: fc.option(key) }),
  );
  fc.assert(fc.property(fc.uniqueArray(key), range, fc.option(key), (keys, range, after) => {
    const isIn = (each: string) =>
      "prefix" in range
        ? each.startsWith(range.prefix)
        : each >= range.from && (range.to === null || each < range.to);
    const all = keys.filter(isIn).sort((a, b) => a < b ? -1 : 1);
    const later = all.filter((each) => after === null || each > after);
    const order = orderOf(keys);
    assertEquals(countKeys(order, range), all.length);
    assertEquals(keysIn(order, range, 4, after ?? undefined), {
      keys: later.slice(0, 4),
      total: later.length,
    });
  }));
});
