// What `ovid new agent NAME` writes: a durable counter that is asked by typed messages.

import type { Template } from "./new_agent_template.ts";

/** An agent with typed messages, its grid, its invariant and its test. */
export const typedAgent: Template = {
  agent: (name) =>
    `// A counter that survives kill -9: whoever sends \`add\` is told the new total.
//
// The network may lose a message or bring it twice, and whoever gets no answer asks again. So every request of a
// client has a number, and the counter remembers the last one: it adds once, and answers as often as it is asked.

import { defineAgent } from "ovid";
import { z } from "zod";

/** Of how many clients the last request is remembered. */
export const clientsMax = 1000;

export default defineAgent({
  type: "${name}",
  version: 1,
  doc: "Adds each amount once, says the total, and forgets nothing.",
  // What a grid file may say about it: nothing yet.
  attrs: z.strictObject({}),
  // What it takes, and what it sends.
  protocol: {
    add: z.object({ id: z.int().min(1), amount: z.int().min(-1000).max(1000) }),
    total: z.object({ id: z.int(), total: z.int() }),
  },
  // What survives a crash: made by \`durable\`, changed by \`apply\` alone, one record at a time.
  record: z.object({ client: z.string(), id: z.int(), amount: z.int() }),
  durable: () => ({ total: 0, answered: new Map<string, { id: number; total: number }>() }),
  apply(durable, { client, id, amount }) {
    durable.total += amount;
    // The latest stands last, so that the first is whoever was silent for longest.
    durable.answered.delete(client);
    durable.answered.set(client, { id, total: durable.total });
    const [oldest] = durable.answered.keys();
    if (oldest !== undefined && durable.answered.size > clientsMax) {
      durable.answered.delete(oldest);
    }
  },
  // What does not survive a crash: nothing here.
  init: () => ({}),
  on: {
    add(state, { id, amount }, ctx) {
      const last = state.durable.answered.get(ctx.from);
      // Late on its way, and answered long ago.
      if (last !== undefined && id < last.id) return;
      if (last === undefined || id > last.id) ctx.append({ client: ctx.from, id, amount });
      // It leaves once the record is on disk: nobody is told what a crash could take back.
      const total = state.durable.answered.get(ctx.from)?.total ?? 0;
      ctx.reply({ type: "total", id, total });
    },
  },
});
`,
  grid: (name) => ({
    agents: { [name]: { type: `./${name}.ts`, box: "127.0.0.1:5000" } },
    simulation: {
      doc: "Clients add until they are answered, and each amount is added exactly once.",
      workload: {
        type: "mail",
        to: name,
        messages: [{
          message: { type: "add", id: "{id}", amount: "{amount}" },
          operation: { kind: "add", amount: "{amount}" },
          answers: { total: { kind: "total", total: "{reply.total}" } },
        }],
        retryMs: 100,
      },
      model: "counter",
      invariants: [`./${name}_invariant.ts`],
      sometimes: ["fault.kill", "fault.powerCut", "fault.duplicate", "mail.lost.add"],
    },
  }),
  invariant: (name) =>
    `// What must be true of the counter, whatever happens to its box: \`ovid sim\` asks after every event. That each
// amount is added once is not said here: the grid's "model" compares the answers with those of a perfect counter.

import { defineInvariant } from "ovid";
import agent from "./${name}.ts";

export default defineInvariant({
  doc: "The total never falls, as long as nobody adds less than nothing.",
  memory: () => ({ total: 0 }),
  always(view, memory) {
    for (const { id, state, synced } of view.of(agent)) {
      const { total } = state.durable;
      if (total < memory.total) throw new Error(\`\${id} went from \${memory.total} to \${total}\`);
      // What is not on disk yet a crash may take back, and nobody has been told of it.
      if (synced) memory.total = total;
    }
  },
});
`,
  test: (name) =>
    `import { assertEquals, assertThrows } from "@std/assert";
import { rig } from "ovid";
import agent, { clientsMax } from "./${name}.ts";

// A rig is one agent, with the test in the place of everybody else.

Deno.test("${name} adds, and says the total", () => {
  const counter = rig(agent, { peers: ["ann", "bob"] });
  counter.deliver("ann", { type: "add", id: 1, amount: 2 });
  counter.deliver("bob", { type: "add", id: 1, amount: 3 });
  assertEquals(counter.sent, [
    { to: "ann", message: { type: "total", id: 1, total: 2 } },
    { to: "bob", message: { type: "total", id: 1, total: 5 } },
  ]);
});

Deno.test("${name} adds once what it is asked twice, also through a crash", () => {
  const counter = rig(agent, { peers: ["ann"] });
  const request = { type: "add", id: 1, amount: 2 } as const;
  counter.deliver("ann", request);
  counter.deliver("ann", request);
  counter.restart();
  counter.deliver("ann", request);
  assertEquals(counter.sent.map(({ message }) => message["total"]), [2, 2, 2]);
});

Deno.test("${name} takes no late request for a new one", () => {
  const counter = rig(agent, { peers: ["ann"] });
  counter.deliver("ann", { type: "add", id: 2, amount: 2 });
  counter.deliver("ann", { type: "add", id: 1, amount: 5 });
  assertEquals(counter.sent.map(({ message }) => message["total"]), [2]);
});

Deno.test("${name} remembers so many clients and no more", () => {
  const peers = Array.from({ length: clientsMax + 1 }, (_, index) => \`client\${index}\`);
  const counter = rig(agent, { peers });
  for (const peer of peers) counter.deliver(peer, { type: "add", id: 1, amount: 1 });
  // The first was silent for longest: its old request is taken for a new one.
  counter.deliver("client0", { type: "add", id: 1, amount: 1 });
  assertEquals(counter.sent.at(-1)?.message["total"], clientsMax + 2);
});

Deno.test("${name} takes no messages but its own", () => {
  const counter = rig(agent, { peers: ["ann"] });
  assertThrows(() => counter.deliver("ann", { type: "add", id: 1 }), TypeError, "amount");
});
`,
};
