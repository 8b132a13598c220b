// An echo that is too small: it sends what it hears along a route.

import { defineAgent } from "ovid";
import { z } from "zod";

export default defineAgent({
  type: "echo",
  version: 1,
  doc: "Says again what it hears.",
  attrs: z.strictObject({}),
  protocol: { say: z.object({ line: z.string() }), echo: z.object({ line: z.string() }) },
  routes: ["people"],
  init: () => ({}),
  on: {
    say(_state, { line }, ctx) {
      ctx.send("people", { type: "echo", line });
    },
  },
});
