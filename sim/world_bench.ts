// How fast simulated worlds run: messages beside a bare queue with the same messages, which neither checks nor hashes
// nor delivers them, and requests to a replicated store. `deno bench -A sim/world_bench.ts`; each iteration is 10,000
// messages, or 1,000 requests.

import { z } from "zod";
import { defineAgent } from "../core/define.ts";
import { copyJson } from "../core/data.ts";
import { seededRandom } from "../core/random.ts";
import { vrClient } from "../agents/vr/client.ts";
import { vrReplica } from "../agents/vr/replica.ts";
import { drawDelay } from "./chance.ts";
import { EventQueue } from "./event_queue.ts";
import { type PlainAgent, plainGrid } from "./plain_grid.ts";
import { vrAsker } from "./scenarios/vr_agents.ts";
import { World } from "./world.ts";

const messages = 10_000;

const player = defineAgent({
  type: "player",
  version: 1,
  doc: "Returns every ball.",
  attrs: z.object({ balls: z.int() }),
  protocol: { ball: z.object({ number: z.int(), hits: z.int() }) },
  routes: ["other"],
  init: () => ({}),
  start(_state, ctx) {
    for (let number = 0; number < ctx.attrs.balls; number++) {
      ctx.send("other", { type: "ball", number, hits: 0 });
    }
  },
  on: {
    ball(_state, { number, hits }, ctx) {
      ctx.reply({ type: "ball", number, hits: hits + 1 });
    },
  },
});

function pingPong(balls: number): World {
  const grid = plainGrid({
    left: { type: "player", box: "b1", attrs: { balls }, routes: { other: ["right"] } },
    right: { type: "player", box: "b2", attrs: { balls: 0 } },
  });
  const world = new World({ grid, definitions: [player], seed: 1n });
  world.start();
  return world;
}

for (const balls of [1, 100, 1000]) {
  const group = `${balls} in flight`;
  const world = pingPong(balls);
  Deno.bench(`world, 10,000 messages, ${group}`, { group }, () => {
    for (let i = 0; i < messages; i++) world.step();
  });
  const queue = new EventQueue<{ type: string; number: number; hits: number }>();
  for (let number = 0; number < balls; number++) {
    queue.push(number, { type: "ball", number, hits: 0 });
  }
  let time = 0;
  const random = seededRandom(1n);
  Deno.bench(`bare queue, 10,000 messages, ${group}`, { group, baseline: true }, () => {
    for (let i = 0; i < messages; i++) {
      time = queue.nextAtUs ?? time;
      const message = queue.pop();
      if (message === undefined) throw new Error("A ball was lost");
      const delayUs = drawDelay(random, { minUs: 100, maxUs: 1000 });
      queue.push(time + delayUs, copyJson({ ...message, hits: message.hits + 1 }));
    }
  });
}

/** Three replicas, and clients that each ask again as soon as they are answered. */
function busyStore(clients: number): { world: World; answers: () => number } {
  const replicas = ["r0", "r1", "r2"];
  const agents: Record<string, PlainAgent> = {};
  for (const replica of replicas) {
    const attrs = { replicas, machine: "kv", bootstrap: true };
    agents[replica] = { type: "vr_replica", box: `box_${replica}`, attrs };
  }
  for (let i = 0; i < clients; i++) {
    agents[`client${i}`] = { type: "vr_client", box: "clients", attrs: { replicas } };
    agents[`asker${i}`] = { type: "vr_asker", box: "clients", attrs: { client: `client${i}` } };
  }
  const definitions = [vrClient, vrReplica, vrAsker];
  const world = new World({ grid: plainGrid(agents), definitions, seed: 1n });
  let answered = 0;
  const ask = (agent: string) => {
    const operation = { kind: "put", key: `key${answered % 100}`, value: `value${answered}` };
    world.line(agent, JSON.stringify({ kind: "apply", operation }));
  };
  world.observe((event) => {
    if (event.kind !== "output") return;
    answered++;
    world.at(world.now, () => ask(event.output.agent));
  });
  world.start();
  for (let i = 0; i < clients; i++) ask(`asker${i}`);
  return { world, answers: () => answered };
}

const store = busyStore(64);
Deno.bench("replicated store, 1,000 requests of 64 clients", { group: "requests" }, () => {
  const until = store.answers() + 1000;
  while (store.answers() < until) store.world.step();
});
