// What comes of the operations of Gobby. A refused operation has changed nothing.

import { z } from "zod";
import { gobbyEvent, keyEntry } from "./machine_event.ts";
import { gobbyLimits, type LimitName } from "./machine_limits.ts";
import { lockMode } from "./machine_operation.ts";

const revision = z.int().min(0);
const key = z.string();
const session = z.int().min(1);
const token = z.int().min(1);
const count = z.int().min(0);
const entries = z.array(keyEntry);

const limitNames = Object.keys(gobbyLimits) as [LimitName, ...LimitName[]];
const refused = z.literal("refused");

/** Why an operation was refused. */
export const refusal = z.discriminatedUnion("why", [
  /** Of the limits that end in `Min`, less than allowed was found; of the others, more. */
  z.strictObject({
    kind: refused,
    why: z.literal("limit"),
    limit: z.enum(limitNames),
    found: z.int(),
    allowed: z.int(),
  }),
  /** The key has another modify revision; 0 for none. */
  z.strictObject({
    kind: refused,
    why: z.literal("revisionDiffers"),
    key,
    wanted: revision,
    found: revision,
  }),
  /** Nobody holds the lock under the token: it was released, or its session ended. */
  z.strictObject({ kind: refused, why: z.literal("fenced"), lock: key, token }),
  z.strictObject({ kind: refused, why: z.literal("writtenTwice"), key }),
  z.strictObject({ kind: refused, why: z.literal("unknownSession"), session }),
  /** A session that holds the lock, its token and mode; there may be more. */
  z.strictObject({ kind: refused, why: z.literal("held"), key, session, token, mode: lockMode }),
  /** The lock is closed after a holder's session expired. */
  z.strictObject({
    kind: refused,
    why: z.literal("delayed"),
    key,
    token,
    delayMs: z.int().min(1),
  }),
  /** The session holds the lock, or waits for it, in another mode. A lock must be released to change its mode. */
  z.strictObject({ kind: refused, why: z.literal("otherMode"), key, mode: lockMode }),
  z.strictObject({ kind: refused, why: z.literal("notHeld"), key, token }),
  z.strictObject({ kind: refused, why: z.literal("notWaiting"), key, ticket: token }),
  /** The session neither holds the lock nor waits for it. */
  z.strictObject({ kind: refused, why: z.literal("notClaimed"), key, session }),
  z.strictObject({ kind: refused, why: z.literal("notDelayed"), key, token }),
  /** The session was renewed since the expiry was decided. */
  z.strictObject({ kind: refused, why: z.literal("renewed"), session, renewal: count }),
  /** There is a later master. */
  z.strictObject({ kind: refused, why: z.literal("staleTerm"), term: count, master: z.string() }),
  /** Events were asked for that are no longer kept; `oldest` is the first revision that is whole. */
  z.strictObject({ kind: refused, why: z.literal("compacted"), from: revision, oldest: revision }),
  /** There is no such revision yet. */
  z.strictObject({ kind: refused, why: z.literal("future"), wanted: revision, revision }),
]);

const readResults = [
  z.strictObject({ kind: z.literal("entry"), revision, entry: keyEntry.nullable() }),
  /** `count` is of all keys in the range; `more` says whether some of them are left for a next page. */
  z.strictObject({ kind: z.literal("entries"), revision, entries, count, more: z.boolean() }),
  z.strictObject({
    kind: z.literal("keys"),
    revision,
    keys: z.array(key),
    count,
    more: z.boolean(),
  }),
] as const;

const stored = z.strictObject({ kind: z.literal("stored"), revision, version: z.int().min(1) });

/** `more` says whether a deleteRange has left keys in its range. */
const deleted = z.strictObject({
  kind: z.literal("deleted"),
  revision,
  count,
  more: z.boolean(),
});

/** What comes of a step of a transaction. */
export const stepResult = z.discriminatedUnion("kind", [...readResults, stored, deleted]);

const keyResults = [
  ...readResults,
  stored,
  deleted,
  /** `succeeded` says which branch was carried out: `then`, or else `else`. */
  z.strictObject({
    kind: z.literal("transaction"),
    revision,
    succeeded: z.boolean(),
    results: z.array(stepResult),
  }),
  z.strictObject({ kind: z.literal("keyExpired"), revision }),
] as const;

const sessionResults = [
  z.strictObject({
    kind: z.literal("session"),
    revision,
    session,
    client: z.string(),
    ttlMs: z.int().min(1),
    renewal: count,
    /** Its ephemeral keys. */
    keys: count,
    /** The locks that it holds or waits for. */
    locks: count,
  }),
  z.strictObject({ kind: z.literal("sessionEnded"), revision }),
  z.strictObject({ kind: z.literal("termBegun"), revision, term: count }),
] as const;

const lockResults = [
  z.strictObject({ kind: z.literal("acquired"), token }),
  /** The session stands in the queue behind `ahead` others; an event tells of the grant, by the ticket. */
  z.strictObject({ kind: z.literal("waiting"), ticket: token, ahead: count }),
  z.strictObject({ kind: z.literal("released"), revision }),
  z.strictObject({ kind: z.literal("waitCancelled"), revision }),
  z.strictObject({ kind: z.literal("lockDelayEnded"), revision }),
  /** The first holders and waiters, and how many there are. */
  z.strictObject({
    kind: z.literal("lock"),
    revision,
    holders: z.array(z.strictObject({ session, token, mode: lockMode })),
    waiters: z.array(z.strictObject({ session, ticket: token, mode: lockMode })),
    holderCount: count,
    waiterCount: count,
    delay: z.strictObject({ token, delayMs: z.int().min(1) }).nullable(),
  }),
] as const;

const historyResults = [
  /** Whole revisions, all up to but not including `next`, from where to go on. */
  z.strictObject({
    kind: z.literal("events"),
    events: z.array(gobbyEvent),
    next: z.int().min(1),
  }),
  z.strictObject({ kind: z.literal("compacted"), oldest: z.int().min(1) }),
  z.strictObject({
    kind: z.literal("status"),
    revision,
    oldest: z.int().min(1),
    term: count,
    master: z.string(),
    keys: count,
    length: count,
    sessions: count,
    locks: count,
    claims: count,
    events: count,
  }),
] as const;

/** What comes of an operation of Gobby. */
export const gobbyResult = z.discriminatedUnion("kind", [
  ...keyResults,
  ...sessionResults,
  ...lockResults,
  ...historyResults,
  refusal,
]);

/** A result of Gobby. */
export type GobbyResult = z.infer<typeof gobbyResult>;

/** A result of Gobby, by its kind. */
export type GobbyOutcome<Kind extends GobbyResult["kind"]> = Extract<GobbyResult, { kind: Kind }>;

/** A result that says why nothing was done. */
export type Refusal = z.infer<typeof refusal>;

/** What comes of a step of a transaction. */
export type StepResult = z.infer<typeof stepResult>;
