// The agent contract: a definition without state, and plain data changed by synchronous handlers through a
// recording context. A step is a function of state, message and context, so that the same agent runs in a
// real box, in process, and in the simulator.

import type { Data, DeepReadonly, Json } from "./data.ts";
import type { DeviceEvents, DeviceName, DeviceOutputs } from "./devices.ts";
import type { AgentId, VirtualId } from "./id.ts";
import type { Infer, Schema } from "./schema.ts";

/** The result of a handler. Unlike `void` it refuses an async handler. */
export type Done = void | undefined;

/** What an agent takes and what it sends: a schema for the body of each type of message. */
export type Protocol = { readonly [type: string]: Schema<unknown> };

/** The body of the built-in message `text`: GoOvid's mail, a line of text at a numbered port. */
export interface Text {
  readonly port: number;
  readonly text: string;
}

/** A message as a handler receives it: its type, and what the schema of that type says. */
export type Received<P extends Protocol, K extends keyof P> =
  & { readonly type: K }
  & Body<Infer<P[K]>>;

// A schema of an object without fields gives a type that has no room for `type` either.
type Body<T> = T extends Record<string, never> ? unknown : DeepReadonly<T>;

/** A message that an agent with protocol `P` may send straight to another agent. */
export type DirectMessage<P extends Protocol> = {
  [K in keyof P & string]: Received<P, K>;
}[keyof P & string];

/** A message that an agent with protocol `P` may send along a route; text takes its port from the route. */
export type Message<P extends Protocol> = {
  [K in keyof P & string]: K extends "text" ? { readonly type: "text"; readonly text: string }
    : Received<P, K>;
}[keyof P & string];

/** A message of any protocol, as hosts and links carry it. */
export type AnyMessage = { readonly type: string; readonly [field: string]: Json | undefined };

/** An agent's state: the volatile part, to be changed in place, and the durable part, which only `apply` may change. */
export type State<D, V> = V & { readonly durable: DeepReadonly<D> };

/** Why an agent starts: for the first time, from what its box's disk holds, or from another box. */
export type StartReason = "new" | "recovered" | "moved";

/**
 * All that a handler can do to the world. What it asks for is recorded, and takes effect after the handler has
 * returned; a handler that throws contributes nothing. A context is dead once its handler has returned.
 */
export interface Context<
  A,
  P extends Protocol,
  R extends string,
  T extends string,
  Rec,
  Dev extends DeviceName,
> {
  readonly self: AgentId;
  /** Who sent the message in hand, stamped by the host and checked against the link; `self` in a timer or start. */
  readonly from: AgentId;
  readonly attrs: A;
  /** Monotonic milliseconds since some moment, one value for the whole step. Never durable, never compared between boxes. */
  readonly now: number;
  /** Uniform in [0, 1), from this agent's seed. */
  random(): number;
  /** The agents behind a route, in the grid's order; none for an unknown route. */
  targets(route: R | VirtualId): readonly AgentId[];
  /**
   * Whether mail of type `type` can reach `agent`: false for mail that its kind of agent does not take, and for
   * typed mail to a box that takes only text, as GoOvid's do.
   */
  accepts(agent: AgentId, type: keyof P & string): boolean;
  /** Sends to every agent behind `route`. Mail may be lost; nobody behind a route is noted, not an error. */
  send(route: R | VirtualId, message: Message<P>): void;
  /** Sends to one agent by its physical name, as learnt from `from` or `targets`. */
  sendTo(agent: AgentId, message: DirectMessage<P>): void;
  /** Sends to `from`. */
  reply(message: DirectMessage<P>): void;
  /** Arms or re-arms the timer `timer`, or that of its `key`; between `min` and `max` the host draws. Not durable. */
  setTimer(timer: T, ms: number | readonly [min: number, max: number], key?: string): void;
  clearTimer(timer: T, key?: string): void;
  /** Changes the durable state by `apply`, at once; on disk before any send or output of this step leaves. */
  append(record: DeepReadonly<Rec>): void;
  /** Gives something to a device, after what was appended before is durable. */
  output<K extends Dev>(device: K, output: DeviceOutputs[K]): void;
  /** A log line, a transcript line, a mark of coverage. */
  note(event: string, detail?: Json): void;
  /** Ends this agent in peace once the handler has returned; its box lives. */
  stop(): void;
  /** Ends this agent with a fault; its box lives. */
  fail(reason: string): never;
}

/**
 * The definition of a type of agent. Give it to {@linkcode defineAgent}, which infers every parameter.
 *
 * `A` attrs, `D` durable state, `V` volatile state, `P` protocol, `In` types of messages taken, `R` routes,
 * `T` timers, `Rec` records, `Dev` devices.
 */
export interface Agent<
  A,
  D,
  V,
  P extends Protocol,
  In extends keyof P & string,
  R extends string = never,
  T extends string = never,
  Rec = never,
  Dev extends DeviceName = never,
> {
  /** The name by which a grid asks for it. */
  readonly type: string;
  /** The version of its durable state, from 1; `upgrade` reads older ones. */
  readonly version: number;
  /** What it is for, a sentence or two. */
  readonly doc: string;
  readonly attrs: Schema<A>;
  /** What it takes and what it sends; bodies are JSON objects, and their schemas do not transform. */
  readonly protocol: P;
  /** What each numbered port means, for agents that take text. */
  readonly ports?: Readonly<Record<number, string>>;
  /** The virtual destinations that it sends to, where they have fixed names. */
  readonly routes?: readonly R[];
  readonly timers?: readonly T[];
  readonly record?: Schema<Rec>;
  readonly devices?: readonly Dev[];
  /** The durable state that everything begins with. */
  durable?(attrs: A): D;
  /** Changes the durable state by one record, live and on replay alike: it must depend on nothing else. */
  apply?(durable: D, record: DeepReadonly<Rec>): Done;
  /** The volatile state, new at every start. */
  init(attrs: A, self: AgentId): V;
  /** Called once at every start, before any message; timers are armed here. */
  start?(state: State<D, V>, ctx: Context<A, P, R, T, Rec, Dev>, why: StartReason): Done;
  readonly on: {
    readonly [K in In]: (
      state: State<D, V>,
      message: Received<P, K>,
      ctx: Context<A, P, R, T, Rec, Dev>,
    ) => Done;
  };
  readonly onTimer?: {
    readonly [K in T]: (
      state: State<D, V>,
      ctx: Context<A, P, R, T, Rec, Dev>,
      key: string | undefined,
    ) => Done;
  };
  readonly onDevice?: {
    readonly [K in Dev]?: (
      state: State<D, V>,
      event: DeviceEvents[K],
      ctx: Context<A, P, R, T, Rec, Dev>,
    ) => Done;
  };
  /** Throws if an invariant is broken; run after every step in tests and simulation. */
  check?(state: State<D, V>): Done;
  /** Turns durable state of an older version into today's. */
  upgrade?(durable: Data, fromVersion: number): D;
}
