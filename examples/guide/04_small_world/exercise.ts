// A counter that remembers what it has answered, but not on disk.

import { defineAgent } from "ovid";
import { z } from "zod";

/** Of how many clients the last request is remembered. */
export const clientsMax = 1000;

export default defineAgent({
  type: "counter",
  version: 1,
  doc: "Adds each amount once, and says the total.",
  attrs: z.strictObject({}),
  protocol: {
    add: z.object({ id: z.int(), amount: z.int() }),
    total: z.object({ id: z.int(), total: z.int() }),
  },
  record: z.object({ amount: z.int() }),
  durable: () => ({ total: 0 }),
  apply(durable, { amount }) {
    durable.total += amount;
  },
  init: () => ({ answered: new Map<string, { id: number; total: number }>() }),
  on: {
    add(state, { id, amount }, ctx) {
      let last = state.answered.get(ctx.from);
      if (last !== undefined && id < last.id) return;
      if (last === undefined || id > last.id) {
        ctx.append({ amount });
        last = { id, total: state.durable.total };
        state.answered.delete(ctx.from);
        state.answered.set(ctx.from, last);
        const [oldest = ""] = state.answered.keys();
        if (state.answered.size > clientsMax) state.answered.delete(oldest);
      }
      ctx.reply({ type: "total", id, total: last.total });
    },
  },
});
