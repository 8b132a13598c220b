import {
  assert,
  assertEquals,
  assertNotStrictEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import { copyData, copyJson, dataDepthMax, decodeData, encodeData, parseJson } from "./data.ts";

class Point {
  x = 1;
}

const names = fc.oneof(fc.constantFrom("$map", "$object", "$", "constructor", "1"), fc.string())
  .filter((name) => name !== "__proto__");
const number = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }))
  .map((value) => value === 0 ? 0 : value);
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, false),
    number,
    fc.string(),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(names, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value;
const data = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, undefined, true),
    number,
    fc.string(),
    fc.bigInt(),
    fc.uint8Array({ maxLength: 4 }),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.array(fc.tuple(tie("value"), tie("value")), { maxLength: 3 }).map((all) => new Map(all)),
    fc.array(tie("value"), { maxLength: 3 }).map((all) => new Set(all)),
    fc.dictionary(names, tie("value").filter((value) => value !== undefined), {
      maxKeys: 4,
      noNullPrototype: true,
    }),
  ),
})).value;

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { a: value };
  return value;
}

Deno.test("copyJson() copies all JSON, as JSON text would", () => {
  fc.assert(fc.property(json, (value) => {
    assertEquals(copyJson(value), value);
    assertEquals(JSON.stringify(copyJson(value)), JSON.stringify(value));
  }));
});

Deno.test("parseJson() gives, and refuses, what copyJson() does", () => {
  const outcome = (act: () => unknown) => {
    try {
      return { value: act() };
    } catch (error) {
      return { error: String(error) };
    }
  };
  const nested = (depth: number) => `${"[".repeat(depth)}-0${"]".repeat(depth)}`;
  const texts = [
    ...["-0", "0", "-0.5", '{"a":[{"b":-0}]}', "1e999", '{"a":-1e999}', "nope", '"-0"', ""],
    ...['{"__proto__":{"a":1}}', '[{"\\u005f_proto__":1}]', '{"constructor":{"prototype":1}}'],
    ...[nested(dataDepthMax - 1), nested(dataDepthMax), nested(dataDepthMax + 1), nested(10_000)],
  ];
  for (const text of texts) {
    assertEquals(outcome(() => parseJson(text)), outcome(() => copyJson(JSON.parse(text))), text);
  }
  assertStrictEquals(parseJson("-0"), 0);
  assertThrows(() => parseJson('{"__proto__":1}'), TypeError);
  fc.assert(fc.property(json, (value) => {
    const text = JSON.stringify(value);
    assertEquals(parseJson(text), copyJson(JSON.parse(text)));
  }));
});

Deno.test("copyJson() shares nothing with what it copies", () => {
  const value = { list: [{ a: 1 }], text: "a" };
  const copy = copyJson(value);
  assertNotStrictEquals(copy.list, value.list);
  value.list[0] = { a: 2 };
  assertEquals(copy, { list: [{ a: 1 }], text: "a" });
});

Deno.test("copyJson() leaves out undefined properties and the sign of zero", () => {
  assertEquals(Object.keys(copyJson({ a: undefined, b: 1 })), ["b"]);
  assertStrictEquals(copyJson([-0])[0], 0);
  assert(Object.is(copyJson({ a: -0 }).a, 0));
});

Deno.test("copyJson() takes an object without prototype, as JSON objects are", () => {
  const bare: Record<string, number> = Object.create(null);
  bare.a = 1;
  assertEquals(copyJson(bare), { a: 1 });
});

Deno.test("copyJson() refuses what JSON cannot say", () => {
  const refused: [unknown, string][] = [
    [NaN, "NaN"],
    [Infinity, "Infinity"],
    [undefined, "a undefined"],
    [1n, "a bigint"],
    [() => 1, "a function"],
    [Symbol("a"), "a symbol"],
    [new Date(0), "a Date"],
    [new Map(), "a Map"],
    [new Set(), "a Set"],
    [new Uint8Array(), "a Uint8Array"],
    [new Point(), "a Point"],
    [JSON.parse(`{"__proto__": 1}`), "a Object"],
  ];
  for (const [value, found] of refused) {
    assertThrows(() => copyJson(value), TypeError, `Cannot use ${found} as data`);
    if (value !== undefined) assertThrows(() => copyJson({ a: [value] }), TypeError);
  }
  assertThrows(() => copyJson([undefined]), TypeError, "Cannot use a undefined as data");
  assertThrows(() => copyJson(new Array(1)), TypeError, "Cannot use a undefined as data");
});

