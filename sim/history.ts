// The history of a run as its clients saw it: what each asked, what it was told, and when. It is all that a
// linearizability checker may look at. Written as JSON lines, so that other checkers can read it.

import { assert, messageOf } from "../core/error.ts";
import { copyJson, type Json } from "../core/data.ts";

/** One operation that a client asked for. */
export interface Call {
  readonly client: string;
  readonly operation: Json;
  /** What the client was told; undefined without an answer. */
  readonly result: Json | undefined;
  readonly invokeUs: number;
  /**
   * When the answer came. Undefined if none did: the operation may have happened at any time after `invokeUs`, or
   * never.
   */
  readonly returnUs: number | undefined;
}

/** How many calls a history holds unless told otherwise. */
export const callsMaxDefault = 1_000_000;

/** The longest line of a written history, in characters. */
export const historyLineLengthMax = 1_048_576;

interface Entry {
  readonly client: string;
  readonly operation: Json;
  readonly invokeUs: number;
  result: Json | undefined;
  returnUs: number | undefined;
}

/**
 * Keeps the history of a run while it goes on.
 *
 * @example
 * ```ts
 * import { History } from "./history.ts";
 *
 * const history = new History();
 * const put = history.invoke("c1", { kind: "put", key: "x", value: "1" }, 10);
 * history.answer(put, { kind: "stored" }, 25);
 * const lost = history.invoke("c2", { kind: "get", key: "x" }, 20);
 * history.fail(lost); // The client was told that it certainly did not happen.
 * console.log(history.calls().length); // 1
 * ```
 */
export class History {
  readonly #callsMax: number;
  readonly #entries = new Map<number, Entry>();
  #invocations = 0;

  /** @throws {RangeError} if `callsMax` is not a whole number from 1. */
  constructor(callsMax = callsMaxDefault) {
    if (!Number.isSafeInteger(callsMax) || callsMax < 1) {
      throw new RangeError(`Cannot keep a history of ${callsMax} calls, want at least 1`);
    }
    this.#callsMax = callsMax;
  }

  /** How many calls it holds. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * Notes that a client asks for something, and gives the call's id.
   *
   * @throws {RangeError} if the history is full.
   */
  invoke(client: string, operation: Json, nowUs: number): number {
    assert(Number.isSafeInteger(nowUs) && nowUs >= 0, "the time of a call is whole microseconds");
    if (this.#entries.size >= this.#callsMax) {
      throw new RangeError(`Cannot keep more than ${this.#callsMax} calls in a history`);
    }
    const id = this.#invocations++;
    this.#entries.set(id, {
      client,
      operation: copyJson(operation),
      invokeUs: nowUs,
      result: undefined,
      returnUs: undefined,
    });
    return id;
  }

  /** Notes the answer to a call. */
  answer(id: number, result: Json, nowUs: number): void {
    const entry = this.#open(id);
    assert(
      Number.isSafeInteger(nowUs) && nowUs >= entry.invokeUs,
      "an answer comes at a whole microsecond, not before its call",
    );
    entry.result = copyJson(result);
    entry.returnUs = nowUs;
  }

  /** Drops a call that certainly did not happen. */
  fail(id: number): void {
    this.#open(id);
    this.#entries.delete(id);
  }

  /** All calls so far in the order of their invocation. Later notes do not change them. */
  calls(): Call[] {
    return Array.from(this.#entries.values(), (entry) => ({ ...entry }));
  }

  #open(id: number): Entry {
    const entry = this.#entries.get(id);
    assert(entry !== undefined, "a call that ends was invoked, and did not fail before");
    assert(entry.returnUs === undefined, "a call ends once");
    return entry;
  }
}

/** The lines of a written history, each with its line end: a JSON object a call, in the order of invocation. */
export function* historyLines(calls: Iterable<Call>): Generator<string> {
  for (const { client, operation, result, invokeUs, returnUs } of calls) {
    yield JSON.stringify({ client, operation, result, invokeUs, returnUs }) + "\n";
  }
}

/**
 * The calls that a text of JSON lines tells of, as {@linkcode historyLines} writes them. Lines without anything but
 * blanks are skipped.
 *
 * @param name What errors call the text, as the name of its file.
 * @throws {SyntaxError} if a line is not a call, with the number of the line.
 * @throws {RangeError} if there are more than `callsMax` calls.
 */
export function parseHistory(text: string, name: string, callsMax = callsMaxDefault): Call[] {
  const calls: Call[] = [];
  let lineNumber = 0;
  for (let start = 0; start < text.length;) {
    lineNumber++;
    const lineEnd = text.indexOf("\n", start);
    const end = lineEnd === -1 ? text.length : lineEnd;
    const refuse = (fault: string): never => {
      throw new SyntaxError(
        `Cannot read history ${JSON.stringify(name)}: line ${lineNumber} ${fault}`,
      );
    };
    if (end - start > historyLineLengthMax) {
      refuse(`has ${end - start} characters, want at most ${historyLineLengthMax}`);
    }
    const line = text.slice(start, end).trim();
    start = end + 1;
    if (line === "") continue;
    if (calls.length >= callsMax) {
      throw new RangeError(
        `Cannot read history ${JSON.stringify(name)}: it has more than ${callsMax} calls`,
      );
    }
    calls.push(parseCall(line, refuse));
  }
  return calls;
}

const fields: ReadonlySet<string> = new Set([
  "client",
  "operation",
  "result",
  "invokeUs",
  "returnUs",
]);

function parseCall(line: string, refuse: (fault: string) => never): Call {
  const call = parseObject(line, refuse);
  const unknown = Object.keys(call).find((field) => !fields.has(field));
  if (unknown !== undefined) {
    refuse(`has ${JSON.stringify(unknown)}, want one of ${[...fields].join(", ")}`);
  }
  const { client, operation, result, invokeUs, returnUs } = call;
  if (typeof client !== "string") return refuse(wanted("client", client, "a text"));
  if (operation === undefined) return refuse(wanted("operation", operation, "any JSON"));
  if (!isTime(invokeUs, 0)) {
    return refuse(wanted("invokeUs", invokeUs, "a whole number from 0"));
  }
  if (returnUs === undefined) {
    if (result !== undefined) return refuse("has a result, want returnUs beside it");
    return { client, operation, result, invokeUs, returnUs };
  }
  if (!isTime(returnUs, invokeUs)) {
    return refuse(wanted("returnUs", returnUs, `a whole number from invokeUs, ${invokeUs}`));
  }
  if (result === undefined) return refuse(wanted("result", result, "any JSON beside returnUs"));
  return { client, operation, result, invokeUs, returnUs };
}

type JsonObject = { readonly [key: string]: Json | undefined };

function parseObject(line: string, refuse: (fault: string) => never): JsonObject {
  let value: Json;
  try {
    // The copy refuses what is nested too deep for whoever looks into it later.
    value = copyJson(JSON.parse(line) as Json);
  } catch (error) {
    return refuse(`is not JSON: ${messageOf(error)}`);
  }
  return isObject(value) ? value : refuse("is not a JSON object");
}

function isObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTime(value: Json | undefined, min: number): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= min;
}

function wanted(field: string, found: Json | undefined, want: string): string {
  const shown = found === undefined ? "missing" : JSON.stringify(found).slice(0, 60);
  return `is wrong: ${field} is ${shown}, want ${want}`;
}
