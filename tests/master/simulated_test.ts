// Scripts on simulated boxes: what the master says about the same scripts on processes, in no time.

import { assert, assertEquals, assertLess, assertMatch, assertRejects } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { command } from "../../cli/grade.ts";
import {
  gradeSimulated,
  SimulatedRun,
  type SimulatedRunOptions,
} from "../../cli/grade_simulated.ts";
import { parseCall, UsageError } from "../../cli/command.ts";
import { allPass } from "../../master/report.ts";
import type { Dialect } from "../../master/script.ts";
import { Folder, freePorts, runScript } from "./support.ts";

const conformance = fromFileUrl(new URL("../conformance", import.meta.url));

async function simulate(script: string, options: Partial<SimulatedRunOptions> = {}) {
  return await new SimulatedRun({ dialect: "numeric", ...options }).follow(script);
}

for (const [suite, count] of [["goovid/chatroom", 7], ["goovid/grid", 7], ["ovid", 2]] as const) {
  Deno.test(`gradeSimulated: all of ${suite} passes, in a fraction of its sleeps`, async () => {
    const report = await gradeSimulated(`${conformance}/${suite}`);
    assertEquals(report.tests.filter(({ verdict }) => verdict !== "pass"), []);
    assertEquals([report.tests.length, allPass(report)], [count, true]);
    // On processes each suite takes longer than the second that its scripts sleep at least.
    assertLess(report.ms, 1000);
  });
}

Deno.test("gradeSimulated: a wrong expectation is found, and a missing one, and a missing grid", async () => {
  using folder = new Folder();
  folder.write({
    "a.input": "0 start 2 10000\n0 alive\n",
    "a.output": "alive 0,1\n",
    "b.input": "exit\n",
    "c.input": "127.0.0.1:5000 start 10000\n",
    "c.output": "",
    "d.input": "sleep\tx\n",
    "d.output": "",
  });
  const [a, b, c, d] = (await gradeSimulated(folder.path)).tests;
  assertEquals([a?.verdict, a?.expected, a?.actual], ["wrong", "alive 0,1", "alive 0"]);
  assertEquals([b?.verdict, b?.faults], ["error", ['There is no "b.output" beside the script']]);
  assertEquals(c?.verdict, "error");
  assertMatch(c?.faults[0] ?? "", /^There is no grid/);
  // The original crashed at it: no output, as expected, and yet no pass.
  assertEquals([d?.verdict, d?.actual], ["error", ""]);
});

const odd: readonly (readonly [Dialect, string])[] = [
  ["numeric", "hello\n0 get\n"],
  ["numeric", "x start 3 10000\n0 get\n"],
  ["numeric", "0 dance\n\n  \n0 get\n1 broadcast\n2 crash\nexit\n0 alive\n"],
  ["numeric", "0 start 3\n0 start 3 x\n0 get\n"],
  ["numeric", "0 start 3 70000\n3 start 3 10000\n0 start 0 10000\n-1 get\n00 get\n"],
  ["numeric", "sleep\nsleep x\nsleep -1\nsleep 1.5\n+0 get\nexit now\n"],
  ["box", "hello\n127.0.0.1:5000 get\n127.0.0.1:5000 dance\nsleep x\n"],
  ["box", "127.0.0.1:7 start 10000\n127.0.0.1:5000 start x\nb get\n"],
];

for (const [dialect, script] of odd) {
  Deno.test(`SimulatedRun: says what the master says about ${JSON.stringify(script)}`, async () => {
    const options = { dialect, ...dialect === "box" ? { boxes: ["127.0.0.1:5000"] } : {} };
    const real = await runScript(script, options);
    const simulated = await simulate(script, options);
    assertEquals(simulated.out, real.out);
    assertEquals([simulated.faults, simulated.notes], [real.faults, real.notes]);
    assert(real.notes.length > 0);
  });
}

Deno.test("SimulatedRun: says what the master says about servers told odd things", async () => {
  const port = freePorts(2);
  const script = `0 start 2 ${port}
0 start 2 ${port + 1}
1 start 2 ${port}
1 start 2 ${port + 1}
1 alive
0 broadcast
1 broadcast a, b  c
0 crash
0 crash
0 get
0 broadcast lost
1 alive
0 start 2 ${port}
0 get
1 get
2 get
0 alive`;
  const real = await runScript(script);
  const simulated = await simulate(script);
  assertEquals(simulated.out, real.out);
  assertEquals([simulated.faults, simulated.notes], [real.faults, real.notes]);
  assertEquals([simulated.out.length, simulated.faults.length], [6, 4]);
});

Deno.test("SimulatedRun: a script has its time limit in virtual time, on both sides of it", async () => {
  const before = await simulate("sleep 119999\nhello\n");
  assertEquals([before.ended, before.out], ["script", ["Invalid command: hello"]]);
  const at = await simulate("sleep 120000\nhello\n");
  assertEquals([at.ended, at.out], ["timeout", ["Timeout!"]]);
  assertEquals(at.notes, ["The script did not end within 120 s"]);
  const own = await simulate("0 start 1 10000\nsleep 20\n0 alive", { timeoutMs: 20 });
  assertEquals(own.out, ["Timeout!"]);
});

Deno.test("SimulatedRun: servers that Ovid's own would refuse to be are faults", async () => {
  const { faults, out } = await simulate("0 start 1 9999\n0 get\n1 start 1001 10000\n0 crash\n");
  assertEquals(out, []);
  assertEquals(faults, [
    "Server 0 does not start: its port would be 9999, want 10000 or higher",
    "Server 0 did not start, and cannot answer get",
    "Server 1 does not start: it is one of 1001, want at most 1000",
  ]);
  assertEquals((await simulate("0 start 1000 10000\n0 alive")).out, ["alive 0"]);
});

Deno.test("SimulatedRun: a long sleep can be interrupted", async () => {
  const { ended, out } = await simulate("sleep 1000000\nhello\n", {
    timeoutMs: 10_000_000,
    signal: AbortSignal.abort(),
  });
  assertEquals([ended, out], ["signal", []]);
});

Deno.test("ovid grade: --simulated and --process exclude each other", async () => {
  const call = parseCall(command, ["tests", "--simulated", "--process=./process"]);
  assert(call !== undefined);
  await assertRejects(
    () => command.run(call),
    UsageError,
    "Cannot use --simulated with --process, want one of them",
  );
});
