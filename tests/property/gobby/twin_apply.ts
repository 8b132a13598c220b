// What comes of an operation that deserves no refusal, by looking through lists.

import { entryOverhead } from "../../../agents/gobby/machine_limits.ts";
import type {
  Gobby,
  GobbyEvent,
  GobbyLimits,
  GobbyOperation,
  GobbyResult,
  SessionEnd,
  StepResult,
  TransactionStep,
} from "../../../agents/gobby/machine_types.ts";
import {
  admits,
  type Claim,
  claimOf,
  claimsOf,
  cost,
  find,
  isTrue,
  keysIn,
  sum,
  type Twin,
} from "./twin.ts";

/** Carries out an operation that deserves no refusal. */
export function applyToTwin(twin: Twin, op: GobbyOperation, limits: GobbyLimits): GobbyResult {
  const revision = twin.revision + 1;
  switch (op.kind) {
    case "get":
    case "range":
    case "put":
    case "delete":
      return carryOut(twin, op, revision, { length: limits.answerLength });
    case "deleteRange": {
      const keys = keysIn(twin, op.range);
      const gone = keys.slice(0, op.limit);
      for (const key of gone) remove(twin, key, "deleted", revision);
      const more = gone.length < keys.length;
      return { kind: "deleted", revision: twin.revision, count: gone.length, more };
    }
    case "transaction": {
      const succeeded = op.if.every((each) => isTrue(twin, each));
      const budget = { length: limits.answerLength };
      const results = (succeeded ? op.then : op.else)
        .map((step) => carryOut(twin, step, revision, budget));
      return { kind: "transaction", revision: twin.revision, succeeded, results };
    }
    case "expireKey":
      remove(twin, op.key, "expired", revision);
      return { kind: "keyExpired", revision };
    case "events":
      return eventsOf(twin, op, limits);
    case "beginTerm":
      twin.master = op.master;
      twin.term++;
      note(twin, { kind: "termBegun", revision, term: twin.term, master: op.master });
      return { kind: "termBegun", revision, term: twin.term };
    case "compact":
      twin.oldest = Math.max(twin.oldest, op.revision);
      return { kind: "compacted", oldest: twin.oldest };
    case "status":
      return statusOf(twin);
    case "acquire":
    case "release":
    case "cancelWait":
    case "withdraw":
    case "endLockDelay":
    case "getLock":
      return applyToLock(twin, op, revision, limits);
    default:
      return applyToSession(twin, op, revision);
  }
}

type LockOperation = Gobby<
  "acquire" | "release" | "cancelWait" | "withdraw" | "endLockDelay" | "getLock"
>;

function applyToLock(
  twin: Twin,
  op: LockOperation,
  revision: number,
  limits: GobbyLimits,
): GobbyResult {
  switch (op.kind) {
    case "acquire":
      return acquire(twin, op, revision);
    case "release":
      endClaim(twin, op.key, op.token, "released", revision);
      settle(twin, op.key);
      return { kind: "released", revision };
    case "cancelWait":
      endClaim(twin, op.key, op.ticket, "cancelled", revision);
      settle(twin, op.key);
      return { kind: "waitCancelled", revision };
    case "withdraw": {
      const claim = claimOf(twin, op.key, op.session);
      const held = claim?.held ?? false;
      endClaim(twin, op.key, claim?.number ?? 0, held ? "released" : "cancelled", revision);
      settle(twin, op.key);
      return { kind: held ? "released" : "waitCancelled", revision };
    }
    case "endLockDelay": {
      const { key, token } = op;
      twin.delays = twin.delays.filter((each) => each.key !== key);
      note(twin, { kind: "lockDelayEnded", revision, key, token });
      settle(twin, key);
      return { kind: "lockDelayEnded", revision };
    }
    case "getLock": {
      const holders = claimsOf(twin, op.key, true);
      const waiters = claimsOf(twin, op.key, false);
      const delay = twin.delays.find(({ key }) => key === op.key);
      return {
        kind: "lock",
        revision: twin.revision,
        holders: holders.slice(0, limits.answers)
          .map(({ session, number: token, mode }) => ({ session, token, mode })),
        waiters: waiters.slice(0, limits.answers)
          .map(({ session, number: ticket, mode }) => ({ session, ticket, mode })),
        holderCount: holders.length,
        waiterCount: waiters.length,
        delay: delay === undefined ? null : { token: delay.token, delayMs: delay.delayMs },
      };
    }
  }
}

