// The rules of the protocol that need nothing but their arguments, one function each. A member is made with a set of
// them, so that a test can break a single rule and see whether anybody notices.

import type { DeepReadonly } from "../../core/data.ts";
import { judge, type Mark, remember } from "../machine/sessions.ts";
import { type Ballot, compareBallots, isSameBallot } from "./ballot.ts";
import type { PValue, Value } from "./protocol.ts";
import type { PaxosRecord, Poll } from "./state.ts";

/** The rules that a member is made with. */
export type PaxosRules = typeof paxosRules;

/** The rules of the protocol. */
export const paxosRules = {
  /** Section 2.2: any two quorums of a configuration have an acceptor in common. */
  quorum(size: number): number {
    return Math.floor(size / 2) + 1;
  },

  /**
   * Section 2.2: a majority of all acceptors, whoever of them has been asked by now. A set that is still being filled
   * has a majority before it has anybody.
   */
  pollSize({ acceptors }: Poll): number {
    return acceptors.length;
  },

  /** Section 2.2: an acceptor promises a ballot unless it has promised a later one. */
  mayPromise(ballot: Ballot, promised: Ballot): boolean {
    return compareBallots(ballot, promised) >= 0;
  },

  /** Section 2.2: an acceptor accepts in a ballot unless it has promised a later one. */
  mayAccept(ballot: Ballot, promised: Ballot): boolean {
    return compareBallots(ballot, promised) >= 0;
  },

  /** Section 4.3: a promise is on disk before anybody hears of it. */
  promiseRecord(epoch: number, ballot: Ballot): PaxosRecord | undefined {
    return { kind: "promise", epoch, ballot };
  },

  /** Section 4.3: what was accepted survives every start. */
  acceptedAtStart(accepted: Map<number, PValue>): Map<number, PValue> {
    return accepted;
  },

  /**
   * Section 2.2: a leader gives way to a later ballot. An answer of an earlier one was on its way for long, and says
   * nothing.
   */
  isPreempted(own: Ballot, heard: Ballot): boolean {
    return compareBallots(heard, own) > 0;
  },

  /**
   * Sections 2.3 and 2.4: an acceptor promises or accepts if its ballot is the one that it was asked about. One that
   * refuses an earlier ballot of the same leader has that leader's later one for its own, and has not accepted in it.
   */
  isConsent(own: Ballot, { ballot, asked }: { ballot: Ballot; asked: Ballot }): boolean {
    return isSameBallot(own, ballot) && isSameBallot(own, asked);
  },

  /** Section 2.2, pmax: of each slot what was accepted in the latest ballot may have been chosen, and nothing else. */
  latest(known: PValue | undefined, found: PValue): PValue {
    return known === undefined || compareBallots(found.ballot, known.ballot) > 0 ? found : known;
  },

  /**
   * Section 4.2: acceptors forget what they accepted in slots that are decided. A leader proposes nothing before it
   * knows those decisions itself.
   */
  mayLead(decided: number, { decided: forgotten }: { readonly decided: number }): boolean {
    return decided >= forgotten;
  },

  /**
   * Section 2.1: a slot is proposed in only when it lies in the window after what was carried out. So the configuration
   * of the slot is known by then.
   */
  isInWindow(slot: number, executed: number, window: number): boolean {
    return slot <= executed + window;
  },

  /**
   * Section 2.1: a reconfiguration takes effect WINDOW slots later. Those between may have been proposed in the old
   * configuration before anybody knew.
   */
  firstSlotAfter(slot: number, window: number): number {
    return slot + window;
  },

  /**
   * How far a leader says that all is decided, `announced` having been said before. What was said once may be lost, and
   * perhaps no later decision follows.
   */
  announcement(decided: number, _announced: number): number {
    return decided;
  },

  /**
   * The leader of a ballot says that a slot is decided: whether what was accepted there, in `accepted`, is the decision.
   * In its own ballot it has proposed nothing else; what was accepted in another one may have been replaced.
   */
  isDecision(accepted: Ballot | undefined, ballot: Ballot): boolean {
    return isSameBallot(ballot, accepted);
  },

  /** Decisions are taken only where they follow on those that are here. What came twice is cut off. */
  fitting(
    decided: number,
    { after, values }: { readonly after: number; readonly values: DeepReadonly<Value[]> },
  ): DeepReadonly<Value[]> | undefined {
    return after > decided ? undefined : values.slice(decided - after);
  },

  /** Section 3: how much longer to wait after leaders have duelled. */
  increasedBackOff(backOffMs: number, mostMs: number): number {
    return Math.min(2 * backOffMs, mostMs);
  },

  /** Section 3: how much less to wait after a leader has lasted. */
  decreasedBackOff(backOffMs: number, leastMs: number): number {
    return Math.max(backOffMs - leastMs, leastMs);
  },

  /**
   * Section 4.5: a leader may answer a read alone while a quorum, itself included, promises no other ballot. `grants`
   * are the others', by the leader's own clock.
   */
  holdsLease(grants: Iterable<number>, now: number, quorum: number): boolean {
    let others = 0;
    for (const until of grants) if (now < until) others++;
    return others >= quorum - 1;
  },

  /**
   * The incarnation of a member at its very first start, with an empty disk. Only a founder may take itself for the
   * one that the configuration names: any other empty disk may be one that was lost, with promises that others count
   * on.
   */
  firstIncarnation(bootstrap: boolean, drawn: number): number {
    return bootstrap ? 0 : drawn;
  },

  /** Section 2.1: a command is carried out once, in however many slots it is decided. */
  judge,

  /** What came of a command is kept for when it is asked again. */
  remember,

  /** Under which name it is kept who waits for a reply. A client awaits one answer at a time. */
  replyKey({ client }: Mark): string {
    return client;
  },
};
