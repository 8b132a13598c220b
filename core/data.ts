// Plain data: what messages, records and states are made of, how it is copied, written and read back.
// Messages are JSON; durable and volatile states may also hold Maps, Sets, bigints and bytes.

/** What a message or a record may be: JSON, with `undefined` properties left out. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

/** What a state may be: JSON, Maps, Sets, bigints and bytes. No closures, classes or Dates. */
export type Data =
  | null
  | undefined
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly Data[]
  | ReadonlyMap<Data, Data>
  | ReadonlySet<Data>
  | { readonly [key: string]: Data };

/** `T` with everything in it read-only. What may be any JSON is so already, and has no end to look for. */
export type DeepReadonly<T> = Json extends T ? T
  : T extends (...args: never[]) => unknown ? never
  : T extends string | number | boolean | bigint | null | undefined | symbol ? T
  : T extends Uint8Array ? Readonly<Uint8Array>
  : T extends ReadonlyMap<infer K, infer V> ? ReadonlyMap<DeepReadonly<K>, DeepReadonly<V>>
  : T extends ReadonlySet<infer E> ? ReadonlySet<DeepReadonly<E>>
  : { readonly [K in keyof T]: DeepReadonly<T[K]> };

/** How deep data may be nested; deeper is refused rather than a stack overflow. */
export const dataDepthMax = 256;

function refuse(value: unknown, wanted: string): never {
  const found = typeof value === "object" && value !== null
    ? `a ${value.constructor?.name ?? "strange object"}`
    : typeof value === "number"
    ? String(value)
    : `a ${typeof value}`;
  throw new TypeError(`Cannot use ${found} as data, want ${wanted}`);
}

function isPlainObject(value: object): value is Record<string, unknown> {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/**
 * A deep copy of JSON data, and the proof that it is JSON. What leaves a handler is copied at once, so that
 * later changes to the sender's state cannot reach the receiver.
 *
 * @throws {TypeError} if it holds anything that JSON cannot say: functions, NaN, Dates, Maps.
 * @throws {RangeError} if it is nested deeper than {@linkcode dataDepthMax}, as cyclic data is.
 */
export function copyJson<T>(value: T): T {
  return copyJsonAt(value, 0) as T;
}

function copyJsonAt(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      if (!Number.isFinite(value)) refuse(value, "JSON");
      // JSON writes -0 as 0; the copy must equal what a remote receiver reads.
      return value === 0 ? 0 : value;
    case "object":
      break;
    default:
      return refuse(value, "JSON");
  }
  if (value === null) return null;
  if (depth >= dataDepthMax) {
    throw new RangeError(`Cannot copy data nested deeper than ${dataDepthMax}`);
  }
  if (Array.isArray(value)) {
    const copy = new Array(value.length);
    for (let i = 0; i < value.length; i++) copy[i] = copyJsonAt(value[i], depth + 1);
    return copy;
  }
  if (!isPlainObject(value)) return refuse(value, "JSON");
  return copyProperties(value, depth);
}

/** A copy by shape, which is many times faster than one by key; what the shape copied as it is, is put right. */
function copyProperties(value: Record<string, unknown>, depth: number): Record<string, unknown> {
  const copy = { ...value };
  for (const key in copy) {
    const property = copy[key];
    switch (typeof property) {
      case "string":
      case "boolean":
        break;
      case "undefined":
        return copyDefined(value, depth);
      case "number":
        if (!isPlainNumber(property)) copy[key] = copyJsonAt(property, depth + 1);
        break;
      default: {
        const copied = copyJsonAt(property, depth + 1);
        if (!Object.is(copied, property)) copy[key] = copied;
      }
    }
    if (key === "__proto__") refuse(value, "JSON without a key __proto__");
  }
  return copy;
}

/** A copy without what is undefined. */
function copyDefined(value: Record<string, unknown>, depth: number): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    if (value[key] === undefined) continue;
    if (key === "__proto__") refuse(value, "JSON without a key __proto__");
    copy[key] = copyJsonAt(value[key], depth + 1);
  }
  return copy;
}

/**
 * The data that JSON text says, as if {@linkcode copyJson} had copied it. Hardly any text says what a copy would change
 * or refuse, so that one is made only of those.
 *
 * @throws {SyntaxError} if it is not JSON.
 * @throws {TypeError} if it names a property `__proto__`, or a number that is too large.
 * @throws {RangeError} if it is nested deeper than {@linkcode dataDepthMax}.
 */
export function parseJson(text: string): Json {
  const value: unknown = JSON.parse(text);
  return (isPlainJson(value, 0) ? value : copyJson(value)) as Json;
}

