// What has happened, by revision. Every change of the state but `compact` has an event, so that whoever reads them all
// knows the state: what must be timed, too.

import { z } from "zod";
import { lockMode } from "./machine_operation.ts";

const revision = z.int().min(1);
const key = z.string();
const session = z.int().min(1);

/** A key and all that is known of it. */
export const keyEntry = z.strictObject({
  key,
  value: z.string(),
  /** The revision at which it came into being. */
  createRevision: revision,
  /** The revision at which it was last put. */
  modifyRevision: revision,
  /** How often it was put since it came into being. */
  version: z.int().min(1),
  /** The session that it ends with, or null. */
  session: session.nullable(),
  /** How long after its last put it ends, or null. */
  ttlMs: z.int().min(1).nullable(),
});

const token = z.int().min(1);
const sessionEnd = z.enum(["closed", "expired"]);

/** Something that has happened. Those of one revision happened at once. */
export const gobbyEvent = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("keyStored"), revision, entry: keyEntry }),
  z.strictObject({
    kind: z.literal("keyDeleted"),
    revision,
    key,
    how: z.enum(["deleted", "expired", "sessionEnded"]),
  }),
  /** `ticket` is that of the wait that it ends, or null. The token is the revision. */
  z.strictObject({
    kind: z.literal("lockGranted"),
    revision,
    key,
    session,
    token,
    mode: lockMode,
    ticket: token.nullable(),
  }),
  z.strictObject({
    kind: z.literal("lockReleased"),
    revision,
    key,
    session,
    token,
    how: z.enum(["released", ...sessionEnd.options]),
  }),
  /** The lock is closed, because the session that held it under `token` expired. */
  z.strictObject({
    kind: z.literal("lockDelayBegun"),
    revision,
    key,
    token,
    delayMs: z.int().min(1),
  }),
  z.strictObject({ kind: z.literal("lockDelayEnded"), revision, key, token }),
  /** The ticket is the revision. */
  z.strictObject({
    kind: z.literal("waitBegun"),
    revision,
    key,
    session,
    ticket: token,
    mode: lockMode,
    waitMs: z.int().min(1),
  }),
  z.strictObject({
    kind: z.literal("waitEnded"),
    revision,
    key,
    session,
    ticket: token,
    how: z.enum(["cancelled", ...sessionEnd.options]),
  }),
  /** The session's number is the revision. */
  z.strictObject({
    kind: z.literal("sessionOpened"),
    revision,
    session,
    client: z.string(),
    ttlMs: z.int().min(1),
  }),
  z.strictObject({
    kind: z.literal("sessionRenewed"),
    revision,
    session,
    renewal: z.int(),
    ttlMs: z.int().min(1),
  }),
  z.strictObject({ kind: z.literal("sessionEnded"), revision, session, how: sessionEnd }),
  z.strictObject({
    kind: z.literal("termBegun"),
    revision,
    term: z.int().min(1),
    master: z.string(),
  }),
]);

/** A key and all that is known of it. */
export type KeyEntry = Readonly<z.infer<typeof keyEntry>>;

/** Something that has happened. */
export type GobbyEvent = Readonly<z.infer<typeof gobbyEvent>>;

/** How a session ended. */
export type SessionEnd = z.infer<typeof sessionEnd>;

/** The key or lock that an event is of; undefined for those of sessions and masters. */
export function keyOfEvent(event: GobbyEvent): string | undefined {
  if (event.kind === "keyStored") return event.entry.key;
  return "key" in event ? event.key : undefined;
}

/** Whether an event is of a key, not of a lock, a session or a master. */
export function isKeyEvent({ kind }: GobbyEvent): boolean {
  return kind === "keyStored" || kind === "keyDeleted";
}
