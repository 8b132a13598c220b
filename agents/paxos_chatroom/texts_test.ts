import { assertEquals } from "@std/assert";
import { type Dump, findDifference } from "./consistency.ts";
import {
  commandText,
  committedText,
  dumpLine,
  messageLengthMax,
  parseCommand,
  parseCommitted,
} from "./texts.ts";

Deno.test("parseCommand() reads what commandText() writes, and nothing else", () => {
  const command = { client: "100", request: 7, message: "(100 : 7) and more" };
  assertEquals(parseCommand(commandText(command)), command);
  const longest = { client: "c", request: 0, message: "m".repeat(messageLengthMax) };
  assertEquals(parseCommand(commandText(longest)), longest);
  for (const text of ["", "100", "100 7", "100 7.5 a", "100 x a", `${commandText(longest)}m`]) {
    assertEquals(parseCommand(text), undefined, text.slice(0, 20));
  }
  assertEquals(dumpLine(command), "100, 7 : '(100 : 7) and more'");
});

Deno.test("parseCommitted() reads what committedText() writes, and nothing else", () => {
  assertEquals(committedText({ client: "100", request: 7 }), "committed 100 7");
  assertEquals(parseCommitted("committed 100 7"), { client: "100", request: 7 });
  for (const text of ["committed 100", "committed 100 x", "Committed 100 7", "committed 100 7 8"]) {
    assertEquals(parseCommitted(text), undefined, text);
  }
});

function differ(...texts: string[]) {
  return findDifference(texts.map((text, index): Dump => ({ name: `${index}`, text })));
}

Deno.test("findDifference() finds the first line that differs", () => {
  assertEquals(differ("a\nb\n", "a\nb\n", "a\nb\n"), undefined);
  assertEquals(differ("a\nb\nc\n", "a\nB\nC\n"), {
    line: 2,
    first: { name: "0", text: "b" },
    second: { name: "1", text: "B" },
  });
  assertEquals(differ("a\n", "a\n", "b\n")?.second, { name: "2", text: "b" });
});

Deno.test("findDifference(): a hole is whatever others have, and a dump may end sooner", () => {
  assertEquals(differ("hole\nb\nhole\n", "a\nhole\nhole\n"), undefined);
  assertEquals(differ("hole\n", "a\n", "b\n")?.line, 1, "the others still have to agree");
  assertEquals(differ("a\n", "a\nb\n", ""), undefined);
  assertEquals(differ("a\r\nb", "a\nb\n"), undefined);
  assertEquals(differ("holes\n", "a\n")?.line, 1);
});
