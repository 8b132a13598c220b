// A program's client of a replicated group. Inside runs the very agent that asks groups within a grid (guest.ts);
// around it there are promises.

import type { AnyMessage } from "../core/agent.ts";
import type { Json } from "../core/data.ts";
import type { AgentId } from "../core/id.ts";
import type { CallOutcome } from "../agents/vr/protocol.ts";
import { vrClient } from "../agents/vr/client.ts";
import { nativeTcp } from "../transport/native_tcp.ts";
import type { Transport } from "../transport/transport.ts";
import { Guest } from "./guest.ts";

/** What a client is told. */
export interface GroupClientOptions {
  /** The replicas by their ids in the grid, and the addresses of their boxes. */
  readonly replicas: Readonly<Record<string, string>>;
  /** How long an operation may take before it fails; default 10 s. */
  readonly deadlineMs?: number;
  /** How connections are made; default TCP, on Deno and on Node alike. */
  readonly transport?: Transport;
}

/** How one operation differs from the others. */
export interface InvokeOptions {
  /** Gives up waiting. The operation may have happened, or may still. */
  readonly signal?: AbortSignal;
}

/** How a group is changed. */
export interface ReconfigureOptions extends InvokeOptions {
  /** Only if the group is still in this epoch, as `members` has told it. */
  readonly epoch?: number;
}

/** One of the replicas that a client knows of. */
export interface GroupReplica {
  readonly id: string;
  /** Whether it belongs to the group; else it is a spare. */
  readonly isMember: boolean;
  /**
   * Whether it answers. A member that is `lost` does, but has lost its disk since it became one: it takes no part until
   * the group is given it anew.
   */
  readonly state: "present" | "silent" | "lost";
}

/** A group, as far as its replicas know who have answered. */
export interface GroupMembers {
  /** Counts the changes of the group. */
  readonly epoch: number;
  /** The one that leads, or is about to. */
  readonly primary: string;
  readonly replicas: readonly GroupReplica[];
}

/** An operation that has no result. */
export class OperationError extends Error {
  override readonly name = "OperationError";

  constructor(
    /** Whether it certainly did not happen, and will not. Otherwise it may have happened, or may still. */
    readonly certain: boolean,
    why: string,
  ) {
    super(
      `${why}; the operation ${certain ? "did not happen" : "may have happened, or may still"}`,
    );
  }
}

type Settle = (outcome: CallOutcome) => void;

/**
 * A client of a replicated group. Operations are carried out one at a time, each at most once, whatever becomes of
 * replicas, links and primaries meanwhile; several clients make several operations at a time.
 *
 * @example
 * ```ts ignore
 * import { GroupClient } from "ovid/client";
 *
 * await using client = new GroupClient({
 *   replicas: { r0: "127.0.0.1:5000", r1: "127.0.0.1:5001", r2: "127.0.0.1:5002" },
 * });
 * await client.invoke({ kind: "put", key: "a", value: "1" });
 * console.log(await client.invoke({ kind: "get", key: "a" })); // { kind: "value", value: "1" }
 * ```
 */
export class GroupClient implements AsyncDisposable {
  /** The name by which the group knows this client: new for each, so that no two ever share a session. */
  readonly id: AgentId;
  readonly #guest: Guest;
  readonly #names: readonly string[];
  readonly #waiting = new Map<number, Settle>();
  #calls = 0;
  #closed = false;

  constructor({ replicas, deadlineMs, transport = nativeTcp }: GroupClientOptions) {
    const names = Object.keys(replicas);
    if (names.length === 0) {
      throw new RangeError("Cannot be a client of no replicas, want at least one");
    }
    this.#names = names;
    this.#guest = new Guest({
      definition: vrClient,
      attrs: { replicas: names, ...deadlineMs === undefined ? {} : { deadlineMs } },
      peers: replicas,
      peerType: "vr_replica",
      transport,
      receive: (message) => this.#answer(message),
      broken: (why) => this.#end(`The client broke: ${why}`),
    });
    this.id = this.#guest.id;
  }

  /**
   * Carries out an operation of the group's machine.
   *
   * @throws {OperationError} if it failed, or no answer came in time; `certain` says whether it may have happened.
   */
  async invoke(operation: Json, options: InvokeOptions = {}): Promise<Json> {
    const outcome = await this.#call({ kind: "apply", operation }, options);
    if (outcome.kind === "applied") return outcome.result;
    throw new OperationError(false, `the group answered ${outcome.kind}`);
  }

  /**
   * Gives the group these replicas, which its grid must have; resolves with the new epoch. A replica of the group that is
   * named again stays what it is, or what it has become if it has lost its disk.
   */
  async reconfigure(
    replicas: readonly string[],
    { epoch, ...options }: ReconfigureOptions = {},
  ): Promise<number> {
    const only = epoch === undefined ? {} : { epoch };
    const outcome = await this.#call({ kind: "reconfigure", replicas, ...only }, options);
    if (outcome.kind === "epoch") return outcome.epoch;
    throw new OperationError(false, `the group answered ${outcome.kind}`);
  }

  /** Who belongs to the group, and who of all the client knows of is there. */
  async members(options: InvokeOptions = {}): Promise<GroupMembers> {
    const outcome = await this.#call({ kind: "members" }, options);
    if (outcome.kind !== "members") {
      throw new OperationError(true, `the group answered ${outcome.kind}`);
    }
    const { epoch, primary, members, present } = outcome;
    const named = new Map(members.map(({ agent, incarnation }) => [String(agent), incarnation]));
    const there = new Map(present.map(({ agent, incarnation }) => [String(agent), incarnation]));
    const replicas = [...new Set([...this.#names, ...named.keys()])].map((id): GroupReplica => {
      const [incarnation, found] = [named.get(id), there.get(id)];
      const isMember = incarnation !== undefined;
      if (found === undefined) return { id, isMember, state: "silent" };
      return { id, isMember, state: !isMember || incarnation === found ? "present" : "lost" };
    });
    return { epoch, primary, replicas };
  }

  /** Ends the client; what is under way fails. */
  async close(): Promise<void> {
    this.#end("The client was closed");
    await this.#guest.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #call(
    command: Json,
    { signal }: InvokeOptions,
  ): Promise<Exclude<CallOutcome, { kind: "failed" }>> {
    if (this.#closed) throw new OperationError(true, "The client is closed");
    signal?.throwIfAborted();
    const id = ++this.#calls;
    let abort = () => {};
    try {
      const outcome = await new Promise<CallOutcome>((done, fail) => {
        abort = () => fail(signal?.reason);
        signal?.addEventListener("abort", abort);
        this.#waiting.set(id, done);
        this.#guest.tell({ type: "invoke", id, command });
      });
      if (outcome.kind === "failed") throw new OperationError(outcome.certain, outcome.why);
      return outcome;
    } finally {
      this.#waiting.delete(id);
      signal?.removeEventListener("abort", abort);
    }
  }

  #end(why: string): void {
    this.#closed = true;
    for (const settle of this.#waiting.values()) settle({ kind: "failed", certain: false, why });
  }

  #answer(message: AnyMessage): void {
    const { id, outcome } = message;
    // Its own agent's word, checked by the agent's own schema.
    if (typeof id === "number") this.#waiting.get(id)?.(outcome as CallOutcome);
  }
}
