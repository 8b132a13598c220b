// What a server knows, all of it in memory: what must outlive it is with the group. It opens with what every step of a
// server works with.

import { z } from "zod";
import type { Context } from "../../core/agent.ts";
import type { DeepReadonly } from "../../core/data.ts";
import type { AgentId } from "../../core/id.ts";
import { leaseAttrs } from "../lease/node.ts";
import { type LeaseState, newLeaseState } from "../lease/state.ts";
import { agentIdAttr } from "../vr/attrs.ts";
import type { EventTarget, GobbyOperation } from "./machine_operation.ts";
import type { ServerMessage, serverProtocol } from "./protocol.ts";
import type { GobbyRules } from "./rules.ts";
import { type DeadlineClock, newClock } from "./server_clock.ts";
import { newWatchIndex, type WatchIndex } from "./server_watch_index.ts";

const { nodes, ...lease } = leaseAttrs;

/** What a grid says about a server. */
export const serverAttrs = z.strictObject({
  /** All servers, this one included. */
  servers: nodes,
  /** The vr_client that asks the group, on the server's own box. */
  group: agentIdAttr,
  /**
   * The replica on the server's own box, for reads without the log; without it all reads go through the log. The master
   * would have it lead the group.
   */
  replica: agentIdAttr.optional(),
  ...lease,
  /** How long a watch is kept of whose client nothing is heard. */
  watchMs: z.int().min(10).max(3_600_000).default(30_000),
  /** How often a server that is not the master asks it how far it is, to know how old its own replica's copy is. */
  freshMs: z.int().min(1).max(600_000).default(250),
  /**
   * How long the group's client is waited for, in ms; longer than it waits itself. Mail within a box can be lost only
   * where somebody wants it to be.
   */
  groupMs: z.int().min(1).max(3_600_000).default(12_000),
  /** After so many failures of the group in a row a master lets another one try. */
  failures: z.int().min(1).max(1000).default(2),
  /** For how long it does not want to be master then. */
  restMs: z.int().min(1).max(600_000).default(3000),
}).refine(({ leaseMs, maxLeaseMs }) => leaseMs <= maxLeaseMs, {
  error: "want no lease longer than the longest",
  path: ["leaseMs"],
});

/** See {@linkcode serverAttrs}. */
export type ServerAttrs = z.infer<typeof serverAttrs>;

/** How many clients may have a request waiting. */
export const waitingMax = 10_000;

/** How many calls one batch carries, and of how many characters. */
export const batchCallsMax = 256;
export const batchLengthMax = 100_000;

/** How many characters an operation may have as JSON, so that it fits into a batch. */
export const requestLengthMax = 90_000;

/** How many watches are served with events of the past in one batch, and with how many events each. */
export const fetchesMax = 4;
export const fetchEventsMax = 64;

/** How many messages may be on their way to a watch before it has to say that some have arrived. */
export const unheardMax = 8;

/** How many reads that may be old wait for the replica, how many questions to the master for their answers. */
export const staleReadsMax = 1024;
export const questionsMax = 8;

/** How many pieces of evidence are kept. */
export const evidenceMax = 16;

/** A client's request that waits for the group. */
export interface WaitingRequest {
  readonly from: AgentId;
  /** 0 for a client that wants its seat. */
  readonly request: number;
  readonly seat: number;
  readonly operation: DeepReadonly<GobbyOperation> | undefined;
  readonly length: number;
  /** Whether it waits for the next batch; a read need not. */
  byLog: boolean;
}

/** Reads that the replica was asked for. */
export interface Look {
  readonly id: number;
  readonly parts: readonly { readonly client: string; readonly request: number }[];
  /** What its state must not be behind of. */
  readonly knownPlace: number;
}

/** A read that may be old, while the replica is asked. */
export interface StaleRead {
  readonly from: AgentId;
  readonly client: string;
  readonly number: number;
}

/** A state that is at `place` of the log has all that was acknowledged before the moment `at` of the own clock. */
export interface Evidence {
  readonly place: number;
  readonly at: number;
}

/** A keep-alive that waits for the group, since the end of its session was asked for. */
export interface Renewal {
  readonly from: AgentId;
  readonly client: string;
  readonly number: number;
}

/** A client that watches. */
export interface Watch {
  from: AgentId;
  readonly client: string;
  readonly watch: number;
  readonly target: EventTarget;
  readonly oneShot: boolean;
  /**
   * The first revision whose events were not sent. Of one that is neither late nor told it may lag behind what the
   * server knows: nothing has happened since that is for it.
   */
  next: number;
  /** The first revision of which the client has not said that it knows its events. */
  heard: number;
  /** For each message of which that is not known, the first revision after it. */
  unheard: number[];
  /** Whether the one event was sent. */
  told: boolean;
  /** When its client was last heard of. */
  heardAt: number;
}

/** What a part of a batch is for. */
export type Part =
  | { readonly kind: "client"; readonly client: string; readonly request: number }
  | { readonly kind: "timed"; readonly name: string }
  | { readonly kind: "renewal"; readonly session: number }
  | { readonly kind: "watch"; readonly name: string; readonly from: number };

