// What a node knows of the lease. It is plain data, so that any agent can keep it as a part of its own state; nothing
// of it is ever on a disk.

import type { AgentId } from "../../core/id.ts";
import type { Ballot } from "./protocol.ts";

/** The lease that an acceptor has accepted, until a moment of its own clock. */
export interface AcceptedLease {
  readonly ballot: Ballot;
  readonly until: number;
}

/** Section 3: who votes. */
export interface Acceptor {
  /** From when on it votes, by its own clock: section 3. */
  votesAt: number;
  /** The highest ballot that it has promised or accepted. Not below that of `accepted`. */
  promised: Ballot | undefined;
  /** When it last promised a ballot to another node, if it ever has. */
  rivalAt: number | undefined;
  /** Whose lease it holds. What is over is as good as none. */
  accepted: AcceptedLease | undefined;
}

/** One try to get the lease. */
export interface Attempt {
  readonly ballot: Ballot;
  /** When the prepare requests were sent: the lease is counted from here. */
  readonly askedAt: number;
  /** When it is given up if it has come to nothing. */
  endsAt: number;
  /** Whether the lease was owned already when it began. */
  readonly renews: boolean;
  phase: "prepare" | "propose";
  /** Who has answered that it is open, and who has accepted. Each acceptor at most once. */
  open: readonly AgentId[];
  accepted: readonly AgentId[];
  /** Who holds another's lease, and for how long yet. */
  readonly held: Map<AgentId, number>;
  readonly refused: Set<AgentId>;
}

/** A lease that is owned, until a moment of the owner's clock. */
export interface OwnedLease {
  readonly ballot: Ballot;
  readonly until: number;
}

/** Section 3: who wants the lease. */
export interface Proposer {
  wants: boolean;
  /** Tells this start of the node from all others. */
  life: number;
  /** The highest number of a ballot that it has used or heard of. */
  number: number;
  /** When it asks next, if it wants the lease and is not asking already. */
  nextAt: number;
  /** Whether its last attempt got the lease. */
  won: boolean;
  /** Attempts that others have thwarted, since one got the lease or met another's. */
  thwarted: number;
  attempt: Attempt | undefined;
  /** Of this life. What is over is as good as none. */
  owned: OwnedLease | undefined;
}

/** All that a node knows of the lease. */
export interface LeaseState {
  readonly acceptor: Acceptor;
  readonly proposer: Proposer;
}

/** The state before the node has started. */
export function newLeaseState(): LeaseState {
  return {
    acceptor: { votesAt: Infinity, promised: undefined, rivalAt: undefined, accepted: undefined },
    proposer: {
      wants: false,
      life: 0,
      number: 0,
      nextAt: 0,
      won: false,
      thwarted: 0,
      attempt: undefined,
      owned: undefined,
    },
  };
}

/** Whether two ballots are the same one. */
export function isSame(a: Ballot, b: Ballot): boolean {
  return a.number === b.number && isSameProposer(a, b);
}

/** Whether two ballots are of the same start of the same node. */
export function isSameProposer(a: Omit<Ballot, "number">, b: Omit<Ballot, "number">): boolean {
  return a.node === b.node && a.life === b.life;
}

/** Whether `a` is higher than `b`: any total order will do, as long as all have the same. */
export function isHigher(a: Ballot, b: Ballot): boolean {
  if (a.number !== b.number) return a.number > b.number;
  return a.node === b.node ? a.life > b.life : a.node > b.node;
}
