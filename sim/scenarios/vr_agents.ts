// Who stands around a replicated machine in a simulation: an agent that passes on what is typed to a vr_client.

import { z } from "zod";
import { agentIdAttr } from "../../agents/vr/attrs.ts";
import { callSchema, vrProtocol } from "../../agents/vr/protocol.ts";
import { defineAgent } from "../../core/define.ts";

/** Takes calls as JSON from its terminal, one at a time, and prints what comes of them, as JSON. */
export const vrAsker = defineAgent({
  type: "vr_asker",
  version: 1,
  doc: "Passes on the calls that are typed to a vr_client, and prints what comes of them.",
  attrs: z.strictObject({ client: agentIdAttr }),
  protocol: vrProtocol,
  devices: ["terminal"],
  init: () => ({ id: 0 }),
  on: {
    result(state, { id, outcome }, ctx) {
      if (id !== state.id) return;
      ctx.output("terminal", { type: "print", text: JSON.stringify(outcome) });
    },
  },
  onDevice: {
    terminal(state, event, ctx) {
      if (event.type !== "line") return;
      const command = callSchema.parse(JSON.parse(event.text));
      ctx.sendTo(ctx.attrs.client, { type: "invoke", id: ++state.id, command });
    },
  },
});
