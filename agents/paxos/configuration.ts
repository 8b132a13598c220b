// How a member enters a configuration: section 2.1 lets it begin when all slots before it are decided. Nothing that was
// promised in the one before holds in it, since the ballots of each are its own.

import { copyJson } from "../../core/data.ts";
import type { AgentId } from "../../core/id.ts";
import { bottom } from "./ballot.ts";
import { beginRetirement } from "./hand_over.ts";
import { resign } from "./leadership.ts";
import { startScout } from "./scout.ts";
import { agentsOf, beginPatience, configurationOf, isAcceptor, type Step } from "./step.ts";

/** The last slot of the configuration before was carried out here. */
export function enterConfiguration(step: Step): void {
  const { state, ctx } = step;
  const { leader: last } = state.ballot;
  resign(step);
  state.promised = state.ballot = bottom;
  // The leader of the configuration before, who alone may have had the lease, has ended it itself.
  state.promisedUntil = 0;
  state.backOffMs = ctx.attrs.viewChangeMs;
  ctx.note("paxos.reconfigured", { ...copyJson(configurationOf(step)) });
  beginRetirement(step);
  if (!isAcceptor(step)) return ctx.clearTimer("patience");
  const isBehind = state.executed < state.decided || state.learning !== undefined;
  if (!isBehind && firstLeader(agentsOf(step), last) === ctx.self) startScout(step);
  else beginPatience(step);
}

/** Who leads at first, without waiting: the leader of the configuration before, if it is in this one. */
function firstLeader(agents: readonly AgentId[], last: AgentId): AgentId | undefined {
  return agents.includes(last) ? last : agents[0];
}
