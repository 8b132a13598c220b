// The replicated store on real processes: go-vsr's commands, kills of the primary under load, and the client library
// on Node.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { builtInMachines } from "../../agents/machine/registry.ts";
import { GroupClient, OperationError } from "../../client/group_client.ts";
import type { Json } from "../../core/data.ts";
import { randomInteger, seededRandom } from "../../core/random.ts";
import { History } from "../../sim/history.ts";
import { checkLinearizable, verdictLines } from "../../sim/linearizable.ts";
import { machineModel } from "../../sim/linearizable_model.ts";
import { eventually, freePorts, ovid, projectPath, Running, Workspace } from "./support.ts";

/** How often the primary is killed under load. */
const kills = Number(Deno.env.get("OVID_VR_KILLS") ?? "20");
const clientCount = 16;

class Servers implements AsyncDisposable {
  readonly workspace = new Workspace();
  readonly ports: readonly number[];
  readonly members: string;
  readonly running: Running[] = [];

  constructor(count: number) {
    this.ports = freePorts(count);
    this.members = this.ports.map((port) => `127.0.0.1:${port}`).join(",");
  }

  get count(): number {
    return this.ports.length;
  }

  start(id: number): Running {
    const args = [
      "vr",
      "server",
      "--members",
      this.members,
      "--id",
      `${id}`,
      "--port",
      `${this.ports[id]}`,
    ];
    return this.running[id] = new Running(args, { cwd: this.workspace.path });
  }

  async kill(id: number): Promise<void> {
    await this.running[id]?.[Symbol.asyncDispose]();
  }

  client(deadlineMs = 10_000): GroupClient {
    const replicas = Object.fromEntries(
      this.ports.map((port, id) => [`r${id}`, `127.0.0.1:${port}`]),
    );
    return new GroupClient({ replicas, deadlineMs });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const id of this.running.keys()) await this.kill(id);
    this.workspace[Symbol.dispose]();
  }
}

Deno.test("ovid vr server and client serve go-vsr's commands, over a kill -9 of the primary", async () => {
  await using servers = new Servers(3);
  for (let id = 0; id < 3; id++) servers.start(id);
  const ask = (stdin: string) => ovid(["vr", "client", "-members", servers.members], { stdin });
  const first = await ask('SET abc 123\nGET abc\nSET q "a" \\b\nGET q\n');
  assertEquals(
    first.stdout,
    [
      '{"kind":"stored"}',
      '{"kind":"value","value":"123"}',
      '{"kind":"stored"}',
      '{"kind":"value","value":"\\"a\\" \\\\b"}\n',
    ].join("\n"),
    first.stderr,
  );
  await servers.kill(0);
  const second = await ask("GET abc\nSET abc 4\n");
  assertEquals([second.stdout, second.code], [
    '{"kind":"value","value":"123"}\n{"kind":"stored"}\n',
    0,
  ]);
  servers.start(0);
  await servers.kill(1);
  const third = await ask("GET abc\n");
  assertEquals([third.stdout, third.code], ['{"kind":"value","value":"4"}\n', 0]);
});

Deno.test("ovid vr server refuses to come back without its disk, and flags that contradict", async () => {
  await using servers = new Servers(1);
  const server = servers.start(0);
  await eventually("its start", () => server.stderr.includes("up, seed"));
  await servers.kill(0);
  const [group = ""] = Array.from(
    Deno.readDirSync(servers.workspace.file(".ovid/vr")),
    ({ name }) => name,
  );
  await Deno.remove(servers.workspace.file(`.ovid/vr/${group}/0`), { recursive: true });
  const again = servers.start(0);
  assertEquals((await again.end()).code, 1, again.stderr);
  assertStringIncludes(again.stderr, "must not come back as itself");
  for (
    const args of [
      ["server", "--id", "0"],
      ["server", "--members", servers.members, "--id", "1"],
      ["server", "--members", servers.members, "--id", "0", "--port", "1"],
      ["server", "--members", "10.0.0.1:5000", "--id", "0"],
      ["client", "--members", "nonsense"],
      ["sing", "--members", servers.members],
    ]
  ) {
    assertEquals((await ovid(["vr", ...args])).code, 2, args.join(" "));
  }
});

interface Load {
  readonly history: History;
  readonly answeredAt: number[];
  stop(): Promise<void>;
}

// Clients that put, get, delete and swap at random on a few keys, and write down what they see.
function putUnderLoad(servers: Servers): Load {
  const history = new History();
  const answeredAt: number[] = [];
  let stopped = false;
  const work = async (index: number) => {
    await using client = servers.client();
    const random = seededRandom(BigInt(index));
    for (let count = 0; !stopped; count++) {
      const key = `k${randomInteger(random, 0, 4)}`;
      const value = `${index}.${count}`;
      const dice = randomInteger(random, 0, 9);
      const operation: Json = dice < 4
        ? { kind: "put", key, value }
        : dice < 8
        ? { kind: "get", key }
        : dice < 9
        ? { kind: "delete", key }
        : { kind: "cas", key, expected: null, value };
      const call = history.invoke(`c${index}`, operation, Math.round(performance.now() * 1000));
      try {
        const result = await client.invoke(operation);
        history.answer(call, result, Math.round(performance.now() * 1000));
        answeredAt.push(performance.now());
      } catch (error) {
        if (error instanceof OperationError && error.certain) history.fail(call);
      }
    }
  };
  const all = Promise.all(Array.from({ length: clientCount }, (_, index) => work(index)));
  return {
    history,
    answeredAt,
    async stop() {
      stopped = true;
      await all;
    },
  };
}

