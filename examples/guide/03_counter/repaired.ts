// A counter that survives kill -9.

import { defineAgent } from "ovid";
import { z } from "zod";

export default defineAgent({
  type: "counter",
  version: 1,
  doc: "Adds the numbers that are typed, and says the total.",
  attrs: z.strictObject({}),
  protocol: {},
  devices: ["terminal"],
  record: z.object({ amount: z.number() }),
  durable: () => ({ total: 0 }),
  apply(durable, { amount }) {
    durable.total += amount;
  },
  init: () => ({}),
  on: {},
  onDevice: {
    terminal(state, event, ctx) {
      if (event.type === "eof") return ctx.stop();
      ctx.append({ amount: Number(event.text) });
      ctx.output("terminal", { type: "print", text: `${state.durable.total}` });
    },
  },
});
