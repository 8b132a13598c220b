import { assertEquals, assertMatch } from "@std/assert";
import { seededRandom } from "../../core/random.ts";
import { answersOf, drawHoles, fill, match } from "./template.ts";

const holes = new Map<string, string | number>([["key", "key1"], ["value", "v.*"], ["amount", 5]]);

Deno.test("fill() puts what was drawn into every text of a template", () => {
  const drawn = new Map<string, string | number>([["key", "key1"], ["amount", 5]]);
  assertEquals(fill('put {key} {amount} {other} {"a":1}', drawn), 'put key1 5 {other} {"a":1}');
  assertEquals(fill({ kind: "add", to: ["{key}"], n: 1, no: null, yes: true }, drawn), {
    ...{ kind: "add", to: ["key1"], n: 1, no: null, yes: true },
  });
});

Deno.test("fill() makes of a text that is one hole what fills it, of any kind", () => {
  const drawn = new Map<string, number | string[]>([["amount", 5], ["reply.tags", ["x"]]]);
  assertEquals(fill("{amount}", drawn), 5);
  assertEquals(fill("{reply.tags}", drawn), ["x"]);
  assertEquals(fill("{reply.missing}", drawn), null);
});

Deno.test("match() finds what stands at the holes of an answer", () => {
  assertEquals(match("total {number}", "total -12", holes)?.get("number"), -12);
  assertEquals(match("{key}: {text}", "key1: a: b", holes)?.get("text"), "a: b");
  assertEquals(match("{text}", "", holes)?.get("text"), "");
  for (const text of ["total x", "total 1.5", "total 1 2", "the total 1"]) {
    assertEquals(match("total {number}", text, holes), undefined, text);
  }
});

Deno.test("match() takes for an answer only what speaks of this request, to the letter", () => {
  assertEquals(match("{key}: {number}", "key2: 1", holes), undefined);
  assertEquals(match("{value} ({amount})", "v.* (5)", holes)?.get("amount"), 5);
  assertEquals(match("{value} ({amount})", "vxx (5)", holes), undefined);
});

Deno.test("drawHoles() draws keys from a few, and values that no other request has", () => {
  const random = seededRandom(1n);
  const all = Array.from({ length: 200 }, (_, index) => drawHoles(random, 2, index));
  assertEquals(new Set(all.map((each) => each.get("key"))), new Set(["key1", "key2"]));
  assertEquals(new Set(all.map((each) => each.get("value"))).size, 200);
  for (const each of all) assertMatch(String(each.get("amount")), /^[1-9]$/);
});

Deno.test("answersOf() knows lists and objects", () => {
  assertEquals([...answersOf(["a"])], [["a", undefined]]);
  assertEquals([...answersOf({ a: null })], [["a", null]]);
});
