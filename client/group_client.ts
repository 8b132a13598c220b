// A program's client of a replicated group. Inside runs the very agent that asks groups within a grid, so that what
// the simulator proves of that one holds here as well; around it there are links to the replicas' boxes, and promises.

import type { AnyMessage } from "../core/agent.ts";
import type { Json } from "../core/data.ts";
import type { Batch, Envelope } from "../core/envelope.ts";
import type { Grid } from "../core/grid.ts";
import { messageOf } from "../core/error.ts";
import { Host } from "../core/host.ts";
import { type AgentId, agentId, type BoxId } from "../core/id.ts";
import { deriveSeed, seededRandom } from "../core/random.ts";
import type { CallOutcome } from "../agents/vr/protocol.ts";
import { vrClient } from "../agents/vr/client.ts";
import { nativeTcp } from "../transport/native_tcp.ts";
import type { Transport } from "../transport/transport.ts";
import { ClientLink } from "./link.ts";

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

const here = "client" as BoxId;
const asker = agentId("asker");

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
  readonly #host: Host;
  readonly #links = new Map<string, ClientLink>();
  readonly #waiting = new Map<number, Settle>();
  #calls = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the host wants its next step; infinite if it waits for mail alone. */
  #dueAt = Infinity;
  /** When `#timer` goes off; infinite while there is none. */
  #timerAt = Infinity;
  #closed = false;

  constructor({ replicas, deadlineMs, transport = nativeTcp }: GroupClientOptions) {
    const names = Object.keys(replicas);
    if (names.length === 0) {
      throw new RangeError("Cannot be a client of no replicas, want at least one");
    }
    const id = this.id = agentId(`client-${crypto.randomUUID()}`);
    const attrs = { replicas: names, ...deadlineMs === undefined ? {} : { deadlineMs } };
    const seed = crypto.getRandomValues(new BigUint64Array(1))[0] ?? 0n;
    this.#host = new Host({
      box: here,
      grid: gridOf(id, attrs, replicas),
      definitions: new Map([[vrClient.type, vrClient]]),
      seed,
      isGuest: (agent) => agent === asker,
    });
    for (const address of new Set(Object.values(replicas))) {
      const link = new ClientLink({
        transport,
        address,
        client: id,
        random: seededRandom(deriveSeed(seed, address)),
        receive: (envelope) => this.#receive(address, replicas, envelope),
        up: () => {},
        down: () => {},
      });
      this.#links.set(address, link);
    }
    this.#carryOut(this.#host.boot(performance.now()));
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

  /** Gives the group these replicas, which its grid must have; resolves with the new epoch. */
  async reconfigure(replicas: readonly string[], options: InvokeOptions = {}): Promise<number> {
    const outcome = await this.#call({ kind: "reconfigure", replicas }, options);
    if (outcome.kind === "epoch") return outcome.epoch;
    throw new OperationError(false, `the group answered ${outcome.kind}`);
  }

  /** Ends the client; what is under way fails. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const settle of this.#waiting.values()) {
      settle({ kind: "failed", certain: false, why: "The client was closed" });
    }
    await Promise.all(Array.from(this.#links.values(), (link) => link.close()));
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
        this.#step({ from: asker, to: this.id, message: { type: "invoke", id, command } });
      });
      if (outcome.kind === "failed") throw new OperationError(outcome.certain, outcome.why);
      return outcome;
    } finally {
      this.#waiting.delete(id);
      signal?.removeEventListener("abort", abort);
    }
  }

  // A box speaks for its own replicas alone.
  #receive(address: string, replicas: Readonly<Record<string, string>>, envelope: Envelope): void {
    if (envelope.to === this.id && replicas[envelope.from] === address) this.#step(envelope);
  }

  #step(envelope?: Envelope): void {
    if (this.#closed) return;
    const inputs = envelope === undefined ? [] : [{ kind: "mail", envelope } as const];
    this.#carryOut(this.#host.step(performance.now(), inputs));
  }

  // Nothing here is durable: a program that crashes comes back as another client.
  #carryOut(batch: Batch): void {
    for (const { box, envelope } of batch.sends) {
      if (box === here) this.#answer(envelope.message);
      else this.#links.get(box)?.send(envelope);
    }
    for (const { error } of batch.faults) return this.#break(messageOf(error));
    this.#dueAt = batch.busy ? 0 : batch.wakeAt ?? Infinity;
    this.#arm();
  }

  // What is due moves away with every answer. One timer that goes off too early now and then, and finds nothing due,
  // costs less than one that is put off each time.
  #arm(): void {
    if (this.#closed || this.#dueAt >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = this.#dueAt;
    this.#timer = setTimeout(() => {
      this.#timerAt = Infinity;
      if (performance.now() < this.#dueAt) this.#arm();
      else this.#step();
    }, Math.ceil(Math.max(0, this.#dueAt - performance.now())));
  }

  // A fault of the agent inside is a fault of ours: whatever was asked may have happened.
  #break(why: string): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const settle of this.#waiting.values()) {
      settle({ kind: "failed", certain: false, why: `The client broke: ${why}` });
    }
  }

  #answer(message: AnyMessage): void {
    const { id, outcome } = message;
    // Its own agent's word, checked by the agent's own schema.
    if (typeof id === "number") this.#waiting.get(id)?.(outcome as CallOutcome);
  }
}

function gridOf(
  id: AgentId,
  attrs: { readonly [name: string]: Json },
  replicas: Readonly<Record<string, string>>,
): Grid {
  const entry = (name: AgentId, type: string, box: string) =>
    [name, { id: name, type, box: box as BoxId, attrs: {}, routes: new Map() }] as const;
  const others = Object.entries(replicas).map(([name, address]) =>
    entry(agentId(name), "vr_replica", address)
  );
  const [, self] = entry(id, vrClient.type, here);
  const agents: Grid["agents"] = new Map<AgentId, typeof self & { attrs: typeof attrs }>([
    [id, { ...self, attrs }],
    ...others,
  ]);
  return { file: "", agents, boxes: [here], plugins: new Map<string, string>() };
}
