// Whether anything was executed more often than it was asked for. A history shows that only if somebody looks at the
// right time; what a store has executed shows it always. Any scenario can ask, of any list that it can get hold of.

import type { Json } from "../core/data.ts";
import type { Call } from "./history.ts";

/** Something that was executed more often than it was asked for, and its places in the list, from 0. */
export interface Excess {
  readonly operation: string;
  readonly places: readonly number[];
}

/**
 * Finds the first operation that was executed more often than it was asked for.
 *
 * @param executed What one log or store has executed, in order, by names of the scenario's choice.
 * @param timesAsked How often the operation of a name was asked for; once by default, as where names are unique.
 */
export function findExcess(
  executed: Iterable<string>,
  timesAsked: (operation: string) => number = () => 1,
): Excess | undefined {
  const places = new Map<string, number[]>();
  let place = 0;
  for (const operation of executed) {
    const mine = places.get(operation);
    if (mine === undefined) places.set(operation, [place]);
    else mine.push(place);
    place++;
  }
  for (const [operation, mine] of places) {
    if (mine.length > timesAsked(operation)) return { operation, places: mine };
  }
}

/** How often each operation was asked for by the calls of a history, for {@linkcode findExcess}. */
export function timesAskedIn(
  calls: Iterable<Call>,
  nameOf: (operation: Json) => string | undefined,
): (operation: string) => number {
  const times = new Map<string, number>();
  for (const { operation } of calls) {
    const name = nameOf(operation);
    if (name !== undefined) times.set(name, (times.get(name) ?? 0) + 1);
  }
  return (operation) => times.get(operation) ?? 0;
}

/** An excess in words. */
export function excessText({ operation, places }: Excess): string {
  const list = places.map((place) => place + 1);
  const times = list.length === 1 ? "once" : list.length === 2 ? "twice" : `${list.length} times`;
  return `${operation} was executed ${times}, as ${list.join(" and ")} of all`;
}
