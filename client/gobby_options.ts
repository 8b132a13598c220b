// What may be said beside an operation of Gobby.

import type { Comparison, KeyEntry, TransactionStep } from "../agents/gobby/machine_types.ts";
import type { GobbyLock } from "./gobby_lock.ts";

/** How one operation differs from the others. */
export interface GobbyOptions {
  /** Gives up waiting. The operation may have happened, or may still. */
  readonly signal?: AbortSignal;
  /** How long it may take. */
  readonly deadlineMs?: number;
}

/** How something is read that may be old: any server answers, from what it has. */
export interface StaleOptions extends GobbyOptions {
  readonly stale: true;
  /** The oldest that will do; if no server has what is young enough, the master is asked. Default: whatever there is. */
  readonly maxAgeMs?: number;
}

/** What was read, and how old it is. */
export interface Aged {
  /** How old it is at most, in milliseconds: all that was acknowledged before is in it. */
  readonly ageMs: number;
}

/** What a key has, or had. */
export interface AgedEntry extends Aged {
  /** Undefined if the key does not exist. */
  readonly entry: KeyEntry | undefined;
  /** As of which revision. */
  readonly revision: number;
}

/** What a write hangs on. */
export interface WriteOptions extends GobbyOptions {
  /** The lock that must still be held; without it a program that was asleep may write long after it has lost it. */
  readonly fence?: Pick<GobbyLock, "key" | "token">;
  /** The modify revision that the key must have; 0 for a key that must not exist. */
  readonly ifRevision?: number;
}

/** How a key is put. */
export interface PutOptions extends WriteOptions {
  /** It ends with the client's session. */
  readonly ephemeral?: boolean;
  /** It ends so long after this put. */
  readonly ttlMs?: number;
}

/** How a range is read. */
export interface RangeOptions extends GobbyOptions {
  /** At most so many entries in one page; default 1000, the most. */
  readonly limit?: number;
  /** Begins behind this key. */
  readonly after?: string;
}

/** A transaction: if all comparisons are true then these steps, else those; all at once, or nothing. */
export interface Transaction {
  readonly if?: readonly Comparison[];
  readonly then?: readonly TransactionStep[];
  readonly else?: readonly TransactionStep[];
}
