// defineAgent: where a definition's types are inferred, its shape is checked, and its types are erased, so that
// hosts can hold agents of every kind.

import type { Agent, Done, Protocol, StartReason, State } from "./agent.ts";
import type { Data } from "./data.ts";
import { type DeviceName, deviceNames } from "./devices.ts";
import { type AgentId, isToken } from "./id.ts";
import { QuickChecks } from "./quick_check.ts";
import type { Schema } from "./schema.ts";
import { portMax } from "./text.ts";

/**
 * A definition as a host sees it, its type parameters erased but for `S`, its state, which whoever looks at agents
 * wants to know. Only {@linkcode defineAgent} makes one.
 */
export interface AgentDefinition<out S = unknown> {
  /** Never there: it carries the type. */
  readonly "~state"?: S;
  /** Quick checks of its schemas. A changed copy may share them: they go by the schema. */
  readonly "~quick"?: QuickChecks;
  readonly type: string;
  readonly version: number;
  readonly doc: string;
  readonly attrs: Schema<unknown>;
  readonly protocol: Protocol;
  readonly ports?: Readonly<Record<number, string>>;
  readonly routes?: readonly string[];
  readonly timers?: readonly string[];
  readonly record?: Schema<unknown>;
  readonly devices?: readonly DeviceName[];
  durable?(attrs: unknown): unknown;
  apply?(durable: unknown, record: unknown): Done;
  init(attrs: unknown, self: AgentId): object;
  start?(state: object, ctx: unknown, why: StartReason): Done;
  readonly on: Readonly<Record<string, (state: object, message: unknown, ctx: unknown) => Done>>;
  readonly onTimer?: Readonly<
    Record<string, (state: object, ctx: unknown, key: string | undefined) => Done>
  >;
  readonly onDevice?: Readonly<
    Record<string, ((state: object, event: unknown, ctx: unknown) => Done) | undefined>
  >;
  check?(state: object): Done;
  upgrade?(durable: Data, fromVersion: number): unknown;
}

/**
 * Makes a type of agent from its definition. Nothing has to be annotated: the schemas of `attrs`, `protocol` and
 * `record`, and what `durable` and `init` return, give every handler its types.
 *
 * @example A counter that survives a crash.
 * ```ts
 * import { defineAgent } from "ovid";
 * import { z } from "zod";
 *
 * export default defineAgent({
 *   type: "counter",
 *   version: 1,
 *   doc: "Counts the requests it has seen.",
 *   attrs: z.object({}),
 *   protocol: { add: z.object({ amount: z.int() }), total: z.object({ value: z.int() }) },
 *   record: z.object({ amount: z.int() }),
 *   durable: () => ({ value: 0 }),
 *   apply(durable, record) {
 *     durable.value += record.amount;
 *   },
 *   init: () => ({}),
 *   on: {
 *     add(state, message, ctx) {
 *       ctx.append({ amount: message.amount });
 *       ctx.reply({ type: "total", value: state.durable.value });
 *     },
 *   },
 * });
 * ```
 *
 * @throws {TypeError} if the definition contradicts itself, as a timer without a handler does.
 */
export function defineAgent<
  A,
  D,
  V extends object,
  P extends Protocol,
  In extends keyof P & string,
  const R extends string = never,
  const T extends string = never,
  Rec = never,
  const Dev extends DeviceName = never,
>(
  definition: Agent<A, D, V, P, In, R, T, Rec, Dev>,
): AgentDefinition<State<D, V>> {
  // The one place where the types of an agent are erased: the host validates attrs, messages and records by
  // the agent's own schemas before any handler sees them.
  const erased = definition as unknown as AgentDefinition<State<D, V>>;
  const fault = findFault(erased);
  if (fault !== undefined) {
    throw new TypeError(`Cannot define agent ${JSON.stringify(erased.type)}: ${fault}`);
  }
  // What is frozen has them from when it was defined first.
  if (Object.isExtensible(erased)) Object.assign(erased, { "~quick": new QuickChecks() });
  return Object.freeze(erased);
}

/** Whether `value` is a definition, as a plugin's default export should be. */
export function isAgentDefinition(value: unknown): value is AgentDefinition {
  if (typeof value !== "object" || value === null) return false;
  return findFault(value as AgentDefinition) === undefined;
}

/** What is wrong with a definition, or undefined. Plugins in JavaScript come without the compiler's word. */
export function findFault(definition: AgentDefinition): string | undefined {
  const { type, version, doc, attrs, protocol, on } = definition;
  if (typeof type !== "string" || !isToken(type)) return "type is not a name without white space";
  if (!Number.isInteger(version) || version < 1) return "version is not a whole number from 1";
  if (typeof doc !== "string" || doc === "") {
    return "doc is empty, want a sentence on what it is for";
  }
  if (!isSchema(attrs)) return "attrs is not a schema";
  if (typeof protocol !== "object" || protocol === null) {
    return "protocol is not an object of schemas";
  }
  for (const [name, schema] of Object.entries(protocol)) {
    if (!isToken(name)) {
      return `protocol names a message ${JSON.stringify(name)}, want no white space`;
    }
    if (!isSchema(schema)) return `protocol.${name} is not a schema`;
  }
  if (typeof definition.init !== "function") return "init is not a function";
  if (typeof on !== "object" || on === null) return "on is not an object of handlers";
  for (const name of Object.keys(on)) {
    if (!Object.hasOwn(protocol, name)) {
      return `on.${name} handles a message that protocol does not have`;
    }
    if (typeof on[name] !== "function") return `on.${name} is not a function`;
  }
  return findTimerFault(definition) ?? findDeviceFault(definition) ?? findDurableFault(definition);
}

function findTimerFault({ timers = [], onTimer = {} }: AgentDefinition): string | undefined {
  for (const timer of timers) {
    if (!isToken(timer)) return `timers names ${JSON.stringify(timer)}, want no white space`;
    if (typeof onTimer[timer] !== "function") return `timer ${timer} has no handler in onTimer`;
  }
  for (const timer of Object.keys(onTimer)) {
    if (!timers.includes(timer)) {
      return `onTimer.${timer} handles a timer that timers does not declare`;
    }
  }
}

function findDeviceFault(
  { devices = [], onDevice = {}, ports = {} }: AgentDefinition,
): string | undefined {
  for (const device of devices) {
    if (!deviceNames.includes(device)) {
      return `there is no device ${device}, want one of ${deviceNames.join(", ")}`;
    }
  }
  for (const device of Object.keys(onDevice)) {
    if (!devices.some((declared) => declared === device)) {
      return `onDevice.${device} handles a device that devices does not declare`;
    }
  }
  for (const port of Object.keys(ports)) {
    const number = Number(port);
    if (!Number.isInteger(number) || number < 0 || number > portMax) {
      return `port ${port} is not a whole number from 0 to ${portMax}`;
    }
  }
}

function findDurableFault({ durable, apply, record }: AgentDefinition): string | undefined {
  const given = [durable, apply, record].filter((part) => part !== undefined).length;
  if (given !== 0 && given !== 3) {
    return "durable, apply and record go together, want all three or none";
  }
  if (record !== undefined && !isSchema(record)) return "record is not a schema";
}

function isSchema(value: unknown): value is Schema<unknown> {
  if (value === null || (typeof value !== "object" && typeof value !== "function")) return false;
  const standard: unknown = Reflect.get(value, "~standard");
  return typeof standard === "object" && standard !== null &&
    typeof Reflect.get(standard, "validate") === "function";
}
