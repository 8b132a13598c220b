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
  /** The keys of locks that are held or awaited; with when they are given up, if somebody has stopped to wait. */
  readonly #wanted = new Map<string, Promise<void> | undefined>();

  constructor(channel: GobbyChannel) {
    this.#channel = channel;
  }

  /** Waits for a lock. */
  async acquire(key: string, options: LockOptions = {}): Promise<GobbyLock> {
    const { mode = "exclusive", waitMs = gobbyLimits.waitMs, lockDelayMs, signal } = options;
    signal?.throwIfAborted();
    while (this.#wanted.has(key)) {
      const end = this.#wanted.get(key);
      if (end === undefined) {
        throw new TypeError(
          `Cannot lock ${JSON.stringify(key)} twice with one session, want another client`,
        );
      }
      await end;
    }
    this.#wanted.set(key, undefined);
    const operation = { kind: "acquire", key, mode, waitMs, lockDelayMs };
    const asking = this.#channel.askWithSession(operation, ["acquired", "waitCancelled"]);
    try {
      const result = await unlessAborted(asking, signal);
      if (result.kind === "waitCancelled") {
        throw new OperationError(
          true,
          `Lock ${JSON.stringify(key)} was not free within ${waitMs} ms`,
        );
      }
      return this.#hold(key, result.token);
    } catch (error) {
      if (error instanceof OperationError && error.certain) this.#wanted.delete(key);
      else this.#wanted.set(key, this.#giveUp(key, asking));
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

  /** Gives back what may have been granted though nobody waits for it any more. */
  async #giveUp(key: string, asking: Promise<unknown>): Promise<void> {
    try {
      await this.#cancel(key);
      await asking.catch(() => {});
      await this.#cancel(key);
    } catch {
      // With the session ends what cannot be given back.
    } finally {
      this.#wanted.delete(key);
    }
  }

  async #cancel(key: string): Promise<void> {
    const own = this.#channel.session?.number;
    if (own === undefined) return;
    const lock = await this.#channel.ask({ kind: "getLock", key }, ["lock"]);
    const holder = lock.holders.find(({ session }) => session === own);
    const waiter = lock.waiters.find(({ session }) => session === own);
    const ends = [
      holder && { kind: "release", key, token: holder.token },
      waiter && { kind: "cancelWait", key, ticket: waiter.ticket },
    ];
    for (const end of ends) {
      if (end !== undefined) await this.#channel.ask(end, ["released", "waitCancelled", "refused"]);
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
