// What a member knows. Each field carries its invariant; invariants.ts asserts them.

import { z } from "zod";
import type { Data, DeepReadonly } from "../../core/data.ts";
import type { AgentId } from "../../core/id.ts";
import type { Sessions } from "../machine/sessions.ts";
import type { Member } from "../vr/protocol.ts";
import { type Ballot, ballotSchema, bottom, inOrder } from "./ballot.ts";
import { type Entry, type Paxos, type PValue, type Value, valueSchema } from "./protocol.ts";

/** Who decides a range of slots. */
export interface Configuration {
  /** How many configurations there were before. */
  readonly epoch: number;
  /** Leaders and acceptors, in the order of their ballots. No agent stands in it twice. */
  readonly members: readonly Member[];
  /** The first of its slots; it ends where the next begins. */
  readonly start: number;
}

/** The replicated state: the same decisions give the same on every member. */
export interface Application {
  /** The machine's. */
  readonly state: Data;
  readonly sessions: Sessions;
  /** WINDOW of section 2.1, as it was at the very first start, whatever the grid says later. */
  window: number;
  /** How many commands were carried out, an empty slot counted as one. */
  operations: number;
  /** The one whose slot comes next. */
  configuration: Configuration;
  /** Those of the configuration before; nobody in the first. */
  old: readonly Member[];
  /** The one that was asked for, and begins soon. */
  next: Configuration | null;
}

/** The replicated state after the first `slot` slots. */
export interface Checkpoint {
  readonly slot: number;
  readonly application: Application;
}

/** What a member keeps on disk. */
export interface Durable {
  /** The name of the machine that is replicated. */
  readonly machine: string;
  /** Drawn at the very first start; 0 for a founder of the group, -1 before that start. */
  incarnation: number;
  /** How many starts there were: tells the clock of one life from that of another. */
  starts: number;

  /**
   * Section 2.2: the acceptor's ballot number, of the configuration `epoch`; in a later one it has promised nothing
   * yet. Never falls. Section 4.3: on disk before anybody hears of it, as is all that was accepted.
   */
  promise: { readonly epoch: number; readonly ballot: Ballot };
  /**
   * Section 4.1: of what was accepted in a slot only the latest, and only of slots later than the log.
   * In no ballot later than the promise.
   */
  accepted: Map<number, PValue>;

  /** The slot before the first of `log`. At most that of the checkpoint. */
  base: number;
  /** What was decided, slot by slot and without a hole. */
  log: Value[];
  checkpoint: Checkpoint;
}

const count = z.int().nonnegative();

/** What changes the durable state. */
export const recordSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("start"), incarnation: count, window: count }),
  z.object({ kind: z.literal("promise"), epoch: count, ballot: ballotSchema }),
  z.object({
    kind: z.literal("accept"),
    epoch: count,
    ballot: ballotSchema,
    slot: count,
    value: valueSchema,
  }),
  /** What was accepted in the slots up to `to` is what was decided there. */
  z.object({ kind: z.literal("decided"), to: count }),
  /** Others have said what was decided in the next slots. */
  z.object({ kind: z.literal("learned"), values: z.array(valueSchema).readonly() }),
  /** Others have sent what came of the first `slot` slots. */
  z.object({ kind: z.literal("snapshot"), slot: count, text: z.string() }),
  z.object({ kind: z.literal("checkpoint"), slot: count, keep: count }),
]);

/** See {@linkcode recordSchema}. */
export type PaxosRecord = z.infer<typeof recordSchema>;

/** Acceptors that are asked something, and those that have answered as they should. */
export interface Poll {
  /** All acceptors of the configuration; fixed from the beginning on. */
  readonly acceptors: readonly AgentId[];
  readonly asked: Set<AgentId>;
  readonly answered: Set<AgentId>;
  /** When it was last asked. */
  askedAt: number;
}

/** Section 2.4, a scout: has a quorum promise a ballot, and gathers what was accepted in earlier ones. */
export interface Scout extends Poll {
  /** What was decided in slots up to this one the leader knows itself. */
  readonly after: number;
  /** Up to which slot each acceptor has reported. */
  readonly reported: Map<AgentId, number>;
  /** Of each slot what was accepted in the latest ballot. */
  readonly pvalues: Map<number, PValue>;
  /** The slot up to which any acceptor knows all decisions, having forgotten what it accepted there. */
  decided: number;
}

/** Section 2.3, a commander: has a quorum accept a value in a slot. */
export interface Commander extends Poll {
  readonly value: Value;
  /** Whether a quorum has accepted. It stays until all slots before are decided as well. */
  chosen: boolean;
}

