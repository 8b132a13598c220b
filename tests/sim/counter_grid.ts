// A durable counter and its clients, small enough to see what the simulator does to them.

import { z } from "zod";
import { defineAgent } from "../../core/define.ts";
import type { AgentDefinition } from "../../core/define.ts";
import type { Grid } from "../../core/grid.ts";
import { type PlainAgent, plainGrid } from "../../sim/plain_grid.ts";

const protocol = {
  /** Counts `number` of a client, once: a number that was counted is only acknowledged again. */
  count: z.object({ number: z.int() }),
  counted: z.object({ number: z.int() }),
};

/** Remembers the highest number of each client, durably. */
export const counter: AgentDefinition = defineAgent({
  type: "counter",
  version: 1,
  doc: "Remembers the highest number that each client has counted.",
  attrs: z.object({}),
  protocol,
  record: z.object({ client: z.string(), number: z.int() }),
  durable: () => ({ numbers: new Map<string, number>(), executed: 0 }),
  apply(durable, { client, number }) {
    durable.numbers.set(client, number);
    durable.executed++;
  },
  init: () => ({}),
  on: {
    count(state, { number }, ctx) {
      const last = state.durable.numbers.get(ctx.from) ?? 0;
      if (number > last + 1) {
        return ctx.note("gap", { client: ctx.from, last, number });
      }
      if (number === last + 1) ctx.append({ client: ctx.from, number });
      ctx.reply({ type: "counted", number });
    },
  },
  check({ durable }) {
    let sum = 0;
    for (const number of durable.numbers.values()) sum += number;
    if (sum !== durable.executed) throw new Error(`${durable.executed} executed, ${sum} counted`);
  },
});

/** Counts from 1 to `goal`, resending each number until it is acknowledged. Volatile: it must not crash. */
export const client: AgentDefinition = defineAgent({
  type: "client",
  version: 1,
  doc: "Counts up at a counter.",
  attrs: z.object({ goal: z.int() }),
  protocol,
  routes: ["counter"],
  timers: ["resend"],
  devices: ["terminal"],
  init: () => ({ next: 1 }),
  start(state, ctx) {
    ctx.send("counter", { type: "count", number: state.next });
    ctx.setTimer("resend", [20, 30]);
  },
  on: {
    counted(state, { number }, ctx) {
      if (number !== state.next) return;
      ctx.output("terminal", { type: "print", text: String(number) });
      state.next++;
      if (state.next > ctx.attrs.goal) return ctx.clearTimer("resend");
      ctx.send("counter", { type: "count", number: state.next });
      ctx.setTimer("resend", [20, 30]);
    },
  },
  onTimer: {
    resend(state, ctx) {
      ctx.send("counter", { type: "count", number: state.next });
      ctx.setTimer("resend", [20, 30]);
    },
  },
});

/** A counter on box `b1`, and `clients` clients on boxes of their own. */
export function counterGrid(goal: number, clients = 1): Grid {
  const agents: Record<string, PlainAgent> = { counter: { type: "counter", box: "b1" } };
  for (let i = 1; i <= clients; i++) {
    agents[`client${i}`] = {
      type: "client",
      box: `b${i + 1}`,
      attrs: { goal },
      routes: { counter: ["counter"] },
    };
  }
  return plainGrid(agents);
}

/** The definitions of {@linkcode counterGrid}. */
export const definitions: readonly AgentDefinition[] = [counter, client];
