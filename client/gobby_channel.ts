// What lies between the promises of a GobbyClient and the agent inside it: numbers for what is asked and watched, and
// how the session stands.

import { gobbyClient } from "../agents/gobby/client.ts";
import type { GobbyOutcome, GobbyResult } from "../agents/gobby/machine_types.ts";
import { type AskOutcome, gobbyClientProtocol } from "../agents/gobby/protocol.ts";
import type { AnyMessage } from "../core/agent.ts";
import type { Json } from "../core/data.ts";
import { quickParse } from "../core/quick_check.ts";
import type { Transport } from "../transport/transport.ts";
import { RefusedError, SessionError } from "./gobby_error.ts";
import { type GobbySession, SafeSession, type SessionRecord } from "./gobby_session.ts";
import { OperationError } from "./group_client.ts";
import { Guest } from "./guest.ts";

/** What a channel is made with. */
export interface ChannelOptions {
  readonly servers: Readonly<Record<string, string>>;
  readonly sessionTtlMs: number;
  readonly deadlineMs: number;
  readonly transport: Transport;
}

/** How something is asked. */
export interface AskOptions {
  /** Gives up waiting. The operation may have happened, or may still. */
  readonly signal?: AbortSignal | undefined;
  /** How long it may take, if not as long as the client's operations do. */
  readonly deadlineMs?: number | undefined;
  /** For a read that may be old, but not older than that. */
  readonly maxAgeMs?: number | undefined;
}

/** As old as it may be. */
const anyAgeMs = 2 ** 40;

/** What a watch hears. */
export interface WatchListener {
  hear(message: WatchMessage): void;
  fail(error: Error): void;
}

/** What is said to a watch. */
export type WatchMessage =
  & { readonly type: "watching" | "events" | "watchEnded" }
  & AnyMessage;

/** An operation as the agent takes it, without the session's number. */
export type Operation = { readonly kind: string; readonly [field: string]: Json | undefined };

type Settle = (outcome: AskOutcome) => void;

const readAnswer = quickParse(gobbyClientProtocol.answer);
const readSession = quickParse(gobbyClientProtocol.session);

/** See the top of this file. */
export class GobbyChannel {
  readonly id: string;
  readonly #guest: Guest;
  readonly #sessionTtlMs: number;
  readonly #waiting = new Map<number, Settle>();
  readonly #watches = new Map<number, WatchListener>();
  #numbers = 0;
  #record: SessionRecord | undefined;
  #session: SafeSession | undefined;
  #ended: string | undefined;

