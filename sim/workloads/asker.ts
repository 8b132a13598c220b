// Who sends the requests of a simulation: an agent that passes on what it is told to, and prints what comes back.

import { z } from "zod";
import type { Context, Done, Protocol } from "../../core/agent.ts";
import { type AgentDefinition, defineAgent } from "../../core/define.ts";
import { agentId } from "../../core/id.ts";

/** A request, as it is typed to the asker. */
const request = z.strictObject({
  to: z.string().transform(agentId),
  message: z.looseObject({ type: z.string() }),
});

type AskerContext = Context<unknown, Protocol, never, never, never, "terminal">;

function show(_state: unknown, message: object, ctx: AskerContext): Done {
  ctx.output("terminal", { type: "print", text: JSON.stringify(message) });
}

/** The type of agents that ask, and take answers of these types of messages. */
export function makeAsker(type: string, answers: Iterable<string>): AgentDefinition {
  const taken = [...new Set(answers)];
  const protocol: Protocol = Object.fromEntries(taken.map((each) => [each, z.looseObject({})]));
  return defineAgent({
    type,
    version: 1,
    doc: "Sends what is typed, a request as JSON, and prints the answers, as JSON.",
    attrs: z.strictObject({}),
    protocol,
    devices: ["terminal"],
    init: () => ({}),
    on: Object.fromEntries(taken.map((each) => [each, show])),
    onDevice: {
      terminal(_state, event, ctx) {
        if (event.type !== "line") return;
        const { to, message } = request.parse(JSON.parse(event.text));
        ctx.sendTo(to, message);
      },
    },
  });
}
