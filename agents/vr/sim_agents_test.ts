// The agents that ask in a simulated group: one by itself, and one at the word of the test. No tests of its own.

import { z } from "zod";
import { defineAgent } from "../../core/define.ts";
import type { Json } from "../../core/data.ts";
import { agentIdAttr } from "./attrs.ts";
import { type Call, vrProtocol } from "./protocol.ts";

/** Asks its client one thing after another, and notes what came of it. */
export const asker = defineAgent({
  type: "asker",
  version: 1,
  doc: "Asks a vr_client for one operation after another.",
  attrs: z.object({
    client: agentIdAttr,
    machine: z.string(),
    count: z.int(),
    keys: z.int(),
    thinkMs: z.int(),
    reads: z.number(),
  }),
  protocol: vrProtocol,
  timers: ["next"],
  init: () => ({ id: 0 }),
  start(_state, ctx) {
    ctx.setTimer("next", [0, ctx.attrs.thinkMs]);
  },
  on: {
    result(state, { id, outcome }, ctx) {
      if (id !== state.id) return;
      ctx.note("answered", { id, outcome });
      ctx.setTimer("next", [0, ctx.attrs.thinkMs]);
    },
  },
  onTimer: {
    next(state, ctx) {
      if (state.id === ctx.attrs.count) return ctx.note("done");
      const id = ++state.id;
      const operation: Json = ctx.attrs.machine === "counter"
        ? ctx.random() < ctx.attrs.reads ? { kind: "read" } : { kind: "add", amount: 1 }
        : kvOperation(
          `k${Math.floor(ctx.random() * ctx.attrs.keys)}`,
          `${ctx.self}.${id}`,
          ctx.random(),
        );
      ctx.note("asked", { id, operation });
      ctx.sendTo(ctx.attrs.client, { type: "invoke", id, command: { kind: "apply", operation } });
    },
  },
});

function kvOperation(key: string, value: string, chance: number): Json {
  if (chance < 0.4) return { kind: "get", key };
  if (chance < 0.8) return { kind: "put", key, value };
  return chance < 0.9 ? { kind: "delete", key } : { kind: "cas", key, expected: null, value };
}

/** Asks its client for what the test types: an operation as JSON, the replicas of a new epoch, or `epoch`. */
export const administrator = defineAgent({
  type: "administrator",
  version: 1,
  doc: "Passes on what is typed.",
  attrs: z.object({ client: agentIdAttr }),
  protocol: vrProtocol,
  devices: ["terminal"],
  init: () => ({ id: 0 }),
  on: {
    result(_state, { outcome }, ctx) {
      ctx.output("terminal", { type: "print", text: JSON.stringify(outcome) });
    },
  },
  onDevice: {
    terminal(state, event, ctx) {
      if (event.type !== "line") return;
      const command = commandOf(event.text);
      ctx.sendTo(ctx.attrs.client, { type: "invoke", id: ++state.id, command });
    },
  },
});

function commandOf(text: string): Call {
  if (text === "epoch") return { kind: "checkEpoch" };
  if (text.startsWith("{")) return { kind: "apply", operation: JSON.parse(text) };
  const replicas = text.split(" ").map((id) => agentIdAttr.parse(id));
  return { kind: "reconfigure", replicas };
}
