// Somebody to be watched: answers each ping.

import { defineAgent } from "ovid";
import { z } from "zod";

export default defineAgent({
  type: "peer",
  version: 1,
  doc: "Answers each ping by a pong.",
  attrs: z.strictObject({}),
  protocol: { ping: z.object({}), pong: z.object({}) },
  init: () => ({}),
  on: {
    ping(_state, _message, ctx) {
      ctx.reply({ type: "pong" });
    },
  },
});
