// The main job on real processes: every box of a grid, a terminal, and nothing left behind.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { eventually, ovid, Running, Workspace } from "./support.ts";

/** The processes that have `word` in their command line. */
function processesWith(word: string): number[] {
  const found: number[] = [];
  for (const entry of Deno.readDirSync("/proc")) {
    const pid = Number(entry.name);
    if (!Number.isInteger(pid) || pid === Deno.pid) continue;
    try {
      if (Deno.readTextFileSync(`/proc/${pid}/cmdline`).includes(word)) found.push(pid);
    } catch {
      // It ended while we looked.
    }
  }
  return found;
}

Deno.test("ovid box answers piped lines in order, exits 0, and keeps its data", async () => {
  using workspace = new Workspace().copy("examples", "kvs");
  const grid = workspace.file("grid.json");
  const first = await ovid(["box", grid], {
    stdin: "put a 1\nget a\nget nope\nnonsense\nput b  two words\nget b",
  });
  assertEquals(
    first.stdout,
    "ok\n1\nNo such entry\nInvalid command\nok\ntwo words\n",
    first.stderr,
  );
  assertEquals(first.code, 0);
  const second = await ovid(["box", grid], { stdin: "get a\n" });
  assertEquals([second.stdout, second.code], ["1\n", 0], second.stderr);
  assertEquals(processesWith(workspace.path), []);
});

Deno.test("ovid box shows each box's log behind its name, on standard error alone", async () => {
  using workspace = new Workspace().copy("examples", "kvs");
  const { stdout, stderr } = await ovid(["box", workspace.file("grid.json")], { stdin: "" });
  assertEquals(stdout, "");
  assertMatch(stderr, /^127\.0\.0\.1:\d+ \| info up, seed \d+, data in /m);
});

for (const signal of ["SIGINT", "SIGTERM", "SIGKILL"] as const) {
  Deno.test(`ovid box leaves nothing behind after ${signal}`, async () => {
    using workspace = new Workspace().copy("examples", "kvs");
    await using running = new Running(["box", workspace.file("grid.json")]);
    await running.type("put a 1\n");
    await eventually("an answer", () => running.stdout === "ok\n");
    assertEquals(processesWith(workspace.path).length, 3);
    running.kill(signal);
    const { code } = await running.process.status;
    assertEquals(code, { SIGINT: 130, SIGTERM: 143, SIGKILL: 137 }[signal]);
    await eventually("the end of all boxes", () => processesWith(workspace.path).length === 0);
  });
}

Deno.test("ovid box goes on when a box without the terminal is killed, and takes it back", async () => {
  using workspace = new Workspace().copy("examples", "kvs");
  const grid = workspace.file("grid.json");
  await using running = new Running(["box", grid]);
  await running.type("put a 1\n");
  await eventually("an answer", () => running.stdout === "ok\n");
  const replica =
    Object.values<{ type: string; box: string }>(JSON.parse(Deno.readTextFileSync(grid)))
      .find((agent) => agent.type === "kvs_replica")?.box ?? "";
  const [pid] = processesWith(replica);
  assert(pid !== undefined);
  Deno.kill(pid, "SIGKILL");
  await eventually("word of it", () => running.stderr.includes("was ended by SIGKILL"));
  await running.type("get a\n");
  await using again = new Running(["box", grid, replica]);
  await eventually("the answer of the box that came back", () => running.stdout === "ok\n1\n");
  again.kill("SIGTERM");
  assertEquals((await again.process.status).code, 143);
  await running.endInput();
  assertEquals((await running.end()).code, 0);
});

Deno.test("ovid box ends when the last of its boxes was killed", async () => {
  using workspace = new Workspace().copy("examples", "gobby");
  await using running = new Running(["box", workspace.file("grid.json"), "--new"]);
  const up = () => running.stderr.split(" | info up, seed").length === 4;
  await eventually("all boxes", up);
  for (const pid of processesWith("--supervised")) {
    if (Deno.readTextFileSync(`/proc/${pid}/cmdline`).includes(workspace.path)) {
      Deno.kill(pid, "SIGKILL");
    }
  }
  assertEquals((await running.end()).code, 1);
  assertStringIncludes(running.stderr, "was ended by SIGKILL; no box is left");
});

