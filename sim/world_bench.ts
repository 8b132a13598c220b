// How fast simulated worlds run, in events a second, beside a bare queue with the same messages.
// `deno bench -A sim/world_bench.ts`; each iteration is 10,000 messages.

import { z } from "zod";
import { defineAgent } from "../core/define.ts";
import { copyJson } from "../core/data.ts";
import { EventQueue } from "./event_queue.ts";
import { plainGrid } from "./plain_grid.ts";
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

for (const balls of [1, 100]) {
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
  Deno.bench(`bare queue, 10,000 messages, ${group}`, { group, baseline: true }, () => {
    for (let i = 0; i < messages; i++) {
      time = queue.nextAtUs ?? time;
      const message = queue.pop();
      if (message === undefined) throw new Error("A ball was lost");
      queue.push(time + 100, copyJson({ ...message, hits: message.hits + 1 }));
    }
  });
}
