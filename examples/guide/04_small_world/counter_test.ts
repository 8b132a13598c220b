import { assertEquals } from "@std/assert";
import { defineAgent, plainGrid, rig, World } from "ovid";
import { z } from "zod";
import counter from "./repaired.ts";

// A rig is one agent, with the test in the place of everybody else.

Deno.test("counter adds, and says the total", () => {
  const agent = rig(counter, { peers: ["ann", "bob"] });
  agent.deliver("ann", { type: "add", id: 1, amount: 2 });
  agent.deliver("bob", { type: "add", id: 1, amount: 3 });
  assertEquals(agent.sent, [
    { to: "ann", message: { type: "total", id: 1, total: 2 } },
    { to: "bob", message: { type: "total", id: 1, total: 5 } },
  ]);
});

Deno.test("counter adds once what it is asked twice, also through a crash", () => {
  const agent = rig(counter, { peers: ["ann"] });
  agent.deliver("ann", { type: "add", id: 1, amount: 2 });
  agent.deliver("ann", { type: "add", id: 1, amount: 2 });
  agent.restart();
  agent.deliver("ann", { type: "add", id: 1, amount: 2 });
  assertEquals(agent.sent.map(({ message }) => message["total"]), [2, 2, 2]);
});

// A world is a whole grid in virtual time, every chance of it drawn from a seed.

const client = defineAgent({
  type: "client",
  version: 1,
  doc: "Adds 1, and asks again every 50 ms until it is answered.",
  attrs: z.strictObject({}),
  protocol: {
    add: z.object({ id: z.int(), amount: z.int() }),
    total: z.object({ id: z.int(), total: z.int() }),
  },
  routes: ["counter"],
  timers: ["again"],
  devices: ["terminal"],
  init: () => ({}),
  start(_state, ctx) {
    ctx.setTimer("again", 0);
  },
  on: {
    total(_state, { total }, ctx) {
      ctx.clearTimer("again");
      ctx.output("terminal", { type: "print", text: `${total}` });
    },
  },
  onTimer: {
    again(_state, ctx) {
      ctx.send("counter", { type: "add", id: 1, amount: 1 });
      ctx.setTimer("again", 50);
    },
  },
});

Deno.test("counter adds once over a network that loses half of all mail, for 100 seeds", () => {
  const grid = plainGrid({
    counter: { type: "counter", box: "b1" },
    client: { type: "client", box: "b2", routes: { counter: ["counter"] } },
  });
  for (let seed = 0n; seed < 100n; seed++) {
    const definitions = [counter, client];
    const world = new World({ grid, definitions, seed, network: { loss: 0.5 } });
    world.start();
    world.runUntil(() => world.printed("client").length > 0);
    assertEquals(world.printed("client")[0], "1", `seed ${seed}`);
  }
});
