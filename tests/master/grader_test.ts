// A grader that can fail: each kind of bad server gets its verdict, in time, and leaves nothing behind.

import { assert, assertEquals, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import { accepts } from "../../master/conversation.ts";
import { foreignLauncher } from "../../master/foreign.ts";
import { gradeFolder, type Progress } from "../../master/grader.ts";
import { allPass, type Report, type TestResult } from "../../master/report.ts";
import { Folder, freePorts, type Mode, ownLauncher } from "./support.ts";

interface Graded {
  readonly result: TestResult;
  readonly report: Report;
}

// Grades one script on servers of others, and checks that its port is free again.
async function grade(
  mode: Mode,
  script: (port: number) => string,
  expected: string,
  timeoutMs = 15_000,
): Promise<Graded> {
  using folder = new Folder();
  const port = freePorts(3);
  folder.write({ "a.input": script(port), "a.output": expected });
  const launcher = foreignLauncher(folder.writeProcess(mode));
  const report = await gradeFolder(folder.path, { launcher, timeoutMs });
  for (const each of [port, port + 1, port + 2]) assertEquals(await accepts(each), false);
  const [result] = report.tests;
  assert(result !== undefined && report.tests.length === 1);
  return { result, report };
}

const oneAlive = (port: number) => `0 start 1 ${port}\n0 alive\nexit\n`;

Deno.test("gradeFolder: a correct server passes, restarts and all", async () => {
  const { result, report } = await grade(
    "correct",
    (port) => `
0 start 3 ${port}
1 start 3 ${port + 1}
2 start 3 ${port + 2}
0 alive
2 alive
1 broadcast I'm here  now
sleep 100
0 get
1 crash
2 alive
1 start 3 ${port + 1}
1 get
0 alive
0 get`,
    "alive 0,1,2\nalive 0,1,2\nmessages I'm here  now\nalive 0,2\n" +
      "messages \nalive 0,1,2\nmessages I'm here  now\n",
  );
  assertEquals([result.verdict, result.faults], ["pass", []], JSON.stringify(result));
  assertEquals(allPass(report), true);
});

Deno.test("gradeFolder: another output than the expected one is wrong", async () => {
  const { result, report } = await grade("correct", oneAlive, "alive 0,1\n");
  assertEquals([result.verdict, result.expected, result.actual], ["wrong", "alive 0,1", "alive 0"]);
  assertEquals(allPass(report), false);
});

Deno.test("gradeFolder: a server that hangs is ended by the time limit (C10)", async () => {
  const { result } = await grade("hang", oneAlive, "alive 0\n", 3500);
  assertEquals([result.verdict, result.actual], ["timeout", "Timeout!"]);
  assertMatch(result.notes.join("\n"), /waiting for Server 0 to answer alive/);
  assertLess(result.ms, 3500 + 1000);
});

Deno.test("gradeFolder: a server that exits at once is reported at once, with its last words (C8)", async () => {
  const { result } = await grade("exit", oneAlive, "alive 0\n");
  assertEquals([result.verdict, result.actual], ["wrong", ""]);
  assertStringIncludes(
    result.faults[0] ?? "",
    "Server 0 ended with code 3 before it accepted a master",
  );
  assertStringIncludes(result.faults[0] ?? "", "no room left");
  assertLess(result.ms, 2900);
});

Deno.test("gradeFolder: a server that answers garbage is shown doing so until the time limit", async () => {
  const { result } = await grade("garbage", oneAlive, "alive 0\n", 3500);
  assertEquals(result.verdict, "timeout");
  assertEquals(result.actual, "Invalid Response: what?\nTimeout!");
});

Deno.test("gradeFolder: a server that ignores its crash fails, even where the output is right", async () => {
  const { result } = await grade(
    "escape",
    (port) => `0 start 1 ${port}\n0 alive\n0 crash\n`,
    "alive 0\n",
  );
  assertEquals([result.verdict, result.actual], ["error", "alive 0"], JSON.stringify(result));
  assertMatch(result.faults.join("\n"), /^Server 0 survived its crash: port \d+ still accepts/);
});

Deno.test("gradeFolder: a server that comes back after its crash fails", async () => {
  const { result } = await grade(
    "respawn",
    (port) => `0 start 1 ${port}\n0 alive\n0 crash\nsleep 1500\n`,
    "alive 0\n",
  );
  assertEquals(result.verdict, "error", JSON.stringify(result));
  assertMatch(result.faults.join("\n"), /^Server 0 accepts connections on port \d+ again/);
});

Deno.test("gradeFolder: a server that needs 2.5 s to start passes", async () => {
  const { result } = await grade("slow", oneAlive, "alive 0\n");
  assertEquals(result.verdict, "pass", JSON.stringify(result));
});

Deno.test("gradeFolder: a server whose answers take longer than a start passes", async () => {
  const { result } = await grade("late", oneAlive, "alive 0\n");
  assertEquals(result.verdict, "pass", JSON.stringify(result));
});

Deno.test("gradeFolder: a process that cannot be run is an error with the shell's reason", async () => {
  using folder = new Folder();
  folder.write({ "a.input": oneAlive(freePorts(1)), "a.output": "alive 0" });
  const launcher = foreignLauncher(folder.file("process"));
  const { tests: [result] } = await gradeFolder(folder.path, { launcher });
  assertEquals(result?.verdict, "wrong");
  assertMatch(result?.faults[0] ?? "", /ended with code 127.*process/s);
});

Deno.test("gradeFolder: runs ./stopall of the servers' folder after each test", async () => {
  using folder = new Folder();
  folder.write({
    "a.input": "sleep 1",
    "a.output": "",
    "stopall": "#!/bin/sh\necho run >> stopped\n",
  });
  Deno.chmodSync(folder.file("stopall"), 0o755);
  const launcher = foreignLauncher(folder.writeProcess("correct"));
  assertEquals(allPass(await gradeFolder(folder.path, { launcher })), true);
  assertEquals(Deno.readTextFileSync(folder.file("stopped")), "run\n");
});

Deno.test("gradeFolder: finds tests in folders below, by name, and reports how far it is", async () => {
  using folder = new Folder();
  folder.write({
    "b.input": "hello",
    "b.output": "\n Invalid command: hello\n\n",
    "a/z.input": "exit",
    "a/z.output": "",
    "a/y.input": "exit",
    ".hidden/x.input": "exit",
    "a/notes.txt": "",
  });
  const progress: Progress[] = [];
  const report = await gradeFolder(folder.path, {
    launcher: ownLauncher(),
    onProgress: (each) => progress.push(each),
  });
  assertEquals(
    report.tests.map(({ name, verdict }) => [name, verdict]),
    [["a/y", "error"], ["a/z", "pass"], ["b", "pass"]],
  );
  assertEquals(report.tests[0]?.faults, ['There is no "y.output" beside the script']);
  assertEquals(
    progress.map((each) => [each.kind, each.kind === "begun" ? each.name : each.result.name]),
    ["a/y", "a/z", "b"].flatMap((name) => [["begun", name], ["ended", name]]),
  );
});

Deno.test("gradeFolder: a folder without tests does not pass, and one that is not there is an error", async () => {
  using folder = new Folder();
  const report = await gradeFolder(folder.path, { launcher: ownLauncher() });
  assertEquals([report.tests.length, allPass(report)], [0, false]);
  const missing = await gradeFolder(folder.file("none"), { launcher: ownLauncher() })
    .catch((error: Error) => error.message);
  assertMatch(String(missing), /^Cannot read folder ".*none": there is no such folder$/);
});

const grid = (...boxes: string[]) =>
  JSON.stringify(
    Object.fromEntries(boxes.map((box, id) => [id, { type: "dummy", box, attrs: {}, routes: {} }])),
  );

Deno.test("gradeFolder: boxes run on the only grid beside their script, each folder on its own", async () => {
  using folder = new Folder();
  const port = freePorts(1);
  const script = (box: string) => `${box} start ${port}\n${box} alive\n127.0.0.1:9 get\n`;
  for (const name of ["one", "two"]) {
    const box = name === "one" ? "127.0.0.1:5000" : "127.0.0.1:05001";
    folder.write({
      [`${name}/a.input`]: script(box),
      [`${name}/a.output`]: `alive ${box}\nMaster or testcase error!\n`,
      [`${name}/grid.json`]: grid(box),
    });
  }
  const report = await gradeFolder(folder.path, { launcher: ownLauncher() });
  assertEquals(
    report.tests.map(({ verdict }) => verdict),
    ["pass", "pass"],
    JSON.stringify(report),
  );
});

Deno.test("gradeFolder: without a grid, with several, or with a bad one, boxes are an error", async () => {
  using folder = new Folder();
  const test = { "a.input": "127.0.0.1:5000 start 10000", "a.output": "" };
  const graded = async (options: { config?: string } = {}) => {
    const { tests } = await gradeFolder(folder.path, { launcher: ownLauncher(), ...options });
    return [tests[0]?.verdict, tests[0]?.faults.join("\n")];
  };
  folder.write(test);
  const wanted = "want one .json file beside the script, or --config";
  assertEquals(await graded(), ["error", `There is no grid: ${wanted}`]);
  folder.write({ "b.json": "{}", "c.json": "{}" });
  assertEquals(await graded(), ["error", `There is a choice of grids, b.json, c.json: ${wanted}`]);
  const [verdict, fault] = await graded({ config: folder.file("b.json") });
  assertEquals(verdict, "error");
  assertMatch(String(fault), /^Cannot use grid ".*b\.json":\n.*has no agents/);
  assertMatch(
    String((await graded({ config: folder.file("d.json") }))[1]),
    /^Cannot read grid ".*d\.json": there is no such file$/,
  );
});

Deno.test("gradeFolder: each test has a data folder of its own, kept across crashes and removed afterwards", async () => {
  using folder = new Folder();
  const port = freePorts(1);
  const script = `0 start 1 ${port}\n0 crash\n0 start 1 ${port}\n`;
  folder.write({ "a.input": script, "a.output": "", "b.input": script, "b.output": "" });
  const own = ownLauncher();
  const seen: { dataDir: string; rounds: number }[] = [];
  const report = await gradeFolder(folder.path, {
    launcher: {
      launch(launch) {
        const { dataDir = "" } = launch;
        Deno.mkdirSync(dataDir, { recursive: true });
        const marks = `${dataDir}/marks`;
        Deno.writeTextFileSync(marks, "x", { append: true });
        seen.push({ dataDir, rounds: Deno.readTextFileSync(marks).length });
        return own.launch(launch);
      },
    },
  });
  assertEquals(allPass(report), true, JSON.stringify(report));
  assertEquals(seen.map(({ rounds }) => rounds), [1, 2, 1, 2]);
  for (const { dataDir } of seen) {
    assertEquals(await Deno.stat(dataDir).then(() => true, () => false), false);
  }
});

Deno.test("gradeFolder: applies the port offset to the master's ports", async () => {
  using folder = new Folder();
  const port = freePorts(1);
  folder.write({ "a.input": oneAlive(port - 7), "a.output": "alive 0" });
  const report = await gradeFolder(folder.path, { launcher: ownLauncher(), portOffset: 7 });
  assertEquals(allPass(report), true, JSON.stringify(report));
});

Deno.test("gradeFolder: ends at once with its signal, and says so", async () => {
  using folder = new Folder();
  const port = freePorts(1);
  folder.write({
    "a.input": "exit",
    "a.output": "",
    "b.input": `0 start 1 ${port}\nsleep 60000`,
    "b.output": "",
    "c.input": "exit",
    "c.output": "",
  });
  const over = new AbortController();
  const grading = gradeFolder(folder.path, {
    launcher: ownLauncher(),
    signal: over.signal,
    onProgress: ({ kind, index }) => {
      if (kind === "begun" && index === 1) setTimeout(() => over.abort(), 100);
    },
  });
  const report = await grading;
  assertEquals(report.tests.map(({ name }) => name), ["a"]);
  assertEquals([report.interrupted, allPass(report)], [true, false]);
  assertEquals(await accepts(port), false);
});