function acquire(
  twin: Twin,
  { key, session, mode, waitMs, lockDelayMs = 0 }: Gobby<"acquire">,
  revision: number,
): GobbyResult {
  const mine = claimOf(twin, key, session);
  const waiters = claimsOf(twin, key, false);
  if (mine?.held) return { kind: "acquired", token: mine.number };
  if (mine !== undefined) {
    return { kind: "waiting", ticket: mine.number, ahead: waiters.indexOf(mine) };
  }
  const isFree = waiters.length === 0 && admits(twin, key, mode);
  const claim = { key, session, mode, waitMs, lockDelayMs, number: revision, held: false };
  twin.claims.push(claim);
  if (isFree) {
    grant(twin, claim, null);
    return { kind: "acquired", token: revision };
  }
  note(twin, { kind: "waitBegun", revision, key, session, ticket: revision, mode, waitMs });
  return { kind: "waiting", ticket: revision, ahead: waiters.length };
}

function grant(twin: Twin, claim: Claim, ticket: number | null): void {
  const token = twin.revision + 1;
  const { key, session, mode } = claim;
  claim.number = token;
  claim.held = true;
  note(twin, { kind: "lockGranted", revision: token, key, session, token, mode, ticket });
}

function settle(twin: Twin, key: string): void {
  for (;;) {
    const [first] = claimsOf(twin, key, false);
    if (first === undefined || !admits(twin, key, first.mode)) return;
    grant(twin, first, first.number);
  }
}

function endClaim(
  twin: Twin,
  key: string,
  number: number,
  how: "released" | "cancelled" | SessionEnd,
  revision: number,
): void {
  const claim = twin.claims.find((each) => each.key === key && each.number === number);
  if (claim === undefined) return;
  const { session, lockDelayMs } = claim;
  twin.claims = twin.claims.filter((each) => each !== claim);
  if (!claim.held) {
    if (how === "released") throw new Error("who waits has nothing to release");
    note(twin, { kind: "waitEnded", revision, key, session, ticket: number, how });
    return;
  }
  if (how === "cancelled") throw new Error("who holds a lock waits no more");
  note(twin, { kind: "lockReleased", revision, key, session, token: number, how });
  if (how !== "expired" || lockDelayMs === 0) return;
  const earlier = twin.delays.find((each) => each.key === key)?.delayMs ?? 0;
  const delay = { key, token: number, delayMs: Math.max(earlier, lockDelayMs) };
  twin.delays = [...twin.delays.filter((each) => each.key !== key), delay];
  note(twin, { kind: "lockDelayBegun", revision, ...delay });
}

type SessionOperation = Gobby<
  "openSession" | "renewSession" | "getSession" | "closeSession" | "expireSession"
>;

function applyToSession(twin: Twin, op: SessionOperation, revision: number): GobbyResult {
  if (op.kind === "openSession") {
    const { client, ttlMs } = op;
    twin.sessions.push({ session: revision, client, ttlMs, renewal: 0 });
    note(twin, { kind: "sessionOpened", revision, session: revision, client, ttlMs });
    return sessionOf(twin, revision);
  }
  const { session } = op;
  switch (op.kind) {
    case "renewSession":
      for (const known of twin.sessions.filter((each) => each.session === session)) {
        const { ttlMs } = known;
        const renewal = ++known.renewal;
        note(twin, { kind: "sessionRenewed", revision, session, renewal, ttlMs });
      }
      return sessionOf(twin, session);
    case "getSession":
      return sessionOf(twin, session);
    case "closeSession":
      return endSession(twin, session, "closed", revision);
    case "expireSession":
      return endSession(twin, session, "expired", revision);
  }
}

function sessionOf(twin: Twin, session: number): GobbyResult {
  const known = twin.sessions.find((each) => each.session === session);
  if (known === undefined) throw new Error("a session that was not refused is known");
  const keys = twin.entries.filter((each) => each.session === session).length;
  const locks = twin.claims.filter((each) => each.session === session).length;
  return { kind: "session", revision: twin.revision, ...known, keys, locks };
}

function endSession(twin: Twin, session: number, how: SessionEnd, revision: number): GobbyResult {
  const claims = twin.claims.filter((each) => each.session === session);
  for (const { key } of twin.entries.filter((each) => each.session === session)) {
    remove(twin, key, "sessionEnded", revision);
  }
  for (const { key, number } of claims) endClaim(twin, key, number, how, revision);
  twin.sessions = twin.sessions.filter((each) => each.session !== session);
  note(twin, { kind: "sessionEnded", revision, session, how });
  for (const { key } of claims) settle(twin, key);
  return { kind: "sessionEnded", revision };
}

