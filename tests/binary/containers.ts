// What runs in containers, as far as it can be tried without any: the compose file's commands with their names and
// folders replaced by those of this machine, and the commands of the Dockerfile.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { parse } from "@std/yaml";
import {
  binary,
  copyExample,
  eventually,
  makeFolder,
  ovid,
  projectPath,
  run,
  start,
} from "./support.ts";

interface Compose {
  readonly services: Readonly<
    Record<string, { readonly command: readonly string[]; readonly tty?: boolean }>
  >;
}

Deno.test("ovid export compose: the commands of its services run the grid", async () => {
  const folder = await makeFolder();
  await copyExample(folder, "examples", "kvs");
  const out = join(await makeFolder(), "compose.yaml");
  const exported = await ovid(["export", "compose", "grid.json", "--out", out], { cwd: folder });
  assertEquals(exported.code, 0, exported.stderr);
  const { services } = parse(await Deno.readTextFile(out)) as Compose;
  const data = await makeFolder();
  const running = Object.entries(services).map(([name, { command, tty = false }]) => {
    const here = command.map((word) =>
      word.replace(/^\/grid\//, `${folder}/`).replace(/=\/data$/, `=${join(data, name)}`)
        // All containers are this machine.
        .replaceAll(/=box-\d+:/g, "=localhost:")
    );
    return { tty, child: start(binary, here) };
  });
  running.sort((a, b) => Number(b.tty) - Number(a.tty));
  assertEquals(running.map(({ tty }) => tty), [true, false]);
  const logs: string[] = running.map(() => "");
  const reading = running.map(async ({ child }, index) => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) logs[index] += text;
  });
  await eventually("they find each other", () => logs.every((log) => log.includes("linked to")));
  const [terminal, store] = running.map(({ child }) => child);
  assert(terminal !== undefined && store !== undefined);
  const input = terminal.stdin.getWriter();
  await input.write(new TextEncoder().encode("put a 1\nget a\n"));
  let said = "";
  const output = terminal.stdout.pipeThrough(new TextDecoderStream()).getReader();
  while (said !== "ok\n1\n") {
    const { value, done } = await output.read();
    assert(!done, said + logs.join(""));
    said += value;
  }
  for (const { child } of running) child.kill("SIGTERM");
  await Promise.all(running.map(async ({ child }) => assertEquals((await child.status).code, 143)));
  await Promise.all([output.cancel(), input.close().catch(() => {}), ...reading]);
  await Promise.all([store.stdout.cancel(), store.stdin.close().catch(() => {})]);
  assertEquals(Array.from(Deno.readDirSync(folder), ({ name }) => name).includes(".ovid"), false);
});

Deno.test("ovid export compose: what cannot be exported is refused", async () => {
  const grid = projectPath("examples/kvs/grid.json");
  for (
    const [args, code, words] of [
      [["compos", grid], 2, /did you mean compose/],
      [["compose", "nothing.json"], 3, /there is no such file/],
      [["compose", grid, "--out", "/dev/null/c.yaml"], 2, /Cannot write/],
    ] as const
  ) {
    const outcome = await ovid(["export", ...args]);
    assertEquals(outcome.code, code);
    assertMatch(outcome.stderr, words);
  }
});

Deno.test("the Dockerfile's executable is unpacked once, for a container of any user", async () => {
  const text = await Deno.readTextFile(projectPath("Dockerfile"));
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const known = /^(FROM|WORKDIR|COPY|RUN|ENV|USER|ENTRYPOINT|CMD) \S/;
  for (const line of lines) assertMatch(line, known);
  const ci = await Deno.readTextFile(projectPath(".ci/run"));
  const compile = lines.find((line) => line.endsWith("task compile"));
  assertEquals(compile, `RUN ${/npx -y deno@[\d.]+/.exec(ci)?.[0]} task compile`);
  const grid = /^COPY .*?(examples\S+) \/grid$/m.exec(text)?.[1] ?? "";
  // The image: the executable on the path, and what it unpacked for everybody.
  const image = await makeFolder();
  await Deno.symlink(binary, join(image, "ovid"));
  const env = { OVID_CACHE: join(image, "opt"), PATH: `${image}:/usr/bin:/bin` };
  const unpack = /^RUN (ovid .*)$/m.exec(text)?.[1]?.replace("/opt/ovid", env.OVID_CACHE) ?? "";
  const unpacked = await run("/bin/sh", ["-c", unpack], { env });
  assertMatch(unpacked.stdout, /^ovid \d/, unpacked.stderr);
  // The container: another user, who cannot write there.
  const folder = await makeFolder();
  await copyExample(folder, grid);
  const uid = Deno.uid() === 0 ? 65534 : undefined;
  if (uid !== undefined) await Deno.chown(folder, uid, uid);
  const [words] = /(?<=^CMD )\[.*\]$/m.exec(text) ?? ["[]"];
  const outcome = await run("ovid", JSON.parse(words) as string[], {
    env,
    cwd: folder,
    stdin: "put a 1\nget a\n",
    ...uid === undefined ? {} : { uid },
  });
  assertEquals([outcome.code, outcome.stdout], [0, "ok\n1\n"], outcome.stderr);
});
