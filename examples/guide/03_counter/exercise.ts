// A counter that wants to spare its disk: it writes ten times a second at most.

import { defineAgent } from "ovid";
import { z } from "zod";

export default defineAgent({
  type: "counter",
  version: 1,
  doc: "Adds the numbers that are typed, and says the total.",
  attrs: z.strictObject({}),
  protocol: {},
  timers: ["write"],
  devices: ["terminal"],
  record: z.object({ amount: z.number() }),
  durable: () => ({ total: 0 }),
  apply(durable, { amount }) {
    durable.total += amount;
  },
  init: () => ({ unwritten: 0 }),
  on: {},
  onTimer: {
    write(state, ctx) {
      ctx.append({ amount: state.unwritten });
      state.unwritten = 0;
    },
  },
  onDevice: {
    terminal(state, event, ctx) {
      if (event.type === "eof") return ctx.stop();
      if (state.unwritten === 0) ctx.setTimer("write", 100);
      state.unwritten += Number(event.text);
      const total = state.durable.total + state.unwritten;
      ctx.output("terminal", { type: "print", text: `${total}` });
    },
  },
});
