// How fast a simulated world carries out requests to a replicated store. `deno bench -A sim/world_bench.ts`; each
// iteration is 1,000 requests. How fast it carries messages: tests/bench/simulator.ts.

import { vrClient } from "../agents/vr/client.ts";
import { vrReplica } from "../agents/vr/replica.ts";
import { type PlainAgent, plainGrid } from "./plain_grid.ts";
import { vrAsker } from "./scenarios/vr_agents.ts";
import { World } from "./world.ts";

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
Deno.bench("replicated store, 1,000 requests of 64 clients", () => {
  const until = store.answers() + 1000;
  while (store.answers() < until) store.world.step();
});
