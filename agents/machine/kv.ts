// The key-value machine: texts under keys, with compare-and-swap.

import { z } from "zod";
import { defineMachine } from "./machine.ts";

/** The longest key, in characters. */
export const keyLengthMax = 1024;

/** The longest value, in characters. */
export const valueLengthMax = 65_536;

/** How many characters all keys and values may have together. */
export const storeLengthMax = 64 * 1024 * 1024;

/** What an entry costs besides its characters. */
export const entryOverhead = 16;

const key = z.string().min(1).max(keyLengthMax);
const value = z.string().max(valueLengthMax);

/** What may be asked of the key-value machine. */
export const kvOperation = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("get"), key }),
  z.strictObject({ kind: z.literal("put"), key, value }),
  z.strictObject({ kind: z.literal("delete"), key }),
  /** Puts `value` if the key has the value `expected`; null stands for no value. */
  z.strictObject({ kind: z.literal("cas"), key, expected: value.nullable(), value }),
]);

/** What comes of it. */
export const kvResult = z.discriminatedUnion("kind", [
  /** The value of the key, or null if it has none. */
  z.strictObject({ kind: z.literal("value"), value: z.string().nullable() }),
  z.strictObject({ kind: z.literal("stored") }),
  z.strictObject({ kind: z.literal("deleted"), existed: z.boolean() }),
  /** A cas that changed nothing, and the value it found. */
  z.strictObject({ kind: z.literal("differs"), value: z.string().nullable() }),
  /** Nothing was stored: there would be more than {@linkcode storeLengthMax} characters. */
  z.strictObject({ kind: z.literal("full") }),
]);

/** An operation of the key-value machine. */
export type KvOperation = z.infer<typeof kvOperation>;

/** A result of the key-value machine. */
export type KvResult = z.infer<typeof kvResult>;

interface Store {
  readonly entries: Map<string, string>;
  /** The characters of all entries, overhead included. */
  length: number;
}

/** The key-value machine, `kv` in a grid. */
export const kv = defineMachine<Store, KvOperation, KvResult>({
  name: "kv",
  doc: "Keys and their values, both text: get, put, delete, and cas, which is compare-and-swap.",
  operation: kvOperation,
  result: kvResult,
  initial: () => ({ entries: new Map(), length: 0 }),
  apply(store, operation) {
    const found = store.entries.get(operation.key);
    switch (operation.kind) {
      case "get":
        return { kind: "value", value: found ?? null };
      case "put":
        return put(store, operation.key, operation.value);
      case "delete":
        store.entries.delete(operation.key);
        store.length -= lengthOf(operation.key, found);
        return { kind: "deleted", existed: found !== undefined };
      case "cas":
        if ((found ?? null) !== operation.expected) {
          return { kind: "differs", value: found ?? null };
        }
        return put(store, operation.key, operation.value);
    }
  },
  isRead: (operation) => operation.kind === "get",
  key: (operation) => operation.key,
});

function put(store: Store, key: string, value: string): KvResult {
  const length = store.length + lengthOf(key, value) - lengthOf(key, store.entries.get(key));
  if (length > storeLengthMax) return { kind: "full" };
  store.entries.set(key, value);
  store.length = length;
  return { kind: "stored" };
}

function lengthOf(key: string, value: string | undefined): number {
  return value === undefined ? 0 : key.length + value.length + entryOverhead;
}
