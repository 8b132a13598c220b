// A counter that other agents ask: it adds once, and answers as often as it is asked.

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
  record: z.object({ client: z.string(), id: z.int(), amount: z.int() }),
  durable: () => ({ total: 0, answered: new Map<string, { id: number; total: number }>() }),
  apply(durable, { client, id, amount }) {
    durable.total += amount;
    // The latest stands last, so that the first is whoever was silent for longest.
    durable.answered.delete(client);
    durable.answered.set(client, { id, total: durable.total });
    const [oldest = ""] = durable.answered.keys();
    if (durable.answered.size > clientsMax) durable.answered.delete(oldest);
  },
  init: () => ({}),
  on: {
    add(state, { id, amount }, ctx) {
      const last = state.durable.answered.get(ctx.from)?.id ?? 0;
      // Late on its way, and answered long ago.
      if (id < last) return;
      if (id > last) ctx.append({ client: ctx.from, id, amount });
      const total = state.durable.answered.get(ctx.from)?.total ?? 0;
      ctx.reply({ type: "total", id, total });
    },
  },
});
