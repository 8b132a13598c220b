// The messages of Multi-Paxos, as in van Renesse and Altinbuken, "Paxos Made Moderately Complex" (2015), and under the
// paper's names where it has them. Sections cited in this folder are the paper's.
//
// Each agent plays all roles of the paper: replica, leader and acceptor. What a slot is given is a batch of commands,
// none in a slot that has only to be filled. Clients speak as they do to any other group.

import { z } from "zod";
import type { Received } from "../../core/agent.ts";
import { idLengthMax } from "../../core/id.ts";
import { commandSchema, vrProtocol } from "../vr/protocol.ts";
import { ballotSchema } from "./ballot.ts";

const count = z.int().nonnegative();

/** A command, and the mark that tells it from all others. */
export const entrySchema = z.object({
  client: z.string().min(1).max(idLengthMax),
  /** The session that the client has opened; 0 in a command that opens one. */
  session: count,
  request: count,
  command: commandSchema,
});

/** See {@linkcode entrySchema}. */
export type Entry = z.infer<typeof entrySchema>;

/** What a slot is given: commands, to be carried out in their order. */
export const valueSchema = z.array(entrySchema).readonly();

/** See {@linkcode valueSchema}. */
export type Value = z.infer<typeof valueSchema>;

/** What an acceptor has accepted in a slot, and in which ballot: the pvalue of section 2.2, less its slot. */
export const pvalueSchema = z.object({ ballot: ballotSchema, value: valueSchema });

/** See {@linkcode pvalueSchema}. */
export type PValue = z.infer<typeof pvalueSchema>;

/** The most slots that may be under way at once. */
export const windowMax = 1000;

/**
 * The configuration that the sender is in, counted from 0, and a ballot: the leader's in what a leader sends, and in
 * what is sent to it the latest that the sender knows of.
 */
const stamp = { epoch: count, ballot: ballotSchema };
/**
 * Which ballot an acceptor was asked about; `ballot` is its own. The paper's answers go to a scout or commander, of which
 * there is one for each ballot; ours go to the leader, who may have begun another ballot since.
 */
const asked = { asked: ballotSchema };
/** The slot up to which the sender knows all decisions. */
const decided = { decided: count };
/** A leader's clock, and in which of its lives; it is sent back. Only where there are leases. */
const lease = { lease: z.object({ start: count, sentAt: z.number() }).optional() };
const { request, reply, locate, group, lead, look, looked } = vrProtocol;

/** What the members of a group take and send. */
export const paxosProtocol = {
  /** What clients ask and are told. */
  request,
  reply,
  locate,
  group,
  lead,
  look,
  looked,

  /** Section 2.2. Asks an acceptor to promise, and what it has accepted in slots later than `after`. */
  p1a: z.object({ ...stamp, after: count }),
  /** What it has accepted in slots later than `after` and not later than `until`; `more` if there are later ones. */
  p1b: z.object({
    ...stamp,
    ...asked,
    ...decided,
    after: count,
    until: count,
    more: z.boolean(),
    pvalues: z.array(pvalueSchema.extend({ slot: count })).readonly(),
  }),
  p2a: z.object({ ...stamp, ...decided, ...lease, slot: count, value: valueSchema }),
  p2b: z.object({ ...stamp, ...asked, ...lease, slot: count }),

  /** Section 3: a leader shows that it is there; what it has decided goes along, again and again. */
  ping: z.object({ ...stamp, ...decided, ...lease }),
  pong: z.object({ ...stamp, ...decided, ...lease }),

  /** Asks for decisions later than slot `after`. `part` says how much of a snapshot is there already. */
  learn: z.object({
    epoch: count,
    after: count,
    part: z.object({ slot: count, offset: count }).optional(),
  }),
  /** The values of the slots that follow `after`, as many as one message carries. */
  decisions: z.object({
    epoch: count,
    ...decided,
    /** By which the group counts: whoever counted otherwise would come to other configurations. */
    window: count,
    after: count,
    values: z.array(valueSchema).readonly(),
    /** A part of the text of a snapshot, if what was asked for is no longer in the sender's log. */
    part: z.object({ slot: count, offset: count, length: count, text: z.string() }).optional(),
  }),

  /** Tells that a configuration has begun, and that its slots before it are decided. */
  handOver: z.object({ epoch: count, ...decided }),
  /** The sender takes part in that configuration, or in a later one. */
  takenOver: z.object({ epoch: count }),
};

/** The messages of {@linkcode paxosProtocol}. */
export type PaxosProtocol = typeof paxosProtocol;

/** A message of one type. */
export type Paxos<K extends keyof PaxosProtocol> = Received<PaxosProtocol, K>;
