// The rules of Gobby's servers and clients that need nothing but their arguments. A test replaces one to see who notices.
//
// What is never broken is held by these: only the master of the latest term changes anything (`isCurrent`), and answers
// only while it owns the lease (`mayAnswer`); a request is carried out once (`remember`); a client takes its session for
// over before any master does (`countedFrom`, `countedMs`, `mayProlong`, `timeUnderNewMaster`); whoever watches goes on
// exactly where it was (`resumesFrom`, `isNews`), and no further than it wants to
// (`endsWhenTold`).

import type { Json } from "../../core/data.ts";
import { leaseRules } from "../lease/rules.ts";
import { type Mark, remember, type Sessions } from "../machine/sessions.ts";

const million = 1_000_000;

/** The rules that servers, clients and the replicated machine are made with. */
export type GobbyRules = typeof gobbyRules;

/** See the top of this file. */
export const gobbyRules = {
  /** Whether the group carries out what a master of `term` asks for. A lease keeps time; this needs no clock. */
  isCurrent(term: number, current: number): boolean {
    return term === current;
  },

  /** Notes down what came of a request, so that it is not carried out again. */
  remember(clients: Sessions, mark: Mark, result: Json): void {
    remember(clients, mark, result);
  },

  /** Whether a server may answer as master at this very moment. */
  mayAnswer(ownsLease: boolean): boolean {
    return ownsLease;
  },

  /** Whether a server may answer a read from its replica's copy at this very moment. */
  mayRead(isMaster: boolean): boolean {
    return isMaster;
  },

  /**
   * Whether the master of `term` answers from a state that is in the term `found`. From an earlier one it must not; a
   * later one says that it is the master no more, which the lease has made impossible.
   */
  isOfTerm(found: number, term: number): boolean {
    return found === term;
  },

  /**
   * Since when a state is up to date that is as far as the master said that it was. The master may have said so long
   * before that was heard, but not before it was asked.
   */
  freshSince(askedAt: number, _answeredAt: number): number {
    return askedAt;
  },

  /** How long something has lasted at most for which a clock shows `ms`, and which may be slow: in whole milliseconds. */
  lastedMs(ms: number, clockDriftPpm: number): number {
    return Math.ceil(ms * million / (million - clockDriftPpm));
  },

  /** Whether a state that is at `place` of the log has all that happened up to `known`. */
  includes(place: number, known: number): boolean {
    return place >= known;
  },

  /**
   * Whether the master may prolong a session by itself. Not once its expiry is asked for: that may be carried out even
   * if nobody was told so, and only a new renewal number keeps it from hitting a session that is told to live.
   */
  mayProlong(expiryAskedFor: boolean): boolean {
    return !expiryAskedFor;
  },

  /** How long a new master gives a session: its full time, whatever was left of it under the last one, who told nobody. */
  timeUnderNewMaster(ms: number): number {
    return ms;
  },

  /**
   * From when on a client counts its session. The master counts from when a keep-alive reaches it, which is not before
   * it was sent.
   */
  countedFrom(sentAt: number, _answeredAt: number): number {
    return sentAt;
  },

  /** For how long: the master's clock may be fast and the client's slow, as with a lease. */
  countedMs(ttlMs: number, clockDriftPpm: number): number {
    return leaseRules.countedMs(ttlMs, clockDriftPpm);
  },

  /** From which revision on a watch goes on at another master, `next` being the first that was not delivered. */
  resumesFrom(next: number): number | null {
    return next;
  },

  /** Whether a watch that has all before `next` has not been told of a revision: masters send again what may be lost. */
  isNews(revision: number, next: number): boolean {
    return revision >= next;
  },

  /** Whether a watch is over when it was told the events of one revision. */
  endsWhenTold(oneShot: boolean): boolean {
    return oneShot;
  },

  /** The fencing token of a grant: its revision, which only grows, and no clock. */
  tokenOf(token: number, _now: number): number {
    return token;
  },
};
