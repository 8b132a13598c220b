// Two agents who return a ball to each other: what a round trip takes.

import { z } from "zod";
import { defineAgent } from "../../core/define.ts";
import { text } from "../../core/text.ts";

const served = "served";

/** How many round trips are remembered. */
const timesMax = 100_000;

export const loadPlayer = defineAgent({
  type: "load_player",
  version: 1,
  doc:
    "Serves a ball at the line `go`, returns every other, and prints at `stop` how long each of its own took.",
  attrs: z.strictObject({}),
  protocol: { text },
  ports: { 1: "`served`, which is returned, or `returned`" },
  routes: ["partner"],
  devices: ["terminal"],
  init: () => ({ running: false, servedAt: 0, times: [] as number[] }),
  on: {
    text(state, { text }, ctx) {
      if (text === served) return ctx.reply({ type: "text", port: 1, text: "returned" });
      if (!state.running) return;
      if (state.times.length < timesMax) state.times.push(ctx.now - state.servedAt);
      state.servedAt = ctx.now;
      ctx.send("partner", { type: "text", text: served });
    },
  },
  onDevice: {
    terminal(state, event, ctx) {
      if (event.type === "eof") return ctx.stop();
      state.running = event.text === "go";
      if (state.running) {
        state.times = [];
        state.servedAt = ctx.now;
        return ctx.send("partner", { type: "text", text: served });
      }
      ctx.output("terminal", { type: "print", text: JSON.stringify(state.times) });
    },
  },
});
