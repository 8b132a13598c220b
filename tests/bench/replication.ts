// Durable operations a second on real boxes, with 64 clients: one box with kvs_replica as the ceiling, and three boxes
// with vr_replica, with batching and without. All of them stand all the time, and are put under load in turn, a second
// each: so whatever else the machine does slows all of them alike, and what counts are the ratios within a round.
// Compare ratios, not figures of different machines.

import { GroupClient } from "../../client/group_client.ts";
import { ClientLink } from "../../client/link.ts";
import { type AgentId, agentId } from "../../core/id.ts";
import { seededRandom } from "../../core/random.ts";
import { nativeTcp } from "../../transport/native_tcp.ts";
import {
  Boxes,
  type Contender,
  measure,
  median,
  percent,
  quantile,
  round,
  type Slice,
} from "./support.ts";

const clients = 64;
const warmUpMs = 3000;
/** The beginning of a slice, which does not count: processes that had nothing to do wake up. */
const leadInMs = 200;
const sliceMs = 1000;
const rounds = Number(Deno.env.get("OVID_BENCH_ROUNDS") ?? "15");
/** What is demanded of three replicas, as a part of what one box does. */
const wantedRatio = 0.25;
const value = "x".repeat(64);

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

function singleBox(): Contender {
  const boxes = new Boxes([[{ id: "store", type: "kvs_replica", attrs: {} }]]);
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
  const boxes = new Boxes(replicas.map((id) => [{ id, type: "vr_replica", attrs }]));
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
