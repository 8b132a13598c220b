// Sandboxes as a user has them: by a flag or in the grid file, through kill -9, with --watch, and where there can be
// none.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { eventually, freePorts, ovid, Running } from "./support.ts";

/** An agent that counts the lines it is given; `more` is done at each. */
const counter = (words: string, more = "") =>
  `import { defineAgent } from "ovid";
import { z } from "zod";
export default defineAgent({
  type: "own",
  version: 1,
  doc: "Counts lines.",
  attrs: z.strictObject({ limit: z.int().max(10).optional() }),
  protocol: {},
  devices: ["terminal"],
  record: z.object({ line: z.string() }),
  durable: () => ({ count: 0 }),
  apply: (durable) => void durable.count++,
  init: () => ({}),
  start: (state, ctx) => ctx.output("terminal", { type: "print", text: "start " + state.durable.count }),
  on: {},
  onDevice: {
    terminal(state, event, ctx) {
      if (event.type !== "line") return ctx.stop();
      ${more}
      ctx.append({ line: event.text });
      ctx.output("terminal", { type: "print", text: "${words} " + state.durable.count });
    },
  },
});
`;

const careless = `if (event.text === "spin") for (;;);
      if (event.text === "read") Deno.readTextFileSync("/etc/hostname");`;

class Workshop implements Disposable {
  readonly path: string = Deno.makeTempDirSync({ prefix: "ovid-sandbox-" });
  readonly box = `127.0.0.1:${freePorts(1)[0]}`;
  readonly grid = `${this.path}/grid.json`;

  constructor(agent: object, text: string) {
    const own = { type: "./own.ts", box: this.box, ...agent };
    this.write("grid.json", JSON.stringify({ agents: { own } }));
    this.write("own.ts", text);
  }

  write(name: string, text: string): void {
    Deno.writeTextFileSync(`${this.path}/${name}`, text);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

async function shows(running: Running, words: string): Promise<void> {
  const found = () => running.stdout.includes(words) || running.stderr.includes(words);
  await eventually(words, found, 120_000).catch((error) => {
    throw new Error(`${error.message}\n${running.stdout}${running.stderr}`);
  });
}

/** The processes whose parent is `pid`, where the system shows them. */
function childrenOf(pid: number): number[] {
  return Array.from(Deno.readDirSync("/proc"), ({ name }) => Number(name)).filter((each) => {
    try {
      return Number.isInteger(each) &&
        /\) \S (\d+) /.exec(Deno.readTextFileSync(`/proc/${each}/stat`))?.[1] === String(pid);
    } catch {
      return false;
    }
  });
}

function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(Deno.readTextFileSync(`/proc/${pid}/stat`));
  } catch {
    return false;
  }
}

for (
  const [how, agent, flags] of [
    ['"sandbox": true', { sandbox: true }, []],
    ["--sandbox", {}, ["--sandbox"]],
  ] as const
) {
  Deno.test(`${how}: what was acknowledged survives kill -9, and no sandbox is left behind`, async () => {
    using workshop = new Workshop(agent, counter("count", careless));
    const run = () =>
      new Running(["box", workshop.grid, workshop.box, "--sandbox-ms=60000", ...flags]);
    for (let life = 0; life < 3; life++) {
      await using box = run();
      await shows(box, `start ${2 * life}\n`);
      await box.type("a line\nanother\n");
      await shows(box, `count ${2 * life + 2}\n`);
      const sandboxes = Deno.build.os === "linux" ? childrenOf(box.process.pid) : [];
      // Also one that never returns must end with its box.
      if (life === 1) await box.type("spin\n");
      box.kill("SIGKILL");
      await box.end();
      if (Deno.build.os !== "linux") continue;
      assertEquals(sandboxes.length, 1);
      await eventually("the sandbox ends", () => !sandboxes.some(isAlive), 60_000);
    }
    await using box = run();
    await shows(box, "start 6\n");
    await box.type("read\n");
    await shows(
      box,
      `agent own starts again from its durable state: ${workshop.path}/own.ts:20:39: NotCapable`,
    );
  });
}

