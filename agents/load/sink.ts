// Counts what comes, and gives the sender credit for as much again.

import { z } from "zod";
import { defineAgent } from "../../core/define.ts";
import { loadProtocol } from "./protocol.ts";
import type { AgentId } from "../../core/id.ts";

interface Sink {
  taken: number;
  /** By sender, how much of what it sent has not been told. */
  readonly untold: Map<AgentId, number>;
}

/** How many senders a sink takes from. */
const sendersMax = 10_000;

export const loadSink = defineAgent({
  type: "load_sink",
  version: 1,
  doc: "Takes what a load_source sends, and prints how much it was, for each line that is typed.",
  attrs: z.strictObject({
    /** After how many messages of a sender it gets credit for as many again. */
    every: z.int().min(1).max(100_000).default(512),
  }),
  protocol: loadProtocol,
  ports: { 1: "anything" },
  devices: ["terminal"],
  init: (): Sink => ({ taken: 0, untold: new Map() }),
  on: {
    text(state, _message, ctx) {
      take(state, ctx);
    },
    order(state, _message, ctx) {
      take(state, ctx);
    },
  },
  onDevice: {
    terminal({ taken }, event, ctx) {
      if (event.type === "eof") return ctx.stop();
      ctx.output("terminal", { type: "print", text: JSON.stringify({ taken, now: ctx.now }) });
    },
  },
});

function take(
  state: Sink,
  ctx: {
    readonly from: AgentId;
    readonly attrs: { readonly every: number };
    reply(message: { readonly type: "credit"; readonly messages: number }): void;
  },
): void {
  state.taken++;
  const untold = (state.untold.get(ctx.from) ?? 0) + 1;
  if (untold < ctx.attrs.every) {
    if (untold > 1 || state.untold.size < sendersMax) state.untold.set(ctx.from, untold);
    return;
  }
  state.untold.set(ctx.from, 0);
  ctx.reply({ type: "credit", messages: untold });
}