/** What a member knows as a leader. */
export interface Leader {
  readonly ballot: Ballot;
  /** Until the ballot is adopted. */
  scout: Scout | undefined;
  /** By their slots: every slot that is proposed and not known to be decided. */
  readonly commanders: Map<number, Commander>;
  /** What was accepted in earlier ballots, and must be proposed again: it may have been chosen. */
  readonly adopted: Map<number, Value>;
  /** The last slot in which anything was accepted or decided before this ballot was adopted. */
  adoptedTop: number;
  /** The next slot to propose in: slot_in of section 2.1. */
  next: number;
  /** When each other acceptor was last heard. */
  readonly heard: Map<AgentId, number>;
  /** Until when each other acceptor will promise no other ballot, by the own clock. */
  readonly grants: Map<AgentId, number>;
  /** The slot up to which the last ping has said that all is decided. */
  announced: number;
}

/** Decisions on their way from another member. */
export interface Learning {
  /** How far others are known to know. */
  until: number;
  /** A snapshot whose text is not all there yet. */
  part: { readonly slot: number; readonly length: number; text: string } | undefined;
  /** Whose turn it is to be asked. */
  turn: number;
  askedAt: number;
}

/** A command that waits for its slot, and how many characters it has. */
export interface Queued {
  readonly entry: Entry;
  readonly length: number;
}

/** What a member knows only as long as it runs. */
export interface Volatile {
  /** The slot up to which all decisions are known. At least the end of the log. Never falls. */
  decided: number;
  /** The latest slot that was carried out: slot_out of section 2.1, less 1. At least the checkpoint's. Never falls. */
  executed: number;
  /** The state after those slots; undefined until `start`. */
  application: Application | undefined;
  /** The acceptor's ballot number. What the disk has of it is never more. */
  promised: Ballot;
  /** The latest ballot of the configuration that was heard of. At least what was promised. */
  ballot: Ballot;
  leader: Leader | undefined;

  /** When the leader was last heard, or hope of one began. */
  heardAt: number;
  /** How long to wait for it, drawn anew each time. */
  patienceMs: number;
  /** The least of it: grows when leaders duel, and shrinks while one lasts. */
  backOffMs: number;

  /** A request of each client that is on its way to its slot, to be carried out once: only at a leader. */
  readonly pending: Map<string, { readonly session: number; readonly request: number }>;
  /** Who waits for the reply to each request that is pending. */
  readonly waiting: Map<string, AgentId>;
  /** Commands that wait for a slot: only at a leader. */
  queue: Queued[];
  /** Slots that are to stay empty if this member leads when their turn comes. */
  readonly skipped: Set<number>;
  /** Requests that came while nobody led. */
  readonly held: Map<string, { readonly from: AgentId; readonly message: Paxos<"request"> }>;

  learning: Learning | undefined;
  /** The text of the checkpoint of `slot`, while others ask for its parts. */
  snapshot: { readonly slot: number; readonly text: string } | undefined;
  /** Whether it was replaced, and those who took its place may still need what it knows. */
  retiring: boolean;
  /** Who is known to have taken over. */
  readonly takenOver: Set<AgentId>;
  /** Until when no ballot of another leader may be promised, and who that leader is: section 4.5. */
  promisedUntil: number;
  promisedTo: AgentId | undefined;
  /** Whether the timer `resend` runs. */
  resends: boolean;
}

/** All that a member knows. */
export type PaxosState = Volatile & { readonly durable: DeepReadonly<Durable> };

/** The state before anything happened. */
export function newVolatile(): Volatile {
  return {
    decided: 0,
    executed: 0,
    application: undefined,
    promised: bottom,
    ballot: bottom,
    leader: undefined,
    heardAt: 0,
    patienceMs: 0,
    backOffMs: 0,
    pending: new Map(),
    waiting: new Map(),
    queue: [],
    skipped: new Set(),
    held: new Map(),
    learning: undefined,
    snapshot: undefined,
    retiring: false,
    takenOver: new Set(),
    promisedUntil: 0,
    promisedTo: undefined,
    resends: false,
  };
}

/** The last slot of the log. */
export function logEnd(durable: DeepReadonly<Durable>): number {
  return durable.base + durable.log.length;
}

/** What was decided in a slot, which is in the log, or was accepted here and is not written down as decided yet. */
export function valueAt(
  durable: DeepReadonly<Durable>,
  slot: number,
): DeepReadonly<Value> | undefined {
  return durable.log[slot - durable.base - 1] ?? durable.accepted.get(slot)?.value;
}

/** A state that nobody has touched yet, of a machine whose state is `state`. */
export function newDurable(
  machine: string,
  state: Data,
  replicas: readonly AgentId[],
  window: number,
): Durable {
  // The founders of a group have no incarnation to tell them apart by: none of them has lost a disk yet.
  const members = inOrder(replicas.map((agent) => ({ agent, incarnation: 0 })));
  return {
    machine,
    incarnation: -1,
    starts: 0,
    promise: { epoch: 0, ballot: bottom },
    accepted: new Map(),
    base: 0,
    log: [],
    checkpoint: {
      slot: 0,
      application: {
        state,
        sessions: new Map(),
        window,
        operations: 0,
        configuration: { epoch: 0, members, start: 1 },
        old: [],
        next: null,
      },
    },
  };
}
