// What a linearizability checker must know of the thing that was replicated, and models of what comes with Ovid.
// A model may say more than it must: what it tells of its states by `passage` is what keeps a busy key decidable.

import { counter, type CounterOperation } from "../agents/machine/counter.ts";
import { kv, type KvOperation } from "../agents/machine/kv.ts";
import type { AnyMachine } from "../agents/machine/machine.ts";
import type { Call } from "./history.ts";
import { decodeData, encodeData, type Json } from "../core/data.ts";

/**
 * A sequential thing: what operations do and answer, one after the other. It must be deterministic and must not
 * change a state in place.
 */
export interface Model<S> {
  initial(): S;
  apply(state: S, operation: Json): { readonly state: S; readonly result: Json };
  /** Equal texts for equal states, and different ones for states that any operation can tell apart. */
  encode(state: S): string;
  /**
   * The part of the state that the operation concerns alone. A history is linearizable if that of each part is
   * (Herlihy and Wing call it locality), so that parts are checked one by one, each from the initial state.
   */
  partition?(operation: Json): string;
  /** Whether the operation leaves every state as it is. */
  isRead?(operation: Json): boolean;
  /** What an operation with this result tells of the states before and after it; see {@linkcode Passage}. */
  passage?(operation: Json, result: Json | undefined): Passage;
}

/**
 * What an operation and its result tell of the state, by encodings. It must be true; `{ from: "some" }` always is.
 * For an operation without an answer the result is undefined, and it tells of the states that it would change.
 */
export interface Passage {
  /**
   * The states in which the operation can have this result: any state whatever, none, one only, any but one, or
   * some that are not easily said.
   */
  readonly from: "any" | "none" | "some" | { readonly only: string } | { readonly but: string };
  /** The only state that it can leave behind; undefined if there are several. */
  readonly to?: string;
}

/** Whether `value` is a model, as the default export of a module should be. */
export function isModel(value: unknown): value is Model<unknown> {
  return findModelFault(value) === undefined;
}

/** What is wrong with a model, or undefined. */
export function findModelFault(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return "it is not an object";
  const { initial, apply, encode, partition, isRead, passage } = value as Partial<Model<unknown>>;
  for (const [name, part] of Object.entries({ initial, apply, encode })) {
    if (typeof part !== "function") return `${name} is not a function`;
  }
  for (const [name, part] of Object.entries({ partition, isRead, passage })) {
    if (part !== undefined && typeof part !== "function") return `${name} is not a function`;
  }
  return undefined;
}

/** Whether a call leaves every state in which it can have its result as it is, as far as the model tells. */
export function isInert<S>(call: Call, model: Model<S>): boolean {
  if (model.isRead?.(call.operation) === true) return true;
  const passage = model.passage?.(call.operation, call.result);
  return typeof passage?.from === "object" && "only" in passage.from &&
    passage.from.only === passage.to;
}

const some: Passage = { from: "some" };
const none: Passage = { from: "none" };

/** The best model of a machine that can be replicated: for the built-in ones, those that tell more. */
export function modelOf(machine: AnyMachine): Model<string> {
  if (machine === kv) return kvModel;
  if (machine === counter) return counterModel;
  return machineModel(machine);
}

/** A model of any machine that can be replicated. With a machine's `key`, histories are checked key by key. */
export function machineModel(machine: AnyMachine): Model<string> {
  const { key } = machine;
  return {
    initial: () => encodeData(machine.initial()),
    apply(encoded, operation) {
      const state = decodeData(encoded);
      const result = machine.apply(state, operation);
      return { state: encodeData(state), result };
    },
    encode: (encoded) => encoded,
    isRead: (operation) => machine.isRead(operation),
    ...(key === undefined ? {} : { partition: (operation) => key(operation) }),
  };
}

/** Whether two results are the same JSON; properties that are undefined count as left out. */
export function equalJson(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length &&
      a.every((part, index) => equalJson(part, b[index]));
  }
  const left = a as JsonObject;
  const right = b as JsonObject;
  return Object.keys(left).every((key) => equalJson(left[key], right[key])) &&
    Object.keys(right).every((key) => right[key] === undefined || left[key] !== undefined);
}

type JsonObject = { readonly [key: string]: Json | undefined };

// Histories are taken from machines that have held their operations against these schemas.
const kvCall = (operation: Json): KvOperation => operation as KvOperation;
const counterCall = (operation: Json): CounterOperation => operation as CounterOperation;

type Value = string | null;

interface Applied<S> {
  readonly state: S;
  readonly result: Json;
}

