// The messages of PaxosLease, as in Trencseni, Gazso and Reinhardt, "PaxosLease: Diskless Paxos for Leases" (2012), and
// under the paper's names. Sections cited in this folder are the paper's.
//
// No message carries a moment, since no two clocks are ever compared: only how long something lasts.

import { z } from "zod";
import type { Received } from "../../core/agent.ts";
import { type AgentId, isToken } from "../../core/id.ts";

/** The largest number of nodes. */
export const nodesMax = 31;

/** The longest lease, in milliseconds. */
export const leaseMsMax = 600_000;

// Checked here, since a schema of messages does not transform.
const agent = z.string().refine(isToken, "want an agent id") as unknown as z.ZodType<AgentId>;
const count = z.int().nonnegative();
const ms = z.number().nonnegative().max(2 * leaseMsMax);

/**
 * A ballot number. Numbers of one node grow, those of different nodes differ by `node`, and those of different starts
 * of a node by `life`: see `newLife` in proposer.ts.
 */
export const ballotSchema = z.object({ number: count, node: agent, life: count });

/** See {@linkcode ballotSchema}. */
export type Ballot = z.infer<typeof ballotSchema>;

/** What an acceptor says to a prepare request: section 3, step 2. */
export const answerSchema = z.discriminatedUnion("kind", [
  /** It holds nobody's lease, or one of the asker's own, and promises to accept nothing below the ballot. */
  z.object({ kind: z.literal("open") }),
  /** It holds the lease of another for so long yet, and promises nothing. */
  z.object({ kind: z.literal("held"), leftMs: ms, number: count }),
  /** It has promised a higher ballot. `number` is that of the highest that it has promised. */
  z.object({ kind: z.literal("refused"), number: count }),
]);

/** See {@linkcode answerSchema}. */
export type Answer = z.infer<typeof answerSchema>;

/** What proposers and acceptors say to each other. An agent that embeds a lease adds these to its own protocol. */
export const leaseProtocol = {
  /** Section 3, steps 1 and 2. `leaseMs` is how long the lease is to last, so that nobody promises what it may forget. */
  prepareRequest: z.object({ ballot: ballotSchema, leaseMs: ms }),
  prepareResponse: z.object({ ballot: ballotSchema, answer: answerSchema }),
  /** Section 3, steps 3 and 4. */
  proposeRequest: z.object({ ballot: ballotSchema, leaseMs: ms }),
  /** `number` is that of the ballot that the acceptor has promised. */
  proposeResponse: z.object({ ballot: ballotSchema, accepted: z.boolean(), number: count }),
  /** Section 7: the sender owns nothing any more by this ballot and all of its life below it. */
  released: z.object({ ballot: ballotSchema }),
};

/** The messages of {@linkcode leaseProtocol}. */
export type LeaseProtocol = typeof leaseProtocol;

/** A message of one type. */
export type Lease<K extends keyof LeaseProtocol> = Received<LeaseProtocol, K>;

/** What a `lease_node` takes and sends: the lease, and what others want of it. */
export const leaseNodeProtocol = {
  ...leaseProtocol,
  /** From now on the node wants to own the lease, or wants it no more and gives it up. */
  acquire: z.object({}),
  release: z.object({}),
  /** Asks who owns the lease. */
  locate: z.object({}),
  /**
   * Who owns the lease, for so long yet; null for nobody. `sure` if the sender is the owner: what others know is what
   * they have accepted, which need not be what a majority has.
   */
  owner: z.object({ owner: agent.nullable(), leftMs: ms, sure: z.boolean() }),
};
