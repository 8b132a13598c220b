import { assertEquals, assertThrows } from "@std/assert";
import { SourceMap } from "./source_map.ts";

const read = (mappings: string, sources = ["a.ts", "b.ts"]) =>
  new SourceMap(JSON.stringify({ version: 3, sources, names: [], mappings }));

Deno.test("SourceMap.find() names the last segment that begins there or before", () => {
  // Line 1 is nobody's; line 2 has columns 0 and 4 of a.ts 1:1 and 1:9; line 3 begins with b.ts 5:2.
  const map = read(";AAAA,IAAQ;ACIP");
  assertEquals(map.find(1, 1), undefined);
  assertEquals(map.find(2, 1), { file: "a.ts", line: 1, column: 1 });
  assertEquals(map.find(2, 4), { file: "a.ts", line: 1, column: 1 });
  assertEquals(map.find(2, 5), { file: "a.ts", line: 1, column: 9 });
  assertEquals(map.find(2, 900), { file: "a.ts", line: 1, column: 9 });
  assertEquals(map.find(3, 1), { file: "b.ts", line: 5, column: 2 });
  assertEquals(map.find(4, 1), undefined);
});

Deno.test("SourceMap reads numbers of several digits and of both signs, and segments without a place", () => {
  const map = read("AAgBgC,qBADhB,G");
  assertEquals(map.find(1, 1), { file: "a.ts", line: 17, column: 33 });
  assertEquals(map.find(1, 22), { file: "a.ts", line: 16, column: 17 });
  assertEquals(map.find(1, 25), undefined, "a segment without a place is nobody's text");
});

Deno.test("SourceMap refuses what is none", () => {
  assertThrows(() => new SourceMap("{}"), SyntaxError, "want sources and mappings");
  assertThrows(() => read("AA!A"), SyntaxError);
  assertThrows(() => new SourceMap("nothing"), SyntaxError);
});
