// Two agents who return a ball to each other: what a round trip takes.

import { z } from "zod";
import { defineAgent } from "../../core/define.ts";

/** How many round trips are remembered. */
const timesMax = 100_000;

export const loadPlayer = defineAgent({
  type: "load_player",
  version: 1,
  doc:
    "Serves a ball at the line `go`, returns every other, and prints at `stop` how long each of its own took.",
  attrs: z.strictObject({}),
  protocol: { ball: z.object({ served: z.boolean() }) },
  routes: ["partner"],
  devices: ["terminal"],
  init: () => ({ running: false, servedAt: 0, times: [] as number[] }),
  on: {
    ball(state, { served }, ctx) {
      if (served) return ctx.reply({ type: "ball", served: false });
      if (!state.running) return;
      if (state.times.length < timesMax) state.times.push(ctx.now - state.servedAt);
      state.servedAt = ctx.now;
      ctx.send("partner", { type: "ball", served: true });
    },
  },
  onDevice: {
    terminal(state, event, ctx) {
      if (event.type === "eof") return ctx.stop();
      state.running = event.text === "go";
      if (state.running) {
        state.times = [];
        state.servedAt = ctx.now;
        return ctx.send("partner", { type: "ball", served: true });
      }
      ctx.output("terminal", { type: "print", text: JSON.stringify(state.times) });
    },
  },
});
