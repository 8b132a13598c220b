// Locks of a program. Whoever holds one is told when that is in doubt; a write that must not happen then carries the
// lock as its fence, since being told may come too late for a program that was asleep.

import type { LockMode } from "../agents/gobby/machine_types.ts";
import { gobbyLimits } from "../agents/gobby/machine_types.ts";
import type { GobbyChannel } from "./gobby_channel.ts";
import { RefusedError } from "./gobby_error.ts";
import type { GobbySession } from "./gobby_session.ts";
import { OperationError } from "./group_client.ts";

/** How a lock is wanted. */
export interface LockOptions {
  /** `exclusive` is for one holder alone, `shared` for any number; default exclusive. */
  readonly mode?: LockMode;
  /** How long to wait for it; 0 only tries. Default a day, the longest there is. */
  readonly waitMs?: number;
  /** For how long nobody gets the lock if its holder is lost; default not at all. */
  readonly lockDelayMs?: number;
  /** Gives up waiting. */
  readonly signal?: AbortSignal;
}

/** A lock that is held. */
export interface GobbyLock extends AsyncDisposable {
  readonly key: string;
  /** Larger than that of any grant before, of whatever lock. */
  readonly token: number;
  /** The session that holds it. */
  readonly session: GobbySession;
  /** Aborts at once when it is in doubt whether the lock is held, a SessionError being its reason. */
  readonly signal: AbortSignal;
  /** Gives it back; once is enough. */
  release(): Promise<void>;
}

/** The locks of one client: since they are held by its session, none may be asked for twice. */
export class Locks {
  readonly #channel: GobbyChannel;
  /** The keys of locks that are held or awaited. */
  readonly #wanted = new Set<string>();

  constructor(channel: GobbyChannel) {
    this.#channel = channel;
  }

  /** Waits for a lock. */
  async acquire(key: string, options: LockOptions = {}): Promise<GobbyLock> {
    const { mode = "exclusive", waitMs = gobbyLimits.waitMs, lockDelayMs, signal } = options;
    signal?.throwIfAborted();
    if (this.#wanted.has(key)) {
      throw new TypeError(
        `Cannot lock ${JSON.stringify(key)} twice with one session, want another client`,
      );
    }
    this.#wanted.add(key);
    const operation = { kind: "acquire", key, mode, waitMs, lockDelayMs };
    const kinds = ["acquired", "waitCancelled"] as const;
    try {
      const result = await this.#channel.askWithSession(operation, kinds, { signal });
      if (result.kind === "acquired") return this.#hold(key, result.token);
      throw new OperationError(
        true,
        `Lock ${JSON.stringify(key)} was not free within ${waitMs} ms`,
      );
    } catch (error) {
      // What was asked and is not wanted any more the client takes back before it asks for anything else.
      this.#wanted.delete(key);
      throw error;
    }
  }

  #hold(key: string, token: number): GobbyLock {
    const { session } = this.#channel;
    if (session === undefined) throw new OperationError(false, "The session is over");
    let released: Promise<void> | undefined;
    const release = () => released ??= this.#release(key, token, session);
    return {
      ...{ key, token, session, release },
      signal: session.signal,
      [Symbol.asyncDispose]: release,
    };
  }

  async #release(key: string, token: number, session: GobbySession): Promise<void> {
    try {
      // What was lost, or is while nobody answers, is nobody's to give back.
      const { ended: signal } = session;
      await this.#channel.ask({ kind: "release", key, token }, ["released"], { signal });
    } catch (error) {
      if (!(error instanceof RefusedError || session.over)) throw error;
    } finally {
      this.#wanted.delete(key);
    }
  }
}

/** What `promise` gives, unless the signal aborts first. */
export async function unlessAborted<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (signal === undefined) return await promise;
  let abort = () => {};
  const aborted = new Promise<never>((_, fail) => {
    abort = () => fail(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort);
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
