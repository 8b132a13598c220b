// What Gobby does in a second on three real boxes, against what VR's kv does on three others: durable puts, reads, and
// locks taken and given back, with 64 clients each; and events told to 1,000 watchers. All of them stand all the time,
// and are put under load in turn, each right beside VR's kv, so that what counts are the ratios of neighbours. Engines
// go on compiling for some ten seconds of load, the longer the more code there is, and are given that time before.

import { GobbyClient } from "../../client/gobby.ts";
import type { GobbyWatch } from "../../client/gobby_watch.ts";
import { GroupClient } from "../../client/group_client.ts";
import { Boxes, type Contender, measure, median, percent, quantile, round } from "./support.ts";

const clients = 64;
const watchers = 1000;
const warmUpMs = 15_000;
const leadInMs = 200;
const sliceMs = 700;
const rounds = Number(Deno.env.get("OVID_BENCH_ROUNDS") ?? "10");
const value = "x".repeat(64);
const replicas = ["r0", "r1", "r2"];
const servers = ["s0", "s1", "s2"];

type Asks = Contender["asks"];
type Standing = Omit<Contender, "name" | "asks">;

/** The store `kv` on three boxes of its own, kept by either protocol. */
function kv(name: string, type: string): Contender {
  const attrs = { replicas, machine: "kv" };
  const boxes = new Boxes(replicas.map((id) => [{ id, type, attrs }]));
  const addresses = Object.fromEntries(replicas.map((id, at) => [id, boxes.addresses[at] ?? ""]));
  const all = Array.from({ length: clients }, () => new GroupClient({ replicas: addresses }));
  let count = 0;
  return {
    name,
    boxes,
    asks: all.map((each) => () => each.invoke({ kind: "put", key: `k${++count % 100}`, value })),
    async [Symbol.asyncDispose]() {
      for (const each of all) await each.close();
      await boxes[Symbol.asyncDispose]();
    },
  };
}

/** A Gobby that stands, and its clients. */
class Gobby implements Standing {
  readonly boxes: Boxes;
  readonly all: readonly GobbyClient[];
  readonly #watches: GobbyWatch[] = [];
  #count = 0;

  constructor(engine: string, readsLocally: boolean) {
    const replica = (at: number) => readsLocally ? { replica: `r${at}` } : {};
    this.boxes = new Boxes(servers.map((id, at) => [
      { id, type: "gobby_server", attrs: { servers, group: `g${at}`, ...replica(at) } },
      { id: `g${at}`, type: "vr_client", attrs: { replicas } },
      { id: `r${at}`, type: engine, attrs: { replicas, machine: "gobby_service" } },
    ]));
    const addresses = Object.fromEntries(
      servers.map((id, at) => [id, this.boxes.addresses[at] ?? ""]),
    );
    this.all = Array.from(
      { length: clients },
      () => new GobbyClient({ servers: addresses, deadlineMs: 60_000 }),
    );
  }

  puts(): Asks {
    return this.all.map((each) => () => each.put(this.#nextKey(), value));
  }

  reads(): Asks {
    return this.all.map((each) => () => each.get(this.#nextKey()));
  }

  oldReads(): Asks {
    return this.all.map((each) => () => each.get(this.#nextKey(), { stale: true }));
  }

  locks(): Asks {
    return this.all.map((each, index) => async () => {
      const lock = await each.lock(`own ${index}`);
      await lock.release();
    });
  }

  /** One client that puts, and waits until all watchers have been told. */
  async told(): Promise<Asks> {
    let left = 0;
    let done = () => {};
    const take = async (watch: GobbyWatch) => {
      for await (const _event of watch) if (--left === 0) done();
    };
    for (let count = 0; count < watchers; count++) {
      const client = this.all[count % clients];
      if (client === undefined) continue;
      const watch = client.watch({ kind: "key", key: "told" });
      this.#watches.push(watch);
      void take(watch);
    }
    for (const watch of this.#watches) await watch.started();
    const [first] = this.all;
    return [async () => {
      left = watchers;
      const all = new Promise<void>((resolve) => done = resolve);
      await first?.put("told", value);
      await all;
    }];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const watch of this.#watches) watch.close();
    for (const each of this.all) await each.close();
    await this.boxes[Symbol.asyncDispose]();
  }

  #nextKey(): string {
    return `k${++this.#count % 100}`;
  }
}

await using ceiling = kv("kv's puts, on vr_replica", "vr_replica");
await using kvOnPaxos = kv("kv's puts, on paxos_member", "paxos_member");
await using onPaxos = new Gobby("paxos_member", true);
await using onVr = new Gobby("vr_replica", false);
const of = (gobby: Gobby, name: string, asks: Asks): Contender => ({
  name,
  asks,
  boxes: gobby.boxes,
  [Symbol.asyncDispose]: () => Promise.resolve(),
});
const contenders = [
  kvOnPaxos,
  of(onVr, "puts, on vr_replica", onVr.puts()),
  of(onPaxos, "puts, on paxos_member", onPaxos.puts()),
  of(onPaxos, "lock and release", onPaxos.locks()),
  of(onVr, "reads through the log", onVr.reads()),
  of(onPaxos, "reads under the lease", onPaxos.reads()),
  of(onPaxos, "old reads, anywhere", onPaxos.oldReads()),
];

/** Operations a second, of a contender and of the ceiling beside it. */
interface Pair {
  readonly rate: number;
  readonly ceiling: number;
}

async function rateOf(contender: Contender): Promise<number> {
  return (await measure(contender, leadInMs, sliceMs)).rate;
}

async function measurePair(contender: Contender, isFirst: boolean): Promise<Pair> {
  if (isFirst) return { rate: await rateOf(contender), ceiling: await rateOf(ceiling) };
  return { ceiling: await rateOf(ceiling), rate: await rateOf(contender) };
}

const pairs = new Map<Contender, Pair[]>();

async function contest(contenders: readonly Contender[]): Promise<void> {
  for (const contender of contenders) {
    await measure(contender, 0, warmUpMs);
    pairs.set(contender, []);
  }
  for (let count = 0; count < rounds; count++) {
    // Every second round the other way about, so that none has always the better half of a busy minute.
    for (const contender of contenders) {
      pairs.get(contender)?.push(await measurePair(contender, count % 2 === 1));
    }
  }
}

await measure(ceiling, 0, warmUpMs);
await contest(contenders);
// Only now, since those who watch have to say so again and again.
const told = of(onPaxos, `puts told to ${watchers}`, await onPaxos.told());
await contest([told]);

console.log(
  `a second with ${clients} clients, ${rounds} rounds: median (quartiles), and of VR's kv beside it`,
);
for (const [contender, found] of pairs) {
  const ratios = found.map(({ rate, ceiling }) => rate / ceiling);
  const [low, high] = [quantile(ratios, 0.25), quantile(ratios, 0.75)];
  console.log(
    `  ${contender.name.padEnd(28)}${round(median(found.map(({ rate }) => rate))).padStart(7)}` +
      `${percent(median(ratios)).padStart(7)} % (${percent(low)} to ${percent(high)})`,
  );
}
const deliveries = median(pairs.get(told)?.map(({ rate }) => rate) ?? []) * watchers;
console.log(`events told to watchers a second: ${round(deliveries)}`);
