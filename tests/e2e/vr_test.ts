// The replicated store on real processes: go-vsr's commands, kills of the primary under load, and the client library
// on Node.

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { replicaAttrs } from "../../agents/vr/attrs.ts";
import { builtInMachines } from "../../agents/machine/registry.ts";
import { OperationError } from "../../client/group_client.ts";
import type { Json } from "../../core/data.ts";
import { randomInteger, seededRandom } from "../../core/random.ts";
import { History } from "../../sim/history.ts";
import { checkLinearizable, verdictLines } from "../../sim/linearizable.ts";
import { machineModel } from "../../sim/linearizable_model.ts";
import { bundleClient, runOnNode } from "./node_support.ts";
import { eventually, ovid } from "./support.ts";
import { Servers } from "./vr_support.ts";

/** How often the primary is killed under load. */
const kills = Number(Deno.env.get("OVID_VR_KILLS") ?? "20");
const clientCount = 16;

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
      ["server", "--members", servers.members, "--id", "0", "--via", "127.0.0.1:1=127.0.0.1:2"],
      ["server", "--members", servers.members, "--id", "0", "--via", servers.members],
      ["client", "--members", "nonsense"],
      ["sing", "--members", servers.members],
    ]
  ) {
    assertEquals((await ovid(["vr", ...args])).code, 2, args.join(" "));
  }
});

