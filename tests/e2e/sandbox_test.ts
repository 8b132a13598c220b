// Plugins in sandboxes: what a stranger's agent can do there, and what it cannot.

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { Box } from "../../box/box.ts";
import { TextWriter } from "../../box/devices.ts";
import { memoryJournal, MemoryStore } from "../../box/memory_journal.ts";
import { bundleConfined, describeConfined, type SandboxOptions } from "../../box/sandbox_type.ts";
import { sandboxLimits } from "../../box/sandbox_limits.ts";
import { startSandbox } from "../../cli/sandbox.ts";
import type { AnyMessage } from "../../core/agent.ts";
import { agentId } from "../../core/id.ts";
import { boxA, makeGrid, puppet } from "../../core/test_support.ts";
import { rig } from "../../sim/rig.ts";
import { MemoryNetwork } from "../../transport/memory.ts";
import { eventually } from "./support.ts";

const file = fromFileUrl(new URL("./sandbox_probe.ts", import.meta.url));
const probe = agentId("probe");
const me = agentId("me");

/** The bundler's own process is told to stop, and ends a moment after the test: only it may be left behind. */
const bundling = { sanitizeOps: false, sanitizeResources: false };

function test(name: string, fn: (t: Deno.TestContext) => Promise<void>): void {
  Deno.test({ ...bundling, name, fn });
}

/** Where time is short, the machine's memory and the patience of the box are not tried. */
const short = Deno.env.has("OVID_SHORT");

function options(limits: Partial<SandboxOptions["limits"]> = {}): SandboxOptions {
  // The machine may be slow, and what is not about time must not end by it.
  return {
    start: startSandbox,
    limits: { ...sandboxLimits, stepMs: 60_000, loadMs: 120_000, ...limits },
  };
}

/** A box with a probe in its sandbox and a puppet outside, and somebody who talks to both. */
class Grounds implements AsyncDisposable {
  readonly replies: AnyMessage[] = [];
  readonly logged: string[] = [];
  printed = "";

  private constructor(
    readonly box: Box,
    readonly send: (to: string, message: AnyMessage) => void,
  ) {}

  static async open(
    sandbox: SandboxOptions = options(),
    { store = new MemoryStore(), folder }: { store?: MemoryStore; folder?: string } = {},
  ): Promise<Grounds> {
    const type = await describeConfined(await bundleConfined(file), [{}], sandbox);
    const definitions = new Map([["probe", type.definition], ["puppet", puppet()]]);
    const grid = makeGrid({
      probe: { type: "probe", routes: { friend: { other: 0 } } },
      puppet: { type: "puppet" },
      other: { type: "probe" },
    });
    let grounds: Grounds | undefined;
    const log = (text: string) => void grounds?.logged.push(text);
    const box = await Box.start({
      ...{ box: boxA, grid, definitions, journal: memoryJournal(store), debug: true },
      transport: new MemoryNetwork(),
      sandboxes: { types: new Map([["probe", type]]), ...sandbox },
      sources: new Map([["probe", type.source]]),
      out: new TextWriter((bytes) => {
        if (grounds !== undefined) grounds.printed += new TextDecoder().decode(bytes);
        return Promise.resolve(bytes.length);
      }),
      log: { debug: log, info: log, warn: log, error: log },
      ...folder === undefined ? {} : { filesFolder: folder },
    });
    const guest = box.addGuest(me, (_from, message) => void grounds?.replies.push(message));
    return grounds = new Grounds(box, (to, message) => guest.send(agentId(to), message));
  }

  /** Sends to the probe, and waits for its next reply. */
  async ask(message: AnyMessage): Promise<AnyMessage> {
    const before = this.replies.length;
    this.send("probe", message);
    await eventually(
      `a reply to ${JSON.stringify(message)}`,
      () => this.replies.length > before,
      120_000,
    );
    return this.replies[before] ?? { type: "none" };
  }

