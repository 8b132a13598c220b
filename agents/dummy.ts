// The agent that only listens: it gives a box something to host where the box alone matters.

import { z } from "zod";
import { defineAgent } from "../core/define.ts";
import { text } from "../core/text.ts";
import { speech } from "./words.ts";

export const dummy = defineAgent({
  type: "dummy",
  version: 1,
  doc: "Prints every text that it is sent, and says nothing.",
  attrs: z.strictObject({}),
  protocol: { text },
  devices: ["console"],
  init: () => ({}),
  on: {
    text(_state, message, ctx) {
      ctx.output("console", { type: "print", text: speech(message.text, ctx.from) });
    },
  },
});