/** Whether what JSON.parse gave is what {@linkcode copyJson} would make of it. */
function isPlainJson(value: unknown, depth: number): boolean {
  if (typeof value === "number") return isPlainNumber(value);
  if (typeof value !== "object" || value === null) return true;
  if (depth >= dataDepthMax) return false;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) if (!isPlainJson(value[i], depth + 1)) return false;
    return true;
  }
  const properties = value as Record<string, unknown>;
  for (const key in properties) {
    const part = properties[key];
    if (key === "__proto__") return false;
    if (typeof part !== "string" && !isPlainJson(part, depth + 1)) return false;
  }
  return true;
}

// Finite, and not -0.
function isPlainNumber(value: number): boolean {
  return value === 0 ? 1 / value > 0 : value - value === 0;
}

// JSON has no Maps and so on, so each is written as an object with one key that begins with "$".
// A plain object whose first key begins with "$" is wrapped in {"$object": ...}.
function toJsonValue(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      if (!Number.isFinite(value)) refuse(value, "a finite number");
      return value === 0 ? 0 : value;
    case "bigint":
      return { $bigint: String(value) };
    case "undefined":
      return { $undefined: 0 };
    case "object":
      break;
    default:
      return refuse(value, "plain data");
  }
  if (value === null) return null;
  if (depth >= dataDepthMax) {
    throw new RangeError(`Cannot write data nested deeper than ${dataDepthMax}`);
  }
  const write = (part: unknown) => toJsonValue(part, depth + 1);
  if (Array.isArray(value)) return Array.from(value, write);
  if (value instanceof Map) return { $map: Array.from(value, ([k, v]) => [write(k), write(v)]) };
  if (value instanceof Set) return { $set: Array.from(value, write) };
  if (value instanceof Uint8Array) return { $bytes: Array.from(value) };
  if (!isPlainObject(value)) return refuse(value, "plain data");
  const copy: Record<string, unknown> = {};
  let dollar = false;
  for (const key of Object.keys(value)) {
    const property = value[key];
    if (property === undefined) continue;
    if (key === "__proto__") refuse(value, "data without a key __proto__");
    dollar ||= key.startsWith("$");
    copy[key] = write(property);
  }
  return dollar ? { $object: copy } : copy;
}

// Takes nothing that toJsonValue would not write again: a state that can be read can be written.
function fromJsonValue(value: unknown, depth: number): unknown {
  if (typeof value === "number" && !Number.isFinite(value)) refuse(value, "a finite number");
  if (typeof value !== "object" || value === null) return value;
  if (depth >= dataDepthMax) {
    throw new RangeError(`Cannot read data nested deeper than ${dataDepthMax}`);
  }
  if (Array.isArray(value)) return partsOf(value, depth + 1);
  const object = value as Record<string, unknown>;
  const first = Object.keys(object)[0];
  const tagged = first?.startsWith("$") ? object[first] : undefined;
  switch (first) {
    case "$map":
      return new Map((tagged as unknown[][]).map((pair) => {
        const [key, value] = partsOf(pair, depth + 1);
        return [key, value];
      }));
    case "$set":
      return new Set(partsOf(tagged as unknown[], depth + 1));
    case "$bytes":
      return Uint8Array.from(tagged as number[]);
    case "$bigint":
      return BigInt(tagged as string);
    case "$undefined":
      return undefined;
  }
  const source = first === "$object" ? tagged as Record<string, unknown> : object;
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(source)) {
    if (key === "__proto__") refuse(value, "data without a key __proto__");
    copy[key] = fromJsonValue(source[key], depth + 1);
  }
  return copy;
}

function partsOf(values: readonly unknown[], depth: number): unknown[] {
  return values.map((part) => fromJsonValue(part, depth));
}

/**
 * Plain data as one line of JSON text. The same data in the same insertion order gives the same text.
 *
 * @throws {TypeError} if it holds a closure, a class instance, a Date, or a number that is not finite.
 */
export function encodeData(data: unknown): string {
  return JSON.stringify(toJsonValue(data, 0));
}

/**
 * The data that {@linkcode encodeData} wrote.
 *
 * @throws {SyntaxError} if the text is not JSON or not of our making.
 */
export function decodeData(text: string): Data {
  const parsed: unknown = JSON.parse(text);
  try {
    return fromJsonValue(parsed, 0) as Data;
  } catch (error) {
    throw new SyntaxError(`Cannot decode data: ${error instanceof Error ? error.message : error}`);
  }
}

/** A deep copy of plain data, Maps and Sets included. */
export function copyData<T>(data: T): T {
  return fromJsonValue(toJsonValue(data, 0), 0) as T;
}