  async until(words: string): Promise<void> {
    const found = () => this.logged.some((line) => line.includes(words));
    await eventually(words, found, 120_000).catch((error) => {
      throw new Error(`${error.message}; logged were ${this.logged.join("\n")}`);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.box.close();
  }
}

test("a sandboxed agent can read nothing, reach nobody, and run nothing", async (t) => {
  await using grounds = await Grounds.open();
  assertEquals(Reflect.get(globalThis, "ovidProbeRan"), undefined, "the box ran the code itself");
  const attempts = [
    ...["read", "write", "list", "listen", "run", "environment", "library", "signal", "system"],
    ...["ask", "cache", "nodeRead", "nodeRun", "nodeDatabase"],
  ];
  for (const what of attempts) {
    await t.step(what, async () => {
      const { text } = await grounds.ask({ type: "attempt", what });
      assertStringIncludes(String(text), "refused: ");
    });
  }
  for (const what of ["connect", "fetch", "importFile", "importRemote", "importPackage"]) {
    await t.step(what, async () => {
      assertEquals((await grounds.ask({ type: "attempt", what })).text, "begun");
      const text = await eventually(what, async () => {
        const { text } = await grounds.ask({ type: "attempt", what: "later" });
        return text !== "not yet" && String(text);
      }, 120_000);
      assertStringIncludes(text, "refused: ");
    });
  }
});

test("a sandboxed agent counts, in order, sends along its routes, sets timers, notes and prints", async () => {
  await using grounds = await Grounds.open();
  for (let step = 0; step < 500; step++) grounds.send("probe", { type: "count", step });
  await eventually("500 replies", () => grounds.replies.length === 500, 120_000);
  assertEquals(
    grounds.replies,
    Array.from(
      { length: 500 },
      (_, step) => ({ type: "counted", step, count: step + 1, since: step + 1 }),
    ),
  );
  for (const what of ["wait", "say", "friend"]) grounds.send("probe", { type: "do", what });
  await eventually("a timer", () => grounds.printed.includes("later\n"), 120_000);
  await eventually("the other's reply", () => grounds.printed.includes("friend 1\n"), 120_000);
  await grounds.until("agent probe says: hello 1");
  // Judged inside, by the plugin's own schema.
  grounds.send("probe", { type: "count", step: 1.5 });
  await grounds.until("probe mail.invalid");
  grounds.send("probe", { type: "do", what: "leave" });
  await grounds.box.agentEnd(probe);
});

test("what a sandboxed agent had on disk it has again, in the next box, or after its code threw", async () => {
  const store = new MemoryStore();
  {
    await using grounds = await Grounds.open(options(), { store });
    assertEquals((await grounds.ask({ type: "count", step: 1 })).count, 1);
    grounds.send("probe", { type: "do", what: "throw" });
    await grounds.until(`agent probe starts again from its durable state: ${file}:`);
    await grounds.until("Error: asked to");
    const reply = await grounds.ask({ type: "count", step: 2 });
    assertEquals([reply.count, reply.since], [2, 1]);
  }
  await using grounds = await Grounds.open(options(), { store });
  assertEquals((await grounds.ask({ type: "count", step: 3 })).count, 3);
});

for (
  const [what, words, stepMs] of [
    ["fill heap", /memory is full|took more than/, 60_000],
    ["fill buffers", /took more than/, 60_000],
    ["flood", /in one step|memory is full|took more than/, 60_000],
    ["forge", /gave no batch/, 60_000],
    ["babble", /said what nobody asked for/, 60_000],
    ["exit", /did not return/, 3000],
    ["go on by itself", /did not return/, 3000],
    ["stop itself", /gave no answer/, 3000],
  ] as const
) {
  const name = `a sandboxed agent that would ${what} is ended, and starts again`;
  const ignore = short && !["flood", "babble"].includes(what);
  Deno.test({ ...bundling, name, ignore }, async () => {
    await using grounds = await Grounds.open(options({ stepMs }));
    assertEquals((await grounds.ask({ type: "count", step: 1 })).count, 1);
    grounds.send("probe", { type: "do", what });
    await grounds.until("agent probe starts again");
    assertMatch(grounds.logged.find((each) => each.includes("starts again")) ?? "", words);
    const reply = await grounds.ask({ type: "count", step: 2 });
    assertEquals([reply.count, reply.since], [2, 1]);
  });
}

test("a sandboxed agent that never returns is ended, and blocks nobody meanwhile", async () => {
  await using grounds = await Grounds.open(options({ stepMs: 4000 }));
  assertEquals((await grounds.ask({ type: "count", step: 1 })).count, 1);
  grounds.send("probe", { type: "do", what: "spin" });
  // The puppet shows that it got its mail; the probe's other mail waits.
  grounds.send("probe", { type: "count", step: 2 });
  grounds.send("puppet", { type: "nonsense" });
  await grounds.until("puppet mail.refused");
  assert(!grounds.logged.some((line) => line.includes("starts again")), "the box waited for it");
  await grounds.until("starts again from its durable state: It did not return within 4000 ms");
  const reply = await grounds.ask({ type: "count", step: 3 });
  assert(reply.since === 1 || reply.since === 2);
});

test("a sandboxed agent that goes on faulting is stopped", async () => {
  await using grounds = await Grounds.open();
  grounds.send("probe", { type: "count", step: 1 });
  const lives = () => grounds.printed.split("start ").length - 1;
  const stopped = () => grounds.logged.some((line) => line.includes("agent probe was stopped"));
  // On a machine on which five lives take longer than ten seconds it goes on for ever.
  await eventually("its last life", () => {
    if (!stopped()) grounds.send("probe", { type: "do", what: "throw" });
    return stopped() || lives() > 6;
  }, 120_000);
  assert(lives() >= 5, grounds.printed);
});

test("a sandboxed agent writes files in a folder of its own, and to no device it did not declare", async () => {
  const folder = await Deno.makeTempDir();
  try {
    {
      await using grounds = await Grounds.open(options(), { folder: join(folder, "files") });
      for (const what of ["file", "escape"]) grounds.send("probe", { type: "do", what });
      await grounds.until('probe output.refused "file"');
      grounds.send("probe", { type: "do", what: "terminal" });
      await grounds.until("agent probe starts again");
      assert(!grounds.printed.includes("forged"));
    }
    const own = join(folder, "files/sandbox/agent_probe/notes.txt");
    assertEquals(await Deno.readTextFile(own), "noted\n");
    const found = Array.from(Deno.readDirSync(folder), ({ name }) => name);
    assertEquals(found, ["files"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

test("more mail than a sandbox has room for is dropped and noted", async () => {
  await using grounds = await Grounds.open(options({ stepMs: 3000 }));
  await grounds.ask({ type: "count", step: 1 });
  grounds.send("probe", { type: "do", what: "spin" });
  for (let step = 0; step < 10_500; step++) {
    grounds.send("probe", { type: "attempt", what: "read" });
  }
  await grounds.until("probe mail.overflow");
});

test("a plugin that cannot be sandboxed says why, with its place", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const judged = async (text: string, limits = {}) => {
      const path = join(folder, "own.ts");
      await Deno.writeTextFile(path, text);
      const load = async () =>
        await describeConfined(await bundleConfined(path), [{}], options(limits));
      return (await assertRejects(load, Error)).message;
    };
    const own = (more: string) =>
      `import { defineAgent } from "ovid"; import { z } from "zod";
      export default defineAgent({ type: "own", version: 1, doc: "Own.", attrs: z.object({}), protocol: {},
        init: () => ({}), on: {}, ${more} });`;
    assertStringIncludes(
      await judged("\nthrow new Error('oops');"),
      `oops at ${folder}/own.ts:2:7`,
    );
    assertStringIncludes(await judged("\n\nlet x = {{;"), `${folder}/own.ts:3:10`);
    assertStringIncludes(await judged("export default 5;"), "is no definition");
    assertStringIncludes(await judged("export const x = 5;"), "no default export");
    assertStringIncludes(
      await judged("for (;;);", { loadMs: 3000 }),
      "It did not return within 3000 ms",
    );
    assertStringIncludes(await judged(own("devices: ['http']")), `it has the device "http"`);
    assertStringIncludes(await judged(own("devices: ['process']")), `it has the device "process"`);
    assertStringIncludes(await judged(own("timers: ['t']")), "timer t has no handler");
    assertStringIncludes(await judged(`import { rig } from "ovid"; rig;`), `own.ts:1:10`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

test("the attrs of a sandboxed agent are judged by its own schema, in its sandbox", async () => {
  const attrs = [{}, { limit: 3 }, { limit: 11 }, { lmit: 3 }];
  const { definition } = await describeConfined(await bundleConfined(file), attrs, options());
  const verdicts = [...attrs, { limit: 4 }].map((each) => {
    const result = definition.attrs["~standard"].validate(each);
    return "issues" in result && result.issues !== undefined
      ? result.issues.map(({ path, message }) => `${path?.join(".")} ${message}`).join()
      : "fine";
  });
  assertEquals(verdicts.slice(0, 2), ["fine", "fine"]);
  assertStringIncludes(verdicts[2] ?? "", "limit Too big");
  assertStringIncludes(verdicts[3] ?? "", `Unrecognized key: "lmit"`);
  assertStringIncludes(verdicts[4] ?? "", "has not been judged");
  assertEquals(Object.keys(definition.on), ["attempt", "count", "counted", "do"]);
  const json = definition.attrs["~standard"].jsonSchema?.input({ target: "draft-2020-12" });
  assertEquals(Object.keys(Object(json?.properties)), ["limit"]);
});

// Last, as it runs the code in this program.
test("canary: what is refused in a sandbox is done outside of it", async () => {
  const { default: definition } = await import("./sandbox_probe.ts");
  const agent = rig(definition, { peers: ["me"] });
  for (const what of ["read", "list", "run", "environment", "system", "nodeRead", "nodeRun"]) {
    agent.deliver("me", { type: "attempt", what });
    assertEquals(agent.sent.at(-1)?.message.text, "done", what);
  }
  assertEquals(Reflect.get(globalThis, "ovidProbeRan"), true);
});