  constructor({ servers, sessionTtlMs, deadlineMs, transport }: ChannelOptions) {
    const names = Object.keys(servers);
    if (names.length === 0) {
      throw new RangeError("Cannot be a client of no servers, want at least one");
    }
    this.#sessionTtlMs = sessionTtlMs;
    this.#guest = new Guest({
      definition: gobbyClient,
      attrs: { servers: names, sessionTtlMs, deadlineMs },
      peers: servers,
      peerType: "gobby_server",
      transport,
      receive: (message) => this.#receive(message),
      broken: (why) => this.#end(`The client broke: ${why}`),
    });
    this.id = this.#guest.id;
  }

  /** The session as it stands; undefined while there is none. */
  get session(): GobbySession | undefined {
    return this.#session;
  }

  /** Asks for an operation, and expects a result of one of these kinds. */
  async ask<Kind extends GobbyResult["kind"]>(
    operation: Operation,
    kinds: readonly Kind[],
    options: AskOptions = {},
  ): Promise<GobbyOutcome<Kind>> {
    const { deadlineMs, signal } = options;
    return expect((await this.#ask(operation, false, { deadlineMs, signal })).result, kinds);
  }

  /** Asks for something that may be old. */
  async askStale<Kind extends GobbyResult["kind"]>(
    operation: Operation,
    kinds: readonly Kind[],
    options: AskOptions,
  ): Promise<GobbyOutcome<Kind> & { readonly ageMs: number }> {
    const wanted = { ...options, maxAgeMs: options.maxAgeMs ?? anyAgeMs };
    const { result, ageMs } = await this.#ask(operation, false, wanted);
    if (ageMs === undefined) throw new TypeError("Gobby did not say how old its answer is");
    return { ...expect(result, kinds), ageMs };
  }

  /** Asks for an operation of the session, which is opened if there is none. */
  async askWithSession<Kind extends GobbyResult["kind"]>(
    operation: Operation,
    kinds: readonly Kind[],
    options: AskOptions = {},
  ): Promise<GobbyOutcome<Kind>> {
    return expect((await this.#ask(operation, true, options)).result, kinds);
  }

  /** Begins to watch, and gives the watch's number. */
  watch(
    wanted: { target: Json; from?: number | undefined; oneShot: boolean },
    listener: WatchListener,
  ): number {
    const id = ++this.#numbers;
    if (this.#ended !== undefined) listener.fail(new OperationError(true, this.#ended));
    else {
      const { target, from, oneShot } = wanted;
      this.#watches.set(id, listener);
      const start = from === undefined ? {} : { from };
      this.#guest.tell({ type: "watch", id, target, oneShot, ...start });
    }
    return id;
  }

  /** Ends a watch. */
  unwatch(id: number): void {
    if (this.#watches.delete(id) && this.#ended === undefined) {
      this.#guest.tell({ type: "unwatch", id });
    }
  }

  /** Closes the session, if there is one, so that nobody waits for its end; then ends. */
  async close(): Promise<void> {
    if (this.#ended === undefined && this.#session !== undefined) {
      const closing = { kind: "closeSession" };
      // If nobody hears it, the session's time ends it.
      await this.askWithSession(closing, ["sessionEnded"], { deadlineMs: 1000 }).catch(() => {});
    }
    this.#end("The client was closed");
    await this.#guest.close();
  }

  async #ask(
    operation: Operation,
    session: boolean,
    { signal, deadlineMs, maxAgeMs }: AskOptions,
  ): Promise<Extract<AskOutcome, { kind: "done" }>> {
    if (this.#ended !== undefined) throw new OperationError(true, this.#ended);
    signal?.throwIfAborted();
    const id = ++this.#numbers;
    let abort = () => {};
    try {
      const outcome = await new Promise<AskOutcome>((done, fail) => {
        abort = () => {
          fail(signal?.reason);
          this.#guest.tell({ type: "cancel", id });
        };
        signal?.addEventListener("abort", abort);
        this.#waiting.set(id, done);
        const message = { type: "ask", id, operation: given(operation), session };
        const isPlain = deadlineMs === undefined && maxAgeMs === undefined;
        this.#guest.tell(isPlain ? message : { ...message, ...given({ deadlineMs, maxAgeMs }) });
      });
      if (outcome.kind === "failed") throw new OperationError(outcome.certain, outcome.why);
      return outcome;
    } finally {
      this.#waiting.delete(id);
      signal?.removeEventListener("abort", abort);
    }
  }

  #receive(message: AnyMessage): void {
    const { type } = message;
    if (type === "answer") {
      const { id, outcome } = readAnswer(message);
      this.#waiting.get(id)?.(outcome);
    } else if (type === "session") this.#hear(readSession(message));
    else if (type === "watching" || type === "events" || type === "watchEnded") {
      if (typeof message.id !== "number") return;
      const watch = this.#watches.get(message.id);
      if (type === "watchEnded") this.#watches.delete(message.id);
      watch?.hear({ ...message, type });
    }
  }

  #hear({ state, session: number }: { state: SessionRecord["state"]; session: number }): void {
    if (this.#record?.number !== number) {
      if (state === "lost" || state === "closed") return;
      this.#record = { number, ttlMs: this.#sessionTtlMs, state, end: new AbortController() };
    }
    const record = this.#record;
    record.state = state;
    if (state === "safe") {
      // Who was warned stays so, since meanwhile anything may have been missed.
      if (this.#session?.number !== number || this.#session.signal.aborted) {
        this.#session = new SafeSession(record);
      }
      return;
    }
    const known = this.#session;
    if (state !== "jeopardy") this.#session = undefined;
    known?.warn(state);
    if (state !== "jeopardy") record.end.abort(new SessionError(state, number));
  }

  #end(why: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = why;
    for (const settle of this.#waiting.values()) settle({ kind: "failed", certain: false, why });
    for (const watch of this.#watches.values()) watch.fail(new OperationError(true, why));
    this.#watches.clear();
    if (this.#record !== undefined && this.#session !== undefined) {
      this.#hear({ state: "lost", session: this.#record.number });
    }
  }
}

/** Without what is undefined, which is no JSON. */
function given(fields: { readonly [name: string]: Json | undefined }): Record<string, Json> {
  const found: Record<string, Json> = {};
  for (const name in fields) {
    const value = fields[name];
    if (value !== undefined) found[name] = value;
  }
  return found;
}

function expect<Kind extends GobbyResult["kind"]>(
  result: GobbyResult,
  kinds: readonly Kind[],
): GobbyOutcome<Kind> {
  if (isOneOf(result, kinds)) return result;
  if (result.kind === "refused") throw new RefusedError(result);
  throw new TypeError(`Gobby answered ${JSON.stringify(result.kind)}, want ${kinds.join(" or ")}`);
}

function isOneOf<Kind extends GobbyResult["kind"]>(
  result: GobbyResult,
  kinds: readonly Kind[],
): result is GobbyOutcome<Kind> {
  return kinds.some((kind) => kind === result.kind);
}
