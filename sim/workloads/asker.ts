// Who sends the requests of a simulation: an agent that passes on what it is told to, and prints what comes back.

import { z } from "zod";
import type { AnyMessage, Context, Done, Protocol } from "../../core/agent.ts";
import { type AgentDefinition, defineAgent } from "../../core/define.ts";
import { agentId } from "../../core/id.ts";

/** A request as it is typed to the asker: `counter add {"amount":3}`, as stories tell of mail. */
export function formatRequest(to: string, message: AnyMessage): string {
  return `${to} ${formatMessage(message)}`;
}

/** The message that an asker has printed. */
export function parseMessage(line: string): AnyMessage {
  const [, type = "", body = ""] = /^(\S+) (.*)$/s.exec(line) ?? [];
  return { ...json.parse(JSON.parse(body)), type };
}

const json = z.record(z.string(), z.json());

function formatMessage({ type, ...body }: AnyMessage): string {
  return `${type} ${JSON.stringify(body)}`;
}

type AskerContext = Context<unknown, Protocol, never, never, never, "terminal">;

function show(_state: unknown, message: AnyMessage, ctx: AskerContext): Done {
  ctx.output("terminal", { type: "print", text: formatMessage(message) });
}

/** The type of agents that ask, and take answers of these types of messages. */
export function makeAsker(type: string, answers: Iterable<string>): AgentDefinition {
  const taken = [...new Set(answers)];
  const protocol: Protocol = Object.fromEntries(taken.map((each) => [each, z.looseObject({})]));
  return defineAgent({
    type,
    version: 1,
    doc: "Sends what is typed, AGENT TYPE JSON, and prints the answers, TYPE JSON.",
    attrs: z.strictObject({}),
    protocol,
    devices: ["terminal"],
    init: () => ({}),
    on: Object.fromEntries(taken.map((each) => [each, show])),
    onDevice: {
      terminal(_state, event, ctx) {
        if (event.type !== "line") return;
        const [, to = "", message = ""] = /^(\S+) (.*)$/s.exec(event.text) ?? [];
        ctx.sendTo(agentId(to), parseMessage(message));
      },
    },
  });
}
