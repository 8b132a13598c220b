// What must be timed, and what to ask for when the time is over. Events begin deadlines; a new master begins all that
// are in the state, each with its full time again. A deadline whose cause has gone is refused, and harms nobody.

import type { GobbyEvent } from "./machine_event.ts";
import type { GobbyOperation } from "./machine_operation.ts";
import type { GobbyView } from "./machine_state.ts";

/** Something to ask for after a time. */
export interface Deadline {
  readonly ms: number;
  readonly operation: GobbyOperation;
}

/** The deadline that an event begins, under a master of `term`. */
export function deadlineOf(event: GobbyEvent, term: number): Deadline | undefined {
  switch (event.kind) {
    case "keyStored": {
      const { key, modifyRevision, ttlMs } = event.entry;
      return ttlMs === null ? undefined : keyDeadline(key, modifyRevision, ttlMs);
    }
    case "sessionOpened":
      return sessionDeadline(event.session, 0, term, event.ttlMs);
    case "sessionRenewed":
      return sessionDeadline(event.session, event.renewal, term, event.ttlMs);
    case "waitBegun":
      return waitDeadline(event.key, event.ticket, event.waitMs);
    case "lockDelayBegun":
      return delayDeadline(event.key, event.token, event.delayMs);
    default:
      return undefined;
  }
}

/** Every deadline of a state, for a new master. */
export function deadlinesOf({ sessions, entries, locks, term }: GobbyView): Deadline[] {
  const deadlines: Deadline[] = [];
  for (const [session, { renewal, ttlMs }] of sessions) {
    deadlines.push(sessionDeadline(session, renewal, term, ttlMs));
  }
  for (const [key, { modifyRevision, ttlMs }] of entries) {
    if (ttlMs !== null) deadlines.push(keyDeadline(key, modifyRevision, ttlMs));
  }
  for (const [key, { queue, delay }] of locks) {
    for (const [ticket, { waitMs }] of queue) deadlines.push(waitDeadline(key, ticket, waitMs));
    if (delay !== null) deadlines.push(delayDeadline(key, delay.token, delay.delayMs));
  }
  return deadlines;
}

function sessionDeadline(session: number, renewal: number, term: number, ms: number): Deadline {
  return { ms, operation: { kind: "expireSession", session, renewal, term } };
}

function keyDeadline(key: string, modifyRevision: number, ms: number): Deadline {
  return { ms, operation: { kind: "expireKey", key, modifyRevision } };
}

function waitDeadline(key: string, ticket: number, ms: number): Deadline {
  return { ms, operation: { kind: "cancelWait", key, ticket } };
}

function delayDeadline(key: string, token: number, ms: number): Deadline {
  return { ms, operation: { kind: "endLockDelay", key, token } };
}
