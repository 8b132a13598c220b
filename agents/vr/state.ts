// What a replica knows. Each field carries its invariant; invariants.ts asserts them.

import { z } from "zod";
import type { Data, DeepReadonly } from "../../core/data.ts";
import type { AgentId } from "../../core/id.ts";
import type { Sessions } from "../machine/sessions.ts";
import { type Entry, entrySchema, type Member, memberSchema, type Vr } from "./protocol.ts";

/** The replicated state: the same log gives the same on every replica. */
export interface Application {
  /** The machine's. */
  readonly state: Data;
  /** The client table of section 4.1. */
  readonly sessions: Sessions;
  /** The epoch after all that was executed. */
  epoch: number;
}

/** The replicated state after the first `op` entries: section 5.1. */
export interface Checkpoint {
  readonly op: number;
  readonly application: Application;
}

/**
 * What a replica keeps on disk.
 *
 * Section 4.3 would keep nothing, and get it all back from the others. That is not enough. Take three replicas: one
 * votes for view 1, crashes, asks the others before either has heard of view 1, and comes back in view 0, its vote
 * forgotten. It acknowledges operations of view 0, while that vote still lets view 1 begin without them (Michael et
 * al., "Recovering Shared Objects Without Stable Storage", DISC 2017). So a replica writes down every promise before
 * it lets anybody hear it: which views it has voted for, and which entries it holds.
 */
export interface Durable {
  /** The name of the machine that is replicated. */
  readonly machine: string;
  /** Drawn at the very first start; 0 for a founder of the group, -1 before that start. */
  incarnation: number;
  /** How many starts there were: the nonce of recovery, the counter on disk of section 4.3. */
  starts: number;

  /** The epoch that this replica knows to have begun. Never falls. */
  epoch: number;
  /** The configuration of the epoch: primaries take turns in its order. No agent stands in it twice. */
  replicas: readonly Member[];
  /** That of the epoch before; empty in epoch 0. */
  old: readonly Member[];
  /** The viewstamp of the entry that ended the epoch before; its op-number is 0 in epoch 0. */
  epochOp: number;
  epochView: number;
  /** Whether the log holds all that was committed before the epoch. Without it a replica must not vote. */
  complete: boolean;

  /** The latest view of the epoch that this replica has voted for or taken part in. Falls only with a new epoch. */
  view: number;
  /** The latest view in which its status was normal. At most `view`. Its log is one that this view had. */
  lastNormal: number;

  /** The op-number before the first entry of `log`. At most `checkpoint.op`. */
  base: number;
  log: Entry[];
  /** Committed, and at most the op-number. */
  checkpoint: Checkpoint;
}

const entries = z.array(entrySchema).readonly();
const members = z.array(memberSchema).readonly();
const count = z.int().nonnegative();

/** What changes the durable state. */
export const recordSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("start"), incarnation: count }),
  /** Entries at the end of the log. */
  z.object({ kind: z.literal("log"), entries }),
  /** A vote for a view. */
  z.object({ kind: z.literal("view"), view: count }),
  /**
   * The log of a view, in which the status is normal from now on: up to `after` it is the one that was there, or that
   * of the checkpoint. One record, so that no crash can come between losing the old log and having the new.
   */
  z.object({
    kind: z.literal("normal"),
    view: count,
    after: count,
    entries,
    checkpoint: z.object({ op: count, text: z.string() }).optional(),
  }),
  z.object({ kind: z.literal("checkpoint"), op: count, keep: count }),
  z.object({
    kind: z.literal("epoch"),
    epoch: count,
    op: count,
    view: count,
    replicas: members,
    old: members,
    complete: z.boolean(),
  }),
]);

/** See {@linkcode recordSchema}. */
export type VrRecord = z.infer<typeof recordSchema>;

/**
 * `normal`, `viewChange` and `recovering` are those of section 4, `transitioning` that of section 7. `replaced`: not
 * in the configuration any more, but the new one may still need its log. `spare`: in no configuration.
 */
export type Status =
  | "normal"
  | "viewChange"
  | "recovering"
  | "transitioning"
  | "replaced"
  | "spare";

/** A log on its way from another replica: section 5.2. Nothing of it is used before all of it is there. */
export interface Transfer {
  readonly want: "view" | "epoch";
  /** The view in which the others are to be, or 0. */
  readonly view: number;
  /** The view whose log it is, or 0. */
  readonly lastNormal: number;
  /** The one replica that has it, or undefined if any may. */
  readonly from: AgentId | undefined;
  /** How far the log must reach to be of use; undefined until somebody has told. */
  until: number | undefined;
  /** The op-number before the first of `entries`. */
  after: number;
  readonly entries: Entry[];
  /** The text of a checkpoint at `after`. */
  checkpoint: { readonly op: number; readonly text: string } | undefined;
  /** A checkpoint whose text is not all there yet. */
  part: { readonly op: number; readonly length: number; text: string } | undefined;
  /** The highest commit-number that came with it. */
  commit: number;
  /** Whose turn it is to be asked, counted over the replicas. */
  turn: number;
}

