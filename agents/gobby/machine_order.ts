// Keys in order, as blocks of sorted texts: finding is binary search, and adding moves no more than one block. Texts
// are compared by their UTF-16 code units, as `<` does it on every machine.

import type { KeyRange } from "./machine_operation.ts";

/** Blocks of keys, none empty, sorted within and among each other. */
export type Order = string[][];

type OrderView = readonly (readonly string[])[];

/** A place in an order: before the key `index` of a block. */
interface Place {
  readonly block: number;
  readonly index: number;
}

/** Keys in a block at most; a full one is cut in two. */
export const blockMax = 512;

/** How many of 0, 1, ... `size - 1` come before all others, for which `isBefore` must hold exactly. */
export function countBefore(size: number, isBefore: (index: number) => boolean): number {
  let low = 0;
  let high = size;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The place of the first key for which `isBefore` does not hold. */
function seek(order: OrderView, isBefore: (key: string) => boolean): Place {
  // Blocks whose last key is before the place are before it altogether.
  const block = countBefore(order.length, (index) => isBefore(order[index]?.at(-1) ?? ""));
  const keys = order[block] ?? [];
  return { block, index: countBefore(keys.length, (index) => isBefore(keys[index] ?? "")) };
}

/** Adds a key that is not there. */
export function insertKey(order: Order, key: string): void {
  const found = seek(order, (other) => other < key);
  // A key after all others goes to the end of the last block.
  const block = Math.max(0, Math.min(found.block, order.length - 1));
  const keys = order[block];
  if (keys === undefined) {
    order.push([key]);
    return;
  }
  keys.splice(found.block === block ? found.index : keys.length, 0, key);
  if (keys.length > blockMax) order.splice(block + 1, 0, keys.splice(keys.length >>> 1));
}

/** Takes a key away that is there. */
export function removeKey(order: Order, key: string): void {
  const { block, index } = seek(order, (other) => other < key);
  const keys = order[block];
  if (keys === undefined) return;
  keys.splice(index, 1);
  const next = order[block + 1];
  if (keys.length === 0) order.splice(block, 1);
  else if (next !== undefined && keys.length + next.length <= blockMax / 2) {
    keys.push(...next);
    order.splice(block + 1, 1);
  }
}

function startOf(order: OrderView, range: KeyRange): Place {
  const from = "prefix" in range ? range.prefix : range.from;
  return seek(order, (key) => key < from);
}

function endOf(order: OrderView, range: KeyRange): Place {
  if ("prefix" in range) {
    // Keys with a prefix stand together, right after those that are less than the prefix itself.
    const { prefix } = range;
    return seek(order, (key) => key < prefix || key.startsWith(prefix));
  }
  const { to } = range;
  return seek(order, (key) => to === null || key < to);
}

/** How many keys stand between two places; negative if they are the wrong way round. */
function distance(order: OrderView, start: Place, end: Place): number {
  if (start.block > end.block) return -distance(order, end, start);
  let keys = end.index - start.index;
  for (let block = start.block; block < end.block; block++) keys += order[block]?.length ?? 0;
  return keys;
}

/** How many keys a range has. */
export function countKeys(order: OrderView, range: KeyRange): number {
  return Math.max(0, distance(order, startOf(order, range), endOf(order, range)));
}

/** The first keys of a range that come after the key `after`, if it is given, and how many there are. */
export function keysIn(
  order: OrderView,
  range: KeyRange,
  keysMax: number,
  after?: string,
): { readonly keys: string[]; readonly total: number } {
  const first = startOf(order, range);
  const later = after === undefined ? first : seek(order, (key) => key <= after);
  const start = distance(order, first, later) > 0 ? later : first;
  const total = Math.max(0, distance(order, start, endOf(order, range)));
  const keys: string[] = [];
  let { block, index } = start;
  while (keys.length < Math.min(total, keysMax)) {
    const key = order[block]?.[index];
    if (key === undefined) {
      block++;
      index = 0;
    } else {
      keys.push(key);
      index++;
    }
  }
  return { keys, total };
}
