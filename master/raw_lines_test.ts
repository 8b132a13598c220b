import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { RawLines } from "./raw_lines.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

Deno.test("RawLines.push: cuts at line feeds, wherever the pieces end", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), fc.array(fc.nat(5)), (text, cuts) => {
    const bytes = bytesOf(text);
    const lines = new RawLines();
    const got: string[] = [];
    let at = 0;
    for (const cut of cuts) got.push(...lines.push(bytes.subarray(at, at += cut)));
    got.push(...lines.push(bytes.subarray(at)));
    assertEquals([...got, lines.rest()], text.split("\n"));
  }));
});

Deno.test("RawLines.push: keeps carriage returns, byte order marks, and a place for what is no text", () => {
  assertEquals(new RawLines().push(bytesOf("\uFEFFa\r\n")), ["\uFEFFa\r"]);
  assertEquals(new RawLines().push(new Uint8Array([97, 255, 10])), ["a\uFFFD"]);
});

Deno.test("RawLines.push: copies what it keeps", () => {
  const lines = new RawLines();
  const buffer = bytesOf("ab");
  lines.push(buffer);
  buffer.fill(120);
  assertEquals(lines.push(bytesOf("\n")), ["ab"]);
});

Deno.test("RawLines.push: takes a line of the limit, and throws for a longer one", () => {
  const lines = new RawLines(3);
  assertEquals(lines.push(bytesOf("abc\nde")), ["abc"]);
  lines.push(bytesOf("f"));
  assertThrows(() => lines.push(bytesOf("g")), RangeError, "longer than 3 bytes");
});
