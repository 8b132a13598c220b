import { assert, assertEquals, assertLess, assertMatch, assertRejects } from "@std/assert";
import { type LaunchCommand, startServer } from "./process.ts";

function shell(script: string, supervised: boolean): LaunchCommand {
  return { command: "sh", args: ["-c", script], supervised };
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!await condition()) {
    if (performance.now() > deadline) throw new Error("Not within 10 s");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function isRunning(pid: number): Promise<boolean> {
  // A killed process that nobody waited for still has a number.
  const { stdout } = await new Deno.Command("ps", { args: ["-o", "stat=", "-p", String(pid)] })
    .output();
  return /^[^Z\s]/.test(new TextDecoder().decode(stdout));
}

for (const supervised of [true, false]) {
  const kind = supervised ? "an own server" : "a server of others";

  Deno.test(`startServer: ${kind} that ends is noticed, with its code and last words`, async () => {
    const server = startServer(shell("echo no room >&2; exit 3", supervised));
    await until(() => server.ending !== undefined);
    assertEquals(server.ending, "ended with code 3");
    assertEquals(await server.lastWords(), "no room");
    await server.kill();
    assertEquals(server.ending, "ended with code 3");
  });

  Deno.test(`startServer: passes on each line of ${kind}, the unfinished last one included`, async () => {
    const lines: string[] = [];
    const script = "echo one; echo two >&2; printf three >&2; exit 1";
    const server = startServer(shell(script, supervised), { onLine: (line) => lines.push(line) });
    await until(() => server.ending !== undefined);
    await server.kill();
    // The lines of two outputs have no order between them.
    assertEquals(lines.sort(), ["one", "three", "two"]);
  });

  Deno.test(`startServer: keeps no more than the last 2 kB of ${kind}`, async () => {
    const script = "seq 1 100000 >&2; exit 1";
    const server = startServer(shell(script, supervised));
    await until(() => server.ending !== undefined);
    const words = await server.lastWords();
    await server.kill();
    assertMatch(words, /99999\n100000$/);
    assert(words.length > 2000 && words.length <= 2048, `${words.length}`);
  });

  Deno.test(`startServer: ${kind} can be killed while it runs, and twice`, async () => {
    const server = startServer(shell("sleep 1000", supervised));
    assertEquals(server.ending, undefined);
    await server.kill();
    assertEquals(server.ending, "was ended by SIGKILL");
    await server.kill();
  });
}

Deno.test("startServer: a script of others may put its server into the background, and kill() reaches it", async () => {
  const lines: string[] = [];
  const server = startServer(shell("sleep 1000 & echo $! >&2; cat", false), {
    onLine: (line) => lines.push(line),
  });
  await until(() => lines.length === 1);
  const pid = Number(lines[0]);
  assertEquals(server.ending, undefined);
  assertEquals(await isRunning(pid), true);
  await server.kill();
  await until(async () => !await isRunning(pid));
});

Deno.test("startServer: who escapes from the group does not keep kill() waiting", async () => {
  const lines: string[] = [];
  const server = startServer({
    command: Deno.execPath(),
    args: [
      "eval",
      `const child = new Deno.Command("sleep", { args: ["1000"], detached: true }).spawn();
       child.unref(); console.error(child.pid); Deno.exit(0);`,
    ],
    supervised: false,
  }, { onLine: (line) => lines.push(line) });
  await until(() => lines.length === 1);
  const start = performance.now();
  await server.kill();
  assertLess(performance.now() - start, 2000);
  assertEquals(await isRunning(Number(lines[0])), true);
  Deno.kill(Number(lines[0]), "SIGKILL");
});

Deno.test("startServer: a command that is not there throws", async () => {
  const missing = { command: "./no-such-command", args: [], supervised: true };
  await assertRejects(
    async () => await Promise.resolve(startServer(missing)),
    Deno.errors.NotFound,
  );
});

Deno.test("startServer: gives a server its environment and its folder", async () => {
  const folder = await Deno.makeTempDir();
  const lines: string[] = [];
  for (const supervised of [true, false]) {
    const command = { ...shell("echo $MARK; pwd; exit 1", supervised), cwd: folder };
    const server = startServer({ ...command, env: { MARK: "here" } }, {
      onLine: (line) => lines.push(line),
    });
    await until(() => server.ending !== undefined);
    await server.kill();
  }
  const path = await Deno.realPath(folder);
  assertEquals(lines, ["here", path, "here", path]);
  await Deno.remove(folder);
});
