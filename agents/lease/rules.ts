// The rules of the protocol that need nothing but their arguments, one function each. A lease is made with a set of
// them, so that a test can break a single rule and see whether anybody notices.
//
// Why there is one owner at a time. Say two nodes own the lease at one moment. Each was accepted by a majority, so that
// one acceptor has accepted both, first b and later c. It accepted b after b's owner had asked, and holds it for the
// full time by its own clock (`isOver`), while the owner counts from the asking, and counts less (`countedFrom`,
// `countedMs`): so the acceptor holds b until b's owner owns it no more. Meanwhile it accepts no other (`mayReplace`),
// and if it crashes it is silent until no lease that it may have forgotten is owned (`firstVoteAt`).

import type { AgentId } from "../../core/id.ts";
import type { Ballot } from "./protocol.ts";
import { type AcceptedLease, type Attempt, isHigher, isSameProposer } from "./state.ts";

/** The rules that a lease is made with. */
export type LeaseRules = typeof leaseRules;

const million = 1_000_000;

/** The rules of the protocol. */
export const leaseRules = {
  /** Section 4: any two majorities share an acceptor. */
  majority(nodes: number): number {
    return Math.floor(nodes / 2) + 1;
  },

  /**
   * For how long the owner may count on a lease of `leaseMs`, by its own clock.
   *
   * A clock within the drift bound d shows between (1 - d) t and (1 + d) t while a time t truly passes. An acceptor's
   * may be fast, and let the lease end after leaseMs / (1 + d) of true time; the owner's may be slow, and take that for
   * leaseMs (1 - d) / (1 + d). Section 4 leaves the error of clocks aside.
   */
  countedMs(leaseMs: number, clockDriftPpm: number): number {
    return Math.floor(leaseMs * (million - clockDriftPpm) / (million + clockDriftPpm));
  },

  /**
   * From when on the owner counts its lease, `now` being when a majority has accepted it.
   *
   * In step 3 of section 3 the timer starts before the propose requests are sent, and so before any acceptor's does.
   * Here it starts earlier still, with the prepare requests: what an acceptor has answered to those then expires with
   * the attempt, and is not used any more when that acceptor may have crashed and forgotten what it answered.
   */
  countedFrom({ askedAt }: Pick<Attempt, "askedAt" | "renews">, _now: number): number {
    return askedAt;
  },

  /**
   * Section 3: an acceptor that has started knows nothing of what it had promised and accepted, so it takes no part
   * for one maximum lease. Nobody asks for a longer one, so by then all are over that it may have forgotten. It cannot
   * know whether this is its first start, and has no disk to tell it.
   *
   * Forgotten and live: a lease that was accepted before the crash, by a clock as fast as this one may be now, is
   * counted for less than leaseMs / (1 + d) of true time from then on; this acceptor is silent for at least
   * maxLeaseMs / (1 + d) from later on.
   */
  firstVoteAt(startedAt: number, maxLeaseMs: number): number {
    return startedAt + maxLeaseMs;
  },

  /**
   * Section 6: whether an acceptor that holds a lease is open for `ballot` all the same, since it holds it for the very
   * same proposer, in the same life.
   */
  isOpen(accepted: Ballot, ballot: Ballot): boolean {
    return isSameProposer(accepted, ballot);
  },

  /** Section 3, step 2: an acceptor answers a prepare request only if it has promised no higher ballot. */
  mayPromise(promised: Ballot | undefined, ballot: Ballot): boolean {
    return promised === undefined || !isHigher(promised, ballot);
  },

  /** Section 3, step 2: what an acceptor has promised once it has answered `ballot`, or accepted it. */
  promisedAfter(promised: Ballot | undefined, ballot: Ballot): Ballot | undefined {
    return promised !== undefined && isHigher(promised, ballot) ? promised : ballot;
  },

  /** Section 3, step 4: an acceptor accepts nothing below what it has promised. */
  mayAccept(promised: Ballot | undefined, ballot: Ballot): boolean {
    return promised === undefined || !isHigher(promised, ballot);
  },

  /**
   * Whether an acceptor that holds a lease which is not over may accept `ballot` in its place: only from the very
   * proposer that it holds it for, in the same life.
   *
   * The paper's acceptor accepts whatever its promise allows. A propose request that is on its way for longer than a
   * maximum lease then overrides the lease of another, at an acceptor that has crashed and forgotten its promise
   * meanwhile, and is taken by its sender for a lease of its own that it may extend (Trencseni, "PaxosLease Revisited").
   * Nor may a node that has started anew: its earlier life's requests and releases may still be on their way.
   *
   * Section 5 needs the overriding for its liveness: proposals that failed must not block those who come after. Here a
   * proposer releases what some have accepted of an attempt that it gives up; where that is lost, they wait for one lease.
   */
  mayReplace(accepted: Ballot, ballot: Ballot): boolean {
    return isSameProposer(accepted, ballot);
  },

  /** Section 3, step 4: until when an acceptor holds a lease that it accepts `now`. One that is renewed ends no earlier. */
  acceptedUntil(now: number, leaseMs: number, before: AcceptedLease | undefined): number {
    return Math.max(now + leaseMs, before?.until ?? 0);
  },

  /** Section 3, step 4: whether the lease that an acceptor holds is over, which no other clock can tell. */
  isOver({ until }: Pick<AcceptedLease, "until">, now: number): boolean {
    return now >= until;
  },

  /**
   * The acceptors that have answered so, `from` included. Links may deliver an answer twice, and two answers of one
   * acceptor are not two acceptors.
   */
  countAnswer(answered: readonly AgentId[], from: AgentId): readonly AgentId[] {
    return answered.includes(from) ? answered : [...answered, from];
  },

  /**
   * Section 7: whether an acceptor forgets the lease `accepted` because a proposer gives up what it has by `released`
   * and earlier ballots of its life. A release that is late finds the lease of another, or a later one.
   */
  isReleased(accepted: Ballot, released: Ballot): boolean {
    return isSameProposer(accepted, released) && accepted.number <= released.number;
  },
};