/** A request that waits for its batch, and how many characters it has. */
export interface Queued {
  readonly entry: Entry;
  readonly length: number;
}

/** What a replica knows only as long as it runs. */
export interface Volatile {
  status: Status;
  /** The view-number. What the disk has of it is never more. */
  view: number;
  /** The op-number of the latest committed entry known to be. At least the checkpoint's. Never falls. */
  commit: number;
  /** The state after the first `commit` entries; undefined until `start`. */
  application: Application | undefined;

  /** A request of each client that is on its way through the log, to be executed once: only at a primary. */
  readonly pending: Map<string, { readonly session: number; readonly request: number }>;
  /** Who waits for the reply to each request that is pending. */
  readonly waiting: Map<string, AgentId>;
  /** Requests that wait for their batch: section 6.2. Only at a primary. */
  queue: Queued[];
  /** Where each PREPARE that is under way ends: only at a primary. */
  batches: number[];
  /** Whether the next PREPARE waits for its own step. Then the timer for it is armed: only at a primary. */
  pausing: boolean;
  /** Requests that came while no view was under way. */
  readonly held: Map<string, { readonly from: AgentId; readonly message: Vr<"request"> }>;

  /** The op-number up to which each other replica holds the log of this view: only at a primary. */
  readonly acknowledged: Map<AgentId, number>;
  /** When each other replica was last heard in this view: only at a primary. */
  readonly heard: Map<AgentId, number>;
  /** When the primary was last heard, or hope of one began. */
  heardAt: number;
  /** How long to wait for it. */
  patienceMs: number;
  /** View changes since a view has lasted. */
  attempts: number;

  /** Who has voted for the view: section 4.2. */
  readonly startViewChanges: Set<AgentId>;
  readonly doViewChanges: Map<AgentId, DeepReadonly<Vr<"doViewChange">>>;
  /** The view each other replica has answered a recovering one: section 4.3. */
  readonly recoveries: Map<AgentId, number>;
  transfer: Transfer | undefined;
  /** The text of the checkpoint at `op`, while others ask for its parts. */
  checkpointText: { readonly op: number; readonly text: string } | undefined;

  /** New replicas that are known to have begun the epoch: only if `replaced`. */
  readonly epochStarted: Set<AgentId>;

  /** Until when no view change may be voted for: section 6.3. */
  promisedUntil: number;
  /** Until when each other replica will vote for no other primary, by the own clock: only at a primary. */
  readonly grants: Map<AgentId, number>;
  /** The op-number of the log with which the view began: only at a primary. */
  viewOp: number;
}

/** All that a replica knows. */
export type ReplicaState = Volatile & { readonly durable: DeepReadonly<Durable> };

/** The state before anything happened. */
export function newVolatile(): Volatile {
  return {
    status: "spare",
    view: 0,
    commit: 0,
    application: undefined,
    pending: new Map(),
    waiting: new Map(),
    queue: [],
    batches: [],
    pausing: false,
    held: new Map(),
    acknowledged: new Map(),
    heard: new Map(),
    heardAt: 0,
    patienceMs: 0,
    attempts: 0,
    startViewChanges: new Set(),
    doViewChanges: new Map(),
    recoveries: new Map(),
    transfer: undefined,
    checkpointText: undefined,
    epochStarted: new Set(),
    promisedUntil: 0,
    grants: new Map(),
    viewOp: 0,
  };
}

/** The op-number: that of the latest entry in the log. */
export function opNumber(durable: DeepReadonly<Durable>): number {
  return durable.base + durable.log.length;
}

/** The entry with op-number `op`; undefined if the log does not hold it. */
export function entryAt(
  durable: DeepReadonly<Durable>,
  op: number,
): DeepReadonly<Entry> | undefined {
  return durable.log[op - durable.base - 1];
}

/** A state that nobody has touched yet, of a machine whose state is `state`. */
export function newDurable(machine: string, state: Data, replicas: readonly AgentId[]): Durable {
  return {
    machine,
    incarnation: -1,
    starts: 0,
    epoch: 0,
    // The founders of a group have no incarnation to tell them apart by: none of them has lost a disk yet.
    replicas: replicas.map((agent) => ({ agent, incarnation: 0 })),
    old: [],
    epochOp: 0,
    epochView: 0,
    complete: true,
    view: 0,
    lastNormal: 0,
    base: 0,
    log: [],
    checkpoint: { op: 0, application: { state, sessions: new Map(), epoch: 0 } },
  };
}
