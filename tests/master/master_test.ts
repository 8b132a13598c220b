// The master on servers that are really there: what the script sees, and what is said besides. Names in brackets are
// the rows of the decisions about the original's ambiguities and bugs.

import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { accepts } from "../../master/conversation.ts";
import { foreignLauncher } from "../../master/foreign.ts";
import type { Launch } from "../../master/process.ts";
import { eventually, Folder, freePorts, ownLauncher, runScript } from "./support.ts";

Deno.test("Master.run: prints answers as they are, with the blank after an empty log", async () => {
  const port = freePorts(1);
  const { out, notes, exitCode } = await runScript(
    `0 start 1 ${port}\n0 get\n0 broadcast it's  me, ’s\n0 get\n\n  0 alive  \nexit\n0 get`,
  );
  assertEquals(out, ["messages ", "messages it's  me, ’s", "alive 0"]);
  assertEquals([notes, exitCode], [[], 0]);
});

Deno.test("Master.run: the end of the input is an exit, which waits for an answer", async () => {
  const port = freePorts(1);
  const { out } = await runScript(`0 start 1 ${port}\n0 broadcast slowly\n0 get`);
  assertEquals(out, ["messages slowly"]);
});

Deno.test("Master.run: sleep and start do not wait for an answer, everything else does", async () => {
  const port = freePorts(2);
  const { out } = await runScript(
    `0 start 2 ${port}\n0 broadcast slowly\n0 get\nsleep 1\n0 nonsense\n` +
      `1 start 2 ${port + 1}\n0 alive\n7 alive\n`,
  );
  const [, ...others] = out;
  assertEquals(out[0], "Invalid command: 0 nonsense");
  assertEquals(others, ["messages slowly", "alive 0,1", "Master or testcase error!"]);
  const ending = await runScript(`0 start 1 ${port}\n0 broadcast slowly\n0 get\nhello you`);
  assertEquals(ending.out, ["Invalid pid: hello", "messages slowly"]);
});

Deno.test("Master.run: sleeps as long as the script says", async () => {
  const start = performance.now();
  await runScript("sleep 150.5");
  const ms = performance.now() - start;
  assert(ms >= 150 && ms < 1500, `${ms} ms`);
});

Deno.test("Master.run: in the numeric dialect bad lines end it in order, with exit code 0", async () => {
  for (
    const [line, printed] of [
      ["hello", "Invalid command: hello"],
      ["a get", "Invalid pid: a"],
      ["0 start 3 x", "Invalid port: x"],
    ] as const
  ) {
    const { out, exitCode, ended } = await runScript(`0 crash\n${line}\n0 crash`);
    assertEquals(out, ["Master or testcase error!", printed]);
    assertEquals([exitCode, ended], [1, "script"]);
    assertEquals((await runScript(line)).exitCode, 0);
  }
});

Deno.test("Master.run: in the box dialect one-word lines do not end it", async () => {
  const { out, exitCode } = await runScript("hello\nb nonsense\nhello", { dialect: "box" });
  assertEquals(out, [
    "Invalid command: hello",
    "Invalid command: b nonsense",
    "Invalid command: hello",
  ]);
  assertEquals(exitCode, 0);
});

Deno.test("Master.run: at a terminal no bad line ends it", async () => {
  const { out } = await runScript("hello\na get\n0 start 3 x\n0 get", { interactive: true });
  assertEquals(out.at(-1), "Master or testcase error!");
});

Deno.test("Master.run: debug says what the original said, and shows what servers print", async () => {
  const port = freePorts(1);
  const debug = await runScript(`0 start 1 ${port}\nexit`, { debug: true });
  assertEquals(debug.out, [
    "Master started",
    "Received exit command. Terminating...",
    "Goodbye :)",
  ]);
  assertEquals(debug.notes, ["0 | server 0 is up"]);
  assertEquals((await runScript("", { debug: true })).out, ["Master started", "Goodbye :)"]);
});

Deno.test("Master.run: shows answers as told, and nothing else (C16)", async () => {
  const port = freePorts(1);
  const { out } = await runScript(`0 start 1 ${port}\n0 alive\n9 get`, {
    showAnswer: (server, line) => `${server}> ${line}`,
  });
  assertEquals(out, ["0> alive 0", "Master or testcase error!"]);
});

Deno.test("Master.run: what comes behind get and alive reaches the server, as it stands (C1)", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const heard = heardBy(listener);
  const launcher = sleeperLauncher();
  const port = listener.addr.port;
  // The port accepts before the start, so this is also the test of a port that another program has.
  const { faults } = await runScript(`0 start 1 ${port}\n`, { launcher });
  assertEquals(faults, [
    `Cannot start Server 0: another program accepts connections on port ${port}`,
  ]);
  listener.close();
  await heard;
  const later = freePorts(1);
  const lines: string[] = [];
  const serving = serveAt(later, lines);
  await runScript(`0 start 1 ${later}\n0  get   json\n0 broadcast  a  b `, {
    launcher: serving.launcher,
  });
  await serving.ended;
  assertEquals(lines, ["alive", "get   json", "broadcast  a  b"]);
});

// A process that is no server: whoever listens at its port stands for it.
function sleeperLauncher() {
  return {
    launch: () => ({
      command: Deno.execPath(),
      args: ["eval", "for await (const _ of Deno.stdin.readable) continue;"],
      supervised: true,
    }),
  };
}

async function heardBy(listener: Deno.TcpListener): Promise<void> {
  try {
    for await (const connection of listener) connection.close();
  } catch {
    // Closed by the test.
  }
}