function applyToValue(found: Value, call: KvOperation): Applied<Value> {
  switch (call.kind) {
    case "get":
      return { state: found, result: { kind: "value", value: found } };
    case "put":
      return { state: call.value, result: { kind: "stored" } };
    case "delete":
      return { state: null, result: { kind: "deleted", existed: found !== null } };
    case "cas":
      return found === call.expected
        ? { state: call.value, result: { kind: "stored" } }
        : { state: found, result: { kind: "differs", value: found } };
  }
}

// JSON, so that the text "null" is not taken for no value.
const encodeValue = (value: Value): string => JSON.stringify(value);

function kvPassage(call: KvOperation, result: Json | undefined): Passage {
  // A result from a machine that is wrong can be any JSON: what is said of it is held against the model.
  const isAnswerAt = (value: Value) => equalJson(applyToValue(value, call).result, result);
  const absent = encodeValue(null);
  switch (call.kind) {
    case "get":
      return result === undefined ? some : stays(valueIn(result), isAnswerAt);
    case "put":
      if (result !== undefined && !isAnswerAt(null)) return none;
      return { from: "any", to: encodeValue(call.value) };
    case "delete":
      if (result === undefined) return { from: "any", to: absent };
      return isAnswerAt("") ? { from: { but: absent }, to: absent } : stays(null, isAnswerAt);
    case "cas":
      if (result !== undefined && !isAnswerAt(call.expected)) {
        return stays(valueIn(result), isAnswerAt);
      }
      return { from: { only: encodeValue(call.expected) }, to: encodeValue(call.value) };
  }
}

function valueIn(result: Json): Value | undefined {
  if (typeof result !== "object" || result === null || !("value" in result)) return undefined;
  const { value } = result;
  return typeof value === "string" || value === null ? value : undefined;
}

/** Of an operation that only looks, and saw `value`. */
function stays(value: Value | undefined, isAnswerAt: (value: Value) => boolean): Passage {
  if (value === undefined || !isAnswerAt(value)) return none;
  const state = encodeValue(value);
  return { from: { only: state }, to: state };
}

/**
 * The key-value machine, key by key: each key is a register that may be put, deleted, compared and swapped.
 * What it answers when it is full is not in the model. Values that are put only once make checking quick.
 */
export const kvModel: Model<string> = {
  initial: () => encodeValue(null),
  apply(encoded, operation) {
    const { state, result } = applyToValue(JSON.parse(encoded) as Value, kvCall(operation));
    return { state: encodeValue(state), result };
  },
  encode: (encoded) => encoded,
  partition: (operation) => kvCall(operation).key,
  isRead: (operation) => kvCall(operation).kind === "get",
  passage: (operation, result) => kvPassage(kvCall(operation), result),
};

/**
 * The key-value machine as one state, for histories of few operations at once: it need not trust that keys do not
 * concern each other.
 */
export const kvWholeModel: Model<ReadonlyMap<string, string>> = {
  initial: () => new Map(),
  apply(entries, operation) {
    const call = kvCall(operation);
    const before = entries.get(call.key) ?? null;
    const { state: after, result } = applyToValue(before, call);
    if (after === before) return { state: entries, result };
    const changed = new Map(entries);
    if (after === null) changed.delete(call.key);
    else changed.set(call.key, after);
    return { state: changed, result };
  },
  encode: (entries) => JSON.stringify([...entries].sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0)),
  isRead: (operation) => kvCall(operation).kind === "get",
};

/** The counter machine. */
export const counterModel: Model<string> = {
  initial: () => "0",
  apply(encoded, operation) {
    const { state, result } = addTo(Number(encoded), amountOf(operation));
    return { state: String(state), result };
  },
  encode: (encoded) => encoded,
  isRead: (operation) => counterCall(operation).kind === "read",
  passage(operation, result) {
    const amount = amountOf(operation);
    if (result === undefined) return amount === 0 ? some : { from: "any" };
    // The answer names the total, so that it can have been given in one state only, if at all.
    const total = totalIn(result);
    if (total === undefined) return none;
    for (const from of [total - amount, total]) {
      const after = addTo(from, amount);
      if (!Number.isSafeInteger(from) || !equalJson(after.result, result)) continue;
      return { from: { only: String(from) }, to: String(after.state) };
    }
    return none;
  },
};

function amountOf(operation: Json): number {
  const call = counterCall(operation);
  return call.kind === "add" ? call.amount : 0;
}

function addTo(state: number, amount: number): Applied<number> {
  const total = state + amount;
  return Number.isSafeInteger(total)
    ? { state: total, result: { kind: "total", total } }
    : { state, result: { kind: "overflow", total: state } };
}

function totalIn(result: Json): number | undefined {
  if (typeof result !== "object" || result === null || !("total" in result)) return undefined;
  return typeof result.total === "number" ? result.total : undefined;
}
