// Somebody at a terminal: what is typed goes to the echo, what comes back is printed.

import { defineAgent } from "ovid";
import { z } from "zod";

export default defineAgent({
  type: "person",
  version: 1,
  doc: "Says to the echo what is typed, and prints what comes back.",
  attrs: z.strictObject({}),
  protocol: { say: z.object({ line: z.string() }), echo: z.object({ line: z.string() }) },
  routes: ["echo"],
  devices: ["terminal"],
  init: () => ({ said: 0, heard: 0, ended: false }),
  on: {
    echo(state, { line }, ctx) {
      state.heard++;
      ctx.output("terminal", { type: "print", text: line });
      if (state.ended && state.heard >= state.said) ctx.stop();
    },
  },
  onDevice: {
    terminal(state, event, ctx) {
      if (event.type === "eof") {
        // Ctrl-D: the person leaves once all is answered.
        state.ended = true;
        if (state.heard >= state.said) ctx.stop();
      } else {
        state.said++;
        ctx.send("echo", { type: "say", line: event.text });
      }
    },
  },
});