Deno.test("ovid box GRID --sandbox --sandbox-ms passes both on, and ends with its agent", async () => {
  using workshop = new Workshop({}, counter("count", careless));
  await using grid = new Running(["box", workshop.grid, "--sandbox", "--sandbox-ms=2500"]);
  await shows(grid, "start 0\n");
  await grid.type("spin\n");
  await shows(grid, "starts again from its durable state: It did not return within 2500 ms");
  await eventually("its next start", () => grid.stdout === "start 0\nstart 0\n", 120_000);
  await grid.type("a line\n");
  await shows(grid, "count 1\n");
  await grid.endInput();
  assertEquals((await grid.end()).code, 0);
});

Deno.test("--watch reloads a plugin in its sandbox, through upgrade(), or leaves the old one running", async () => {
  using workshop = new Workshop({ sandbox: true }, counter("first"));
  {
    await using box = new Running([
      "box",
      workshop.grid,
      workshop.box,
      "--watch",
      "--sandbox-ms=60000",
    ]);
    await shows(box, "start 0\n");
    await box.type("a line\n");
    await shows(box, "first 1\n");
    workshop.write("own.ts", counter("second", "oops("));
    await shows(box, "plugin ./own.ts goes on as it was");
    const next = counter("second").replace("version: 1", "version: 2");
    workshop.write("own.ts", next);
    await shows(box, "its durable state has version 1, want 2 or an upgrade()");
    await box.type("a line\n");
    await shows(box, "first 2\n");
    workshop.write("own.ts", next.replace("init:", "upgrade: () => ({ count: 40 }), init:"));
    await shows(box, "start 40\n");
    await box.type("a line\n");
    await shows(box, "second 41\n");
    // One that was stopped for its faults starts again, as that is what one edits for.
    const throwing = counter("third", "throw new Error('edit me');").replace(
      "version: 1",
      "version: 2",
    );
    workshop.write("own.ts", throwing);
    await eventually("its end, or many faults", async () => {
      await box.type("a line\n");
      await new Promise((resolve) => setTimeout(resolve, 50));
      return box.stderr.includes("own was stopped") || box.stdout.split("start ").length > 12;
    }, 120_000);
    workshop.write("own.ts", throwing.replace("throw new Error('edit me');", ""));
    await eventually("a line", async () => {
      await box.type("a line\n");
      await new Promise((resolve) => setTimeout(resolve, 50));
      return box.stdout.includes("\nthird ");
    }, 120_000);
    // Its upgraded state is on the disk as soon as a snapshot is.
    const journal = `${workshop.path}/.ovid/grid/${workshop.box}/journal`;
    await eventually("a snapshot", () => {
      return Array.from(Deno.readDirSync(journal)).some(({ name }) => name.startsWith("snapshot-"));
    }, 60_000);
    box.kill("SIGKILL");
    await box.end();
  }
  await using box = new Running(["box", workshop.grid, workshop.box]);
  await eventually("its start", () => /^start (4[2-9]|[5-9]\d|\d{3,})\n/.test(box.stdout), 120_000);
});

Deno.test("ovid check and ovid agents look at a sandboxed plugin without running it themselves", async () => {
  const loud = `${counter("count")}\nconsole.error("it ran here");`;
  using workshop = new Workshop({ sandbox: true, attrs: { limit: 11 } }, loud);
  const check = await ovid(["check", workshop.grid]);
  assertEquals([check.code, check.stdout], [3, ""]);
  assertStringIncludes(check.stderr, "agents.own.attrs.limit is 11");
  const agents = await ovid(["agents", "--plugins", workshop.path, "--sandbox", "own"]);
  assertStringIncludes(agents.stdout, "limit?: integer");
  assertEquals(`${check.stderr}${agents.stderr}`.includes("it ran here"), false);
  // What shows that it could have been seen: without the flag it runs.
  const loaded = await ovid(["agents", "--plugins", workshop.path, "own"]);
  assertStringIncludes(loaded.stderr, "it ran here");
});

Deno.test("where there can be no sandbox, --sandbox is refused, and a built-in type needs none", async () => {
  for (
    const args of [["sim", "kvs", "1"], ["grade", ".", "--simulated"], [
      "grade",
      ".",
      "--process",
      "x",
    ]]
  ) {
    const { code, stderr } = await ovid([...args, "--sandbox"]);
    assertEquals([code, stderr.includes("Cannot use --sandbox")], [2, true], stderr);
  }
  using workshop = new Workshop({ type: "dummy", sandbox: true }, "");
  const { code, stderr } = await ovid(["check", workshop.grid]);
  assertEquals(code, 3);
  assertStringIncludes(stderr, "agents.own.sandbox is true, and dummy is a built-in type");
});
