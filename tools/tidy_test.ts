import { assertEquals } from "@std/assert";
import { findUntidy } from "./tidy.ts";

// Put together here, so that this file is tidy itself.
const workFolder = ["", "work", "main"].join("/");
const registryHost = ["registry", "npmjs", "org"].join(".");

Deno.test("findUntidy() leaves a tidy file alone", () => {
  const text = 'const to = "a.ts"; // Not xxx.\nfetch("/home");\nregistry.get("kvs");\n=======\n';
  assertEquals(findUntidy("core/a.ts", text), []);
  assertEquals(findUntidy("docs/a.md", "See ../tmp/a, ~/work, $HOME/home/a and a/root/b.\n"), []);
});

Deno.test("findUntidy() finds each thing once, with its place", () => {
  const cases: readonly (readonly [path: string, line: string, found: string])[] = [
    ["core/a.ts", "// TODO: more", "TODO"],
    ["docs/a.md", "FIXME this", "FIXME"],
    ["core/a_test.ts", "// XXX", "XXX"],
    ["tests/golden/a.txt", "<<<<<<< ours", "<<<<<<< "],
    ["deno.json", ">>>>>>> theirs", ">>>>>>> "],
    ["box/a.ts", 'open("/tmp/a")', "/tmp/a"],
    ["README.md", "cd /home/me", "/home/me"],
    [".ci/run", `cd ${workFolder}`, workFolder],
    ["deno.lock", `at ${registryHost}/zod`, registryHost],
    [".ci/run", "npm --registry=https://my.registry/x", "https://my.registry/x"],
  ];
  for (const [path, line, found] of cases) {
    const [problem, ...more] = findUntidy(path, `fine\n${line}\n`);
    assertEquals(problem?.startsWith(`${path}:2: has "${found}": `), true, `${path}: ${problem}`);
    assertEquals(more, []);
  }
});

Deno.test("findUntidy() lets tests name paths of a machine", () => {
  assertEquals(findUntidy("box/a_test.ts", 'open("/tmp/a")'), []);
  assertEquals(findUntidy("tests/e2e/a.ts", 'open("/tmp/a")'), []);
});

Deno.test("findUntidy() limits the lines of sources and of the README, from both sides", () => {
  const lines = (count: number) => "x\n".repeat(count);
  assertEquals(findUntidy("core/a.ts", lines(400)), []);
  assertEquals(findUntidy("core/a.ts", lines(401)), [
    "core/a.ts: has 401 lines, want at most 400",
  ]);
  assertEquals(findUntidy("README.md", lines(80)), []);
  assertEquals(findUntidy("README.md", lines(81)), ["README.md: has 81 lines, want at most 80"]);
  assertEquals(findUntidy("docs/a.md", lines(1000)), []);
});
