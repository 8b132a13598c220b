// Elections, semaphores and barriers, made of locks, ephemeral keys and watches: docs/gobby.md, Recipes.

import type {
  EventTarget,
  GobbyOutcome,
  KeyEntry,
  KeyRange,
} from "../agents/gobby/machine_types.ts";
import { RefusedError, SessionError } from "./gobby_error.ts";
import { type GobbyLock, type LockOptions, unlessAborted } from "./gobby_lock.ts";
import type { GobbyOptions, PutOptions, RangeOptions, WriteOptions } from "./gobby_options.ts";
import type { GobbySession } from "./gobby_session.ts";
import type { GobbyWatch, WatchOptions } from "./gobby_watch.ts";

/** What recipes are made of: a GobbyClient. */
export interface Ingredients {
  readonly id: string;
  get(key: string, options?: GobbyOptions): Promise<KeyEntry | undefined>;
  put(key: string, value: string, options?: PutOptions): Promise<{ revision: number }>;
  delete(key: string, options?: WriteOptions): Promise<boolean>;
  range(range: KeyRange, options?: RangeOptions): Promise<GobbyOutcome<"entries">>;
  prefix(prefix: string, options?: RangeOptions): AsyncIterable<KeyEntry>;
  session(options?: GobbyOptions): Promise<GobbySession>;
  lock(key: string, options?: LockOptions): Promise<GobbyLock>;
  watch(target: EventTarget, options?: WatchOptions): GobbyWatch;
}

/** How somebody wants to lead. */
export interface ElectOptions extends Pick<LockOptions, "waitMs" | "lockDelayMs" | "signal"> {
  /** What everybody is to know of the leader, such as its address; default the client's name. */
  readonly value?: string;
}

/** One of the places of a semaphore. */
export interface GobbyPermit extends AsyncDisposable {
  /** The key that stands for it. It is there as long as the place is held. */
  readonly key: string;
  /** The revision at which that key came into being: a transaction that compares it is the holder's alone. */
  readonly revision: number;
  /** Aborts at once when it is in doubt whether the place is held. */
  readonly signal: AbortSignal;
  /** Gives it back. */
  release(): Promise<void>;
}

/** Waits to lead. */
export async function elect(
  client: Ingredients,
  name: string,
  { value = client.id, ...options }: ElectOptions,
): Promise<GobbyLock> {
  const lock = await client.lock(name, options);
  try {
    await client.put(name, value, { ephemeral: true, fence: lock });
  } catch (error) {
    await lock.release();
    throw error;
  }
  let resigned: Promise<void> | undefined;
  const resign = async () => {
    try {
      await client.delete(name, { fence: lock, signal: lock.session.ended });
    } catch (error) {
      // The value is gone with the session, and whoever leads now has put its own.
      if (!(error instanceof RefusedError || lock.session.over)) throw error;
    } finally {
      await lock.release();
    }
  };
  const release = () => resigned ??= resign();
  return { ...lock, release, [Symbol.asyncDispose]: release };
}

/** Waits to be one of `n`. */
export async function semaphore(
  client: Ingredients,
  name: string,
  n: number,
  signal?: AbortSignal,
): Promise<GobbyPermit> {
  const { key, revision, session } = await stand(client, name, signal);
  const release = async () => {
    try {
      await client.delete(key, { signal: session.ended });
    } catch (error) {
      // With the session the key is gone.
      if (!session.over) throw error;
    }
  };
  try {
    await until(client, name, { session, signal }, async () => {
      const places = await all(client, `${name}/`, signal);
      places.sort((a, b) => a.createRevision - b.createRevision);
      const place = places.findIndex((entry) => entry.createRevision === revision);
      if (place < 0) throw new SessionError("lost", session.number);
      return place < n;
    });
  } catch (error) {
    // Nobody is to wait for somebody who does not wait.
    await release().catch(() => {});
    throw error;
  }
  let left: Promise<void> | undefined;
  const leave = () => left ??= release();
  const { signal: doubt } = session;
  return { key, revision, signal: doubt, release: leave, [Symbol.asyncDispose]: leave };
}

/** Waits for `n`. */
export async function barrier(
  client: Ingredients,
  name: string,
  n: number,
  signal?: AbortSignal,
): Promise<void> {
  const { key, session } = await stand(client, name, signal);
  try {
    await until(client, name, { session, signal }, async () => {
      if (await client.get(name) !== undefined) return true;
      const { count } = await client.range({ prefix: `${name}/` }, { limit: 1 });
      // Those who have passed go away, so that whoever sees all of them says it to those who look later.
      if (count >= n) await client.put(name, "open");
      return count >= n;
    });
  } finally {
    await client.delete(key).catch(() => {});
  }
}

/** Puts a key of one's own under a prefix. */
async function stand(client: Ingredients, name: string, signal: AbortSignal | undefined) {
  const options = signal === undefined ? {} : { signal };
  const session = await client.session(options);
  const key = `${name}/${crypto.randomUUID()}`;
  try {
    const { revision } = await client.put(key, client.id, { ephemeral: true });
    return { key, revision, session };
  } catch (error) {
    // It may be there all the same, and would stand in others' way.
    await client.delete(key).catch(() => {});
    throw error;
  }
}

async function all(client: Ingredients, prefix: string, signal: AbortSignal | undefined) {
  const entries: KeyEntry[] = [];
  const pages = client.prefix(prefix, signal === undefined ? {} : { signal });
  for await (const entry of pages) entries.push(entry);
  return entries;
}

/** Looks until what is wanted is so, each time when something has changed under the name. */
async function until(
  client: Ingredients,
  name: string,
  { session, signal }: { session: GobbySession; signal: AbortSignal | undefined },
  look: () => Promise<boolean>,
): Promise<void> {
  const ends = signal === undefined ? [session.signal] : [session.signal, signal];
  const end = AbortSignal.any(ends);
  using watch = client.watch({ kind: "prefix", prefix: name, only: "keys" }, { signal: end });
  await unlessAborted(watch.started(), end);
  const changes = watch[Symbol.asyncIterator]();
  while (!await look()) {
    const change = await changes.next();
    if (change.done === true) return;
  }
}
