import { assertEquals, assertStringIncludes } from "@std/assert";
import { allPass, formatReport, formatResult, jsonReport, type Report } from "./report.ts";

const plain = { colour: false, verbose: false };
const right = {
  name: "a/alive",
  verdict: "pass",
  ms: 1234,
  faults: [],
  notes: ["Box b took its time"],
  expected: "alive 0",
  actual: "alive 0",
} as const;
const wrong = {
  name: "b",
  verdict: "wrong",
  ms: 80,
  faults: ["Server 0 has crashed\nand more"],
  notes: ["a note", "Server 0 has crashed\nand more"],
  expected: "messages \nalive 0",
  actual: "messages\nalive 0",
} as const;

function report(tests: Report["tests"], interrupted = false): Report {
  return { folder: "tests", tests, ms: 3000, interrupted };
}

Deno.test("formatReport: a line for each test, what was wrong, and a summary", () => {
  assertEquals(
    formatReport(report([right, wrong]), plain),
    `a/alive correct (1.2 s)
b wrong (0.1 s)
  Server 0 has crashed
  and more
  - expected, + actual:
  - messages·
  + messages
    alive 0
1 of 2 correct (3.0 s)`,
  );
});

Deno.test("formatReport: has colours only where they are wanted", () => {
  const escape = "\u001b";
  assertEquals(formatReport(report([right, wrong]), plain).includes(escape), false);
});

Deno.test("formatReport: says that there is no test, or that not all were run", () => {
  assertEquals(
    formatReport(report([]), plain),
    'No test found in "tests", want files NAME.input and NAME.output',
  );
  assertEquals(formatReport(report([], true), plain), "0 of 0 correct (3.0 s); interrupted");
});

Deno.test("formatResult: verbose shows all notes, also of a test that passes", () => {
  const verbose = { ...plain, verbose: true };
  assertEquals(formatResult(right, verbose), "a/alive correct (1.2 s)\n  Box b took its time");
  assertStringIncludes(formatResult(wrong, verbose), "\n  a note\n  Server 0 has crashed\n");
});

Deno.test("formatResult: a test that did not run has no difference to show", () => {
  const { expected: _, actual: __, ...rest } = wrong;
  const result = { ...rest, verdict: "error", faults: ["There is no output"] } as const;
  assertEquals(formatResult(result, plain), "b error (0.1 s)\n  There is no output");
});

Deno.test("formatResult: leaves out what is far from a difference, and the rest of a long one", () => {
  const lines = Array.from({ length: 200 }, (_, index) => `line ${index}`);
  const middle = lines.with(100, "other");
  const one = { ...wrong, expected: lines.join("\n"), actual: middle.join("\n") };
  assertEquals(formatResult(one, plain).split("\n").slice(3), [
    "  - expected, + actual:",
    "    (98 the same)",
    "    line 98",
    "    line 99",
    "  - line 100",
    "  + other",
    "    line 101",
    "    line 102",
    "    (97 the same)",
  ]);
  const many = { ...wrong, expected: lines.join("\n"), actual: "" };
  const shown = formatResult(many, plain).split("\n");
  assertEquals([shown.length, shown.at(-1)], [45, "    (160 more; --verbose shows them)"]);
  const all = formatResult(many, { ...plain, verbose: true }).split("\n");
  assertEquals(all.length, 1 + 3 + 1 + 200);
});

Deno.test("formatResult: shortens long lines", () => {
  const long = { ...wrong, expected: "a".repeat(501), actual: "a".repeat(500) };
  const shown = formatResult(long, plain);
  assertStringIncludes(shown, `- ${"a".repeat(500)}... (501 characters)\n`);
  assertStringIncludes(shown, `+ ${"a".repeat(500)}`);
});

Deno.test("allPass: wants at least one test, no failure, and no interruption", () => {
  assertEquals(allPass(report([right])), true);
  assertEquals(allPass(report([])), false);
  assertEquals(allPass(report([right], true)), false);
  for (const verdict of ["wrong", "timeout", "error"] as const) {
    assertEquals(allPass(report([right, { ...right, verdict }])), false);
  }
});

Deno.test("jsonReport: has all of it, the difference included, and survives JSON", () => {
  const json = jsonReport(report([right, { ...wrong, ms: 80.4 }]));
  assertEquals(JSON.parse(JSON.stringify(json)), {
    folder: "tests",
    passed: 1,
    failed: 1,
    ms: 3000,
    interrupted: false,
    tests: [right, {
      ...wrong,
      diff: [
        { side: "expected", line: "messages " },
        { side: "actual", line: "messages" },
        { side: "both", line: "alive 0" },
      ],
    }],
  });
});