Deno.test("cut links are cut: a group without any does nothing, and goes on when they are whole again", async () => {
  await using servers = new Servers(3);
  for (let id = 0; id < 3; id++) servers.start(id);
  await using client = servers.client();
  const put = { kind: "put", key: "a", value: "1" };
  assertEquals(await client.invoke(put), { kind: "stored" });
  const heal = [servers.cut(0, 1), servers.cut(0, 2), servers.cut(1, 2)];
  await using hasty = servers.client(1000);
  await assertRejects(() => hasty.invoke(put), OperationError);
  for (const mend of heal) mend();
  assertEquals(await client.invoke(put), { kind: "stored" });
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

/** The longest time between two of these moments. */
function longestGap(moments: readonly number[]): number {
  return Math.max(...moments.map((at, index) => at - (moments[index - 1] ?? at)));
}

function medianOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Infinity;
}

/** Waits until so many more operations are answered, at most half a minute. */
async function moreAnswers(load: Load, count: number, when: string): Promise<void> {
  const before = load.answeredAt.length;
  await eventually(`service ${when}`, () => load.answeredAt.length > before + count, 30_000);
}

/** Waits until a replica has executed all that the primary has executed by now. */
async function caughtUp(servers: Servers, id: number): Promise<void> {
  const goal = await eventually("a primary that says where it stands", async () => {
    const primary = await servers.primary();
    return primary === undefined ? undefined : (await servers.look(primary))?.log?.commit;
  }, 30_000);
  await eventually(
    `replica ${id} to have caught up with operation ${goal}`,
    async () => ((await servers.look(id))?.log?.commit ?? 0) >= goal,
    30_000,
  );
}

/** Kills the primary and starts it again. How long nothing was answered meanwhile. */
async function killPrimary(servers: Servers, load: Load): Promise<{ id: number; outage: number }> {
  const id = await eventually("a primary", () => servers.primary(), 30_000);
  const killedAt = performance.now();
  await servers.kill(id);
  await moreAnswers(load, 50, "after a kill");
  const since = load.answeredAt.filter((at) => at >= killedAt).slice(0, 50);
  servers.start(id);
  return { id, outage: longestGap([killedAt, ...since]) };
}

/** Takes something from the group that it can do without, until so many operations are answered all the same. */
async function disturb(servers: Servers, load: Load, how: "pause" | "cut"): Promise<void> {
  const primary = await eventually("a primary", () => servers.primary(), 30_000);
  const backup = (primary + 1) % 3;
  if (how === "pause") {
    servers.running[backup]?.kill("SIGSTOP");
    await moreAnswers(load, 300, "while a backup is paused");
    servers.running[backup]?.kill("SIGCONT");
  } else {
    const heal = servers.cut(primary, backup);
    await moreAnswers(load, 300, "while a link is cut");
    heal();
  }
  await caughtUp(servers, backup);
}

Deno.test(`kill -9 of the primary ${kills} times under load: 16 clients see a linearizable store`, async () => {
  await using servers = new Servers(3);
  for (let id = 0; id < 3; id++) servers.start(id);
  const load = putUnderLoad(servers);
  const outages: number[] = [];
  // How far answers are apart without any kill, which is the machine's share.
  const gaps: number[] = [];
  try {
    for (let kill = 0; kill < kills; kill++) {
      await moreAnswers(load, 200, "before a kill");
      gaps.push(longestGap(load.answeredAt.slice(-50)));
      if (kill % 4 === 1) await disturb(servers, load, "pause");
      if (kill % 4 === 3) await disturb(servers, load, "cut");
      const { id, outage } = await killPrimary(servers, load);
      outages.push(outage);
      // Every second time the next kill may meet a replica that is still on its way back.
      if (kill % 2 === 0) await caughtUp(servers, id);
    }
  } finally {
    await load.stop();
  }
  console.log(
    `${load.answeredAt.length} operations; without service after a kill: median ` +
      `${medianOf(outages).toFixed(0)} ms, most ${Math.max(...outages).toFixed(0)} ms; ` +
      `between answers otherwise: median ${medianOf(gaps).toFixed(0)} ms`,
  );
  const machine = builtInMachines.get("kv");
  assert(machine !== undefined);
  const verdict = checkLinearizable(load.history.calls(), machineModel(machine));
  assertEquals(verdict.kind, "linearizable", verdictLines(verdict).join("\n"));

  await using client = servers.client();
  const wanted = { kind: "value", value: "of it" };
  await client.invoke({ kind: "put", key: "end", value: "of it" });
  // Each pair suffices for service, so each of them has what was committed.
  for (let id = 0; id < 3; id++) {
    await servers.kill(id);
    assertEquals(await client.invoke({ kind: "get", key: "end" }), wanted);
    servers.start(id);
    await caughtUp(servers, id);
  }
  await eventually("all replicas to have executed the same", async () => {
    const seen = await Promise.all([0, 1, 2].map(async (id) => (await servers.look(id))?.log));
    return seen.every((log) => log && log.op === log.commit && log.op === seen[0]?.op);
  }, 30_000);
  for (let id = 0; id < 3; id++) await servers.kill(id);
  const [first, ...others] = await Promise.all([0, 1, 2].map((id) => servers.remains(id)));
  assertStringIncludes(first?.store ?? "", '["end","of it"]');
  for (const other of others) assertEquals(other, first);

  const { viewChangeMs } = replicaAttrs(builtInMachines)
    .parse({ replicas: ["r0", "r1", "r2"], machine: "kv" });
  assert(viewChangeMs <= 150, `a view change waits for ${viewChangeMs} ms`);
  const lost = medianOf(outages);
  assert(lost <= 3 * viewChangeMs, `a kill costs ${lost.toFixed(0)} ms, want ${3 * viewChangeMs}`);
});

Deno.test("the client library, bundled, works from Node", async () => {
  await using servers = new Servers(3);
  for (let id = 0; id < 3; id++) servers.start(id);
  await bundleClient(servers.workspace);
  const replicas = JSON.stringify(
    Object.fromEntries(servers.ports.map((port, id) => [`r${id}`, `127.0.0.1:${port}`])),
  );
  const { code, stdout, stderr } = await runOnNode(
    servers.workspace,
    `
    import { GroupClient, KvClient } from "./client.mjs";
    const group = new GroupClient({ replicas: ${replicas} });
    const store = new KvClient(group);
    await store.put("from", "node");
    console.log(await store.get("from"), await store.compareAndSwap("from", "x", "y"));
    await group.close();
  `,
  );
  assertEquals([stdout, code], ["node false\n", 0], stderr);
});
