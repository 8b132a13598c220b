// How a program's session stands. The agent inside counts it by the program's own clock, so that a program knows that
// its session is over before anybody else may act on it.

import { SessionError } from "./gobby_error.ts";

/** How a session stands. */
export type SessionState = "safe" | "jeopardy" | "lost" | "closed";

/** A session of a program: kept alive until its client is closed, unless that fails for too long. */
export interface GobbySession {
  readonly number: number;
  /** How long the program may be silent before its session is over. */
  readonly ttlMs: number;
  /** How it stands now. From `jeopardy` it may become `safe` again. */
  readonly state: SessionState;
  /** Whether it is over: all that hung on it is gone. */
  readonly over: boolean;
  /**
   * Aborts at once when the session is in doubt, lost or closed; its reason is a SessionError, which says which. It stays
   * aborted: for a session that is safe again, ask the client for it again.
   */
  readonly signal: AbortSignal;
  /** Aborts when it is over, and not while it is but in doubt. */
  readonly ended: AbortSignal;
}

/** What is known of one session, for all that hang on it. */
export interface SessionRecord {
  readonly number: number;
  readonly ttlMs: number;
  state: SessionState;
  /** Aborts when it is over. */
  readonly end: AbortController;
}

/** A session from when it is safe to the first doubt. */
export class SafeSession implements GobbySession {
  readonly #record: SessionRecord;
  readonly #doubt = new AbortController();

  constructor(record: SessionRecord) {
    this.#record = record;
  }

  get number(): number {
    return this.#record.number;
  }

  get ttlMs(): number {
    return this.#record.ttlMs;
  }

  get state(): SessionState {
    return this.#record.state;
  }

  get over(): boolean {
    return this.state === "lost" || this.state === "closed";
  }

  get signal(): AbortSignal {
    return this.#doubt.signal;
  }

  get ended(): AbortSignal {
    return this.#record.end.signal;
  }

  /** Says that it is not safe. */
  warn(state: "jeopardy" | "lost" | "closed"): void {
    if (!this.signal.aborted) this.#doubt.abort(new SessionError(state, this.number));
  }
}