Deno.test("ovid box begins no group of replicas without --new, and touches no disk", async () => {
  using workspace = new Workspace().copy("examples", "vr_kv");
  const grid = workspace.file("grid.json");
  const refused = await ovid(["box", grid]);
  assertEquals([refused.code, refused.stdout], [2, ""]);
  assertStringIncludes(refused.stderr, "want --new for the first start, and never again");
  const first = await ovid(["box", grid, "--new"], { stdin: "SET a 1\n" });
  assertEquals([first.code, first.stdout], [0, '{"kind":"stored"}\n'], first.stderr);
  const second = await ovid(["box", grid], { stdin: "GET a\n" });
  assertEquals([second.code, second.stdout], [0, '{"kind":"value","value":"1"}\n'], second.stderr);
});

Deno.test("ovid box says of a replica with an empty disk what it waits for", async () => {
  using workspace = new Workspace().copy("examples", "vr_kv");
  const grid = workspace.file("grid.json");
  const box = Object.values<{ type: string; box: string }>(JSON.parse(Deno.readTextFileSync(grid)))
    .find((agent) => agent.type === "vr_replica")?.box ?? "";
  await using running = new Running(["box", grid, box]);
  await eventually("its warning", () => running.stderr.includes("start them with --new"));
  assertStringIncludes(running.stderr, "vr.standing_by");
});

Deno.test("ovid box with several terminals lists them, and --attach chooses one", async () => {
  using workspace = new Workspace().copy("examples", "chat");
  const grid = workspace.file("grid.json");
  const refused = await ovid(["box", grid]);
  assertEquals(refused.code, 2);
  assertStringIncludes(refused.stderr, "10, 20, 30");
  assertEquals((await ovid(["box", grid, "--attach", "11"])).code, 2);
  await using chosen = new Running(["box", grid, "--attach", "20"]);
  await chosen.type("hello there\n");
  await eventually(
    "both others to print it",
    () => chosen.stdout.split("bob > hello there").length === 3,
  );
  await chosen.endInput();
  assertEquals((await chosen.end()).code, 0);
});

Deno.test("ovid box refuses a port that is taken, and says which", async () => {
  using workspace = new Workspace().copy("examples", "kvs");
  const grid = workspace.file("grid.json");
  const box = Object.values<{ box: string }>(JSON.parse(Deno.readTextFileSync(grid)))[0]?.box ?? "";
  using _taken = Deno.listen({ hostname: "127.0.0.1", port: Number(box.split(":")[1]) });
  const whole = await ovid(["box", grid], { stdin: "" });
  assertEquals(whole.code, 1);
  assertStringIncludes(whole.stderr, box);
});

Deno.test("ovid box refuses data that another process uses", async () => {
  using workspace = new Workspace().copy("examples", "kvs");
  const grid = workspace.file("grid.json");
  await using first = new Running(["box", grid]);
  await first.type("put a 1\n");
  await eventually("an answer", () => first.stdout === "ok\n");
  const second = await ovid(["box", grid], { stdin: "" });
  assertEquals(second.code, 1);
  assertStringIncludes(second.stderr, "in use");
  await first.type("get a\n");
  await eventually("the first grid unharmed", () => first.stdout === "ok\n1\n");
});

Deno.test("GoOvid's form of the command runs a box", async () => {
  using workspace = new Workspace().copy("examples", "kvs");
  const grid = workspace.file("grid.json");
  const box = Object.values<{ box: string }>(JSON.parse(Deno.readTextFileSync(grid)))[0]?.box ?? "";
  await using running = new Running(["-debug", "-log", "-loss", "0.5", grid, box], {
    cwd: workspace.path,
  });
  await eventually("its start", () => running.stderr.includes("info up, seed "));
  assertStringIncludes(
    Deno.readTextFileSync(workspace.file(`tmp/box_${box}.log`)),
    "info up, seed ",
  );
});

Deno.test("the same seed loses the same mail", async () => {
  using workspace = new Workspace().copy("examples", "kvs");
  const run = async () => {
    const args = ["box", workspace.file("grid.json"), "--loss", "0.4", "--seed", "7", "--debug"];
    const { stderr, stdout, code } = await ovid(args, { stdin: "put a 1\nget a\n" });
    assertEquals([stdout, code], ["ok\n1\n", 0], stderr);
    return stderr.split("\n").some((line) => line.includes("mail.lost"));
  };
  assert(await run());
});
