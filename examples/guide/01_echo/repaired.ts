// An echo that answers whoever has spoken.

import { defineAgent } from "ovid";
import { z } from "zod";

export default defineAgent({
  type: "echo",
  version: 1,
  doc: "Says again what it hears.",
  attrs: z.strictObject({}),
  protocol: { say: z.object({ line: z.string() }), echo: z.object({ line: z.string() }) },
  init: () => ({}),
  on: {
    say(_state, { line }, ctx) {
      ctx.reply({ type: "echo", line });
    },
  },
});
