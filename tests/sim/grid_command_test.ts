// `ovid sim GRID.json` and `ovid new agent` as users run them, in a folder outside of the tree.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { parseHistory } from "../../sim/history.ts";

const root = fromFileUrl(new URL("../..", import.meta.url));
const short = Deno.env.has("OVID_SHORT");
const seeds = short ? "40" : "200";

interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function deno(cwd: string, ...args: string[]): Promise<Run> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

/** A folder of a user, somewhere else. */
class Folder implements Disposable {
  readonly path = Deno.makeTempDirSync();

  async ovid(...args: string[]): Promise<Run> {
    const config = ["--config", join(root, "deno.json")];
    const flags = ["run", "-A", "--quiet", "--no-check", ...config, join(root, "cli/main.ts")];
    return await deno(this.path, ...flags, ...args);
  }

  async read(name: string): Promise<string> {
    return await Deno.readTextFile(join(this.path, name));
  }

  async write(name: string, content: unknown): Promise<void> {
    const text = typeof content === "string" ? content : JSON.stringify(content, undefined, 2);
    await Deno.writeTextFile(join(this.path, name), text);
  }

  /** Changes a file, which must have what is replaced. */
  async edit(name: string, from: string, to: string): Promise<void> {
    const text = await this.read(name);
    assertStringIncludes(text, from);
    await this.write(name, text.replace(from, to));
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

for (const kind of ["typed", "text"]) {
  Deno.test(`ovid new agent --${kind}: what it writes passes as it is written`, async () => {
    using folder = new Folder();
    const written = await folder.ovid("new", "agent", "mine", `--${kind}`);
    assertEquals([written.code, written.err], [0, ""]);
    const files = [...Deno.readDirSync(folder.path)].map(({ name }) => name).sort();
    const sources = ["mine.json", "mine.ts", "mine_invariant.ts", "mine_test.ts"];
    assertEquals(files, ["deno.json", ...sources]);
    for (const name of files) assertStringIncludes(written.out, `wrote ${name}\n`);
    const box = `ovid box ./mine.json${kind === "text" ? " --attach ann" : ""}\n`;
    assertStringIncludes(written.out, box);
    // By the deno.json that was written, as a user in that folder has it.
    const checks = short ? [] : [
      await deno(folder.path, "check", "mine.ts", "mine_invariant.ts", "mine_test.ts"),
      await deno(folder.path, "fmt", "--check", ...files),
      await deno(folder.path, "lint"),
    ];
    for (const { code, out, err } of checks) assertEquals(code, 0, out + err);
    // Either way to run a test.
    const tests = kind === "text"
      ? await folder.ovid("test")
      : await deno(folder.path, "test", "-A", "--no-check");
    assertEquals(tests.code, 0, tests.out + tests.err);
    assertMatch(tests.out, /ok \| [45] passed/);
    const checked = await folder.ovid("check", "mine.json");
    assertEquals([checked.code, checked.err], [0, ""]);
    const sim = await deno(
      folder.path,
      "task",
      "-q",
      "ovid",
      "sim",
      "./mine.json",
      "1",
      "--runs",
      seeds,
    );
    assertEquals(sim.code, 0, sim.out + sim.err);
    assertStringIncludes(sim.out, `fine ${seeds}, safety 0, liveness 0; hash `);
  });
}

Deno.test("ovid new agent: never overwrites, takes no wrong names, and writes where it is told to", async () => {
  using folder = new Folder();
  await folder.write("mine.ts", "// Mine.");
  await folder.write("mine_test.ts", "// Mine.");
  const refusals: [string[], string][] = [
    [["new", "agent", "mine"], "Cannot write agent mine: mine.ts, mine_test.ts is there already"],
    [["new", "agent", "chat"], "there is a built-in type of this name"],
    [["new", "agent", "../x"], 'Cannot name an agent "../x"'],
    [["new", "agent", "x_test"], 'Cannot name an agent "x_test"'],
    [["new", "agnt", "x"], "did you mean agent"],
    [["new", "agent", "x", "--text", "--typed"], "want one of them"],
    [["new", "agent"], "want agent NAME"],
  ];
  const runs = await Promise.all(refusals.map(([args]) => folder.ovid(...args)));
  for (const [index, [args, words]] of refusals.entries()) {
    assertEquals(runs[index]?.code, 2, args.join(" "));
    assertStringIncludes(runs[index]?.err ?? "", words);
  }
  assertEquals([...Deno.readDirSync(folder.path)].length, 2);
  assertEquals(await folder.read("mine.ts"), "// Mine.");
  const into = await folder.ovid("new", "agent", "other", "--into", "a/b");
  assertEquals(into.code, 0, into.err);
  assertStringIncludes(into.out, "wrote a/b/other.ts");
  // A second agent beside the first finds the deno.json that is there, and leaves it alone.
  const second = await folder.ovid("new", "agent", "more", "--text", "--into", "a/b");
  assertEquals(second.code, 0, second.err);
  assertStringIncludes(second.out, `deno.json says where "ovid" is found`);
  assertEquals((await folder.ovid("sim", "a/b/more.json", "1")).code, 0);
});

Deno.test("ovid sim GRID: the model finds an agent that counts twice, and the command repeats it", async () => {
  using folder = new Folder();
  await folder.ovid("new", "agent", "mine");
  await folder.edit("mine.ts", "if (last === undefined || id > last.id) ctx.append", "ctx.append");
  const batch = await folder.ovid("sim", "./mine.json", "1", "--runs", "40", "--jobs", "2");
  assertEquals(batch.code, 10, batch.out + batch.err);
  assertStringIncludes(batch.out, "The history is not linearizable");
  const [, seed = ""] = /Again with:\n {2}ovid sim \.\/mine\.json (\d+)\n/.exec(batch.out) ?? [];
  const [trace, history] = [join(folder.path, "trace"), join(folder.path, "history")];
  const svg = join(folder.path, "run.svg");
  const flags = ["--shrink", "--trace", trace, "--history", history, "--diagram", svg, "--json"];
  const { code, out } = await folder.ovid("sim", "./mine.json", seed, ...flags);
  assertEquals(code, 10, out);
  assertEquals(JSON.parse(out.split("\n", 1)[0] ?? "").verdict, "safety");
  assertMatch(out, /Shrunk in \d+ runs to \d+ events/);
  assertStringIncludes(await Deno.readTextFile(trace), "append");
  assert(parseHistory(await Deno.readTextFile(history), "history").length > 0);
  assertStringIncludes(await Deno.readTextFile(svg), `mine ${seed}`);
  const short = out.trim().split("\n").filter((line) => line.includes("ovid sim")).at(-2) ?? "";
  assertEquals((await folder.ovid(...short.trim().split(" ").slice(1))).code, 10, short);
});

Deno.test("ovid sim GRID: the invariant finds letters that come twice, and those that never come", async () => {
  using folder = new Folder();
  await folder.ovid("new", "agent", "mine", "--text");
  const own = await folder.read("mine.ts");
  await folder.edit("mine.ts", "if (Number(number) === state.durable.arrived + 1)", "if (line)");
  const twice = await folder.ovid("sim", "mine.json", "1", "--runs", "40");
  assertEquals(twice.code, 10, twice.out + twice.err);
  assertMatch(
    twice.out,
    /Invariant \.\/mine_invariant\.ts is broken: (ann|bob) got letter \d+, want letter/,
  );
  const [, seed = ""] = /Again with:\n {2}ovid sim mine\.json (\d+)\n/.exec(twice.out) ?? [];
  assertEquals((await folder.ovid("sim", "mine.json", seed)).code, 10);
  await folder.write("mine.ts", own);
  await folder.edit("mine.ts", 'ctx.setTimer("again", [100, 200]);', "");
  const never = await folder.ovid("sim", "mine.json", "1", "--runs", "40");
  assertEquals(never.code, 11, never.out + never.err);
  assertStringIncludes(
    never.out,
    "./mine_invariant.ts: Every letter arrives, once and in order.",
  );
});

Deno.test("ovid sim GRID --check-determinism: an agent that draws its own chance is exit 12", async () => {
  using folder = new Folder();
  await folder.ovid("new", "agent", "mine");
  const flags = ["sim", "mine.json", "1", "--runs", "5", "--check-determinism"];
  const innocent = await folder.ovid(...flags);
  assertEquals(innocent.code, 0, innocent.out + innocent.err);
  await folder.edit("mine.ts", "ctx.reply(", 'ctx.note("chance", Math.random()), ctx.reply(');
  const guilty = await folder.ovid(...flags);
  assertEquals(guilty.code, 12, guilty.out + guilty.err);
  assertMatch(guilty.out, /Two runs differ at step \d+, by agent "mine"/);
});

const agent = { type: "./mine.ts", box: "127.0.0.1:5000" };
const messages = [{ message: { type: "add", id: "{id}", amount: 1 }, answers: ["total"] }];
const workload = { type: "mail", to: "a", messages };

Deno.test("ovid sim GRID: all that is wrong is told with its place, and is exit 3, as ovid check says", async () => {
  using folder = new Folder();
  await folder.ovid("new", "agent", "mine");
  await folder.write("nothing.ts", "export const x = 1;\n");
  await folder.write("wrong.ts", "export default { doc: 'x' };\n");
  await folder.write("broken.ts", "export default {\n");
  await folder.write("throws.ts", "throw new Error('not today');\n");
  const modules = ["missing.ts", "nothing.ts", "wrong.ts", "broken.ts", "throws.ts", "../out.ts"];
  await folder.write("modules.json", {
    agents: { a: agent },
    simulation: { workload: "./wrong.ts", model: "./nothing.ts", invariants: modules },
  });
  await folder.write("keys.json", {
    agents: { a: { ...agent, attr: {} } },
    simulation: { workload: { ...workload, type: "post", tries: 1 }, invariant: [] },
  });
  const unknown = [{
    ...messages[0],
    operation: { kind: "ad", amount: "{amount}" },
    answers: { x: 1 },
  }];
  await folder.write("model.json", {
    agents: { a: agent },
    simulation: { workload: { ...workload, messages: unknown }, model: "counter" },
  });
  await folder.write("bare.json", { agents: { a: agent } });
  const [told, keys, bare, check, box, model] = await Promise.all([
    folder.ovid("sim", "modules.json", "1"),
    folder.ovid("sim", "keys.json", "1"),
    folder.ovid("sim", "bare.json", "1"),
    folder.ovid("check", "modules.json"),
    folder.ovid("check", "bare.json"),
    folder.ovid("check", "model.json"),
  ]);
  assertEquals([told.code, keys.code, bare.code, check.code, box.code], [3, 3, 3, 3, 0]);
  for (
    const words of [
      'modules.json:9:17: simulation.workload is "./wrong.ts", want a module with ' +
      "`export default defineWorkload({ ... })`; sizes is not an object of ranges",
      'simulation.model is "./nothing.ts", want a module with `export default { initial, apply, encode }`; ' +
      "it has no default export",
      'simulation.invariants[0] is "missing.ts", want a module with `export default defineInvariant({ ... })`; ' +
      "Cannot load invariant",
      "simulation.invariants[1]",
      "it looks at nothing, want always, eventually or atEnd",
      "simulation.invariants[3]",
      "not today",
      'simulation.invariants[5] is "../out.ts"',
      "is outside the grid's folder",
    ]
  ) {
    assertStringIncludes(told.err, words);
    assertStringIncludes(check.err, words);
  }
  assertStringIncludes(
    keys.err,
    'agents.a.attr is not a known key, want one of type, box, attrs, routes; perhaps "attrs"',
  );
  assertStringIncludes(keys.err, 'simulation.workload.type is "post", want one of terminal, mail');
  assertStringIncludes(keys.err, "simulation.invariant is not known to a simulation");
  assertEquals(model.code, 3);
  assertStringIncludes(
    model.err,
    "simulation.workload.messages[0].operation is an object, want an operation of the model counter; kind: ",
  );
  assertStringIncludes(bare.err, 'it has no "simulation", want one beside "agents", such as');
  assertStringIncludes(bare.err, '"simulation": { "workload": {"type":"mail","to":"a",');
});

Deno.test("ovid sim GRID: an invariant that throws is a failure with its words, and modules may be one's own", async () => {
  using folder = new Folder();
  await folder.ovid("new", "agent", "mine");
  await folder.write(
    "broken.ts",
    `import { defineInvariant, type View } from "ovid";
export default defineInvariant({ doc: "Breaks.", always: (view: View) => void Object(view.agents[99]).state.x });
`,
  );
  await folder.write(
    "model.ts",
    `import type { Json, Model } from "ovid";
const model: Model<number> = {
  initial: () => 0,
  apply: (total: number, operation: Json) => {
    const state = total + Number(Reflect.get(Object(operation), "amount"));
    return { state, result: { type: "total", id: Reflect.get(Object(operation), "id"), total: state } };
  },
  encode: String,
};
export default model;
`,
  );
  await folder.write("broken.json", {
    agents: { a: agent },
    simulation: { workload, invariants: ["broken.ts"] },
  });
  await folder.write("own.json", {
    agents: { a: agent },
    simulation: { workload, model: "model.ts" },
  });
  const [broken, own] = await Promise.all([
    folder.ovid("sim", "broken.json", "1"),
    folder.ovid("sim", "own.json", "1", "--runs", "20"),
  ]);
  assertEquals(broken.code, 10, broken.out + broken.err);
  assertStringIncludes(broken.out, "Invariant broken.ts is broken: TypeError: ");
  assertEquals(own.code, 0, own.out + own.err);
});

Deno.test("ovid sim: the example with an agent of one's own passes, as its README says", async () => {
  const grid = "examples/own_agent/grid.json";
  const config = ["run", "-A", "--quiet", "--no-check", "cli/main.ts"];
  const { code, out, err } = await deno(root, ...config, "sim", grid, "1", "--runs", seeds);
  // A hundred runs and more must also have reached what its "sometimes" names.
  assertEquals(code, 0, out + err);
  assertStringIncludes(out, `fine ${seeds}`);
});
