import { assertEquals } from "@std/assert";
import { gridLimits } from "./form.ts";
import { collectProblems, describeProblem, noSource, type Problem } from "./problem.ts";

const problem: Problem = {
  file: "grid.json",
  path: "200.routes.2",
  line: 12,
  column: 20,
  severity: "error",
  found: 'names agent "320"',
  wanted: "one of 100, 200, 300",
};

Deno.test("describeProblem: says where, what was found, and what is wanted", () => {
  assertEquals(
    describeProblem(problem),
    'grid.json:12:20: 200.routes.2 names agent "320", want one of 100, 200, 300',
  );
});

Deno.test("describeProblem: marks warnings and adds hints, on one line", () => {
  assertEquals(
    describeProblem({ ...problem, severity: "warning", hint: "perhaps\r\n  this\n" }),
    'grid.json:12:20: warning: 200.routes.2 names agent "320", want one of 100, 200, 300; perhaps this',
  );
});

Deno.test("describeProblem: speaks of the grid where there is no path, and leaves out what there is not", () => {
  const found = "has no agents";
  const wanted = "at least one";
  const place = noSource.locate([]);
  assertEquals(
    describeProblem({ ...place, severity: "error", found, wanted }),
    "the grid has no agents, want at least one",
  );
  assertEquals(
    describeProblem({ ...place, file: "a.json", severity: "error", found, wanted }),
    "a.json: the grid has no agents, want at least one",
  );
});

Deno.test("noSource: names the path and has no lines", () => {
  assertEquals(noSource.locate(["1", "attrs", "a", 0]), {
    file: "",
    path: "1.attrs.a[0]",
    line: 0,
    column: 0,
  });
});

Deno.test("collectProblems: lists problems by place, and fails by errors alone", () => {
  const problems = collectProblems("a");
  const at = (line: number, column: number) => ({ file: "a", path: "", line, column });
  const words = { found: "f", wanted: "w" };
  problems.warn(at(2, 2), words);
  assertEquals(problems.failed, false);
  problems.add(at(2, 1), { ...words, hint: undefined });
  problems.add(at(1, 9), { ...words, hint: "h" });
  problems.warn(at(2, 3), words);
  assertEquals(problems.failed, true);
  assertEquals(problems.list(), [
    { ...at(1, 9), severity: "error", ...words, hint: "h" },
    { ...at(2, 1), severity: "error", ...words },
    { ...at(2, 2), severity: "warning", ...words },
    { ...at(2, 3), severity: "warning", ...words },
  ]);
});

Deno.test("collectProblems: counts those beyond its limit", () => {
  const problems = collectProblems("a");
  const words = { found: "f", wanted: "w" };
  for (let i = 0; i < gridLimits.problemsMax; i++) problems.warn(noSource.locate([]), words);
  assertEquals(problems.list().length, gridLimits.problemsMax);
  problems.add(noSource.locate([]), words);
  const listed = problems.list();
  assertEquals(listed.length, gridLimits.problemsMax + 1);
  assertEquals(
    listed.slice(-1).map(describeProblem),
    ["a: the grid has 1 more problem, want those above corrected first"],
  );
  assertEquals(listed.at(-1)?.severity, "error");
});
