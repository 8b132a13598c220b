// A failure detector: a timer for each peer tells when it was silent for too long.

import { defineAgent } from "ovid";
import { z } from "zod";

export default defineAgent({
  type: "watch",
  version: 1,
  doc: "Pings its peers, and suspects those that are silent for too long.",
  attrs: z.strictObject({
    everyMs: z.int().min(1).default(100),
    patienceMs: z.int().min(1).default(500),
  }),
  protocol: { ping: z.object({}), pong: z.object({}) },
  routes: ["peers"],
  timers: ["ping", "silence"],
  devices: ["terminal"],
  init: () => ({ down: new Set<string>(), suspicions: 0 }),
  start(_state, ctx) {
    ctx.setTimer("ping", 0);
    for (const peer of ctx.targets("peers")) ctx.setTimer("silence", ctx.attrs.patienceMs, peer);
  },
  on: {
    pong(state, _message, ctx) {
      state.down.delete(ctx.from);
      ctx.setTimer("silence", ctx.attrs.patienceMs, ctx.from);
    },
  },
  onTimer: {
    ping(_state, ctx) {
      ctx.send("peers", { type: "ping" });
      ctx.setTimer("ping", ctx.attrs.everyMs);
    },
    silence(state, ctx, peer = "") {
      state.down.add(peer);
      state.suspicions++;
      ctx.note("suspected", peer);
    },
  },
  onDevice: {
    terminal(state, event, ctx) {
      if (event.type === "eof") return ctx.stop();
      const who = state.down.size === 0 ? "nobody" : [...state.down].join(", ");
      const text = `down: ${who}; suspicions so far: ${state.suspicions}`;
      ctx.output("terminal", { type: "print", text });
    },
  },
});
