// The tests of the original, unmodified, against Ovid's own boxes.

import { assertEquals } from "@std/assert";
import { ovid, projectPath } from "./support.ts";

const suite = projectPath("tests", "conformance", "goovid");

for (const folder of ["grid", "chatroom"]) {
  Deno.test(`ovid grade passes the original's ${folder} tests`, async () => {
    const { code, stdout, stderr } = await ovid(["grade", `${suite}/${folder}`, "--json"]);
    assertEquals(code, 0, stdout + stderr);
    const report: { tests: { name: string; verdict: string }[] } = JSON.parse(stdout);
    assertEquals(report.tests.map(({ verdict }) => verdict), Array(7).fill("pass"));
  });
}

Deno.test("ovid grade passes scripts with sixteen servers, crashes and restarts, in both dialects", async () => {
  const { code, stdout, stderr } = await ovid([
    "grade",
    projectPath("tests", "conformance", "ovid"),
  ]);
  assertEquals(code, 0, stdout + stderr);
  assertEquals(stdout.includes("2 of 2 correct"), true, stdout);
});

Deno.test("ovid check accepts the original's grids, and names all that is wrong with the invalid ones", async () => {
  for (const name of ["chat", "kvs"]) {
    const { code, stderr } = await ovid(["check", `${suite}/configs/${name}.json`]);
    assertEquals([code, stderr], [0, ""]);
  }
  const first = await ovid(["check", `${suite}/configs/invalid1.json`]);
  assertEquals(first.code, 3);
  for (const found of ['"tty"', '"client"', '"kvs"', '"320"']) {
    assertEquals(first.stderr.includes(found), true, `${found} in\n${first.stderr}`);
  }
  const second = await ovid(["check", `${suite}/configs/invalid2.json`]);
  assertEquals([second.code, second.stderr.includes('"9999"')], [3, true], second.stderr);
  assertEquals((await ovid(["box", `${suite}/configs/invalid1.json`])).code, 3);
});
