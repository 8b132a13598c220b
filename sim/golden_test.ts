import { assertEquals, assertThrows } from "@std/assert";
import { retell, type Teller } from "./golden.ts";

/** Says every command twice, and fails at `fail`. */
function echo(): Teller {
  const lines: string[] = [];
  return {
    tell(command) {
      if (command === "fail") throw new RangeError("it failed");
      lines.push(command, command.toUpperCase());
    },
    take: () => lines.splice(0),
  };
}

function told(text: string): string {
  return retell(text, { file: "a.txt", teller: echo() });
}

Deno.test("retell() writes what happens now, and keeps comments and commands", () => {
  assertEquals(
    told("# One.\n# Two.\n\n# Three.\nab\n# Four.\ncd\n----\nold\n\nef\n----\n"),
    "# One.\n# Two.\n\n# Three.\nab\n# Four.\ncd\n----\nab\nAB\ncd\nCD\n\nef\n----\nef\nEF\n",
  );
});

Deno.test("retell() gives a text back that is told once more without a change", () => {
  const text = told("a\n----\n\n\n\n# End.\n\n\nb\n----");
  assertEquals(text, "a\n----\na\nA\n\n# End.\n\nb\n----\nb\nB\n");
  assertEquals(told(text), text);
});

Deno.test("retell() refuses a text without blocks", () => {
  for (const text of ["", "\n\n", "# A comment.\n"]) {
    assertThrows(() => told(text), SyntaxError, "Cannot tell a.txt: it has no block");
  }
});

Deno.test("retell() refuses a block that has no rule, no command, or swallows the next one", () => {
  const wrong: [text: string, why: string][] = [
    ["a\n\nb\n----\n", "a.txt:1: the block has no line ----"],
    ["a\n----\na\n\nb\n---\n", "a.txt:5: the block has no line ----"],
    ["a\n----\nb\n----\n", 'a.txt:4: "----" stands in what happened'],
    ["a\n----\na\n# b\n", 'a.txt:4: "# b" stands in what happened'],
    ["# a\n----\n", "a.txt:2: no command stands before ----"],
    ["a\n----\n\n----\n", "a.txt:4: no command stands before ----"],
  ];
  for (const [text, why] of wrong) assertThrows(() => told(text), SyntaxError, why);
});

Deno.test("retell() says in which line a command failed", () => {
  assertThrows(() => told("a\n----\n\n# b\nb\nfail\n----\n"), SyntaxError, "a.txt:6: it failed");
});

Deno.test("retell() refuses what could not be read back", () => {
  for (const line of ["", "# no", "----", "two\nlines"]) {
    const teller = { tell() {}, take: () => [line] };
    assertThrows(
      () => retell("\na\n----\n", { file: "a.txt", teller }),
      SyntaxError,
      `a.txt:2: ${JSON.stringify(line)} cannot stand in what happened`,
    );
  }
});
