// Agents of a user's own in the executable: with nothing installed, beside files that mislead the runtime.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { binary, eventually, freePorts, makeFolder, ovid, start, warm } from "./support.ts";

/** A folder with a grid of one agent, of the type of its first file. */
async function makeGrid(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await makeFolder();
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(join(folder, name), text);
  }
  const [type] = Object.keys(files);
  const grid = { agents: { a: { type: `./${type}`, box: `127.0.0.1:${freePorts(1)[0]}` } } };
  await Deno.writeTextFile(join(folder, "grid.json"), JSON.stringify(grid));
  return folder;
}

/** An agent that answers what is typed with what `answer` says, an expression of `line`. */
const agent = (imports: string, answer: string, settings = "") =>
  `${imports}
export default defineAgent({
  type: "answers", version: 1, doc: "Answers.",
  attrs: z.strictObject({}), protocol: {}, devices: ["terminal"],
  init: () => ({}),
  onDevice: {
    terminal(_state, event, ctx) {
      if (event.type !== "line") return ctx.stop();
      const line = event.text;
      ctx.output("terminal", { type: "print", text: \`\${${answer}}\` });
    },
  },
  on: {},${settings}
});
`;

const imports = `import { defineAgent, isAgentDefinition } from "ovid";
import { z } from "zod";
`;

/** What would stop the program, or lead it elsewhere, if it were read. */
const misleading = {
  "deno.json": "{ neither JSON",
  "package.json": '{ "type": "commonjs", "dependencies": { "zod": "1.0.0", "nope": "file:nope" } }',
  ".npmrc": "registry=http://127.0.0.1:1/",
};

Deno.test("a plugin in TypeScript finds ovid, zod and its own files, and no configuration", async () => {
  const folder = await makeGrid({
    "answers.ts": agent(
      `${imports}import { GobbyClient } from "ovid/client";
import { z as v4 } from "zod/v4";
import { twice, type Twice } from "./inner/twice.ts";
const own: Twice = twice;
`,
      "[own(line), typeof GobbyClient, z === v4, isAgentDefinition(imported)].join(' ')",
    ) + `import imported from "./answers.ts";\n`,
    ...misleading,
  });
  await Deno.mkdir(join(folder, "inner"));
  await Deno.writeTextFile(
    join(folder, "inner", "twice.ts"),
    "export type Twice = (text: string) => string;\nexport const twice: Twice = (text) => text + text;\n",
  );
  const outcome = await ovid(["box", "grid.json"], { cwd: folder, stdin: "ab\n" });
  assertEquals([outcome.code, outcome.stdout], [0, "abab function true true\n"], outcome.stderr);
});

Deno.test("a plugin in JavaScript works beside a package.json that says otherwise", async () => {
  const folder = await makeGrid({
    "answers.js": agent(`${imports}const seen = Object.keys(Deno.env.toObject());\n`, "seen"),
    ...misleading,
  });
  const env = { ...warm, DENO_NO_UPDATE_CHECK: "mine" };
  const { code, stdout, stderr } = await ovid(["box", "grid.json"], {
    cwd: folder,
    stdin: "\n\nx\n",
    env,
  });
  assertEquals(code, 0, stderr);
  // What the executable tells its runtime by the environment, nobody else sees.
  const seen = new Set(stdout.trim().split("\n").at(-1)?.split(","));
  for (const name of ["OVID_UNSET", "DENO_DIR", "DENO_NO_PACKAGE_JSON", "DENO_NODE_SHIM_ACTIVE"]) {
    assert(!seen.has(name), `${name} in ${stdout}`);
  }
  assert(seen.has("DENO_NO_UPDATE_CHECK"), stdout);
});

Deno.test("standard input passes through the executable to an agent, byte by byte", async () => {
  const folder = await makeGrid({ "answers.ts": agent(imports, "line") });
  const lines = Array.from(
    { length: 20_000 },
    (_, index) => `${index} ü € 𝄞 \\x "${"-".repeat(40)}`,
  );
  const stdin = `${lines.join("\n")}\n`;
  const { code, stdout, stderr } = await ovid(["box", "grid.json"], { cwd: folder, stdin });
  assertEquals(code, 0, stderr);
  assert(stdout === stdin, `${stdout.length} of ${stdin.length}`);
});