function carryOut(
  twin: Twin,
  step: TransactionStep,
  revision: number,
  budget: { length: number },
): StepResult {
  switch (step.kind) {
    case "get":
      return { kind: "entry", revision: twin.revision, entry: find(twin, step.key) ?? null };
    case "range":
      return rangeOf(twin, step, budget);
    case "delete": {
      const count = remove(twin, step.key, "deleted", revision);
      return { kind: "deleted", revision: twin.revision, count, more: false };
    }
    case "put": {
      const { key, value } = step;
      const found = find(twin, key);
      const version = (found?.version ?? 0) + 1;
      const entry = {
        key,
        value,
        createRevision: found?.createRevision ?? revision,
        modifyRevision: revision,
        version,
        session: step.session ?? null,
        ttlMs: step.ttlMs ?? null,
      };
      twin.entries = [...twin.entries.filter((each) => each.key !== key), entry];
      note(twin, { kind: "keyStored", revision, entry });
      return { kind: "stored", revision, version };
    }
  }
}

function remove(
  twin: Twin,
  key: string,
  how: "deleted" | "expired" | "sessionEnded",
  revision: number,
): number {
  if (find(twin, key) === undefined) return 0;
  twin.entries = twin.entries.filter((each) => each.key !== key);
  note(twin, { kind: "keyDeleted", revision, key, how });
  return 1;
}

function rangeOf(
  twin: Twin,
  { range, limit, after, keysOnly }: Extract<TransactionStep, { kind: "range" }>,
  budget: { length: number },
): StepResult {
  const { revision } = twin;
  const all = keysIn(twin, range);
  const later = all.filter((key) => after === undefined || key > after);
  const entries = [];
  for (const entry of later.slice(0, limit).flatMap((key) => find(twin, key) ?? [])) {
    const price = keysOnly ? entry.key.length + entryOverhead : cost(entry);
    if (entries.length > 0 && price > budget.length) break;
    budget.length -= price;
    entries.push(entry);
  }
  const rest = { count: all.length, more: entries.length < later.length };
  if (keysOnly) return { kind: "keys", revision, keys: entries.map(({ key }) => key), ...rest };
  return { kind: "entries", revision, entries, ...rest };
}

function note(twin: Twin, event: GobbyEvent): void {
  twin.revision = event.revision;
  twin.events.push(event);
}

function keyOf(event: GobbyEvent): string | undefined {
  return event.kind === "keyStored" ? event.entry.key : "key" in event ? event.key : undefined;
}

function eventsOf(
  twin: Twin,
  { target, from, limit }: Gobby<"events">,
  limits: GobbyLimits,
): GobbyResult {
  const found = twin.events.filter((event) => {
    if (event.revision < from) return false;
    if (target.kind === "all") return true;
    if (target.kind === "session") {
      const { session = 0 } = { ...event, ...(event.kind === "keyStored" ? event.entry : {}) };
      return session === target.session;
    }
    const key = keyOf(event);
    if (key === undefined) return false;
    if (target.only === "keys" && !event.kind.startsWith("key")) return false;
    if (target.only === "locks" && event.kind.startsWith("key")) return false;
    return target.kind === "key" ? key === target.key : key.startsWith(target.prefix);
  });
  const told: GobbyEvent[] = [];
  const price = (event: GobbyEvent) =>
    event.kind === "keyStored" ? cost(event.entry) : (keyOf(event)?.length ?? 0) + entryOverhead;
  for (const event of found) {
    const isFull = told.length >= limit || sum(told.map(price)) >= limits.answerLength;
    if (isFull && told.at(-1)?.revision !== event.revision) {
      return { kind: "events", events: told, next: event.revision };
    }
    told.push(event);
  }
  return { kind: "events", events: told, next: Math.max(from, twin.revision + 1) };
}

function statusOf(twin: Twin): GobbyResult {
  const { revision, oldest, term, master, claims } = twin;
  return {
    kind: "status",
    revision,
    oldest,
    term,
    master,
    keys: twin.entries.length,
    length: sum(twin.entries.map(cost)),
    sessions: twin.sessions.length,
    locks: new Set([...claims, ...twin.delays].map(({ key }) => key)).size,
    claims: claims.length,
    events: twin.events.filter((event) => event.revision >= oldest).length,
  };
}
