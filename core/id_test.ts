import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import fc from "fast-check";
import { agentId, compareBytes, idLengthMax, isToken, virtualId } from "./id.ts";

Deno.test("isToken() takes what has no white space and no control characters", () => {
  for (
    const text of ["1", "kv/acceptor/1", "é", "日本", "𝒳", "-1", "{}", "a".repeat(idLengthMax)]
  ) {
    assert(isToken(text), text);
  }
});

Deno.test("isToken() refuses white space of every kind, control characters, nothing, and too much", () => {
  const refused = ["", " ", "a b", " a", "a\n", "\ta", "a\u00a0b", "a\u2028", "a\u0000", "a\u007f"];
  for (const text of [...refused, "a\u0085b", "a".repeat(idLengthMax + 1)]) {
    assertFalse(isToken(text), JSON.stringify(text));
  }
});

Deno.test("agentId() and virtualId() are the text itself, or an error that says which", () => {
  assertEquals<string>(agentId("kv/1"), "kv/1");
  assertEquals<string>(virtualId("200"), "200");
  assertThrows(
    () => agentId("a b"),
    SyntaxError,
    `Cannot use "a b" as an agent id, want 1 to 256 characters without white space`,
  );
  assertThrows(() => virtualId(""), SyntaxError, `Cannot use "" as a virtual destination`);
});

Deno.test("compareBytes() orders addresses as strings, not as numbers", () => {
  const boxes = ["127.0.0.1:5000", "127.0.0.1:10000", "127.0.0.1:500", "10.0.0.1:9"];
  assertEquals(boxes.sort(compareBytes), [
    "10.0.0.1:9",
    "127.0.0.1:10000",
    "127.0.0.1:500",
    "127.0.0.1:5000",
  ]);
});

Deno.test("compareBytes() orders beyond the basic plane by bytes, where code units would not", () => {
  assert("\uffee" > "\u{10000}", "the order of code units");
  assert(compareBytes("\uffee", "\u{10000}") < 0);
});

Deno.test("compareBytes() is the order of the UTF-8 bytes", () => {
  const encoder = new TextEncoder();
  const naive = (a: string, b: string) => {
    const [left, right] = [encoder.encode(a), encoder.encode(b)];
    for (const [i, byte] of left.entries()) {
      const other = right[i];
      if (other === undefined) return 1;
      if (byte !== other) return byte - other;
    }
    return left.length - right.length;
  };
  const text = fc.string({ unit: "grapheme", maxLength: 4 });
  fc.assert(fc.property(text, text, (a, b) => {
    assertEquals(Math.sign(compareBytes(a, b)), Math.sign(naive(a, b)));
  }));
});