Deno.test("a box of the executable loads nothing of Node's library, which would be a fifth of its start", async () => {
  // A look at its timers loads them, and shows in the heap, unless they were there before.
  const look = `const looks = () => {
  const before = Deno.memoryUsage().heapUsed;
  globalThis.setTimeout;
  return Deno.memoryUsage().heapUsed - before > 500_000;
};
`;
  const source = agent(`${imports}${look}`, 'line + " " + looks()');
  const folder = await makeGrid({ "answers.ts": source });
  const { stdout, stderr } = await ovid(["box", "grid.json"], { cwd: folder, stdin: "a\nb\n" });
  assertEquals(stdout, "a true\nb false\n", stderr);
});

Deno.test("the faults of a plugin name its own file and line", async () => {
  const broken = agent(imports, "fail(line)") +
    `\nfunction fail(line: string): never {\n  throw new Error(\`no \${line}\`);\n}\n`;
  const at = broken.split("\n").findIndex((line) => line.includes("throw new Error")) + 1;
  const thrown = await makeGrid({ "answers.ts": broken });
  const { code, stderr } = await ovid(["box", "grid.json"], { cwd: thrown, stdin: "x\n" });
  assertEquals(code, 0, stderr);
  assertStringIncludes(stderr, "Error: no x");
  assertStringIncludes(stderr, `/answers.ts:${at}:`);
  for (
    const [source, reason] of [
      ["export default 3 +;\n", /answers\.ts:1:\d+/],
      ['\nimport { nothing } from "ovid";\nnothing();\n', /nothing.*answers\.ts:2:\d+/],
      ['\nimport "./missing.ts";\n', /missing\.ts".*answers\.ts:2:\d+/],
      ['\nimport "nowhere";\n', /nowhere.*answers\.ts:2:\d+/],
      // Nothing is fetched.
      ['\nimport "npm:chalk";\n', /npm/],
      ['\nimport "https://127.0.0.1:1/x.ts";\n', /remote/],
      ['\n\nthrow new Error("early");\n', /early/],
    ] as const
  ) {
    const folder = await makeGrid({ "answers.ts": source });
    const checked = await ovid(["check", "grid.json"], { cwd: folder });
    assertEquals(checked.code, 3, checked.stderr);
    assertMatch(checked.stdout + checked.stderr, reason);
  }
});

const flags = (await ovid(["help", "box"])).stdout;

Deno.test({
  name: "a plugin in a sandbox of the executable may read nothing",
  ignore: !flags.includes("--sandbox"),
  async fn() {
    const tried = `function tried(act: () => unknown): string {
  try {
    act();
    return "did it";
  } catch (error) {
    return error instanceof Error ? error.name : "";
  }
}
`;
    const folder = await makeGrid({
      "answers.ts": agent(imports + tried, 'tried(() => Deno.readTextFileSync("grid.json"))'),
      ...misleading,
    });
    for (const [more, said] of [[[], "did it\n"], [["--sandbox"], "NotCapable\n"]] as const) {
      const outcome = await ovid(["box", "grid.json", ...more], { cwd: folder, stdin: "x\n" });
      assertEquals([outcome.code, outcome.stdout], [0, said], outcome.stderr);
    }
  },
});

Deno.test({
  name: "a plugin that changes is loaded again by the executable, with its own files",
  ignore: !flags.includes("--watch"),
  async fn() {
    const folder = await makeGrid({
      "answers.ts": agent(`${imports}import { word } from "./word.ts";\n`, "word"),
      "word.ts": 'export const word: string = "before";\n',
    });
    const child = start(binary, ["box", "grid.json", "--watch"], { cwd: folder });
    const input = child.stdin.getWriter();
    const type = () => input.write(new TextEncoder().encode("x\n"));
    const read = { out: "", log: "" };
    const reading = ([["out", child.stdout], ["log", child.stderr]] as const).map(
      async ([name, stream]) => {
        for await (const text of stream.pipeThrough(new TextDecoderStream())) read[name] += text;
      },
    );
    await type();
    await eventually("it answers", () => read.out === "before\n");
    await Deno.writeTextFile(join(folder, "word.ts"), 'export const word: string = "after";\n');
    await eventually("it is loaded again", () => read.log.includes("reloaded"));
    await type();
    await eventually("it answers anew", () => read.out === "before\nafter\n");
    await input.close();
    assertEquals((await child.status).code, 0);
    await Promise.all(reading);
  },
});

for (const kind of ["typed", "text"]) {
  Deno.test(`ovid new agent --${kind}: what it writes passes with the executable alone`, async () => {
    const cwd = await makeFolder();
    const fine = async (...args: string[]) => {
      const { code, stdout, stderr } = await ovid(args, { cwd });
      assertEquals(code, 0, `ovid ${args.join(" ")}\n${stdout}${stderr}`);
      return stdout;
    };
    const written = await fine("new", "agent", "mine", `--${kind}`);
    assertStringIncludes(written, "Next:\n  ovid test\n");
    const names = Array.from(Deno.readDirSync(cwd), ({ name }) => name).sort();
    assertEquals(names, ["mine.json", "mine.ts", "mine_invariant.ts", "mine_test.ts"]);
    await Deno.writeTextFile(join(cwd, "deno.json"), misleading["deno.json"]);
    await Deno.writeTextFile(join(cwd, "package.json"), misleading["package.json"]);
    assertMatch(await fine("test"), /ok \| [45] passed/);
    assertMatch(await fine("test", "mine_test.ts", "--filter", "mine takes"), /\d filtered out/);
    assertMatch(await fine("sim", "./mine.json", "1", "--runs", "20", "--jobs", "2"), /fine 20/);
    await fine("check", "mine.json");
  });
}

Deno.test("ovid test --check finds what does not compile, and nothing else", async () => {
  const cwd = await makeFolder();
  for (const kind of ["typed", "text"]) {
    assertEquals((await ovid(["new", "agent", kind, `--${kind}`], { cwd })).code, 0);
  }
  const wrong = agent(imports, "line").replace("ctx.stop()", 'ctx.send("nowhere", {})');
  await Deno.writeTextFile(join(cwd, "wrong.ts"), wrong);
  const at = wrong.split("\n").findIndex((line) => line.includes("nowhere")) + 1;
  const { code, stdout, stderr } = await ovid(["test", "--check"], { cwd });
  assertEquals([code, stdout], [1, ""], stderr);
  const places = Array.from(stderr.matchAll(/\bat file:\S*\/(\w+\.ts:\d+)/g), ([, place]) => place);
  assertEquals([...new Set(places)], [`wrong.ts:${at}`], stderr);
});

Deno.test("ovid test: a test that fails is exit code 1, and a signal ends it", async () => {
  const cwd = await makeFolder();
  const test = `import { assertEquals } from "@std/assert";
Deno.test("sums", () => assertEquals(1 + 1, 3));\n`;
  await Deno.writeTextFile(join(cwd, "sum_test.ts"), test);
  const failed = await ovid(["test"], { cwd });
  assertEquals(failed.code, 1, failed.stderr);
  assertMatch(failed.stdout, /0 passed \| 1 failed/);
  assertMatch(failed.stdout, /sum_test\.ts:2:/);
  const none = await ovid(["test", "nothing_test.ts"], { cwd });
  assertEquals(none.code, 1);
  await Deno.writeTextFile(
    join(cwd, "stuck_test.ts"),
    'Deno.test("waits", () => new Promise(() => { console.log("stuck"); setInterval(() => {}, 1000); }));',
  );
  const child = start(binary, ["test", "stuck_test.ts"], { cwd });
  const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let said = "";
  while (!said.includes("stuck")) {
    const { value, done } = await output.read();
    assert(!done, said);
    said += value;
  }
  child.kill("SIGTERM");
  assert((await child.status).code !== 0);
  await Promise.all([output.cancel(), child.stderr.cancel(), child.stdin.close().catch(() => {})]);
});
