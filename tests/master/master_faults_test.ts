// The master where the original crashed or hung: what is said on standard error, and how it ends. Names in brackets
// are the rows of the decisions about the original's ambiguities and bugs.

import { assertEquals, assertLess, assertMatch } from "@std/assert";
import { accepts } from "../../master/conversation.ts";
import { Master } from "../../master/master.ts";
import type { Launch } from "../../master/process.ts";
import { eventually, Folder, freePorts, ownLauncher, runScript } from "./support.ts";

Deno.test("Master.run: a broadcast without text is refused, and the server does not hear of it (C3)", async () => {
  const port = freePorts(1);
  const { out, faults, exitCode } = await runScript(`0 start 1 ${port}\n0 broadcast\n0 get`);
  assertEquals(out, ["messages "]);
  assertEquals(faults, ["Server 0 was given nothing to broadcast, want broadcast TEXT"]);
  assertEquals(exitCode, 1);
});

Deno.test("Master.run: a running server is not started again (C4)", async () => {
  const port = freePorts(2);
  const { out, faults, exitCode } = await runScript(
    `0 start 2 ${port}\n0 start 2 ${port + 1}\n1 start 2 ${port}\n0 alive`,
  );
  assertEquals(out, ["alive 0"]);
  assertEquals(faults, [
    "Cannot start Server 0: it is already running",
    `Cannot start Server 1: port ${port} belongs to Server 0`,
  ]);
  assertEquals(exitCode, 1);
});

Deno.test("Master.run: what a server that was never started is asked, is answered as ever (C5)", async () => {
  const { out, notes, faults, exitCode } = await runScript(
    "0 get\n0 alive\n0 broadcast\n0 broadcast x\n0 crash",
  );
  assertEquals(out, Array(5).fill("Master or testcase error!"));
  assertEquals(notes, Array(5).fill("Server 0 was never started"));
  assertEquals([faults, exitCode], [[], 1]);
});

Deno.test("Master.run: a crashed server cannot answer, which is said at once (C5)", async () => {
  const port = freePorts(1);
  const { out, faults, notes, exitCode } = await runScript(
    `0 start 1 ${port}\n0 crash\n0 get\n0 broadcast x\n0 crash\n0 alive\n0 start 1 ${port}\n0 alive`,
  );
  assertEquals(out, ["alive 0"]);
  assertEquals(faults, [
    "Server 0 has crashed, and cannot answer get",
    "Server 0 has crashed, and cannot answer alive",
  ]);
  assertEquals(notes.filter((note) => !faults.includes(note)), [
    "Server 0 has crashed, and was not told to broadcast",
    "Server 0 has crashed before",
  ]);
  assertEquals(exitCode, 1);
});

Deno.test("Master.run: what crashed the original is noted, and the script goes on (C6, C7, C9)", async () => {
  const port = freePorts(1);
  const { out, faults, exitCode } = await runScript(
    `0 start 1\nsleep abc\nsleep -1\n1 start 1 ${port}\n-1 get\n1 alive\n0 start 1 ${port}\n0 alive`,
  );
  assertEquals(out, ["Master or testcase error!", "alive 0"]);
  assertEquals([faults.length, exitCode], [5, 1]);
});

Deno.test("Master.run: a server that ends before it listens is reported at once with its last words (C8)", async () => {
  const port = freePorts(1);
  const start = performance.now();
  const { out, faults } = await runScript(`0 start 1 ${port}\n0 alive`, {
    launcher: ownLauncher("exit"),
  });
  assertEquals(out, []);
  assertEquals(faults, [
    `Server 0 ended with code 3 before it accepted a master on port ${port}; ` +
    "its last words:\n  no room left",
    "Server 0 ended with code 3, and cannot answer alive; its last words:\n  no room left",
  ]);
  assertLess(performance.now() - start, 2900);
});

Deno.test("Master.run: a port beyond the highest is refused", async () => {
  const { faults } = await runScript("0 start 1 65535", { portOffset: 1 });
  assertEquals(faults, ["Cannot start Server 0: its port would be 65536, want at most 65535"]);
});

Deno.test("Master.run: the time limit ends a script that hangs, with its own exit code (C10)", async () => {
  const port = freePorts(1);
  const { out, notes, exitCode, ended } = await runScript(
    `0 start 1 ${port}\n0 get\n0 alive\nexit`,
    { launcher: ownLauncher("hang"), timeoutMs: 3500 },
  );
  assertEquals([out, exitCode, ended], [["Timeout!"], 124, "timeout"]);
  assertMatch(notes.at(-1) ?? "", /did not end within 3.5 s, waiting for Server 0 to answer get$/);
  assertEquals(await accepts(port), false);
});

Deno.test("Master.run: the time limit also ends a sleep, and input that does not come", async () => {
  assertEquals((await runScript("sleep 60000", { timeoutMs: 50 })).exitCode, 124);
  const out: string[] = [];
  const silent = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) };
  const master = new Master({
    dialect: "numeric",
    launcher: ownLauncher(),
    timeoutMs: 50,
    out: (line) => out.push(line),
    note: () => {},
  });
  assertEquals((await master.run(silent)).exitCode, 124);
  assertEquals(out, ["Timeout!"]);
});

Deno.test("Master.run: at a terminal the time limit is one for each answer, and ends nothing (C10)", async () => {
  const port = freePorts(1);
  const { out, faults, ended } = await runScript(
    `0 start 1 ${port}\nsleep 300\n0 get\n9 get\n0 crash`,
    { launcher: ownLauncher("hang"), timeoutMs: 200, interactive: true },
  );
  assertEquals([out, ended], [["Master or testcase error!"], "script"]);
  assertEquals(faults, ["Gave up waiting for Server 0 to answer get, after 0.2 s"]);
});

Deno.test("Master.run: a server that hangs up before it answers ends the wait (C10)", async () => {
  const port = freePorts(1);
  const { out, faults } = await runScript(`0 start 1 ${port}\n0 get\n0 alive`, {
    launcher: ownLauncher("hang-up"),
  });
  // The server still runs: the next command makes a new connection (C11).
  assertEquals(out, ["alive 0"]);
  assertEquals(faults, ["Server 0 closed its connection before it answered get"]);
});

Deno.test("Master.run: a server that ends by itself is noticed", async () => {
  const port = freePorts(1);
  const own = ownLauncher();
  let stop: (() => void) | undefined;
  const launcher = {
    launch(launch: Launch) {
      const { command, args } = own.launch(launch);
      // The shell gives way to the server, which keeps its number.
      const file = `${folder.path}/pid`;
      stop = () => Deno.kill(Number(Deno.readTextFileSync(file)), "SIGTERM");
      return {
        command: "sh",
        args: ["-c", `echo $$ >${file}; exec "$@"`, "sh", command, ...args],
        supervised: true,
      };
    },
  };
  using folder = new Folder();
  const notes: string[] = [];
  const master = new Master({
    dialect: "numeric",
    launcher,
    timeoutMs: 20_000,
    out: () => {},
    note: (line) => notes.push(line),
  });
  async function* lines() {
    yield `0 start 1 ${port}`;
    assertEquals(master.servers, [{ name: "0", port, state: "running" }]);
    stop?.();
    await eventually("it has ended", () => Promise.resolve(master.servers[0]?.state === "ended"));
    yield "0 get";
    yield `0 start 1 ${port}`;
    yield "0 crash";
    assertEquals(master.servers, [{ name: "0", port, state: "crashed" }]);
  }
  const { faults } = await master.run(lines());
  assertEquals(faults, ["Server 0 was ended by SIGTERM, and cannot answer get"]);
});