Deno.test("copyJson() and encodeData() refuse deep data, and so cyclic data", () => {
  assertEquals(copyJson(nested(dataDepthMax)), nested(dataDepthMax));
  assertEquals(decodeData(encodeData(nested(dataDepthMax))), nested(dataDepthMax));
  assertThrows(() => copyJson(nested(dataDepthMax + 1)), RangeError, "deeper than 256");
  assertThrows(() => encodeData(nested(dataDepthMax + 1)), RangeError, "deeper than 256");
  const cycle: unknown[] = [];
  cycle.push(cycle);
  assertThrows(() => copyJson(cycle), RangeError);
  assertThrows(() => encodeData(cycle), RangeError);
});

Deno.test("encodeData() and decodeData() are inverse for all data", () => {
  fc.assert(fc.property(data, (value) => {
    const text = encodeData(value);
    assertEquals<unknown>(decodeData(text), value);
    assertEquals(encodeData(decodeData(text)), text);
    assert(!text.includes("\n"));
  }));
});

Deno.test("encodeData() keeps the order of Maps, Sets and properties", () => {
  const map = new Map([["b", 1], ["a", 2]]);
  assertEquals(encodeData(map), `{"$map":[["b",1],["a",2]]}`);
  assertEquals(encodeData(new Set([2, 1])), `{"$set":[2,1]}`);
  assertEquals(encodeData({ b: 1, a: 2 }), `{"b":1,"a":2}`);
});

Deno.test("encodeData() tells its own marks from properties of the same name", () => {
  const twins = [{ $map: [] }, { $bigint: "1" }, { $object: { a: 1 } }, { a: 1, $set: [] }, {
    $: 0,
  }];
  for (const value of twins) assertEquals(decodeData(encodeData(value)), value);
  assertEquals(decodeData(encodeData({ 1: 0, $map: [] })), { 1: 0, $map: [] });
});

Deno.test("encodeData() leaves out undefined properties, and keeps undefined elsewhere", () => {
  assertEquals(encodeData({ a: undefined }), "{}");
  assertEquals(decodeData(encodeData([undefined, new Map([["a", undefined]])])), [
    undefined,
    new Map([["a", undefined]]),
  ]);
  assertEquals(encodeData(-0), "0");
});

Deno.test("encodeData() refuses what is no plain data", () => {
  const refused = [NaN, -Infinity, () => 1, Symbol("a"), new Date(0), new Point(), new WeakMap()];
  for (const value of refused) {
    assertThrows(() => encodeData(value), TypeError, "Cannot use");
    assertThrows(() => encodeData(new Map([[value, value]])), TypeError, "Cannot use");
  }
  assertThrows(() => encodeData(JSON.parse(`{"__proto__": 1}`)), TypeError, "__proto__");
});

Deno.test("decodeData() refuses text that is not of its making", () => {
  for (const text of ["", "{", `{"$map":1}`, `{"$map":[1]}`, `{"$bigint":"x"}`, `{"$set":{}}`]) {
    assertThrows(() => decodeData(text), SyntaxError);
  }
  // What encodeData() would not write again.
  const deep = "[".repeat(dataDepthMax + 1) + "]".repeat(dataDepthMax + 1);
  for (const text of ["1e999", `[-1e999]`, `{"__proto__":{"a":1}}`, deep]) {
    assertThrows(() => decodeData(text), SyntaxError, "Cannot decode data");
  }
});

Deno.test("copyData() copies Maps, Sets, bigints and bytes, and shares nothing", () => {
  const value = { map: new Map([["a", new Set([1n])]]), bytes: Uint8Array.of(1, 2) };
  const copy = copyData(value);
  assertEquals(copy, value);
  value.map.get("a")?.add(2n);
  value.bytes[0] = 9;
  assertEquals(copy, { map: new Map([["a", new Set([1n])]]), bytes: Uint8Array.of(1, 2) });
});
