// The scripts of the original's contract, as the original master uses them: each server in a session of its own,
// ended by killing its process group.

import { assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import {
  binary,
  copyExample,
  eventually,
  freeOffset,
  freePorts,
  makeFolder,
  ovid,
  projectPath,
  run,
  start,
  warm,
} from "./support.ts";

const tools = { ...warm, PATH: "/usr/bin:/bin" };

/** A folder with the scripts, and the executable where they look for it. */
async function makeServers(): Promise<string> {
  const folder = await makeFolder();
  for (const name of ["build", "process", "stopall"]) {
    await Deno.copyFile(projectPath(name), join(folder, name));
  }
  await Deno.mkdir(join(folder, "dist"));
  await Deno.symlink(binary, join(folder, "dist", "ovid"));
  // As ./build leaves it: the first start takes longer than a master waits.
  assertEquals((await ovid(["--version"])).code, 0);
  return folder;
}

/** What a server answers on its master's port; undefined if it does not. */
async function ask(port: number, command: string): Promise<string | undefined> {
  try {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await connection.write(new TextEncoder().encode(`${command}\n`));
    const bytes = new Uint8Array(1000);
    const count = await connection.read(bytes);
    return count === null ? undefined : new TextDecoder().decode(bytes.subarray(0, count)).trim();
  } catch {
    return undefined;
  }
}

Deno.test("./process starts boxes for a master of anybody's, and ./stopall ends them alone", async () => {
  const folder = await makeServers();
  await copyExample(folder, "examples", "kvs");
  const grid = await Deno.readTextFile(join(folder, "grid.json"));
  const boxes = [...new Set(grid.match(/127\.0\.0\.1:\d+/g))].sort();
  const ports = freePorts(boxes.length + 1);
  const launch = async (index: number) => {
    const args = ["grid.json", boxes[index] ?? "", `${ports[index]}`];
    // The leader of a process group of its own, which the master kills.
    const child = start("./process", args, { cwd: folder, env: tools, detached: true });
    await Promise.all([child.stdin.close(), child.stdout.cancel(), child.stderr.cancel()]);
    assertEquals((await child.status).code, 0, "it returns, and the server goes on");
    return child.pid;
  };
  const all = `alive ${boxes.join(",")}`;
  const groups = [await launch(0), await launch(1)];
  const sees = (index: number, answer: string | undefined) =>
    eventually(
      `box ${index} says ${answer}`,
      async () => await ask(ports[index] ?? 0, "alive") === answer,
    );
  await sees(0, all);
  await sees(1, all);
  Deno.kill(-(groups[1] ?? 0), "SIGKILL");
  await sees(0, `alive ${boxes[0]}`);
  await launch(1);
  await sees(0, all);
  const other = ports[boxes.length] ?? 0;
  const base = freePorts(1)[0];
  const stranger = start(binary, ["chatroom", "0", "1", `${other}`, `--base-port=${base}`]);
  await eventually("a server that is none of its own", () => ask(other, "alive"));
  assertEquals((await run("./stopall", [], { cwd: folder, env: tools })).code, 0);
  await sees(0, undefined);
  await sees(1, undefined);
  assertEquals(await ask(other, "alive"), "alive 0");
  assertEquals(Array.from(Deno.readDirSync(join(folder, ".ovid", "servers"))), []);
  assertEquals((await run("./stopall", [], { cwd: folder, env: tools })).code, 0, "once more");
  stranger.kill("SIGTERM");
  await stranger.stdin.close().catch(() => {});
  await stranger.output();
});

Deno.test("the original's tests pass on servers that ./process starts", async () => {
  const folder = await makeServers();
  const suite = await makeFolder();
  const offset = freeOffset([...Array(16).keys()].flatMap((id) => [3000 + id, 10_000 + id]));
  for (const file of ["restart.input", "restart.output"]) {
    const text = await Deno.readTextFile(
      projectPath("tests/conformance/goovid/chatroom", file),
    );
    const moved = text.replaceAll(
      /^(\d+ start \d+ )(\d+)/gm,
      (_, start, port) => `${start}${Number(port) + offset}`,
    );
    await Deno.writeTextFile(join(suite, file), moved);
  }
  const env = { ...tools, OVID_BASE_PORT: `${3000 + offset}` };
  const args = ["grade", suite, "--process", join(folder, "process")];
  const { code, stdout, stderr } = await ovid(args, { env });
  assertEquals(code, 0, stdout + stderr);
});

Deno.test("./process says what it wants, and ./build makes it with what is there", async () => {
  const folder = await makeServers();
  const wrong = await run("./process", ["1"], { cwd: folder, env: tools });
  assertEquals(wrong.code, 2);
  assertMatch(wrong.stderr, /^usage: /);
  const fake = await makeFolder();
  const log = join(fake, "log");
  // Nothing else is on the path, so that no runtime of the machine is found.
  const env = { ...warm, PATH: fake };
  await Deno.symlink("/usr/bin/dirname", join(fake, "dirname"));
  for (const [name, line] of [["npx", "-y deno@2.9.5 task compile"], ["deno", "task compile"]]) {
    const script = `#!/bin/sh\necho "$*" >"${log}"\n`;
    await Deno.writeTextFile(join(fake, name ?? ""), script, { mode: 0o755 });
    const built = await run(join(folder, "build"), [], { env });
    assertEquals(built.code, 0, built.stderr);
    assertMatch(built.stdout, /ovid \d/);
    assertEquals(await Deno.readTextFile(log), `${line}\n`);
  }
  await Deno.remove(join(folder, "dist", "ovid"));
  const unbuilt = await run("./process", ["0", "1", "10000"], { cwd: folder, env: tools });
  assertEquals(unbuilt.code, 1);
  assertMatch(unbuilt.stderr, /want \.\/build first/);
});
