// The messages of Viewstamped Replication, as in Liskov and Cowling, "Viewstamped Replication Revisited" (2012), and
// under the paper's names. Sections cited in this folder are the paper's.
//
// Every message between replicas carries the epoch and the view that its sender was in. Entries travel as suffixes:
// `after` is the op-number that the first of `entries` comes after.

import { z } from "zod";
import type { Received } from "../../core/agent.ts";
import type { Json } from "../../core/data.ts";
import { type AgentId, idLengthMax, isToken } from "../../core/id.ts";
import { sessionsMax } from "../machine/sessions.ts";

/** The largest group. */
export const replicasMax = 99;

/** How many characters an operation or a result may have as JSON, so that every message fits into a frame. */
export const operationLengthMax = 150_000;

/** How many characters of entries, or of a checkpoint, one message carries; a single larger entry goes alone. */
export const partLengthMax = 200_000;

// Checked here, since a schema of messages does not transform.
const agent = z.string().refine(isToken, "want an agent id") as unknown as z.ZodType<AgentId>;
const json = z.unknown() as unknown as z.ZodType<Json>;
const count = z.int().nonnegative();

/**
 * A replica of a configuration. A replica that has lost its disk comes back under a new incarnation: it is not the
 * one that the configuration names, until a reconfiguration names it.
 */
export const memberSchema = z.object({ agent, incarnation: count });

/** See {@linkcode memberSchema}. */
export type Member = z.infer<typeof memberSchema>;

const members = z.array(memberSchema).min(1).max(replicasMax).readonly();

/** What a client may ask of the group. */
export const commandSchema = z.discriminatedUnion("kind", [
  /** Opens a session, for the start of a client whose number is that of the request: section 4.5. */
  z.object({ kind: z.literal("open") }),
  /** An operation of the machine. */
  z.object({ kind: z.literal("apply"), operation: json }),
  /** RECONFIGURATION of section 7.1: ends `epoch`, and begins the next with `replicas`. */
  z.object({ kind: z.literal("reconfigure"), epoch: count, replicas: members }),
  /** CHECKEPOCH of section 7.3: answers the epoch in which it is executed. */
  z.object({ kind: z.literal("checkEpoch") }),
]);

/** See {@linkcode commandSchema}. */
export type Command = z.infer<typeof commandSchema>;

const mark = {
  client: z.string().min(1).max(idLengthMax),
  /** The session that the client has opened; 0 in a request that opens one. */
  session: count,
  request: count,
};

/** An entry of the log. Its position is its op-number. */
export const entrySchema = z.object({
  ...mark,
  /** The view in which a primary gave it its op-number; together they are its viewstamp. */
  view: count,
  command: commandSchema,
});

/** See {@linkcode entrySchema}. */
export type Entry = z.infer<typeof entrySchema>;

/** What came of a command. */
export const outcomeSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("opened"), session: count }),
  z.object({ kind: z.literal("applied"), result: json }),
  z.object({ kind: z.literal("epoch"), epoch: count }),
  /** It was certainly not carried out, and asking again would not help. */
  z.object({ kind: z.literal("refused"), why: z.string() }),
  /** It was not carried out now; whether it was before cannot be said, its session being forgotten. */
  z.object({ kind: z.literal("expired") }),
  /** No session was opened: a later start of the client has one. */
  z.object({ kind: z.literal("outlived"), incarnation: count }),
]);

/** See {@linkcode outcomeSchema}. */
export type Outcome = z.infer<typeof outcomeSchema>;

/** What a `vr_client` can be asked to do. */
export const callSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("apply"), operation: json }),
  /** Gives the group these replicas; the client finds out the rest. With `epoch` only if it is still that one. */
  z.object({
    kind: z.literal("reconfigure"),
    replicas: z.array(agent).min(1).max(replicasMax).readonly(),
    epoch: count.optional(),
  }),
  z.object({ kind: z.literal("checkEpoch") }),
  /** Asks who belongs to the group, as far as those know who answer. */
  z.object({ kind: z.literal("members") }),
]);

/** See {@linkcode callSchema}. */
export type Call = z.infer<typeof callSchema>;

