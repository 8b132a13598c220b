// Sends one message after the other, as many as its receiver gives it credit for: what a benchmark asks of links.

import { z } from "zod";
import type { Context } from "../../core/agent.ts";
import { defineAgent } from "../../core/define.ts";
import { loadKinds, loadMessage, loadProtocol } from "./protocol.ts";

const attrs = z.strictObject({
  kind: z.enum(loadKinds).default("text"),
  /** The characters of a text. */
  length: z.int().min(1).max(4096).default(64),
  /** How many messages may be under way. */
  window: z.int().min(1).max(100_000).default(4096),
  /** Whether it begins by itself. */
  runs: z.boolean().default(false),
});

/** After so long without any credit what was sent counts as lost. */
const stalledMs = 300;

interface Source {
  running: boolean;
  sent: number;
  credit: number;
  /** Whether the sink has given credit since the last look. */
  credited: boolean;
}

type SourceContext = Context<
  z.infer<typeof attrs>,
  typeof loadProtocol,
  "sink",
  "look",
  never,
  "terminal"
>;

export const loadSource = defineAgent({
  type: "load_source",
  version: 1,
  doc: "Sends messages as fast as its sink takes them, between the lines `go` and `stop`.",
  attrs,
  protocol: loadProtocol,
  routes: ["sink"],
  timers: ["look"],
  devices: ["terminal"],
  init: ({ window, runs }): Source => ({ running: runs, sent: 0, credit: window, credited: false }),
  start(state, ctx) {
    send(state, ctx);
    ctx.setTimer("look", stalledMs);
  },
  on: {
    credit(state, { messages }, ctx) {
      state.credited = true;
      state.credit = Math.min(ctx.attrs.window, state.credit + messages);
      send(state, ctx);
    },
  },
  onTimer: {
    look(state, ctx) {
      // Mail can be lost, as before the boxes are linked, and its credit with it.
      if (!state.credited) state.credit = ctx.attrs.window;
      state.credited = false;
      send(state, ctx);
      ctx.setTimer("look", stalledMs);
    },
  },
  onDevice: {
    terminal(state, event, ctx) {
      if (event.type === "eof") return ctx.stop();
      state.running = event.text === "go";
      send(state, ctx);
    },
  },
});

function send(state: Source, ctx: SourceContext): void {
  if (!state.running) return;
  const { kind, length } = ctx.attrs;
  for (; state.credit > 0; state.credit--) {
    ctx.send("sink", loadMessage(kind, state.sent++, length));
  }
}
