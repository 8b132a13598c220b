import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { type JsonFault, type JsonNode, readJson, toJson } from "./json.ts";
import { showPath } from "./wording.ts";

function read(text: string, depthMax = 128): { root: JsonNode | undefined; faults: JsonFault[] } {
  const faults: JsonFault[] = [];
  const root = readJson(text, depthMax, (fault) => faults.push(fault));
  return { root, faults };
}

/** The faults of a text, each as `offset path found, want wanted`. */
function faultsOf(text: string): string[] {
  return read(text).faults.map(({ path, offset, found, wanted }) =>
    `${offset} ${[showPath(path), found].join(" ").trim()}, want ${wanted}`
  );
}

Deno.test("readJson: keeps the order of the text and where everything stands", () => {
  const { root } = read('{ "10": [1, "x"], "2": null }');
  assert(root?.kind === "object");
  assertEquals(root.members.map(({ key, offset, value }) => [key, offset, value.offset]), [
    ["10", 2, 8],
    ["2", 18, 23],
  ]);
  const list = root.byKey.get("10")?.value;
  assert(list?.kind === "array");
  assertEquals(list.items.map(({ offset }) => offset), [9, 12]);
});

Deno.test("readJson: keeps duplicate keys, the first of them by key", () => {
  const { root, faults } = read('{ "a": 1, "a": 2 }');
  assert(root?.kind === "object");
  assertEquals(faults, []);
  assertEquals(root.members.map(({ value }) => toJson(value)), [1, 2]);
  assertEquals(root.byKey.get("a"), root.members[0]);
  assertEquals(toJson(root), { a: 2 });
});

Deno.test("readJson: goes on after faults that leave no doubt", () => {
  assertEquals(faultsOf('{ /* c */ "a": [1, 2,], // d\n "b": 3 "c": "\\q\\u12" }'), [
    "2 has a comment, want plain JSON without comments",
    "20 a has a comma after its last value, want plain JSON without it",
    "24 has a comment, want plain JSON without comments",
    '37 has the string "c", want a comma before it',
    '42 has the string "\\\\q\\\\u12", want four hexadecimal digits after each \\u',
  ]);
  for (const e of ["\\q", "\\u12", "\t"]) {
    const { root } = read(`{ "a": [1, 2,], "b": { "c": 3, } "d": 4, "e": "${e}" }`);
    assert(root !== undefined);
    const { e: _, ...rest } = Object(toJson(root));
    assertEquals(rest, { a: [1, 2], b: { c: 3 }, d: 4 });
  }
});

Deno.test("readJson: gives up at the first fault that leaves the rest in doubt", () => {
  const value = "a string in double quotes, a number, an object, an array, true, false or null";
  const cases: Record<string, string> = {
    '{ "a": , "b": 1,, }': `7 has ",", want ${value}`,
    "{ 'a': 1 }": `2 has "'a'", want ${value}`,
    '{ "a": True }': `7 has "True", want ${value}`,
    "{ 1: 1 }": '2 has "1", want a name in double quotes',
    '{ "a" 1 }': '6 has "1", want a colon',
    '{ "a": 1': '8 ends too early, want a closing "}"',
    '{ "a": 1, ': "10 ends too early, want a name in double quotes",
    '{ "a": [1': '9 a ends too early, want a closing "]"',
    '{ "a": [1 }': `10 a has "}", want a comma before it`,
    '{ "a": "b }\n': "7 has a string without an end, want a closing double quote on the same line",
    '{ "a": 1. }': '7 has "1.", want a digit after it',
    "{} {}": '3 has "{", want nothing after its end',
    "{} /* x": "3 has a comment without an end, want plain JSON without comments",
    "": `0 ends too early, want ${value}`,
  };
  for (const [text, fault] of Object.entries(cases)) {
    assertEquals(faultsOf(text)[0], fault);
    assertEquals(read(text).root, undefined, text);
  }
});

Deno.test("readJson: refuses control characters in strings and numbers without an end", () => {
  assertEquals(faultsOf('["\t"]'), [
    '1 has the string "\\t", want control characters written as \\u and four digits',
  ]);
  assertEquals(faultsOf("[1e308, -1e309]"), ['8 has "-1e309", want a smaller number']);
});

Deno.test("readJson: refuses what is nested too deeply, without using the stack up", () => {
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  assertEquals(read(nested(3), 3).faults, []);
  assertEquals(read(nested(4), 3).faults, [{
    path: [0, 0],
    offset: 3,
    found: "goes deeper",
    wanted: "at most 3 objects and arrays within each other",
  }]);
  assertEquals(read("[".repeat(1_000_000)).root, undefined);
  assertEquals(read('{"a":'.repeat(1_000_000)).root, undefined);
});

Deno.test("readJson: reads -0 as 0, as every other box would", () => {
  const { root } = read("-0");
  assert(root?.kind === "scalar");
  assertStrictEquals(root.value, 0);
});

Deno.test("toJson: makes a property of the name __proto__, not a prototype", () => {
  const { root } = read('{ "__proto__": { "a": 1 } }');
  assert(root !== undefined);
  const value = Object(toJson(root));
  assertEquals(Object.keys(value), ["__proto__"]);
  assertEquals(value.a, undefined);
});

/** What JSON.parse makes of a text, without -0; undefined for what is not JSON or beyond all numbers. */
function twin(text: string): unknown {
  try {
    return JSON.parse(text, (_, value) => {
      if (value === Infinity || value === -Infinity) throw new RangeError();
      return value === 0 ? 0 : value;
    });
  } catch {
    return undefined;
  }
}

Deno.test("readJson: accepts what JSON.parse accepts, and nothing else", () => {
  const sign = fc.constantFrom(
    ...'{}[]:,"\\/*-+.eE0123456789 \n\r\tabtrufalsn\u00a0\u2028\ufeff\u0000',
    '"a"',
    '"a":',
    "true",
    "null",
    "1.5",
    "\\u00e9",
  );
  const texts = fc.oneof(
    fc.array(sign, { maxLength: 12 }).map((signs) => signs.join("")),
    fc.json(),
    fc.tuple(fc.json(), fc.nat(), sign).map(([text, at, other]) =>
      text.slice(0, at % (text.length + 1)) + other + text.slice(at % (text.length + 1) + 1)
    ),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const { root, faults } = read(text);
      const wanted = twin(text);
      assertEquals(faults.length === 0, wanted !== undefined, text);
      if (root !== undefined && faults.length === 0) {
        assertEquals<unknown>(toJson(root), wanted, text);
      }
    }),
    { numRuns: 2000 },
  );
});
