// A program's client of Gobby. Inside runs the very agent that asks Gobby's servers within a grid (guest.ts); around it
// there are promises, and loops over what is watched.

import type {
  EventTarget,
  GobbyOutcome,
  KeyEntry,
  KeyRange,
} from "../agents/gobby/machine_types.ts";
import { nativeTcp } from "../transport/native_tcp.ts";
import type { Transport } from "../transport/transport.ts";
import { GobbyChannel } from "./gobby_channel.ts";
import { RefusedError } from "./gobby_error.ts";
import { type GobbyLock, type LockOptions, Locks } from "./gobby_lock.ts";
import type {
  Aged,
  AgedEntry,
  GobbyOptions,
  PutOptions,
  RangeOptions,
  StaleOptions,
  Transaction,
  WriteOptions,
} from "./gobby_options.ts";
import { barrier, elect, type ElectOptions, type GobbyPermit, semaphore } from "./gobby_recipes.ts";
import type { GobbySession } from "./gobby_session.ts";
import { GobbyWatch, type WatchOptions } from "./gobby_watch.ts";
import {
  GroupClient,
  type GroupMembers,
  type InvokeOptions,
  OperationError,
  type ReconfigureOptions,
} from "./group_client.ts";

/** What a client is told. */
export interface GobbyClientOptions {
  /** Gobby's servers by their ids in the grid, and the addresses of their boxes. */
  readonly servers: Readonly<Record<string, string>>;
  /** What keeps Gobby's data: the replicas and spares by their ids, and the addresses of their boxes; for `members` alone. */
  readonly replicas?: Readonly<Record<string, string>>;
  /** How long the program may be silent before its locks and ephemeral keys are gone; default 10 s. */
  readonly sessionTtlMs?: number;
  /** How long an operation may take before it fails; default 10 s. */
  readonly deadlineMs?: number;
  /** How connections are made; default TCP, on Deno and on Node alike. */
  readonly transport?: Transport;
}

/**
 * A client of Gobby. Whatever becomes of servers, links and masters meanwhile, each operation is carried out at most
 * once; operations of one client are carried out one at a time, those of several clients together. A program that
 * crashes loses its session after `sessionTtlMs`, and with it its locks; one that closes its client loses it at once.
 *
 * @example
 * ```ts ignore
 * import { GobbyClient } from "ovid/client";
 *
 * await using gobby = new GobbyClient({
 *   servers: { s1: "127.0.0.1:5041", s2: "127.0.0.1:5042", s3: "127.0.0.1:5043" },
 * });
 * await gobby.put("colour", "blue");
 * console.log((await gobby.get("colour"))?.value); // blue
 *
 * await using lock = await gobby.lock("jobs");
 * await gobby.put("jobs/next", "7", { fence: lock });
 * ```
 */
export class GobbyClient implements AsyncDisposable {
  readonly #channel: GobbyChannel;
  readonly #locks: Locks;
  readonly #openGroup: () => GroupClient;
  #group: GroupClient | undefined;

  constructor(options: GobbyClientOptions) {
    const { servers, sessionTtlMs = 10_000, deadlineMs = 10_000, transport = nativeTcp } = options;
    const { replicas = {} } = options;
    this.#openGroup = () => new GroupClient({ replicas, deadlineMs, transport });
    this.#channel = new GobbyChannel({ servers, sessionTtlMs, deadlineMs, transport });
    this.#locks = new Locks(this.#channel);
  }

  /** The name by which servers know this client. */
  get id(): string {
    return this.#channel.id;
  }

