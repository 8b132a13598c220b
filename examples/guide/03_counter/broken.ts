// A counter that keeps its total in memory.

import { defineAgent } from "ovid";
import { z } from "zod";

export default defineAgent({
  type: "counter",
  version: 1,
  doc: "Adds the numbers that are typed, and says the total.",
  attrs: z.strictObject({}),
  protocol: {},
  devices: ["terminal"],
  init: () => ({ total: 0 }),
  on: {},
  onDevice: {
    terminal(state, event, ctx) {
      if (event.type === "eof") return ctx.stop();
      state.total += Number(event.text);
      ctx.output("terminal", { type: "print", text: `${state.total}` });
    },
  },
});
