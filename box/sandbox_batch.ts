// What an agent in a sandbox asked for, as its box would have it from its own host: under the agent's own name,
// whatever the sandbox said, and to devices that the agent declared.

import type { AnyMessage } from "../core/agent.ts";
import type { AgentDefinition } from "../core/define.ts";
import type { Envelope, Output } from "../core/envelope.ts";
import { type AgentId, isToken } from "../core/id.ts";
import type { SandboxBatch, SandboxOutput } from "./sandbox_words.ts";

/** Its mail. Where the receivers live is for the box to know. */
export function sendsOf(agent: AgentId, batch: SandboxBatch): Envelope[] {
  return batch.sends.flatMap(({ to, message }) =>
    isToken(to) ? [{ from: agent, to: to as AgentId, message: message as AnyMessage }] : []
  );
}

/** Its outputs, and the devices of those that are refused. */
export function outputsOf(
  agent: AgentId,
  batch: SandboxBatch,
  { devices = [] }: AgentDefinition,
): { taken: Output[]; refused: string[] } {
  const taken: Output[] = [];
  const refused: string[] = [];
  for (const each of batch.outputs) {
    const output = devices.includes(each.device) ? inOwnFolder(agent, each) : undefined;
    if (output === undefined) refused.push(each.device);
    else taken.push({ agent, output });
  }
  return { taken, refused };
}

// Files of all agents of a box lie in one folder, and no stranger may replace those of others.
function inOwnFolder(agent: AgentId, output: SandboxOutput): SandboxOutput | undefined {
  if (output.device !== "file") return output;
  const steps = output.output.path.split(/[\\/]/);
  if (steps.includes("..") || steps[0] === "") return undefined;
  const path = `sandbox/agent_${encodeURIComponent(agent)}/${output.output.path}`;
  return { ...output, output: { ...output.output, path } };
}