/** What the group is asked. */
export type Asked =
  | { readonly kind: "beginTerm" }
  | { readonly kind: "deadlines"; readonly skip: number }
  | { readonly kind: "events" }
  | { readonly kind: "batch"; readonly parts: readonly Part[] };

/** What a server knows. */
export interface ServerState {
  readonly lease: LeaseState;
  /**
   * `none`: it is not the master. `beginning`: it owns the lease, and begins its term. `reading`: it reads what must be
   * timed. Only when `serving` it answers clients.
   */
  phase: "none" | "beginning" | "reading" | "serving";
  term: number;
  /** How often it has spoken as the master. */
  answers: number;
  /** The latest revision that it knows all of. */
  revision: number;
  /** Whether the group has got beyond that without telling the events. */
  behind: boolean;
  /**
   * A place in the group's log: up to there all is known to be carried out, at least what this server has ever told
   * anybody. See server_reads.ts.
   */
  place: number;
  /** The number of its latest question to the group. */
  asked: number;
  underWay: (Asked & { readonly id: number }) | undefined;
  /** From when on the replica is asked to lead again; 0 for a master that has not asked yet. */
  leaderWantedAt: number;
  /** How often the group has failed in a row. */
  failures: number;
  /** How many deadlines it has read, and at which revision. */
  read: { skip: number; revision: number };
  /** Who looks for the master, and when it last did. At most {@linkcode waitingMax}. */
  readonly seekers: Map<AgentId, number>;
  /** By client, in the order of their coming. */
  readonly waiting: Map<string, WaitingRequest>;
  /** Clients that wait for the next look at the replica. */
  readonly reads: Set<string>;
  look: Look | undefined;
  /** Until when the replica is not asked, since it was behind. */
  behindUntil: number;
  /** Reads that may be old, by the numbers of their looks. At most {@linkcode staleReadsMax}. */
  readonly staleReads: Map<number, StaleRead>;
  /** When it asked the master how far it is, by the numbers of the questions. At most {@linkcode questionsMax}. */
  readonly questions: Map<number, number>;
  /** What it knows of how old its replica's copy is: growing both in time and in place. */
  evidence: Evidence[];
  /** By session. */
  readonly renewals: Map<number, Renewal>;
  clock: DeadlineClock;
  /** What is due, by its name in the clock. */
  readonly due: Set<string>;
  readonly watches: Map<string, Watch>;
  readonly watchIndex: WatchIndex;
  /** How many watches each client has. */
  readonly watchesOf: Map<string, number>;
  /** Watches that are to be served with events of the past. */
  readonly late: Set<string>;
}

/** The state before the server has started. */
export function newServerState(): ServerState {
  return {
    lease: newLeaseState(),
    phase: "none",
    term: 0,
    answers: 0,
    revision: 0,
    behind: false,
    place: 0,
    asked: 0,
    underWay: undefined,
    leaderWantedAt: 0,
    failures: 0,
    read: { skip: 0, revision: 0 },
    seekers: new Map(),
    waiting: new Map(),
    reads: new Set(),
    look: undefined,
    behindUntil: 0,
    staleReads: new Map(),
    questions: new Map(),
    evidence: [],
    renewals: new Map(),
    clock: newClock(),
    due: new Set(),
    watches: new Map(),
    watchIndex: newWatchIndex(),
    watchesOf: new Map(),
    late: new Set(),
  };
}

/** The timers of a server. */
export type ServerTimer = "lease" | "clock" | "rest" | "sweep" | "fresh" | "group";

/** The context of a server's handlers. */
export type ServerContext = Context<
  ServerAttrs,
  typeof serverProtocol,
  never,
  ServerTimer,
  never,
  never
>;

/** What every step of a server works with. */
export interface ServerStep {
  readonly state: ServerState;
  readonly ctx: ServerContext;
  readonly rules: GobbyRules;
  /** Whether it owns the lease at this moment. */
  ownsLease(): boolean;
  /** Gives the lease up, and does not want it for a while. */
  rest(why: string): void;
}

/** What only the master says, without the term. */
export type MastersWord = {
  [K in "reply" | "keptAlive" | "following" | "news" | "followEnded"]: Omit<
    ServerMessage<K>,
    "term"
  >;
}["reply" | "keptAlive" | "following" | "news" | "followEnded"];

/**
 * Tells a client something as the master, or nothing if the server is not the master at this very moment. What it says
 * may leave later, since a box sends nothing before its disk has what came before; it is as true then.
 */
export function speak(step: ServerStep, to: AgentId, word: MastersWord): void {
  const { state, ctx } = step;
  if (!isMaster(step)) return;
  state.answers++;
  ctx.sendTo(to, { ...word, term: state.term });
}

/** Whether a server may answer as the master now. */
export function isMaster({ state, rules, ownsLease }: ServerStep): boolean {
  return state.phase === "serving" && rules.mayAnswer(ownsLease());
}