// A server in this process, which begins to listen when the master starts it; `lines` is what it hears.
function serveAt(port: number, lines: string[]) {
  const ended = Promise.withResolvers<void>();
  async function serve(listener: Deno.TcpListener): Promise<void> {
    const connection = await listener.accept();
    listener.close();
    const buffer = new Uint8Array(1024);
    const encoder = new TextEncoder();
    for (let count = await connection.read(buffer); count !== null;) {
      for (
        const line of new TextDecoder().decode(buffer.subarray(0, count)).trimEnd().split("\n")
      ) {
        lines.push(line);
        if (line === "alive") await connection.write(encoder.encode("alive 0\n"));
        else if (line.startsWith("get")) await connection.write(encoder.encode("messages \n"));
      }
      count = await connection.read(buffer);
    }
    connection.close();
    ended.resolve();
  }
  const launcher = {
    launch() {
      serve(Deno.listen({ hostname: "127.0.0.1", port }));
      return sleeperLauncher().launch();
    },
  };
  return { launcher, ended: ended.promise };
}

Deno.test("Master.run: the signal ends it at once", async () => {
  const port = freePorts(1);
  const over = new AbortController();
  const running = runScript(`0 start 1 ${port}\nsleep 60000`, { signal: over.signal });
  await eventually("the server is up", () => accepts(port));
  over.abort();
  const { ended, exitCode } = await running;
  assertEquals([ended, exitCode, await accepts(port)], ["signal", 130, false]);
  assertEquals((await runScript("0 get", { signal: over.signal })).out, []);
});

Deno.test("Master.run: a start without a port picks a free one, and says which", async () => {
  const box = "127.0.0.1:5000";
  const { out, notes, faults } = await runScript(`${box} start\n${box} alive`, { dialect: "box" });
  assertEquals([out, faults], [[`alive ${box}`], []]);
  assertMatch(notes.join("\n"), /^Box 127\.0\.0\.1:5000 takes commands on port \d+$/);
});

Deno.test("Master.run: a box that is not in the grid is refused, with those that are", async () => {
  const { out, faults } = await runScript("127.0.0.1:5002 start 10000\n127.0.0.1:5002 get", {
    dialect: "box",
    boxes: ["127.0.0.1:5000", "127.0.0.1:5001"],
  });
  assertEquals(out, ["Master or testcase error!"]);
  assertEquals(faults, [
    'Cannot start Box 127.0.0.1:5002: "127.0.0.1:5002" is not in the grid, ' +
    "want one of 127.0.0.1:5000, 127.0.0.1:5001",
  ]);
});

Deno.test("Master.run: a box is known by its address as the script spells it, and to others by the canonical one", async () => {
  const port = freePorts(1);
  const seen: Launch[] = [];
  const own = ownLauncher();
  const { out, notes, faults } = await runScript(
    `127.0.0.1:05000 start ${port}\n127.0.0.1:5000 get\n127.0.0.1:5000 start ${port}\n127.0.0.1:05000 get`,
    {
      dialect: "box",
      boxes: ["127.0.0.1:5000"],
      gridFile: "grid.json",
      dataDir: "data",
      launcher: {
        launch(launch) {
          seen.push(launch);
          return own.launch(launch);
        },
      },
    },
  );
  assertEquals(out, ["Master or testcase error!", "messages "]);
  assertEquals(
    notes[0],
    "Box 127.0.0.1:5000 was never started under this name, but as 127.0.0.1:05000",
  );
  assertEquals(faults, ["Cannot start Box 127.0.0.1:5000: it is already running"]);
  assertEquals(seen, [{
    dialect: "box",
    box: "127.0.0.1:05000",
    masterPort: port,
    portOffset: 0,
    debug: false,
    gridFile: "grid.json",
    dataDir: "data/127.0.0.1_5000",
  }]);
});

Deno.test("Master.run: polls until servers see each other, instead of sleeping (C18)", async () => {
  const port = freePorts(3);
  const start = performance.now();
  const { out } = await runScript(
    [0, 1, 2].map((id) => `${id} start 3 ${port + id}\n`).join("") +
      "0 alive\n1 alive\n2 alive\n1 crash\n0 alive\n2 alive\n",
  );
  assertEquals(out, ["alive 0,1,2", "alive 0,1,2", "alive 0,1,2", "alive 0,2", "alive 0,2"]);
  // The original slept for 10 s.
  assertLess(performance.now() - start, 5000);
});

Deno.test("Master.run: kills the group of a server of others, and no process by its name (C19)", async () => {
  using folder = new Folder();
  using bystanders = new Folder();
  const port = freePorts(2);
  const bystander = new Deno.Command(bystanders.writeProcess("correct"), {
    args: ["0", "1", String(port + 1)],
    detached: true,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    await eventually("the bystander is up", () => accepts(port + 1));
    const { out } = await runScript(`0 start 1 ${port}\n0 alive\n0 crash`, {
      launcher: foreignLauncher(folder.writeProcess("correct")),
    });
    assertEquals(out, ["alive 0"]);
    assertEquals([await accepts(port), await accepts(port + 1)], [false, true]);
  } finally {
    Deno.kill(-bystander.pid, "SIGKILL");
    await bystander.status;
  }
});

Deno.test("Master.run: a server of others does not return within the time that its crash may take to be noticed", async () => {
  using folder = new Folder();
  const port = freePorts(1);
  const script = `0 start 1 ${port}\n0 crash\n0 start 1 ${port}\n0 alive`;
  const launcher = foreignLauncher(folder.writeProcess("correct"));
  const launches: number[] = [];
  const start = performance.now();
  const { out } = await runScript(script, {
    launcher: {
      ...launcher,
      launch(launch) {
        launches.push(performance.now() - start);
        return launcher.launch(launch);
      },
    },
  });
  assertEquals(out, ["alive 0"]);
  assertEquals(launches.length, 2);
  assert(performance.now() - start - (launches[0] ?? 0) >= 1000);
});
