// The client table: what makes a request execute at most once, however often it is sent. It is part of the
// replicated state: the same log gives the same table on every replica.
//
// A client opens a session through the log before its first request. The session's number is the position of that
// entry, so that no two sessions ever have the same, and a session that was forgotten to keep the table small can
// never be taken for a new one: its requests are refused rather than executed a second time.

import type { DeepReadonly, Json } from "../../core/data.ts";

/** What is remembered of a client. */
export interface Session {
  /** Which start of the client opened it; a later start replaces it. */
  readonly incarnation: number;
  /** The position in the log of the entry that opened it. */
  readonly session: number;
  /** The number of the client's latest request that was executed; 0 for none. */
  readonly request: number;
  /** What came of that request. */
  readonly result: Json;
}

/** The client table: the latest request of each client. The client that was longest idle stands first. */
export type Sessions = Map<string, Session>;

/** What tells a request from all others. */
export interface Mark {
  readonly client: string;
  readonly session: number;
  /** From 1, and larger with every request of a session; a client awaits one answer at a time. */
  readonly request: number;
}

/** How a request stands to what was executed before. */
export type Verdict =
  /** It was not executed. */
  | { readonly kind: "fresh" }
  /** It is the latest that was executed, and this came of it. */
  | { readonly kind: "repeated"; readonly result: Json }
  /** A later one of the same session was executed; nobody waits for its answer. */
  | { readonly kind: "stale" }
  /** Its session is not known: it was replaced, or forgotten. */
  | { readonly kind: "expired" };

/** What came of opening a session. */
export type Opening =
  | { readonly kind: "opened"; readonly session: number }
  /** A later start of the same client has opened one. */
  | { readonly kind: "outlived"; readonly incarnation: number };

/** How many clients are remembered. */
export const sessionsMax = 10_000;

/** Judges a request by the table. */
export function judge(sessions: DeepReadonly<Sessions>, mark: Mark): Verdict {
  const known = sessions.get(mark.client);
  if (known === undefined || known.session !== mark.session) return { kind: "expired" };
  if (mark.request > known.request) return { kind: "fresh" };
  if (mark.request < known.request) return { kind: "stale" };
  return { kind: "repeated", result: known.result };
}

/** Notes down what came of a fresh request. */
export function remember(sessions: Sessions, mark: Mark, result: Json): void {
  const known = sessions.get(mark.client);
  if (known === undefined) return;
  // To the end of the table, so that those at its start are the ones that were longest idle.
  sessions.delete(mark.client);
  sessions.set(mark.client, { ...known, request: mark.request, result });
}

/**
 * Opens a session for a client, by the entry at `position` of the log. The same start of a client gets the same
 * session however often it asks.
 */
export function open(
  sessions: Sessions,
  client: string,
  incarnation: number,
  position: number,
): Opening {
  const known = sessions.get(client);
  if (known !== undefined && known.incarnation > incarnation) {
    return { kind: "outlived", incarnation: known.incarnation };
  }
  if (known !== undefined && known.incarnation === incarnation) {
    return { kind: "opened", session: known.session };
  }
  sessions.delete(client);
  sessions.set(client, { incarnation, session: position, request: 0, result: null });
  if (sessions.size > sessionsMax) {
    const [idle] = sessions.keys();
    if (idle !== undefined) sessions.delete(idle);
  }
  return { kind: "opened", session: position };
}
