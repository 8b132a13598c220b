// What a client knows, all of it in memory: a client that starts anew is another one, with a name of its own.

import { z } from "zod";
import type { Context } from "../../core/agent.ts";
import type { DeepReadonly, Json } from "../../core/data.ts";
import type { AgentId } from "../../core/id.ts";
import { replicasAttr } from "../vr/attrs.ts";
import { gobbyLimits } from "./machine_limits.ts";
import type { EventTarget, GobbyOperation } from "./machine_operation.ts";
import type { gobbyClientProtocol, sessionState } from "./protocol.ts";
import type { GobbyRules } from "./rules.ts";

const duration = z.int().min(1).max(3_600_000);

/** What a grid says about a client. */
export const clientAttrs = z.strictObject({
  /** All servers of Gobby. */
  servers: replicasAttr,
  /** How long the client may be silent before its locks and its ephemeral keys are gone. */
  sessionTtlMs: z.int().min(gobbyLimits.sessionTtlMsMin).max(gobbyLimits.sessionTtlMs)
    .default(10_000),
  /** Whether it opens a session at once, and not only when something is asked with it. */
  opensSession: z.boolean().default(false),
  /** How long an answer is awaited before the request is sent again; grows by half each time. */
  retryMs: duration.default(100),
  retryMsMax: duration.default(1000),
  /** How long something asked may take, the waiting for its turn included, if the asker does not say. */
  deadlineMs: duration.default(10_000),
  /** How often a watch says how far it has got. */
  refreshMs: duration.default(1000),
  /** By how much the clock of any box may be too fast or too slow, in millionths. */
  clockDriftPpm: z.int().min(0).max(500_000).default(10_000),
});

/** How much may wait at a client: things asked, locks that are awaited, users that are told of the session. */
export const asksMax = 1024;
export const waitsMax = 256;
export const usersMax = 1024;

/** How many watches its users may have; each lock that is awaited has one as well. */
export const userWatchesMax = gobbyLimits.watchesOfClient - waitsMax;

/** Something that was asked. */
export interface Ask {
  /** The number under which its deadline is known. */
  readonly number: number;
  /** Null for what the client asks itself. */
  readonly user: AgentId | null;
  readonly id: number;
  readonly operation: Json;
  /** Whether the operation is one of the session. */
  readonly session: boolean;
  /** Whether the answer says how old it is at most. */
  readonly saysAge?: boolean;
}

/** A read that may be old. */
export interface StaleAsk {
  readonly ask: Ask;
  readonly read: DeepReadonly<GobbyOperation>;
  readonly maxAgeMs: number;
  readonly deadlineMs: number;
  readonly askedAt: number;
  /** The index of the server that is asked first, and how often one was asked in vain. */
  readonly first: number;
  tries: number;
  /** Whether one has answered that it could not say, or what is too old. */
  refused: boolean;
  /** When it was sent to the latest. */
  sentAt: number;
}

/** What is being asked of the master. */
export interface Request {
  /** 0 for a seat in the client table. */
  readonly request: number;
  readonly operation: DeepReadonly<GobbyOperation> | undefined;
  /** The session that it is of; 0 for none. */
  readonly session: number;
  /** When it was sent first. */
  readonly sentAt: number;
}

/** A lock that is awaited. */
export interface Wait {
  readonly ask: Ask;
  readonly key: string;
  readonly session: number;
  readonly ticket: number;
  /** The number of the watch that tells of the grant. */
  readonly watch: number;
}

/** A session, counted by the client's own clock. */
export interface ClientSession {
  /** 0 for none. */
  number: number;
  ttlMs: number;
  /** Until when it is certainly there. */
  until: number;
  state: "safe" | "jeopardy";
  /** Keep-alives that were not answered, and when they were sent. */
  readonly keepAlives: Map<number, number>;
  /** The number of the latest one. */
  latest: number;
}

/** A watch. */
export interface ClientWatch {
  /** Null for one of the client's own, for a lock that is awaited. */
  readonly user: AgentId | null;
  readonly id: number;
  readonly target: EventTarget;
  readonly oneShot: boolean;
  /** The first revision whose events have not arrived; null as long as nobody has said where it begins. */
  next: number | null;
}

/** What a client knows. */
export interface ClientState {
  /** Its name in this life. */
  name: string;
  master: AgentId | undefined;
  /** Its number in the client table; 0 for none. */
  seat: number;
  requests: number;
  /** How often in a row something was sent in vain. */
  tries: number;
  /** Things asked; the first is the one that is being asked of the master. */
  readonly asks: Ask[];
  asked: number;
  request: Request | undefined;
  readonly waits: Map<number, Wait>;
  /** Reads that may be old, each under its number among the things asked. At most {@linkcode asksMax}. */
  readonly stale: Map<number, StaleAsk>;
  readonly session: ClientSession;
  readonly watches: Map<number, ClientWatch>;
  watched: number;
  /** Who is told how the session stands. */
  readonly users: Set<AgentId>;
}

/** The state before the client has started. */
export function newClientState(): ClientState {
  return {
    name: "",
    master: undefined,
    seat: 0,
    requests: 0,
    tries: 0,
    asks: [],
    asked: 0,
    request: undefined,
    waits: new Map(),
    stale: new Map(),
    session: { number: 0, ttlMs: 0, until: 0, state: "safe", keepAlives: new Map(), latest: 0 },
    watches: new Map(),
    watched: 0,
    users: new Set(),
  };
}

/** The context of a client's handlers. */
export type ClientContext = Context<
  z.infer<typeof clientAttrs>,
  typeof gobbyClientProtocol,
  never,
  "retry" | "keepAlive" | "session" | "refresh" | "deadline" | "stale",
  never,
  never
>;

/** What every step of a client works with. */
export interface ClientStep {
  readonly state: ClientState;
  readonly ctx: ClientContext;
  readonly rules: GobbyRules;
}

/** Looks for the master. */
export function seek({ ctx }: ClientStep): void {
  for (const server of ctx.attrs.servers) ctx.sendTo(server, { type: "checkMaster" });
}

/** Tells all who want to know how the session stands. */
export function tellUsers(
  { state, ctx }: ClientStep,
  session: number,
  told: z.infer<typeof sessionState>,
): void {
  for (const user of state.users) ctx.sendTo(user, { type: "session", state: told, session });
}
