// Durable operations a second on real boxes, with 64 clients: one box with kvs_replica as the ceiling, then three
// boxes with vr_replica, with batching and without. Prints the ratios of one run. Not timed against any clock but its
// own: compare ratios, not figures of different machines.

import { join } from "@std/path";
import { GroupClient } from "../../client/group_client.ts";
import { ClientLink } from "../../client/link.ts";
import { type AgentId, agentId } from "../../core/id.ts";
import { seededRandom } from "../../core/random.ts";
import { selfCommand } from "../../cli/self.ts";
import { nodeTcp } from "../../transport/node_tcp.ts";

const clients = 64;
const warmUpMs = 1000;
const measuredMs = 4000;
const rounds = 3;

/** Boxes of a grid as processes, on free ports, in a folder of their own. */
class Boxes implements AsyncDisposable {
  readonly folder: string = Deno.makeTempDirSync({ prefix: "ovid-bench-" });
  readonly addresses: string[];
  readonly #children: Deno.ChildProcess[] = [];

  constructor(agents: readonly { id: string; type: string; attrs: unknown }[]) {
    const listeners = agents.map(() => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
    this.addresses = listeners.map(({ addr }) => `127.0.0.1:${(addr as Deno.NetAddr).port}`);
    for (const listener of listeners) listener.close();
    const grid = Object.fromEntries(
      agents.map((
        { id, type, attrs },
        index,
      ) => [id, { type, box: this.addresses[index], attrs, routes: {} }]),
    );
    const file = join(this.folder, "grid.json");
    Deno.writeTextFileSync(file, JSON.stringify(grid));
    for (const address of this.addresses) {
      const { command, args } = selfCommand(["box", file, address, "--new", "--supervised"]);
      const options = { args, stdin: "piped", stdout: "null", stderr: "null" } as const;
      this.#children.push(new Deno.Command(command, options).spawn());
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) {
      child.kill("SIGKILL");
      await child.stdin.close().catch(() => {});
      await child.status;
    }
    Deno.removeSync(this.folder, { recursive: true });
  }
}

/** Operations a second of clients that each ask again as soon as they are answered. */
async function measure(asks: readonly (() => Promise<unknown>)[]): Promise<number> {
  let answered = 0;
  let stopped = false;
  const loops = asks.map(async (ask) => {
    while (!stopped) {
      await ask();
      answered++;
    }
  });
  await new Promise((resolve) => setTimeout(resolve, warmUpMs));
  const before = answered;
  const began = performance.now();
  await new Promise((resolve) => setTimeout(resolve, measuredMs));
  const rate = (answered - before) / (performance.now() - began) * 1000;
  stopped = true;
  await Promise.all(loops);
  return rate;
}

/** A client of one kvs_replica, which asks it without an agent between. */
class KvsAsker {
  readonly link: ClientLink;
  readonly #id: AgentId;
  readonly #up: Promise<void>;
  #answered = () => {};
  #request = 0;

  constructor(index: number, address: string) {
    this.#id = agentId(`asker-${index}`);
    let up = () => {};
    this.#up = new Promise((resolve) => up = resolve);
    this.link = new ClientLink({
      transport: nodeTcp,
      address,
      client: this.#id,
      random: seededRandom(BigInt(index)),
      receive: () => this.#answered(),
      up,
      down() {},
    });
  }

  async put(): Promise<void> {
    await this.#up;
    const request = ++this.#request;
    const message = {
      type: "put",
      origin: this.#id,
      session: 1,
      request,
      key: `k${request % 100}`,
      value: "x".repeat(64),
    };
    await new Promise<void>((resolve) => {
      this.#answered = resolve;
      this.link.send({ from: this.#id, to: agentId("store"), message });
    });
  }
}

async function kvsRate(): Promise<number> {
  await using boxes = new Boxes([{ id: "store", type: "kvs_replica", attrs: {} }]);
  const [address = ""] = boxes.addresses;
  const askers = Array.from({ length: clients }, (_, index) => new KvsAsker(index, address));
  try {
    return await measure(askers.map((asker) => () => asker.put()));
  } finally {
    for (const { link } of askers) await link.close();
  }
}

async function vrRate(batch: Record<string, number>): Promise<number> {
  const replicas = ["r0", "r1", "r2"];
  const attrs = { replicas, machine: "kv", batch };
  await using boxes = new Boxes(replicas.map((id) => ({ id, type: "vr_replica", attrs })));
  const addresses = Object.fromEntries(
    replicas.map((id, index) => [id, boxes.addresses[index] ?? ""]),
  );
  const groups = Array.from({ length: clients }, () => new GroupClient({ replicas: addresses }));
  let count = 0;
  const value = "x".repeat(64);
  try {
    return await measure(
      groups.map((group) => () => group.invoke({ kind: "put", key: `k${++count % 100}`, value })),
    );
  } finally {
    for (const group of groups) await group.close();
  }
}

const figures: Record<string, number[]> = { kvs: [], vr: [], "vr without batching": [] };
for (let round = 0; round < rounds; round++) {
  figures.kvs?.push(await kvsRate());
  figures.vr?.push(await vrRate({}));
  figures["vr without batching"]?.push(await vrRate({ operations: 1, prepares: 1000 }));
}
const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
const ceiling = median(figures.kvs ?? []);
console.log(
  `durable operations a second, ${clients} clients, median of ${rounds} rounds (least to most)`,
);
for (const [name, values] of Object.entries(figures)) {
  const spread = `${Math.round(Math.min(...values))} to ${Math.round(Math.max(...values))}`;
  const ratio = (100 * median(values) / ceiling).toFixed(0);
  console.log(
    `  ${name.padEnd(20)} ${
      String(Math.round(median(values))).padStart(6)
    }  (${spread})  ${ratio} %`,
  );
}
