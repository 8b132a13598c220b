// Durable operations a second on real boxes, with 64 clients: one box with kvs_replica as the ceiling, and three boxes
// with vr_replica, with batching and without. All of them stand all the time, and are put under load in turn, a second
// each: so whatever else the machine does slows all of them alike, and what counts are the ratios within a round.
// Compare ratios, not figures of different machines.

import { join } from "@std/path";
import { GroupClient } from "../../client/group_client.ts";
import { ClientLink } from "../../client/link.ts";
import { type AgentId, agentId } from "../../core/id.ts";
import { seededRandom } from "../../core/random.ts";
import { selfCommand } from "../../cli/self.ts";
import { nativeTcp } from "../../transport/native_tcp.ts";

const clients = 64;
const warmUpMs = 3000;
/** The beginning of a slice, which does not count: processes that had nothing to do wake up. */
const leadInMs = 200;
const sliceMs = 1000;
const rounds = Number(Deno.env.get("OVID_BENCH_ROUNDS") ?? "15");
/** What is demanded of three replicas, as a part of what one box does. */
const wantedRatio = 0.25;
const value = "x".repeat(64);

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

  get pids(): readonly number[] {
    return this.#children.map(({ pid }) => pid);
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
      transport: nativeTcp,
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
    const key = `k${request % 100}`;
    const message = { type: "put", origin: this.#id, session: 1, request, key, value };
    await new Promise<void>((resolve) => {
      this.#answered = resolve;
      this.link.send({ from: this.#id, to: agentId("store"), message });
    });
  }
}

/** Something that stands, its clients linked, and can be put under load. */
interface Contender extends AsyncDisposable {
  readonly name: string;
  readonly boxes: Boxes;
  /** One for each client: asks, and resolves with the answer. */
  readonly asks: readonly (() => Promise<unknown>)[];
}

function singleBox(): Contender {
  const boxes = new Boxes([{ id: "store", type: "kvs_replica", attrs: {} }]);
  const [address = ""] = boxes.addresses;
  const askers = Array.from({ length: clients }, (_, index) => new KvsAsker(index, address));
  return {
    name: "one box",
    boxes,
    asks: askers.map((asker) => () => asker.put()),
    async [Symbol.asyncDispose]() {
      for (const { link } of askers) await link.close();
      await boxes[Symbol.asyncDispose]();
    },
  };
}

function group(name: string, batch: Record<string, number>): Contender {
  const replicas = ["r0", "r1", "r2"];
  const attrs = { replicas, machine: "kv", batch };
  const boxes = new Boxes(replicas.map((id) => ({ id, type: "vr_replica", attrs })));
  const addresses = Object.fromEntries(
    replicas.map((id, index) => [id, boxes.addresses[index] ?? ""]),
  );
  const groups = Array.from({ length: clients }, () => new GroupClient({ replicas: addresses }));
  let count = 0;
  return {
    name,
    boxes,
    asks: groups.map((group) => () =>
      group.invoke({ kind: "put", key: `k${++count % 100}`, value })
    ),
    async [Symbol.asyncDispose]() {
      for (const group of groups) await group.close();
      await boxes[Symbol.asyncDispose]();
    },
  };
}

/** The processor time that a process has had, in microseconds; 0 where the system does not say. */
function cpuMicros(pid: number | "self"): number {
  try {
    const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1]?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) * 10_000;
  } catch {
    return 0;
  }
}

/** What a slice showed. */
interface Slice {
  /** Operations a second. */
  readonly rate: number;
  /** Processor time an operation, in microseconds: of the clients' process, and then of each box. */
  readonly cost: readonly number[];
}

/** Clients ask again as soon as they are answered, for `ms` after the lead-in. */
async function measure({ asks, boxes }: Contender, leadMs: number, ms: number): Promise<Slice> {
  let answered = 0;
  let stopped = false;
  const loops = asks.map(async (ask) => {
    while (!stopped) {
      await ask();
      answered++;
    }
  });
  await new Promise((resolve) => setTimeout(resolve, leadMs));
  const pids = ["self", ...boxes.pids] as const;
  const costs = pids.map(cpuMicros);
  const before = answered;
  const began = performance.now();
  await new Promise((resolve) => setTimeout(resolve, ms));
  const count = answered - before;
  const rate = count / (performance.now() - began) * 1000;
  const cost = pids.map((pid, index) => (cpuMicros(pid) - (costs[index] ?? 0)) / count);
  stopped = true;
  await Promise.all(loops);
  return { rate, cost };
}

const sorted = (values: readonly number[]) => [...values].sort((a, b) => a - b);
const quantile = (values: readonly number[], part: number) =>
  sorted(values)[Math.round(part * (values.length - 1))] ?? 0;
const median = (values: readonly number[]) => quantile(values, 0.5);
const round = (value: number) => String(Math.round(value));
const percent = (value: number) => (100 * value).toFixed(0);

await using ceiling = singleBox();
await using batched = group("three, batched", {});
await using unbatched = group("three, unbatched", { operations: 1, prepares: 1000 });
const contenders = [ceiling, batched, unbatched];
for (const contender of contenders) await measure(contender, 0, warmUpMs);

const slices = new Map(contenders.map((contender) => [contender, [] as Slice[]]));
for (let count = 0; count < rounds; count++) {
  // Every second round backwards, so that none has always the better half of a busy minute.
  for (const contender of count % 2 === 0 ? contenders : contenders.toReversed()) {
    slices.get(contender)?.push(await measure(contender, leadInMs, sliceMs));
  }
}

const ceilings = slices.get(ceiling) ?? [];
console.log(`durable operations a second with ${clients} clients, ${rounds} rounds of 1 s each`);
console.log("                    median (quartiles)       of one box (least to most)   µs of CPU");
for (const [contender, found] of slices) {
  const rates = found.map(({ rate }) => rate);
  const ratios = rates.map((rate, index) => rate / (ceilings[index]?.rate ?? 0));
  const quartiles = `(${round(quantile(rates, 0.25))} to ${round(quantile(rates, 0.75))})`;
  const range = `(${percent(Math.min(...ratios))} to ${percent(Math.max(...ratios))})`;
  const cost = found[0]?.cost.map((_, index) =>
    round(median(found.map(({ cost }) => cost[index] ?? 0)))
  ) ?? [];
  console.log(
    `  ${contender.name.padEnd(16)}  ${round(median(rates)).padStart(6)} ${quartiles.padEnd(17)}` +
      `${percent(median(ratios)).padStart(6)} % ${range.padEnd(16)}` +
      `   clients ${cost[0]}, boxes ${cost.slice(1).join(" ")}`,
  );
}
const found = slices.get(batched) ?? [];
const ratio = median(found.map(({ rate }, index) => rate / (ceilings[index]?.rate ?? 0)));
const verdict = ratio >= wantedRatio ? "met" : "missed";
console.log(`wanted: three boxes at least ${percent(wantedRatio)} % of one: ${verdict}`);
if (ratio < wantedRatio) Deno.exitCode = 1;
