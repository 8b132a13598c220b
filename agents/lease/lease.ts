// PaxosLease, as any agent can embed it: the agent keeps a LeaseState, hands over what comes for it, and lets it
// `advance` when its moment has come. `lease_node` in node.ts is the smallest agent that does.

import type { DirectMessage } from "../../core/agent.ts";
import type { AgentId } from "../../core/id.ts";
import {
  acceptedLease,
  onPrepareRequest,
  onProposeRequest,
  onReleased,
  startAcceptor,
} from "./acceptor.ts";
import {
  advance,
  nextMoment,
  onPrepareResponse,
  onProposeResponse,
  onRivalReleased,
  ownedLease,
  startProposer,
} from "./proposer.ts";
import type { LeaseProtocol } from "./protocol.ts";
import type { LeaseStep } from "./step.ts";

export { acquire, release } from "./proposer.ts";
export { advance, ownedLease };

/** To be called once at every start of the agent, before anything else. */
export function startLease(step: LeaseStep): void {
  startAcceptor(step);
  startProposer(step);
}

/** Takes a message of the lease, which came from the agent `from`. */
export function takeMessage(
  step: LeaseStep,
  from: AgentId,
  message: DirectMessage<LeaseProtocol>,
): void {
  switch (message.type) {
    case "prepareRequest":
      return onPrepareRequest(step, from, message);
    case "prepareResponse":
      return onPrepareResponse(step, from, message);
    case "proposeRequest":
      return onProposeRequest(step, from, message);
    case "proposeResponse":
      return onProposeResponse(step, from, message);
    case "released":
      onReleased(step, from, message);
      return onRivalReleased(step, from);
  }
}

/** In how many milliseconds {@linkcode advance} has something to do; undefined if nothing until something comes. */
export function restMs({ state, ctx }: LeaseStep): number | undefined {
  const moment = nextMoment(state);
  return moment === undefined ? undefined : Math.max(0, moment - ctx.now);
}

/** Who owns the lease as far as this node knows. */
export interface KnownOwner {
  /** Null for nobody. */
  readonly owner: AgentId | null;
  /** How long yet, unless it is renewed. */
  readonly leftMs: number;
  /** Whether it is this very node. All others know only what they have accepted, which a majority may not have. */
  readonly sure: boolean;
}

/** See {@linkcode KnownOwner}. */
export function knownOwner(step: LeaseStep): KnownOwner {
  const { state, ctx } = step;
  const owned = ownedLease(state, ctx.now);
  if (owned !== undefined) return { owner: ctx.self, leftMs: owned.until - ctx.now, sure: true };
  const accepted = acceptedLease(step);
  // What is accepted of the node itself, and not owned, it owns no more or not yet.
  if (accepted === undefined || accepted.ballot.node === ctx.self) {
    return { owner: null, leftMs: 0, sure: false };
  }
  return { owner: accepted.ballot.node, leftMs: accepted.until - ctx.now, sure: false };
}
