// A machine for tests: it is asked one thing after the other, and its invariants are checked after each.

import { assert } from "@std/assert";
import { z } from "zod";
import { applyGobby } from "./machine.ts";
import { checkGobby } from "./machine_check.ts";
import { type GobbyLimits, gobbyLimits } from "./machine_limits.ts";
import type { GobbyOperation, LockMode } from "./machine_operation.ts";
import type { GobbyOutcome, GobbyResult } from "./machine_result.ts";
import { type GobbyState, initialState } from "./machine_state.ts";

/** A machine under test. */
export class Trial {
  readonly state: GobbyState = initialState();
  readonly limits: GobbyLimits;

  constructor(limits: Partial<GobbyLimits> = {}) {
    this.limits = { ...gobbyLimits, ...limits };
  }

  /** What comes of an operation. */
  ask(operation: GobbyOperation): GobbyResult {
    const result = applyGobby(this.state, operation, this.limits);
    checkGobby(this.state, this.limits);
    return result;
  }

  /** What comes of an operation, which must be of this kind. */
  get<Kind extends GobbyResult["kind"]>(
    kind: Kind,
    operation: GobbyOperation,
  ): GobbyOutcome<Kind> {
    const result = this.ask(operation);
    if (!isOf(result, kind)) throw new Error(`want ${kind}, got ${JSON.stringify(result)}`);
    return result;
  }

  /** A new session. */
  open(client = "client"): number {
    return this.get("session", { kind: "openSession", client, ttlMs: 10_000 }).session;
  }

  /** A put, and its revision. */
  put(key: string, value: string, session?: number): number {
    const attachment = session === undefined ? {} : { session };
    return this.get("stored", { kind: "put", key, value, ...attachment }).revision;
  }

  /** The value of a key, or null. */
  valueOf(key: string): string | null {
    return this.get("entry", { kind: "get", key }).entry?.value ?? null;
  }

  /** Tries to get a lock. */
  try(session: number, key: string, mode: LockMode = "exclusive"): GobbyResult {
    return this.ask({ kind: "acquire", session, key, mode, waitMs: 0 });
  }

  /** Gets a lock that is free, or an earlier token of it. */
  lock(session: number, key: string, options: LockOptions = {}): number {
    const { mode = "exclusive", lockDelayMs = 0 } = options;
    const operation = { kind: "acquire", session, key, mode, waitMs: 0, lockDelayMs } as const;
    return this.get("acquired", operation).token;
  }

  /** Stands in the queue of a lock. */
  wait(session: number, key: string, mode: LockMode = "exclusive"): number {
    const operation = { kind: "acquire", session, key, mode, waitMs: 5000 } as const;
    return this.get("waiting", operation).ticket;
  }

  /** The sessions that hold a lock, and those that wait for it. */
  lockOf(key: string): { readonly holders: number[]; readonly waiters: number[] } {
    const { holders, waiters } = this.get("lock", { kind: "getLock", key });
    const session = (each: { readonly session: number }) => each.session;
    return { holders: holders.map(session), waiters: waiters.map(session) };
  }

  /** The master says that a session has run out. */
  expire(session: number, renewal = 0): GobbyResult {
    return this.ask({ kind: "expireSession", session, renewal, term: this.state.term });
  }
}

/** How {@linkcode Trial.lock} gets a lock. */
export interface LockOptions {
  readonly mode?: LockMode;
  readonly lockDelayMs?: number;
}

function isOf<Kind extends GobbyResult["kind"]>(
  result: GobbyResult,
  kind: Kind,
): result is GobbyOutcome<Kind> {
  return result.kind === kind;
}

/** A value that fits a schema and is as long as JSON as such a value gets, but for its texts, of `length` characters. */
export function longest(schema: z.core.$ZodType, length: number): unknown {
  if (schema instanceof z.ZodObject) {
    return Object.fromEntries(
      Object.entries(schema.shape).map(([key, part]) => [key, longest(part, length)]),
    );
  }
  if (schema instanceof z.ZodNullable) return longest(schema.unwrap(), length);
  if (schema instanceof z.ZodLiteral) return schema.value;
  if (schema instanceof z.ZodEnum) {
    return schema.options.toSorted((one, other) => `${other}`.length - `${one}`.length)[0];
  }
  if (schema instanceof z.ZodBoolean) return false;
  if (schema instanceof z.ZodString) return "\u0000".repeat(length);
  assert(schema instanceof z.ZodNumber);
  return (schema.minValue ?? 0) < 0 ? Number.MIN_SAFE_INTEGER : Number.MAX_SAFE_INTEGER;
}
