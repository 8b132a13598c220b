// `ovid sim` as users run it: what it prints, what it writes, and how it ends.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { parseHistory } from "../../sim/history.ts";

const root = fromFileUrl(new URL("../..", import.meta.url));

interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function sim(...args: string[]): Promise<Run> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-lock", "--no-check", "cli/main.ts", "sim", ...args],
    cwd: root,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

Deno.test("ovid sim: one seed gives one line of hash, and counts what was reached", async () => {
  const [first, second] = await Promise.all([sim("kvs", "1"), sim("kvs", "1")]);
  assertEquals(first, second);
  assertEquals([first.code, first.err], [0, ""]);
  assertMatch(first.out, /^fine: \d+ events in [\d.]+ virtual ms, hash [0-9a-f]{16}\n/);
});

Deno.test("ovid sim: without a seed it draws one and prints it", async () => {
  const { code, out } = await sim("chat");
  assertEquals(code, 0, out);
  const [, seed = ""] = /^seed (\d+)\n/.exec(out) ?? [];
  assertStringIncludes(out, (await sim("chat", seed)).out);
});

Deno.test("ovid sim: what is no seed, scenario or size is exit 2, with what is wanted", async () => {
  const refusals: [string[], string][] = [
    [["kvs", "-1"], "Unknown flag"],
    [["kvs", "1.5"], 'Cannot use "1.5" as a seed, want a whole number from 0 to'],
    [["kvs", "18446744073709551616"], "want a whole number from 0 to 18446744073709551615"],
    [["kvz", "1"], "did you mean kvs"],
    [["kvs", "1", "--set", "boats=1"], "Cannot set boats of scenario kvs, want one of clients"],
    [["kvs", "1", "--set", "clients=99"], "Cannot set clients of scenario kvs to 99, want 1 to"],
    [["kvs", "1", "--without", "los"], "did you mean loss"],
    [["kvs", "1", "--steps", "x"], "want numbers of steps"],
    [["kvs", "1", "--runs", "0"], "want a whole number from 1"],
    [["kvs", "1", "--runs", "2", "--trace", "x"], "Cannot use --trace for more than one run"],
    [["tests/sim/canaries_test.ts", "1"], "Cannot load scenario tests/sim/canaries_test.ts"],
    [["nothing.ts", "1"], "Cannot load scenario nothing.ts"],
  ];
  const runs = await Promise.all(refusals.map(([args]) => sim(...args)));
  for (const [index, [args, words]] of refusals.entries()) {
    const run = runs[index];
    assertEquals(run?.code, 2, `${args.join(" ")}: ${run?.out}${run?.err}`);
    assertStringIncludes(run?.err ?? "", words);
  }
  assertEquals((await sim("kvs", "18446744073709551615")).code, 0);
});

Deno.test("ovid sim --runs: a batch is the same on one process and on two", async () => {
  const batches = await Promise.all([
    sim("kvs", "5", "--runs", "30", "--jobs", "1"),
    sim("kvs", "5", "--runs", "30", "--jobs", "2"),
  ]);
  const hashes = batches.map(({ code, out }) => {
    assertEquals(code, 0, out);
    assertStringIncludes(out, "fine 30, safety 0, liveness 0; hash ");
    return /hash (\w+)/.exec(out)?.[1];
  });
  assertEquals(hashes[0], hashes[1]);
});

Deno.test("ovid sim --json: a line for each seed, after the end of all seeds as well", async () => {
  const { code, out } = await sim("chat", "18446744073709551615", "--runs", "2", "--json");
  assertEquals(code, 0);
  const results = out.trim().split("\n").map((line) => JSON.parse(line));
  assertEquals(results.map(({ seed }) => seed).sort(), ["0", "18446744073709551615"]);
  assert(results.every(({ verdict, hash }) => verdict === "fine" && hash.length === 16));
});

Deno.test("ovid sim: a failure is exit 10, with the command that repeats it, and a short story", async () => {
  const file = "tests/sim/canaries/forgetful.ts";
  const batch = await sim(file, "1", "--runs", "40");
  assertEquals(batch.code, 10, batch.err);
  const [, seed = ""] = /ovid sim \S+ (\d+)/.exec(batch.out) ?? [];
  const { code, out } = await sim(file, seed, "--shrink");
  assertEquals(code, 10);
  assertStringIncludes(out, "SAFETY: something happened that must never be");
  assertMatch(out, /Shrunk in \d+ runs to \d+ events/);
  // The last command is that of the short story, and repeats it.
  const command = out.trim().split("\n").filter((line) => line.includes("ovid sim")).at(-2) ?? "";
  const again = await sim(...command.trim().split(" ").slice(2));
  assertEquals(again.code, 10, command);
});

Deno.test("ovid sim --until-failure: begins no seed after one that failed", async () => {
  const file = "tests/sim/canaries/forgetful.ts";
  const { code, out } = await sim(file, "1", "--runs", "4000", "--until-failure", "--jobs", "1");
  assertEquals(code, 10, out);
  assertMatch(out, /safety 1, liveness 0/);
  assert(Number(/(\d+) seeds in/.exec(out)?.[1]) < 1000, out);
});

Deno.test("ovid sim --check-determinism: a clock that is looked at is exit 12, and who did", async () => {
  const flags = ["1", "--runs", "10", "--check-determinism"];
  const [guilty, innocent] = await Promise.all([
    sim("tests/sim/canaries/wall_clock.ts", ...flags),
    sim("kvs", ...flags),
  ]);
  assertEquals([guilty.code, innocent.code], [12, 0], guilty.out + innocent.out);
  assertMatch(guilty.out, /Two runs differ at step \d+, by agent "store"/);
});

Deno.test("ovid sim --trace and --history: write all events, and what the clients saw", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const [trace, history] = [join(folder, "trace"), join(folder, "history")];
    const { code, out } = await sim("kvs", "1", "--trace", trace, "--history", history);
    assertEquals(code, 0, out);
    const events = Number(/(\d+) events/.exec(out)?.[1]);
    assertEquals((await Deno.readTextFile(trace)).trimEnd().split("\n").length, events);
    const calls = parseHistory(await Deno.readTextFile(history), "history");
    assert(calls.length > 0 && calls.some(({ result }) => result !== undefined));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("ovid sim --diagram and --mermaid draw one run, and refuse several", async () => {
  const file = await Deno.makeTempFile({ suffix: ".svg" });
  try {
    const { code, out, err } = await sim("kvs", "7", "--diagram", file, "--mermaid");
    assertEquals([code, err], [0, ""]);
    assertStringIncludes(out, "sequenceDiagram");
    const svg = await Deno.readTextFile(file);
    assert(svg.startsWith("<svg") || svg.startsWith("<?xml"), svg.slice(0, 80));
    assertStringIncludes(svg, "kvs 7");
    const several = await sim("kvs", "7", "--runs", "2", "--mermaid");
    assertEquals(several.code, 2);
    assertStringIncludes(several.err, "want one SEED");
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("ovid explore completes a small search, and says how far it went", async () => {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-lock", "--no-check", "cli/main.ts", "explore", "kvs"],
    cwd: root,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const out = new TextDecoder().decode(stdout);
  assertEquals(code, 0, out);
  assertMatch(out, /\d+ states, depth \d+/);
  assertStringIncludes(out, "Complete: within these bounds nothing goes wrong");
});
