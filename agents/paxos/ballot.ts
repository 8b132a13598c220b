// Ballots: the rounds of Paxos, each the property of one leader, in one order.

import { z } from "zod";
import type { DeepReadonly } from "../../core/data.ts";
import { type AgentId, agentId, compareBytes, isToken } from "../../core/id.ts";
import type { Member } from "../vr/protocol.ts";

/** A round, and the leader whose it is. No leader uses a ballot twice, not even after a crash. */
export const ballotSchema = z.object({
  round: z.int().nonnegative(),
  // Checked here, since a schema of messages does not transform.
  leader: z.string().refine(isToken, "want an agent id") as unknown as z.ZodType<AgentId>,
}).readonly();

/** See {@linkcode ballotSchema}. */
export type Ballot = z.infer<typeof ballotSchema>;

/** The ballot before all others, which is no leader's. Rounds are counted from 1. */
export const bottom: Ballot = { round: 0, leader: agentId("nobody") };

/** Section 2.2: ballots are ordered by their rounds, and those of one round by their leaders. */
export function compareBallots(a: Ballot, b: Ballot): number {
  return a.round - b.round || compareBytes(a.leader, b.leader);
}

/** Whether both are the same ballot. */
export function isSameBallot(a: Ballot, b: Ballot | undefined): boolean {
  return b !== undefined && a.round === b.round && a.leader === b.leader;
}

/** The members of a configuration, in the order of their ballots in one round. */
export function inOrder(members: readonly DeepReadonly<Member>[]): Member[] {
  return [...members].sort((a, b) => compareBytes(a.agent, b.agent));
}

/**
 * A ballot as clients know it: a number that grows with it, of which the remainder by the size of the group says whose
 * it is. So the clients of a group need not know which protocol keeps it together.
 */
export function viewOf(ballot: Ballot, members: readonly DeepReadonly<Member>[]): number {
  const index = members.findIndex(({ agent }) => agent === ballot.leader);
  // The first ballot of the first member is view 0, as is the time before it: whoever knows nothing asks that one.
  return Math.max(0, ballot.round - 1) * members.length + Math.max(0, index);
}
