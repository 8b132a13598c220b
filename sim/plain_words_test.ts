import { assertEquals } from "@std/assert";
import { fieldsOf, kindWords, wordsOf } from "./plain_words.ts";

Deno.test("fieldsOf() leaves out what is undefined, and quotes what is no word", () => {
  assertEquals(
    fieldsOf({ view: 1, why: undefined, name: "r0", text: "a b", none: null, empty: "" }),
    'view=1 name=r0 text="a b" none=null empty=""',
  );
});

Deno.test("wordsOf() says lists, maps, sets and objects in one line", () => {
  assertEquals(wordsOf([1, { a: [], b: "]" }]), '[1 {a=[] b="]"}]');
  assertEquals(wordsOf(new Map([["x", new Set([1n])]])), "{x=[1]}");
  assertEquals(wordsOf(new Uint8Array(3)), "3 bytes");
  assertEquals(wordsOf("v".repeat(61)), `"${"v".repeat(20)}"... (61 characters)`);
});

Deno.test("kindWords() begins with the kind, unless a field says it", () => {
  assertEquals(kindWords({ kind: "opened", session: 1 }), "opened session=1");
  assertEquals(kindWords({ kind: "stored" }), "stored");
  assertEquals(kindWords({ kind: "value", value: null }), "value=null");
  assertEquals(kindWords({ incarnation: 2 }), "incarnation=2");
});
