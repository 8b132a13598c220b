import { assertEquals, assertMatch } from "@std/assert";
import { join, toFileUrl } from "@std/path";
import { findTests, runTests } from "./test_runner.ts";

async function run(source: string, filter?: string): Promise<{ fine: boolean; said: string }> {
  const folder = await Deno.makeTempDir();
  try {
    const file = join(folder, "some_test.ts");
    await Deno.writeTextFile(file, source);
    const lines: string[] = [];
    const fine = await runTests([file], {
      ...filter === undefined ? {} : { filter },
      load: (path) => import(toFileUrl(path).href),
      print: (line) => lines.push(line),
    });
    return { fine, said: lines.join("\n") };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("runTests() runs tests in every form, and counts them", async () => {
  const before = Deno.test;
  const { fine, said } = await run(`
    Deno.test("by name", () => {});
    Deno.test(function byFunction() {});
    Deno.test({ name: "by options", fn: async () => { await 1; } });
    Deno.test("with options", { permissions: "inherit" }, () => {});
    Deno.test("steps", async (t) => { await t.step("inner", () => {}); });
    Deno.test.ignore("left out", () => { throw new Error("not run"); });
    Deno.test({ name: "left out, too", ignore: true, fn() { throw new Error("not run"); } });
  `);
  assertEquals(fine, true);
  assertMatch(said, /^running 7 tests from .*some_test\.ts\nby name \.\.\. ok \(\d+ms\)$/m);
  assertMatch(said, /^byFunction \.\.\. ok/m);
  assertMatch(said, /^left out, too \.\.\. ignored/m);
  assertMatch(said, /^ok \| 5 passed \| 0 failed \| 2 ignored \(\d+ms\)$/m);
  assertEquals(Deno.test, before);
});

Deno.test("runTests() fails where a test or a step of it does, and says where", async () => {
  const { fine, said } = await run(`Deno.test("fine", () => {});
Deno.test("late", async () => { await 1; throw new Error("boom"); });
Deno.test("inner", async (t) => { await t.step("step", () => { throw new Error("deep"); }); });
`);
  assertEquals(fine, false);
  assertMatch(said, /^late \.\.\. FAILED.*\nError: boom\n.*some_test\.ts:2:/m);
  assertMatch(said, /^inner \.\.\. FAILED.*\nError: deep\n.*some_test\.ts:3:/m);
  assertMatch(said, /^FAILED \| 1 passed \| 2 failed \(/m);
});

Deno.test("runTests() leaves out what a filter does not name, and wants a file", async () => {
  const source = `Deno.test("one", () => {});\nDeno.test("two", () => { throw new Error(); });`;
  const { fine, said } = await run(source, "on");
  assertEquals(fine, true);
  assertMatch(said, /ok \| 1 passed \| 0 failed \| 1 filtered out/);
  const nothing = { load: () => Promise.resolve(), print: () => {} };
  assertEquals(await runTests([], nothing), false);
});

Deno.test("findTests() takes files as they are, and from folders those that are tests", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const names = ["a_test.ts", "b.test.js", "test.mts", "c.ts", "contest.ts", "inner/d_test.ts"];
    for (const name of [...names, "node_modules/e_test.ts", ".hidden/f_test.ts"]) {
      await Deno.mkdir(join(folder, name, ".."), { recursive: true });
      await Deno.writeTextFile(join(folder, name), "");
    }
    const found = (await findTests([folder])).map((path) => path.slice(folder.length + 1));
    assertEquals(found, ["a_test.ts", "b.test.js", "inner/d_test.ts", "test.mts"]);
    assertEquals(await findTests([join(folder, "c.ts")]), [join(folder, "c.ts")]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