Deno.test(`kill -9 of the primary ${kills} times under load: 16 clients see a linearizable store`, async () => {
  await using servers = new Servers(3);
  for (let id = 0; id < 3; id++) servers.start(id);
  const load = putUnderLoad(servers);
  const outages: number[] = [];
  try {
    for (let kill = 0; kill < kills; kill++) {
      const before = load.answeredAt.length;
      await eventually(
        "service before a kill",
        () => load.answeredAt.length > before + 200,
        20_000,
      );
      // Each replica in turn: the next one becomes primary, and is the next to be killed.
      const id = kill % 3;
      if (kill % 5 === 4) servers.running[(id + 1) % 3]?.kill("SIGSTOP");
      const killedAt = performance.now();
      await servers.kill(id);
      if (kill % 5 === 4) servers.running[(id + 1) % 3]?.kill("SIGCONT");
      const answered = load.answeredAt.length;
      await eventually(
        "service after a kill",
        () => load.answeredAt.length > answered + 50,
        20_000,
      );
      const times = load.answeredAt.filter((at) => at >= killedAt).slice(0, 50);
      outages.push(Math.max(...times.map((at, index) => at - (times[index - 1] ?? killedAt))));
      servers.start(id);
    }
  } finally {
    await load.stop();
  }
  outages.sort((a, b) => a - b);
  console.log(
    `${load.answeredAt.length} operations; without service after a kill: median ` +
      `${outages[Math.floor(outages.length / 2)]?.toFixed(0)} ms, most ${
        outages.at(-1)?.toFixed(0)
      } ms`,
  );
  const machine = builtInMachines.get("kv");
  assert(machine !== undefined);
  const verdict = checkLinearizable(load.history.calls(), machineModel(machine));
  assertEquals(verdict.kind, "linearizable", verdictLines(verdict).join("\n"));
  // Replicas that were killed have caught up: each pair of the others suffices for service.
  await using client = servers.client();
  await client.invoke({ kind: "put", key: "end", value: "of it" });
  for (let id = 0; id < 3; id++) {
    await servers.kill(id);
    assertEquals(await client.invoke({ kind: "get", key: "end" }), {
      kind: "value",
      value: "of it",
    });
    servers.start(id);
    assertEquals(await client.invoke({ kind: "get", key: "end" }), {
      kind: "value",
      value: "of it",
    });
  }
});

Deno.test("the client library, bundled, works from Node", async () => {
  await using servers = new Servers(3);
  for (let id = 0; id < 3; id++) servers.start(id);
  const bundle = servers.workspace.file("client.mjs");
  const esbuild = await import("esbuild");
  await esbuild.build({
    entryPoints: [projectPath("client", "mod.ts")],
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    outfile: bundle,
    alias: { zod: await zodFolder() },
    logLevel: "error",
  });
  await esbuild.stop();
  const replicas = JSON.stringify(
    Object.fromEntries(servers.ports.map((port, id) => [`r${id}`, `127.0.0.1:${port}`])),
  );
  const program = servers.workspace.file("program.mjs");
  await Deno.writeTextFile(
    program,
    `
    import { GroupClient, KvClient } from "./client.mjs";
    const group = new GroupClient({ replicas: ${replicas} });
    const store = new KvClient(group);
    await store.put("from", "node");
    console.log(await store.get("from"), await store.compareAndSwap("from", "x", "y"));
    await group.close();
  `,
  );
  const { code, stdout, stderr } = await new Deno.Command("node", { args: [program] }).output();
  const decoder = new TextDecoder();
  assertEquals([decoder.decode(stdout), code], ["node false\n", 0], decoder.decode(stderr));
});

/** Where Deno keeps the package that the bundle is to hold. */
async function zodFolder(): Promise<string> {
  const resolved = new URL(import.meta.resolve("zod"));
  if (resolved.protocol === "file:") return decodeURIComponent(resolved.pathname);
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "--config", projectPath("deno.json"), projectPath("client", "mod.ts")],
  }).output();
  const graph: { modules: { specifier: string }[] } = JSON.parse(new TextDecoder().decode(stdout));
  const found = graph.modules.find(({ specifier }) => /\/zod\/[^/]+\/index\.js$/.test(specifier));
  assert(found !== undefined, "zod is among the modules of the client");
  return decodeURIComponent(new URL(found.specifier).pathname);
}
