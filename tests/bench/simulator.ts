// How many events a simulated world gets through in a second, beside a bare queue with the same messages, which neither
// checks nor hashes nor delivers them. Both take turns, some milliseconds each, so that what counts are the ratios
// within a round. `deno run -A tests/bench/simulator.ts`

import { z } from "zod";
import { defineAgent } from "../../core/define.ts";
import { copyJson } from "../../core/data.ts";
import { seededRandom } from "../../core/random.ts";
import { drawDelay } from "../../sim/chance.ts";
import { EventQueue } from "../../sim/event_queue.ts";
import { plainGrid } from "../../sim/plain_grid.ts";
import { World } from "../../sim/world.ts";
import { median, percent, quantile, round } from "./support.ts";

const messages = 10_000;
const warmUps = 20;
const rounds = Number(Deno.env.get("OVID_BENCH_ROUNDS") ?? "200");

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

/** The work of a round: so many messages, by a world. */
function worldWith(balls: number): () => void {
  const world = pingPong(balls);
  return () => {
    for (let i = 0; i < messages; i++) world.step();
  };
}

/** The same, by a queue alone. */
function queueWith(balls: number): () => void {
  const queue = new EventQueue<{ type: string; number: number; hits: number }>();
  for (let number = 0; number < balls; number++) {
    queue.push(number, { type: "ball", number, hits: 0 });
  }
  let time = 0;
  const random = seededRandom(1n);
  return () => {
    for (let i = 0; i < messages; i++) {
      time = queue.nextAtUs ?? time;
      const message = queue.pop();
      if (message === undefined) throw new Error("A ball was lost");
      const delayUs = drawDelay(random, { minUs: 100, maxUs: 1000 });
      queue.push(time + delayUs, copyJson({ ...message, hits: message.hits + 1 }));
    }
  };
}

function nanosecondsOf(work: () => void): number {
  const began = performance.now();
  work();
  return (performance.now() - began) * 1e6 / messages;
}

console.log(`nanoseconds a message, ${rounds} rounds of ${messages} messages: median`);
for (const balls of [1, 100, 1000]) {
  const [world, queue] = [worldWith(balls), queueWith(balls)];
  const found = Array.from({ length: warmUps + rounds }, () => {
    return { world: nanosecondsOf(world), queue: nanosecondsOf(queue) };
  }).slice(warmUps);
  const ratios = found.map((each) => each.queue / each.world);
  const [low, high] = [quantile(ratios, 0.25), quantile(ratios, 0.75)];
  const taken = {
    world: round(median(found.map((each) => each.world))),
    queue: round(median(found.map((each) => each.queue))),
  };
  console.log(
    `  ${String(balls).padStart(4)} in flight: world ${taken.world}, bare queue ${taken.queue}: ` +
      `${percent(median(ratios))} % of its speed (half of the rounds ${percent(low)} to ${
        percent(high)
      })`,
  );
}
