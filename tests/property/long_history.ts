// Long histories of a store that is right, for the checker to bear: many clients, few keys, calls that overlap, and
// answers that never came.

import { kv } from "../../agents/machine/kv.ts";
import { copyJson, type Json } from "../../core/data.ts";
import { type Random, randomInteger, seededRandom } from "../../core/random.ts";
import type { Call } from "../../sim/history.ts";

/** How long a history is, and how hard. */
export interface LongHistory {
  readonly calls: number;
  readonly clients: number;
  readonly keys: number;
  readonly seed: bigint;
}

/** One call in this many gets no answer; half of those happen, some of them much later. */
const lostEvery = 100;

interface Event extends Omit<Call, "result"> {
  readonly happensUs: number;
  readonly happens: boolean;
}

/** A history in the order of invocation that was executed one call after the other, each between its two ends. */
export function longHistory({ calls, clients, keys, seed }: LongHistory): Call[] {
  const random = seededRandom(seed);
  const people = Array.from(
    { length: clients },
    () => ({ freeUs: randomInteger(random, 0, 1000), lives: 0 }),
  );
  const events: Event[] = [];
  for (let number = 0; number < calls; number++) {
    const index = indexOfFirst(people);
    const person = people[index];
    if (person === undefined) break;
    const invokeUs = person.freeUs + randomInteger(random, 0, 200);
    const happensUs = invokeUs + drawDelay(random);
    const returnUs = happensUs + drawDelay(random);
    const isLost = randomInteger(random, 1, lostEvery) === 1;
    const laterUs = randomInteger(random, 0, 20_000);
    events.push({
      client: `c${index + 1}.${person.lives}`,
      operation: drawOperation(random, keys, number),
      invokeUs,
      happensUs: isLost ? happensUs + laterUs : happensUs,
      happens: !isLost || random() < 0.5,
      returnUs: isLost ? undefined : returnUs,
    });
    person.freeUs = returnUs;
    if (isLost) person.lives++;
  }
  return execute(events);
}

function indexOfFirst(people: readonly { readonly freeUs: number }[]): number {
  const firstUs = Math.min(...people.map(({ freeUs }) => freeUs));
  return people.findIndex(({ freeUs }) => freeUs === firstUs);
}

/** One delay in twenty is up to five times as long as the others. */
function drawDelay(random: Random): number {
  return randomInteger(random, 1, randomInteger(random, 1, 20) === 1 ? 5000 : 1000);
}

function drawOperation(random: Random, keys: number, number: number): Json {
  const key = `key${randomInteger(random, 1, keys)}`;
  const value = `value${number}`;
  const kind = randomInteger(random, 0, 9);
  if (kind < 5) return { kind: "get", key };
  if (kind < 8) return { kind: "put", key, value };
  return kind < 9 ? { kind: "delete", key } : { kind: "cas", key, expected: null, value };
}

function execute(events: readonly Event[]): Call[] {
  const state = kv.initial();
  const results = new Map<Event, Json>();
  for (const event of events.toSorted((a, b) => a.happensUs - b.happensUs)) {
    if (event.happens) results.set(event, copyJson(kv.apply(state, event.operation)));
  }
  return events.toSorted((a, b) => a.invokeUs - b.invokeUs).map((event) => {
    const { client, operation, invokeUs, returnUs } = event;
    const result = returnUs === undefined ? undefined : results.get(event);
    return { client, operation, result, invokeUs, returnUs };
  });
}

/** A history in which one read gives a value that was overwritten before it was asked for. */
export interface StaleHistory {
  readonly calls: readonly Call[];
  readonly staleRead: Call;
}

/** Makes a read stale: the first one that can be, once the share `from` of the calls is over. */
export function plantStaleRead(calls: readonly Call[], from: number): StaleHistory {
  for (let index = Math.floor(calls.length * from); index < calls.length; index++) {
    const read = calls[index];
    if (read?.returnUs === undefined || fieldOf(read, "kind") !== "get") continue;
    const value = overwrittenBefore(calls.slice(0, index), read);
    if (value === undefined) continue;
    const staleRead = { ...read, result: { kind: "value", value } };
    return { calls: calls.with(index, staleRead), staleRead };
  }
  throw new Error("No read of the history can be made stale");
}

/** The latest value of a key that certainly had been overwritten by another put when a call was made. */
function overwrittenBefore(calls: readonly Call[], { operation, invokeUs }: Call) {
  const key = fieldOf({ operation }, "key");
  const puts = calls.filter((call) =>
    fieldOf(call, "kind") === "put" && fieldOf(call, "key") === key &&
    call.returnUs !== undefined && call.returnUs < invokeUs
  );
  const last = puts.at(-1);
  const old = puts.findLast(({ returnUs = Infinity }) => returnUs < (last?.invokeUs ?? 0));
  return old === undefined ? undefined : fieldOf(old, "value");
}

function fieldOf({ operation }: Pick<Call, "operation">, name: string): string | undefined {
  const field: unknown = Reflect.get(Object(operation), name);
  return typeof field === "string" ? field : undefined;
}
