// A counter that other agents ask: it adds as often as it is asked.

import { defineAgent } from "ovid";
import { z } from "zod";

export default defineAgent({
  type: "counter",
  version: 1,
  doc: "Adds an amount, and says the total.",
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
  init: () => ({}),
  on: {
    add(state, { id, amount }, ctx) {
      ctx.append({ amount });
      ctx.reply({ type: "total", id, total: state.durable.total });
    },
  },
});