/** What comes of a {@linkcode Call}. */
export const callOutcomeSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("applied"), result: json }),
  z.object({ kind: z.literal("epoch"), epoch: count }),
  /** The group of an epoch and whom it takes for its primary, and who has answered, as what. */
  z.object({
    kind: z.literal("members"),
    epoch: count,
    primary: agent,
    members,
    present: z.array(memberSchema).readonly(),
  }),
  /** `certain`: it did not happen, and will not. Otherwise it may have happened, or may still. */
  z.object({ kind: z.literal("failed"), certain: z.boolean(), why: z.string() }),
]);

/** See {@linkcode callOutcomeSchema}. */
export type CallOutcome = z.infer<typeof callOutcomeSchema>;

const stamp = { epoch: count, view: count };
const suffix = { after: count, entries: z.array(entrySchema).readonly() };
const lease = { lease: z.object({ start: count, sentAt: z.number() }).optional() };

/** What replicas take and send. */
export const vrProtocol = {
  request: z.object({ ...mark, command: commandSchema }),
  reply: z.object({ ...mark, ...stamp, outcome: outcomeSchema }),
  /** Sections 4.1 and 7.4: asks a replica where the group is, as a request does that meets another than its primary. */
  locate: z.object({}),
  /** The group as the sender knows it, and which incarnation the sender is. */
  group: z.object({ ...stamp, primary: agent, replicas: members, incarnation: count }),

  /** Section 4.1. Where there are leases, `lease` is the primary's clock, and in which of its lives; it is sent back. */
  prepare: z.object({ ...stamp, ...suffix, commit: count, ...lease }),
  prepareOk: z.object({ ...stamp, op: count, ...lease }),
  commit: z.object({ ...stamp, op: count, commit: count, ...lease }),

  /** Section 4.2. */
  startViewChange: z.object(stamp),
  doViewChange: z.object({ ...stamp, lastNormal: count, op: count, commit: count, ...suffix }),
  startView: z.object({ ...stamp, op: count, commit: count, ...suffix }),

  /** Section 4.3. */
  recovery: z.object({ ...stamp, nonce: count }),
  recoveryResponse: z.object({ ...stamp, nonce: count }),

  /**
   * Section 5.2. Asks for what comes after op-number `after` in the log of a replica whose log is that of view
   * `lastNormal`, or up to the start of the epoch. `part` says how much of a checkpoint is there already.
   */
  getState: z.object({
    ...stamp,
    want: z.enum(["view", "epoch"]),
    lastNormal: count,
    after: count,
    part: z.object({ op: count, offset: count }).optional(),
  }),
  newState: z.object({
    ...stamp,
    want: z.enum(["view", "epoch"]),
    lastNormal: count,
    ...suffix,
    /** Where the sender's log ends. */
    op: count,
    commit: count,
    /** A part of the text of the sender's checkpoint, if what was asked for is no longer in its log. */
    part: z.object({ op: count, offset: count, length: count, text: z.string() }).optional(),
  }),

  /** Section 7.1. `op` and `view` are the viewstamp of the entry that ended the epoch before. */
  startEpoch: z.object({ ...stamp, op: count, replicas: members, old: members }),
  epochStarted: z.object({ epoch: count }),

  /**
   * What programs and terminals ask of a `vr_client`, and what it answers, by the asker's own number. What is `urgent`
   * goes to all replicas at once, since the one that was the primary may be dead.
   */
  invoke: z.object({ id: count, command: callSchema, urgent: z.boolean().optional() }),
  result: z.object({ id: count, outcome: callOutcomeSchema }),

  /** Asks a replica to lead the group, for somebody who shares its box. It need not. */
  lead: z.object({}),

  /** Asks a replica what its own copy of the state says, which may be behind. */
  look: z.object({ id: count, operation: json }),
  /** `result` is null if the operation was no read. */
  looked: z.object({ id: count, result: json }),
};

/** The messages of {@linkcode vrProtocol}. */
export type VrProtocol = typeof vrProtocol;

/** A message of one type. */
export type Vr<K extends keyof VrProtocol> = Received<VrProtocol, K>;

/** How many requests may wait for their replies at a replica. */
export const waitingMax = sessionsMax;
