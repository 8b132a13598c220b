// How long the linearizability checker takes over 100,000 calls by 50 clients, and what memory, with and without one
// stale read near the end. `deno bench -A sim/linearizable_bench.ts`; each iteration takes another seed.

import { longHistory, plantStaleRead } from "../tests/property/long_history.ts";
import type { Call } from "./history.ts";
import { checkLinearizable } from "./linearizable.ts";
import { kvModel } from "./linearizable_model.ts";

const calls = 100_000;
const clients = 50;
const seeds = [1n, 2n, 3n];

for (const keys of [5, 20]) {
  const right = seeds.map((seed) => longHistory({ calls, clients, keys, seed }));
  const wrong = right.map((history) => plantStaleRead(history, 0.95).calls);
  benchChecks(`linearizable, ${keys} keys`, right);
  benchChecks(`one stale read, ${keys} keys`, wrong);
}

function benchChecks(name: string, histories: readonly (readonly Call[])[]): void {
  let turn = 0;
  Deno.bench(name, { n: seeds.length, warmup: 1 }, (bench) => {
    const history = histories[turn % histories.length] ?? [];
    bench.start();
    const { kind } = checkLinearizable(history, kvModel);
    bench.end();
    const { rss, heapUsed } = Deno.memoryUsage();
    const [residentMb, heapMb] = [rss, heapUsed].map((bytes) => Math.round(bytes / 1e6));
    console.log(
      `${name}: history ${turn++}, ${kind}, ${heapMb} MB heap, ${residentMb} MB resident`,
    );
  });
}