  /**
   * The entry of a key; undefined if it does not exist. It is what there is now, and with `stale` what some server has,
   * with how old that is: then it takes no master.
   *
   * @example
   * ```ts ignore
   * const { entry, ageMs } = await gobby.get("colour", { stale: true, maxAgeMs: 5000 });
   * console.log(`${entry?.value}, as of ${ageMs} ms ago at most`);
   * ```
   */
  get(key: string, options: StaleOptions): Promise<AgedEntry>;
  get(key: string, options?: GobbyOptions): Promise<KeyEntry | undefined>;
  async get(
    key: string,
    options: GobbyOptions | StaleOptions = {},
  ): Promise<AgedEntry | KeyEntry | undefined> {
    const operation = { kind: "get", key };
    if (!("stale" in options)) {
      return (await this.#channel.ask(operation, ["entry"], options)).entry ?? undefined;
    }
    const { entry, revision, ageMs } = await this.#channel.askStale(operation, ["entry"], options);
    return { entry: entry ?? undefined, revision, ageMs };
  }

  /**
   * Gives a key a value.
   *
   * @throws {RefusedError} if what it hangs on does not hold, or a limit stands against it.
   */
  async put(
    key: string,
    value: string,
    options: PutOptions = {},
  ): Promise<{ revision: number; version: number }> {
    const { ephemeral = false, ttlMs } = options;
    const operation = { kind: "put", key, value, ttlMs, ...conditionOf(options) };
    const { revision, version } = ephemeral
      ? await this.#channel.askWithSession(operation, ["stored"], options)
      : await this.#channel.ask(operation, ["stored"], options);
    return { revision, version };
  }

  /** Deletes a key; whether it existed. */
  async delete(key: string, options: WriteOptions = {}): Promise<boolean> {
    const operation = { kind: "delete", key, ...conditionOf(options) };
    return (await this.#channel.ask(operation, ["deleted"], options)).count > 0;
  }

  /** Deletes the keys of a range, at most `limit` of them at once; how many, and whether there are more. */
  async deleteRange(
    range: KeyRange,
    options: Omit<WriteOptions, "ifRevision"> & { readonly limit?: number } = {},
  ): Promise<{ count: number; more: boolean }> {
    const { limit = pageMax } = options;
    const operation = { kind: "deleteRange", range, limit, ...conditionOf(options) };
    const { count, more } = await this.#channel.ask(operation, ["deleted"], options);
    return { count, more };
  }

  /** The entries of a range in the order of their keys: one page of them, as they were at one revision. */
  range(
    range: KeyRange,
    options: RangeOptions & StaleOptions,
  ): Promise<GobbyOutcome<"entries"> & Aged>;
  range(range: KeyRange, options?: RangeOptions): Promise<GobbyOutcome<"entries">>;
  async range(
    range: KeyRange,
    options: RangeOptions | RangeOptions & StaleOptions = {},
  ): Promise<GobbyOutcome<"entries">> {
    const { limit = pageMax, after } = options;
    const operation = { kind: "range", range, limit, after };
    return "stale" in options
      ? await this.#channel.askStale(operation, ["entries"], options)
      : await this.#channel.ask(operation, ["entries"], options);
  }

  /** All entries whose keys begin so, page after page, each page as it was when it was read. */
  async *prefix(prefix: string, options: RangeOptions = {}): AsyncGenerator<KeyEntry, void> {
    let { after } = options;
    while (true) {
      const page = await this.range({ prefix }, {
        ...options,
        ...after === undefined ? {} : { after },
      });
      yield* page.entries;
      after = page.entries.at(-1)?.key;
      if (!page.more || after === undefined) return;
    }
  }

  /** Puts a value if the key has this modify revision, 0 for a key that must not exist; undefined if it has another. */
  async cas(
    key: string,
    revision: number,
    value: string,
    options: Omit<PutOptions, "ifRevision"> = {},
  ): Promise<{ revision: number; version: number } | undefined> {
    try {
      return await this.put(key, value, { ...options, ifRevision: revision });
    } catch (error) {
      if (error instanceof RefusedError && error.refusal.why === "revisionDiffers") {
        return undefined;
      }
      throw error;
    }
  }

  /** Carries out a transaction. */
  async transaction(
    steps: Transaction,
    options: Omit<WriteOptions, "ifRevision"> = {},
  ): Promise<GobbyOutcome<"transaction">> {
    const operation = {
      kind: "transaction",
      if: [...steps.if ?? []],
      then: [...steps.then ?? []],
      else: [...steps.else ?? []],
      ...conditionOf(options),
    };
    return await this.#channel.ask(operation, ["transaction"], options);
  }

  /**
   * The client's session, opened if there is none.
   *
   * @example
   * ```ts ignore
   * const session = await gobby.session();
   * session.signal.addEventListener("abort", () => {
   *   console.log(session.signal.reason.state); // jeopardy, lost or closed
   * });
   * ```
   */
  async session(options: GobbyOptions = {}): Promise<GobbySession> {
    await this.#channel.askWithSession({ kind: "getSession" }, ["session"], options);
    const { session } = this.#channel;
    if (session === undefined) throw new OperationError(false, "The session is over");
    return session;
  }

  /**
   * Waits for a lock.
   *
   * @example
   * ```ts ignore
   * await using lock = await gobby.lock("jobs", { waitMs: 5000 });
   * await fetch("http://127.0.0.1:8080/next", { signal: lock.signal });
   * await gobby.put("jobs/next", "8", { fence: lock });
   * ```
   *
   * @throws {RefusedError} if it was only to try, and somebody else holds the lock.
   * @throws {OperationError} if it was not free in time.
   */
  async lock(key: string, options: LockOptions = {}): Promise<GobbyLock> {
    return await this.#locks.acquire(key, options);
  }

  /**
   * Watches from now on, or from a revision that is still kept.
   *
   * @example
   * ```ts ignore
   * using watch = gobby.watch({ kind: "prefix", prefix: "jobs/" }, { from: 1 });
   * for await (const event of watch) {
   *   if (event.kind === "keyStored") console.log(event.entry.key, event.entry.value);
   *   if (event.revision > 100) break;
   * }
   * console.log(watch.revision); // where another one goes on
   * ```
   *
   * Its loop throws {@linkcode CompactedError}, with the oldest revision there is, if it can give no more without a gap.
   */
  watch(target: EventTarget, options: WatchOptions = {}): GobbyWatch {
    return new GobbyWatch(this.#channel, target, options);
  }

  /**
   * Waits to be the one that leads. Everybody sees the leader's `value` under the key `name`, as long as it leads.
   *
   * @example
   * ```ts ignore
   * await using leader = await gobby.elect("printer", { value: "10.0.0.7:9100" });
   * while (!leader.signal.aborted) await printNext({ fence: leader });
   * ```
   */
  async elect(name: string, options: ElectOptions = {}): Promise<GobbyLock> {
    return await elect(this, name, options);
  }

  /** Waits to be one of at most `n` who are in. */
  async semaphore(name: string, n: number, options: GobbyOptions = {}): Promise<GobbyPermit> {
    return await semaphore(this, name, n, options.signal);
  }

  /** Waits until `n` clients wait here. A barrier that has opened stays open: each time wants its own name. */
  async barrier(name: string, n: number, options: GobbyOptions = {}): Promise<void> {
    await barrier(this, name, n, options.signal);
  }

  /** How Gobby stands: its revision, its master, how much it keeps. */
  async status(options: GobbyOptions = {}): Promise<GobbyOutcome<"status">> {
    return await this.#channel.ask({ kind: "status" }, ["status"], options);
  }

  /** Events of the past, whole revisions, at most `limit`; with the revision to go on from. */
  async events(
    target: EventTarget,
    from: number,
    options: GobbyOptions & { readonly limit?: number } = {},
  ): Promise<GobbyOutcome<"events">> {
    const { limit = pageMax } = options;
    return await this.#channel.ask({ kind: "events", target, from, limit }, ["events"], options);
  }

  /** Forgets the events before a revision. */
  async compact(revision: number, options: GobbyOptions = {}): Promise<void> {
    await this.#channel.ask({ kind: "compact", revision }, ["compacted"], options);
  }

  /**
   * Who keeps Gobby's data, and who of the replicas that the client was told of could.
   *
   * @throws {RangeError} if it was told of none.
   */
  async members(options: InvokeOptions = {}): Promise<GroupMembers> {
    return await this.#replicated.members(options);
  }

  /**
   * Lets these replicas keep Gobby's data from now on, while all goes on. Resolves with the new epoch.
   *
   * @example Box 3 is gone for good, and a spare takes its place.
   * ```ts ignore
   * const { epoch } = await gobby.members();
   * await gobby.reconfigure(["r1", "r2", "r4"], { epoch });
   * ```
   *
   * @throws {OperationError} if it failed: certainly, if the group is in another epoch.
   */
  async reconfigure(
    replicas: readonly string[],
    options: ReconfigureOptions = {},
  ): Promise<number> {
    return await this.#replicated.reconfigure(replicas, options);
  }

  get #replicated(): GroupClient {
    return this.#group ??= this.#openGroup();
  }

  /** Closes the session, which frees its locks at once, and ends the client; what is under way fails. */
  async close(): Promise<void> {
    await this.#channel.close();
    await this.#group?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** How many entries or events Gobby gives at once. */
const pageMax = 1000;

function conditionOf({ fence, ifRevision }: WriteOptions) {
  return {
    ifRevision,
    ...fence === undefined ? {} : { fence: { lock: fence.key, token: fence.token } },
  };
}
