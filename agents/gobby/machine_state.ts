// The state of Gobby: plain data, its own snapshot. It knows no time: only how long things last, never until when.

import type { DeepReadonly } from "../../core/data.ts";
import type { GobbyEvent, KeyEntry } from "./machine_event.ts";
import type { LockMode } from "./machine_operation.ts";

/** The state of Gobby. */
export interface GobbyState {
  /** The number of the latest change; 0 for none. It only grows, and tokens, tickets and sessions are named by it. */
  revision: number;
  /** Counts masters. */
  term: number;
  /** Who is master in this term, for people to read. */
  master: string;
  readonly entries: Map<string, KeyEntry>;
  /** The keys of `entries` in order, in blocks; see machine_order.ts. */
  readonly order: string[][];
  /** The characters of all entries, overhead included. */
  storeLength: number;
  /** By the revision that opened it, so that no two sessions ever have the same number. */
  readonly sessions: Map<number, Session>;
  /** The locks that are held, awaited or closed, by key; of others nothing need be known. */
  readonly locks: Map<string, Lock>;
  /** How many holders and waiters all locks have. */
  claims: number;
  readonly history: History;
}

/** What is known of a session. */
export interface Session {
  readonly client: string;
  readonly ttlMs: number;
  /** How often it was renewed. */
  renewal: number;
  /** Its ephemeral keys. */
  readonly keys: Set<string>;
  /** The locks that it holds or waits for, each with its token or ticket. */
  readonly claims: Map<string, number>;
}

/** What is known of a lock. */
export interface Lock {
  /** By token: one exclusive holder, or any number of shared ones. */
  readonly holders: Map<number, Holder>;
  /** By ticket, the longest waiting first. The first cannot be granted, or would be. */
  readonly queue: Map<number, Waiter>;
  /** Set while nobody may get the lock, since the session that held it under `token` expired. */
  delay: { readonly token: number; readonly delayMs: number } | null;
}

/** A session that holds a lock. */
export interface Holder {
  readonly session: number;
  readonly mode: LockMode;
  /** How long the lock stays closed if the session expires; 0 for not at all. */
  readonly lockDelayMs: number;
}

/** A session that waits for a lock. */
export interface Waiter extends Holder {
  readonly waitMs: number;
}

/** The latest events. */
export interface History {
  /** By growing revision; at least one for each from `oldest` on. */
  readonly events: GobbyEvent[];
  /** The characters of all events, overhead included. */
  length: number;
  /** The first revision of which all events are there; one after the latest if there are none. */
  oldest: number;
}

/** A state that is only looked at. */
export type GobbyView = DeepReadonly<GobbyState>;

/** A state in which nothing has happened. */
export function initialState(): GobbyState {
  return {
    revision: 0,
    term: 0,
    master: "",
    entries: new Map(),
    order: [],
    storeLength: 0,
    sessions: new Map(),
    locks: new Map(),
    claims: 0,
    history: { events: [], length: 0, oldest: 1 },
  };
}
