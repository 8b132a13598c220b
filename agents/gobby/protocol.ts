// The messages of Gobby: between servers (their lease), between a server and the group that keeps everything, between
// clients and servers, and between a client and the agents or programs that it asks on behalf of.

import { z } from "zod";
import type { Received } from "../../core/agent.ts";
import type { Json } from "../../core/data.ts";
import { type AgentId, isToken } from "../../core/id.ts";
import { leaseProtocol } from "../lease/protocol.ts";
import { vrProtocol } from "../vr/protocol.ts";
import { gobbyEvent } from "./machine_event.ts";
import { eventTarget, gobbyOperation } from "./machine_operation.ts";
import { gobbyResult } from "./machine_result.ts";
import { clientName } from "./service_operation.ts";

// Checked here, since a schema of messages does not transform.
const agent = z.string().refine(isToken, "want an agent id") as unknown as z.ZodType<AgentId>;
const json = z.unknown() as unknown as z.ZodType<Json>;
const count = z.int().nonnegative();
const client = clientName;

/** What a server says to a request. */
export const replyOutcome = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("opened"), seat: count }),
  z.object({ kind: z.literal("done"), result: gobbyResult, repeated: z.boolean() }),
  z.object({ kind: z.literal("tooLong"), length: count }),
  z.object({ kind: z.literal("stale") }),
  z.object({ kind: z.literal("expired") }),
  /** It was certainly not carried out, and asking again would not help. */
  z.object({ kind: z.literal("refused"), why: z.string() }),
]);

/** See {@linkcode replyOutcome}. */
export type ReplyOutcome = z.infer<typeof replyOutcome>;

/** Why a watch is over. */
export const watchEnd = z.discriminatedUnion("why", [
  /** Events that were still to come are no longer kept; `oldest` is the first revision whose are. */
  z.object({ why: z.literal("compacted"), oldest: count }),
  z.object({ why: z.literal("limit"), limit: z.string() }),
  /** It was for one event, and that was told. */
  z.object({ why: z.literal("told") }),
]);

/** See {@linkcode watchEnd}. */
export type WatchEnd = z.infer<typeof watchEnd>;

/** What becomes of something asked. */
export const askOutcome = z.discriminatedUnion("kind", [
  /** A read that may be old says how old at most: all that was acknowledged so long ago is in it. */
  z.object({ kind: z.literal("done"), result: gobbyResult, ageMs: count.optional() }),
  /** `certain`: it did not happen, and will not. Otherwise it may have happened, or may still. */
  z.object({ kind: z.literal("failed"), certain: z.boolean(), why: z.string() }),
]);

/** See {@linkcode askOutcome}. */
export type AskOutcome = z.infer<typeof askOutcome>;

/** How a session stands. All but `safe` are reasons to stop what its locks protect. */
export const sessionState = z.enum(["safe", "jeopardy", "lost", "closed"]);

const clientProtocol = {
  checkMaster: z.object({}),
  /** Whether the sender is the master, and else whom it takes for it. */
  master: z.object({ mine: z.boolean(), term: count, master: agent.nullable() }),
  open: z.object({ client }),
  request: z.object({ client, seat: count, request: count, operation: gobbyOperation }),
  /** Answers `open` with request 0. */
  reply: z.object({ client, request: count, term: count, outcome: replyOutcome }),
  keepAlive: z.object({ client, session: count, number: count }),
  keptAlive: z.object({ client, session: count, number: count, term: count, ended: z.boolean() }),
  /**
   * Asks for the events of `target` from `next` on, null for all to come, and says that those before have arrived. With
   * `again` what was sent since then is taken for lost.
   */
  follow: z.object({
    client,
    watch: count,
    target: eventTarget,
    next: count.nullable(),
    oneShot: z.boolean(),
    again: z.boolean(),
  }),
  /** All events before `next` have arrived. */
  following: z.object({ client, watch: count, term: count, next: count }),
  /** All events from `from` up to but not including `next`. */
  news: z.object({
    client,
    watch: count,
    term: count,
    from: count,
    next: count,
    events: z.array(gobbyEvent),
  }),
  /** A read that any server may answer, from its own replica's copy. */
  staleRead: z.object({ client, number: count, operation: gobbyOperation }),
  /** `ageMs` is how old the state is at most from which the answer is; both are null if that cannot be said. */
  staleReply: z.object({
    client,
    number: count,
    result: gobbyResult.nullable(),
    ageMs: count.nullable(),
  }),
  unfollow: z.object({ client, watch: count }),
  followEnded: z.object({ client, watch: count, term: count, end: watchEnd }),
};

const userProtocol = {
  /** With `session` the operation gets the number of the client's session, which is opened if there is none. */
  ask: z.object({
    id: count,
    operation: json,
    session: z.boolean().optional(),
    /** For a read: it may be old, but not older than that. Without a session. */
    maxAgeMs: count.optional(),
    deadlineMs: z.int().min(1).max(86_400_000).optional(),
  }),
  answer: z.object({ id: count, outcome: askOutcome }),
  /** Nobody wants it any more: what was not sent is not, and a lock that is asked for or awaited is given back. */
  cancel: z.object({ id: count }),
  watch: z.object({
    id: count,
    target: eventTarget,
    from: z.int().min(1).optional(),
    oneShot: z.boolean().optional(),
  }),
  unwatch: z.object({ id: count }),
  /** The watch has begun: events come from revision `from` on. */
  watching: z.object({ id: count, from: count }),
  /** In order, none left out and none twice. `next` is the revision to go on from. */
  events: z.object({ id: count, next: count, events: z.array(gobbyEvent) }),
  watchEnded: z.object({ id: count, end: watchEnd }),
  /** From now on the sender is told how the session stands, as everybody is who asks for something with it. */
  attend: z.object({}),
  session: z.object({ state: sessionState, session: count }),
};

/** What servers take and send. */
export const serverProtocol = {
  ...leaseProtocol,
  invoke: vrProtocol.invoke,
  result: vrProtocol.result,
  lead: vrProtocol.lead,
  look: vrProtocol.look,
  looked: vrProtocol.looked,
  /** Asks the master how far it is: up to which place of the log it knows that all is carried out. */
  howFar: z.object({ number: count }),
  soFar: z.object({ number: count, place: count }),
  ...clientProtocol,
};

/** What clients take and send. */
export const gobbyClientProtocol = { ...clientProtocol, ...userProtocol };

/** A message of a server. */
export type ServerMessage<K extends keyof typeof serverProtocol> = Received<
  typeof serverProtocol,
  K
>;

/** A message of a client. */
export type ClientMessage<K extends keyof typeof gobbyClientProtocol> = Received<
  typeof gobbyClientProtocol,
  K
>;
