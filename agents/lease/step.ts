// What every step of a lease works with.

import type { AgentId } from "../../core/id.ts";
import type { Json } from "../../core/data.ts";
import type { DirectMessage } from "../../core/agent.ts";
import type { LeaseProtocol } from "./protocol.ts";
import type { LeaseRules } from "./rules.ts";
import type { LeaseState } from "./state.ts";

/** How a lease is to be. All nodes should say the same. */
export interface LeaseOptions {
  /** All nodes. Each is an acceptor, and a proposer if it wants the lease. */
  readonly nodes: readonly AgentId[];
  /** How long a lease lasts at the acceptors. At most `maxLeaseMs`. */
  readonly leaseMs: number;
  /** The longest lease that anybody asks for: so long an acceptor is silent after a start. */
  readonly maxLeaseMs: number;
  /** How long after asking the owner asks again. */
  readonly renewMs: number;
  /** How long an attempt may take. */
  readonly roundMs: number;
  /**
   * How long each node has for its turn when a lease has ended, and about how long to wait after an attempt that others
   * have thwarted. Longer than two round trips.
   */
  readonly retryMs: number;
  /** By how much the clock of any node may be too fast or too slow, in millionths. */
  readonly clockDriftPpm: number;
}

/**
 * What a lease needs of the agent that it is a part of: the context of a handler has all but `options`.
 */
export interface LeaseContext {
  readonly self: AgentId;
  /** Monotonic milliseconds that run as fast as time does, but for the drift: one that jumps breaks the lease. */
  readonly now: number;
  /** From a stream of its own for each start of the node. */
  random(): number;
  sendTo(agent: AgentId, message: DirectMessage<LeaseProtocol>): void;
  note(event: string, detail?: Json): void;
}

/** One step of a lease. */
export interface LeaseStep {
  readonly state: LeaseState;
  readonly ctx: LeaseContext;
  readonly options: LeaseOptions;
  readonly rules: LeaseRules;
}
