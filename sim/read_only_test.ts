import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { encodeData } from "../core/data.ts";
import { ReadOnly } from "./read_only.ts";

function sample() {
  return {
    list: [3, 1, 2],
    map: new Map([["a", { tags: ["x"] }]]),
    set: new Set([{ id: 1 }]),
    bytes: Uint8Array.of(1, 2),
    nothing: null,
    big: 5n,
  };
}

Deno.test("ReadOnly.show() shows the same data", () => {
  const shown = new ReadOnly().show(sample());
  assertEquals(encodeData(shown), encodeData(sample()));
  assertEquals(shown.list.filter((each) => each > 1).toSorted(), [2, 3]);
  assertEquals([...shown.map.keys()], ["a"]);
  assertEquals([...shown.map].map(([key, { tags }]) => [key, ...tags]), [["a", "x"]]);
  assertEquals([...shown.map.values()].length, 1);
  assertEquals([...shown.set.entries()].map(([{ id }]) => id), [1]);
  assertEquals([shown.map.size, shown.set.size, shown.bytes.length], [1, 1, 2]);
  assertEquals([shown.map.has("a"), shown.map.has("b"), shown.map.get("b")], [
    true,
    false,
    undefined,
  ]);
  const seen: unknown[] = [];
  shown.map.forEach(({ tags }, key) => seen.push(key, tags.length));
  assertEquals(seen, ["a", 1]);
  assert(shown.map instanceof Map && Array.isArray(shown.list));
  assertEquals(JSON.stringify(shown.list), "[3,1,2]");
});

Deno.test("ReadOnly.show() gives the same part as the same object, at every depth", () => {
  const data = sample();
  const readOnly = new ReadOnly();
  assertStrictEquals(readOnly.show(data).list, readOnly.show(data).list);
  assertStrictEquals(readOnly.show(data).map.get("a"), readOnly.show(data.map).get("a"));
});

Deno.test("ReadOnly.show() shows what is frozen, as parts of attrs are", () => {
  const frozen = Object.freeze({ contacts: Object.freeze([{ name: "ann" }]) });
  const shown = new ReadOnly().show(frozen);
  assertEquals(shown.contacts.map(({ name }) => name), ["ann"]);
  assertThrows(() => Object.assign(shown.contacts, [1]), TypeError, "Cannot change the state");
});

Deno.test("ReadOnly.show() refuses every change, whoever tries", () => {
  const data = sample();
  // As JavaScript sees it.
  const shown: ReturnType<typeof sample> = Object(new ReadOnly().show(data));
  const changes: (() => unknown)[] = [
    () => shown.list.push(4),
    () => shown.list.sort(),
    () => shown.list[0] = 9,
    () => shown.map.set("b", { tags: [] }),
    () => shown.map.clear(),
    () => shown.map.delete("a"),
    () => shown.map.get("a")?.tags.push("y"),
    () => [...shown.map.values()][0]?.tags.pop(),
    () => shown.set.add({ id: 2 }),
    () => Reflect.deleteProperty(shown, "list"),
    () => Object.defineProperty(shown, "list", { value: [] }),
    () => Object.assign(shown, { big: 6n }),
    () => Object.freeze(shown.list),
    () => Object.setPrototypeOf(shown, null),
  ];
  for (const change of changes) assertThrows(change, TypeError, "Cannot change the state");
  shown.bytes.fill(9);
  assertEquals(data, sample());
});
