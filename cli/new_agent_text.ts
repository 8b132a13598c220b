// What `ovid new agent NAME --text` writes: two agents who send each other lines of GoOvid's text, each exactly once.

import type { Template } from "./new_agent_template.ts";

/** An agent that speaks text at numbered ports, its grid, its invariant and its test. */
export const textAgent: Template = {
  agent: (name) =>
    `// Carries the lines that are typed to another of its kind, each once and in order, over a network that loses
// mail, brings it twice, and lets it overtake other mail. It speaks GoOvid's text: lines at numbered ports.
//
//   ann                        bob
//   port 1  "3 hello"    -->   prints it, if it is the next one
//   port 2  "3"          <--   says how many have arrived
//
// One letter at a time is on its way. It is sent again and again until its receipt is there.

import { type Context, defineAgent, text } from "ovid";
import { z } from "zod";

/** How many letters may wait to be sent; those on top are refused. */
export const waitingMax = 100;

const protocol = { text };

const record = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("posted"), line: z.string() }),
  z.object({ kind: z.literal("delivered") }),
  z.object({ kind: z.literal("arrived") }),
]);

type Route = "letters" | "receipts";
type Ctx = Context<unknown, typeof protocol, Route, "again", z.infer<typeof record>, "terminal">;

export default defineAgent({
  type: "${name}",
  version: 1,
  doc: "Carries typed lines to another of its kind, each once and in order.",
  attrs: z.strictObject({}),
  protocol,
  ports: { 1: "NUMBER LINE, a letter", 2: "NUMBER, how many letters have arrived" },
  routes: ["letters", "receipts"],
  timers: ["again"],
  devices: ["terminal"],
  // What survives a crash: made by \`durable\`, changed by \`apply\` alone, one record at a time.
  record,
  durable: () => ({ waiting: [] as string[], delivered: 0, arrived: 0 }),
  apply(durable, record) {
    if (record.kind === "posted") durable.waiting.push(record.line);
    else if (record.kind === "arrived") durable.arrived++;
    else {
      durable.waiting.shift();
      durable.delivered++;
    }
  },
  init: () => ({}),
  // Timers do not survive a crash: what was under way is sent again.
  start(state, ctx) {
    sendFirst(state.durable, ctx);
  },
  on: {
    text(state, message, ctx) {
      const [, number = "", line = ""] = /^(\\d+) ?(.*)$/.exec(message.text) ?? [];
      if (message.port === 1) {
        // Any other has been here before, or comes before its turn and will come again.
        if (Number(number) === state.durable.arrived + 1) {
          ctx.append({ kind: "arrived" });
          ctx.output("terminal", { type: "print", text: \`letter \${number}: \${line}\` });
        }
        // It leaves once the record is on disk: no receipt for what a crash could take back.
        ctx.send("receipts", { type: "text", text: \`\${state.durable.arrived}\` });
      } else if (message.port === 2) {
        if (Number(number) !== state.durable.delivered + 1) return;
        ctx.append({ kind: "delivered" });
        sendFirst(state.durable, ctx);
      }
    },
  },
  onTimer: {
    again(state, ctx) {
      sendFirst(state.durable, ctx);
    },
  },
  onDevice: {
    terminal(state, event, ctx) {
      if (event.type === "eof") return;
      const { waiting, delivered } = state.durable;
      if (waiting.length >= waitingMax) {
        return ctx.output("terminal", { type: "print", text: "no room" });
      }
      ctx.append({ kind: "posted", line: event.text });
      const number = delivered + waiting.length;
      ctx.output("terminal", { type: "print", text: \`posted \${number}\` });
      if (waiting.length === 1) sendFirst(state.durable, ctx);
    },
  },
  // Asked after every step of a test and of a simulation.
  check({ durable }) {
    if (durable.waiting.length > waitingMax) throw new Error(\`\${durable.waiting.length} wait\`);
  },
});

function sendFirst(
  { waiting, delivered }: { readonly waiting: readonly string[]; readonly delivered: number },
  ctx: Ctx,
): void {
  const [line] = waiting;
  if (line === undefined) return ctx.clearTimer("again");
  ctx.send("letters", { type: "text", text: \`\${delivered + 1} \${line}\` });
  ctx.setTimer("again", [100, 200]);
}
`,
  grid: (name) => ({
    agents: {
      ann: {
        type: `./${name}.ts`,
        box: "127.0.0.1:5000",
        routes: { letters: { bob: 1 }, receipts: { bob: 2 } },
      },
      bob: {
        type: `./${name}.ts`,
        box: "127.0.0.1:5001",
        routes: { letters: { ann: 1 }, receipts: { ann: 2 } },
      },
    },
    simulation: {
      doc: "Two people write to each other: every letter arrives, once and in order.",
      workload: {
        type: "terminal",
        agents: ["ann", "bob"],
        lines: [{ line: "{value}", answers: ["posted {number}", "no room"] }],
      },
      invariants: [`./${name}_invariant.ts`],
      sometimes: ["fault.kill", "fault.powerCut", "fault.duplicate", "mail.lost.text"],
    },
  }),
  invariant: (name) =>
    `// What must be true of all letters, whatever happens to the boxes: \`ovid sim\` asks after every event.

import { defineInvariant } from "ovid";
import agent from "./${name}.ts";

export default defineInvariant({
  doc: "Every letter arrives, once and in order.",
  always(view) {
    for (const { id } of view.agents) {
      const numbers = view.printed(id).flatMap((line) => /^letter (\\d+)/.exec(line)?.[1] ?? []);
      for (const [index, number] of numbers.entries()) {
        if (Number(number) !== index + 1) {
          throw new Error(\`\${id} got letter \${number}, want letter \${index + 1}\`);
        }
      }
    }
  },
  // Once the faults are over: a safe agent that does nothing would not do.
  eventually: (view) => view.of(agent).every(({ state }) => state.durable.waiting.length === 0),
});
`,
  test: (name) =>
    `import { assertEquals } from "@std/assert";
import { plainGrid, rig, World } from "ovid";
import agent, { waitingMax } from "./${name}.ts";

const routes = { letters: { bob: 1 }, receipts: { bob: 2 } };

// A rig is one agent, with the test in the place of everybody else.

Deno.test("${name} sends a letter until its receipt is there, then the next", () => {
  const ann = rig(agent, { id: "ann", routes });
  ann.line("hello");
  ann.line("again");
  ann.advance(250);
  ann.deliver("bob", { type: "text", port: 2, text: "1" });
  assertEquals(ann.sent.map(({ message }) => message["text"]), ["1 hello", "1 hello", "2 again"]);
  assertEquals(ann.printed, ["posted 1", "posted 2"]);
});

Deno.test("${name} prints each letter once, and forgets none in a crash", () => {
  const ann = rig(agent, { id: "ann", routes });
  for (const text of ["2 later", "1 hello", "1 hello"]) {
    ann.deliver("bob", { type: "text", port: 1, text });
  }
  ann.restart();
  ann.deliver("bob", { type: "text", port: 1, text: "1 hello" });
  assertEquals(ann.printed, ["letter 1: hello"]);
  assertEquals(ann.sent.map(({ message }) => message["text"]), ["0", "1", "1", "1"]);
});

Deno.test("${name} takes so many letters and no more", () => {
  const ann = rig(agent, { id: "ann", routes });
  for (let number = 0; number <= waitingMax; number++) ann.line("hello");
  assertEquals(ann.printed.at(-1), "no room");
});

// A world is a whole grid in virtual time, every chance of it drawn from a seed.

Deno.test("${name} delivers over a network that loses half of all mail", () => {
  const grid = plainGrid({
    ann: { type: "${name}", box: "b1", routes },
    bob: { type: "${name}", box: "b2", routes: { letters: { ann: 1 }, receipts: { ann: 2 } } },
  });
  const world = new World({ grid, definitions: [agent], seed: 1n, network: { loss: 0.5 } });
  world.start();
  for (const line of ["one", "two", "three"]) world.line("ann", line);
  world.runUntil(() => world.printed("bob").length === 3);
  assertEquals(world.printed("bob"), ["letter 1: one", "letter 2: two", "letter 3: three"]);
});
`,
  // Both have a terminal, and there is one to type at.
  boxFlags: " --attach ann",
};
