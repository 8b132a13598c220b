// What may be asked of Gobby. Clients ask for most of it; the last group is for the master, whose clock says when.
// Lengths and times are not limited here but where an operation is carried out, so that its client is told which
// limit stood against it.

import { z } from "zod";

const key = z.string().min(1);
const value = z.string();
const revision = z.int().min(0);
const session = z.int().min(1);
const token = z.int().min(1);
const ms = z.int().min(0);
const limit = z.int().min(1);

/** How a lock is held: by one session, or by any number of them. */
export const lockMode = z.enum(["exclusive", "shared"]);

/** Carried out only while the lock `lock` is held under `token`; Chubby's sequencer. */
const fence = z.strictObject({ lock: key, token });

/** Keys with a prefix, or from `from` up to but not including `to`; null is the end of all keys. */
export const keyRange = z.union([
  z.strictObject({ prefix: z.string() }),
  z.strictObject({ from: z.string(), to: z.string().nullable() }),
]);

/** Which events: of one key, of a prefix, of one session, or all. `only` leaves out those of locks or those of keys. */
export const eventTarget = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("all") }),
  z.strictObject({ kind: z.literal("session"), session }),
  z.strictObject({ kind: z.literal("key"), key, only: z.enum(["keys", "locks"]).optional() }),
  z.strictObject({
    kind: z.literal("prefix"),
    prefix: z.string(),
    only: z.enum(["keys", "locks"]).optional(),
  }),
]);

const get = z.strictObject({ kind: z.literal("get"), key });

/** Keys in order, those after the key `after` if it is given; `keysOnly` leaves the values out. */
const range = z.strictObject({
  kind: z.literal("range"),
  range: keyRange,
  limit,
  after: z.string().optional(),
  keysOnly: z.boolean().optional(),
});

// A put says all of an entry: one without `session` makes the key permanent, one without `ttlMs` ends its time.
const putShape = {
  kind: z.literal("put"),
  key,
  value,
  session: session.optional(),
  ttlMs: ms.optional(),
};
const deleteShape = { kind: z.literal("delete"), key };

// `ifRevision` is the modify revision that the key must have; 0 for a key that must not exist.
const condition = { ifRevision: revision.optional(), fence: fence.optional() };

const relation = z.enum(["equal", "notEqual", "less", "greater"]);

/** What a transaction asks first. A key that does not exist has revisions and version 0, and equals no value. */
export const comparison = z.discriminatedUnion("target", [
  z.strictObject({ target: z.literal("value"), key, is: relation, value }),
  z.strictObject({ target: z.literal("createRevision"), key, is: relation, number: revision }),
  z.strictObject({ target: z.literal("modifyRevision"), key, is: relation, number: revision }),
  z.strictObject({ target: z.literal("version"), key, is: relation, number: revision }),
  /** Whether the lock is held under the token. */
  z.strictObject({ target: z.literal("token"), lock: key, token }),
  /** Whether the lock is held by the session; null asks whether nobody holds it. */
  z.strictObject({ target: z.literal("holder"), lock: key, session: session.nullable() }),
]);

/** A step of a transaction. Later ones see what earlier ones did; a key is written at most once. */
export const step = z.discriminatedUnion("kind", [
  get,
  range,
  z.strictObject(putShape),
  z.strictObject(deleteShape),
]);

const keyOperations = [
  get,
  range,
  z.strictObject({ ...putShape, ...condition }),
  z.strictObject({ ...deleteShape, ...condition }),
  z.strictObject({
    kind: z.literal("deleteRange"),
    range: keyRange,
    limit,
    fence: fence.optional(),
  }),
  z.strictObject({
    kind: z.literal("transaction"),
    if: z.array(comparison),
    then: z.array(step),
    else: z.array(step),
    fence: fence.optional(),
  }),
] as const;

const sessionOperations = [
  /** `client` says to people whose session it is. */
  z.strictObject({ kind: z.literal("openSession"), client: z.string(), ttlMs: ms }),
  /** Gives the session a new renewal number, so that an expiry that was decided before does not count. */
  z.strictObject({ kind: z.literal("renewSession"), session }),
  /** The session ends in peace: no lock-delay. */
  z.strictObject({ kind: z.literal("closeSession"), session }),
  z.strictObject({ kind: z.literal("getSession"), session }),
] as const;

const lockOperations = [
  /** `waitMs` 0 only tries. With `lockDelayMs` the lock stays closed for that long after a holder's session expired. */
  z.strictObject({
    kind: z.literal("acquire"),
    session,
    key,
    mode: lockMode,
    waitMs: ms,
    lockDelayMs: ms.optional(),
  }),
  z.strictObject({ kind: z.literal("release"), key, token }),
  /** For a client that gives up, and for the master when the time of a wait is over. */
  z.strictObject({ kind: z.literal("cancelWait"), key, ticket: token }),
  /** Takes an acquire back, whatever has come of it: the session neither holds the lock nor waits for it any more. */
  z.strictObject({ kind: z.literal("withdraw"), session, key }),
  z.strictObject({ kind: z.literal("getLock"), key }),
] as const;

const historyOperations = [
  /** Events of `from` and later. */
  z.strictObject({
    kind: z.literal("events"),
    target: eventTarget,
    from: z.int().min(1),
    limit,
  }),
  z.strictObject({ kind: z.literal("status") }),
] as const;

// Each names what the master saw when its clock decided, so that it cannot hit what came in between.
const masterOperations = [
  /**
   * A new master, before anything else: expiries that earlier masters decided no longer count. `after` is the term that
   * it saw, so that one that is late cannot end the term of a later master.
   */
  z.strictObject({ kind: z.literal("beginTerm"), master: z.string(), after: revision }),
  z.strictObject({ kind: z.literal("expireSession"), session, renewal: revision, term: revision }),
  z.strictObject({ kind: z.literal("expireKey"), key, modifyRevision: token }),
  z.strictObject({ kind: z.literal("endLockDelay"), key, token }),
  /** Forgets the events before `revision`. */
  z.strictObject({ kind: z.literal("compact"), revision }),
] as const;

/** What may be asked of Gobby. */
export const gobbyOperation = z.discriminatedUnion("kind", [
  ...keyOperations,
  ...sessionOperations,
  ...lockOperations,
  ...historyOperations,
  ...masterOperations,
]);

/** An operation of Gobby. */
export type GobbyOperation = z.infer<typeof gobbyOperation>;

/** An operation of Gobby, by its kind. */
export type Gobby<Kind extends GobbyOperation["kind"]> = Extract<GobbyOperation, { kind: Kind }>;

/** How a lock is held. */
export type LockMode = z.infer<typeof lockMode>;

/** The proof of a lock that a write carries. */
export type Fence = z.infer<typeof fence>;

/** A prefix, or from and to. */
export type KeyRange = z.infer<typeof keyRange>;

/** Which events. */
export type EventTarget = z.infer<typeof eventTarget>;

/** A comparison of a transaction. */
export type Comparison = z.infer<typeof comparison>;

/** A step of a transaction. */
export type TransactionStep = z.infer<typeof step>;
