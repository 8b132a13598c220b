// How a program's session stands. The agent inside counts it by the program's own clock, so that a program knows that
// its session is over before anybody else may act on it.

import { SessionError } from "./gobby_error.ts";

/** How a session stands. */
export type SessionState = "safe" | "jeopardy" | "lost" | "closed";

/** What is known of one session, for all that hang on it. */
export interface SessionRecord {
  readonly number: number;
  readonly ttlMs: number;
  state: SessionState;
  /** Aborts when it is over. */
  readonly end: AbortController;
}

/** A session of a {@linkcode GobbyClient}, kept alive until the client is closed. */
export class GobbySession {
  readonly #record: SessionRecord;
  readonly #doubt = new AbortController();

  constructor(record: SessionRecord) {
    this.#record = record;
  }

  /** The session's number. */
  get number(): number {
    return this.#record.number;
  }

  /** How long the program may be silent before its session is over. */
  get ttlMs(): number {
    return this.#record.ttlMs;
  }

  /** How it stands now. From `jeopardy` it may become `safe` again. */
  get state(): SessionState {
    return this.#record.state;
  }

  /** Whether it is over: all that hung on it is gone. */
  get over(): boolean {
    return this.state === "lost" || this.state === "closed";
  }

  /**
   * Aborts at once when the session is in doubt, lost or closed; its reason is a {@linkcode SessionError}, which says
   * which. It stays aborted: for a session that is safe again, ask the client for it again.
   */
  get signal(): AbortSignal {
    return this.#doubt.signal;
  }

  /** Aborts when it is over, and not while it is but in doubt. */
  get ended(): AbortSignal {
    return this.#record.end.signal;
  }

  /** Says that it is not safe. Not for users. */
  warn(state: "jeopardy" | "lost" | "closed"): void {
    if (!this.signal.aborted) this.#doubt.abort(new SessionError(state, this.number));
  }
}
