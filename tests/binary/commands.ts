// Every command of the executable, in an environment without a runtime, a home or a path.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { basename, dirname, join } from "@std/path";
import {
  binary,
  copyExample,
  eventually,
  freeOffset,
  leftBehind,
  makeFolder,
  ovid,
  projectPath,
  run,
  start,
  warm,
} from "./support.ts";

/** Runs what must end well, and gives what it printed. */
async function fine(args: readonly string[], options: Parameters<typeof ovid>[1] = {}) {
  const { code, stdout, stderr } = await ovid(args, options);
  assertEquals(code, 0, `ovid ${args.join(" ")}\n${stdout}${stderr}`);
  return stdout;
}

Deno.test("every command of the executable has its help, and refuses what it does not know", async () => {
  const help = await fine(["help"]);
  const names = Array.from(help.matchAll(/^ {2}(\w+) {2,}\S/gm), ([, name]) => name ?? "");
  assert(names.length >= 14, help);
  for (const name of names) {
    const said = await fine(["help", name]);
    assertStringIncludes(said, `ovid ${name}`);
    assertMatch(said, /^Flags:\n {2}--/m);
  }
  const { code, stderr } = await ovid([names[0] ?? "", "--debg"]);
  assertEquals([code, stderr], [2, "ovid: Unknown flag --debg, did you mean --debug\n"]);
  const none = await ovid(["grade", "/nowhere"]);
  const why = 'ovid: Cannot read folder "/nowhere": there is no such folder\n';
  assertEquals([none.code, none.stderr], [2, why]);
});

Deno.test("the executable takes arguments as they are, however it is called", async () => {
  const folder = await makeFolder();
  for (const name of ["a b", "", "*", "two\nlines", "'\"$HOME`", "--"]) {
    const { code, stderr } = await ovid(["check", "--", name]);
    assertEquals(code, 3, stderr);
    assertStringIncludes(stderr, `Cannot read grid ${JSON.stringify(name)}: `);
  }
  const link = join(folder, "another name");
  await Deno.symlink(binary, link);
  const [cwd, name] = [dirname(binary), basename(binary)];
  const options = { cwd, env: { ...warm, PATH: `${cwd}:/bin` } };
  const shell = ["/bin/sh", "-c", `${name} --version`];
  for (const command of [[link], [`./${name}`], [name], ["/bin/sh", name], shell]) {
    const [program = "", ...args] = command;
    const { code, stdout } = await run(program, [...args, "--version"], options);
    assertEquals([code, stdout.startsWith("ovid ")], [0, true], program);
  }
});

Deno.test("the executable runs the example of a key-value store, which keeps its data", async () => {
  const cwd = await makeFolder();
  const offset = freeOffset([5000, 5001]);
  const args = ["box", `--port-offset=${offset}`];
  assertEquals(await fine(args, { cwd, stdin: "put a 1\nget a\n" }), "ok\n1\n");
  assertEquals(await fine(args, { cwd, stdin: "get a\nget b\n" }), "1\nNo such entry\n");
  const grid = join(cwd, ".ovid", "example", "grid.json");
  assertMatch(await fine(["check", grid]), /kvs_replica/);
});

Deno.test("the executable's master starts the executable as servers, and grades them", async () => {
  const suite = await makeFolder();
  for (const name of ["alive", "message"]) {
    for (const end of ["input", "output"]) {
      const file = `${name}.${end}`;
      await Deno.copyFile(
        projectPath("tests/conformance/goovid/chatroom", file),
        join(suite, file),
      );
    }
  }
  // The ports of the scripts, and of the links between servers.
  const offset = freeOffset([...Array(16).keys()].flatMap((id) => [3000 + id, 10_000 + id]));
  const shift = `--port-offset=${offset}`;
  const graded = await fine(["grade", suite, shift]);
  assertMatch(graded, /2 of 2|2 passed/);
  const everything = projectPath("tests/conformance/goovid/chatroom");
  await fine(["grade", everything, "--simulated"]);
  const script = await Deno.readTextFile(join(suite, "alive.input"));
  const expected = await Deno.readTextFile(join(suite, "alive.output"));
  const said = await fine(["master", shift], { stdin: script });
  assertEquals(said.trim(), expected.trim());
});

Deno.test("the executable passes scripts with sixteen servers, in both dialects", async () => {
  const { code, stdout } = await ovid(["grade", projectPath("tests/conformance/ovid")]);
  assertEquals(code, 0, stdout);
  assertStringIncludes(stdout, "2 of 2 correct");
});

Deno.test("the executable simulates on several processes, and its exit code is the verdict", async () => {
  assertMatch(await fine(["sim", "kvs", "1", "--runs", "6", "--jobs", "2"]), /fine 6, safety 0/);
  const folder = await makeFolder();
  await copyExample(folder, "examples", "guide", "03_counter");
  const { code, stdout } = await ovid(["sim", join(folder, "broken.json"), "1", "--runs", "100"]);
  assert(code === 10 || code === 11, `${code}\n${stdout}`);
});

Deno.test("the executable's other commands work", async () => {
  const cwd = await makeFolder();
  assertMatch(await fine(["agents"]), /^ *kvs_replica /m);
  assertMatch(await fine(["agents", "kvs_replica"]), /put/);
  const explored = await ovid(["explore", "lease", "--states", "1000"]);
  assertMatch(explored.stdout, /1000 states/, explored.stderr);
  await fine(["generate", "paxos", "1", "2", "manual", "--output", "paxos.json"], { cwd });
  assertMatch(await fine(["check", "paxos.json"], { cwd }), /paxos_replica/);
  for (const [name, text] of [["a", "1, 1 : 'x'\n"], ["b", "1, 1 : 'y'\n"]] as const) {
    await Deno.writeTextFile(join(cwd, name), text);
  }
  assertEquals(await fine(["consistency", "a", "a"], { cwd }), "All good :)\n");
  assertEquals((await ovid(["consistency", "a", "b"], { cwd })).code, 1);
});

Deno.test("a signal to the executable ends all that it has started", async () => {
  const folder = await makeFolder();
  await copyExample(folder, "examples", "kvs");
  const child = start(binary, ["box", "grid.json"], { cwd: folder });
  let said = "";
  const reading = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) said += text;
  })();
  await eventually("both boxes are linked", () => said.match(/linked to/g)?.length === 2);
  const isSeen = Deno.build.os === "linux";
  assert(!isSeen || (await leftBehind()).length >= 3, "the boxes are processes of their own");
  child.kill("SIGTERM");
  const { code, signal } = await child.status;
  assertEquals([code, signal], [143, null], "its own handler, and no shell's");
  await Promise.all([reading, child.stdout.cancel(), child.stdin.close().catch(() => {})]);
  await eventually("nothing is left", async () => (await leftBehind()).length === 0);
});
