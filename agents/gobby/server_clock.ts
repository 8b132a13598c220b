// What the master times, as plain data: deadlines by name, and a heap that says which is next. A deadline that is moved
// back, as every keep-alive does, leaves the heap alone: it is put right when its old time comes.

import type { DeepReadonly } from "../../core/data.ts";
import { type Deadline, deadlineOf } from "./machine_deadlines.ts";
import type { GobbyEvent } from "./machine_event.ts";
import type { GobbyOperation } from "./machine_operation.ts";

/** Something that is asked for when its time has come. */
export interface Timed {
  readonly operation: DeepReadonly<GobbyOperation>;
  /** How long it takes. */
  readonly ms: number;
  /** When it is due, by the master's clock. */
  at: number;
  /** Where the heap has it. */
  queuedAt: number;
  /** Whether it was handed to the group, which may carry it out at any time. */
  askedFor: boolean;
}

interface Moment {
  readonly at: number;
  readonly name: string;
}

/** All that a master times. */
export interface DeadlineClock {
  readonly timed: Map<string, Timed>;
  /** The earliest first; what `timed` has not at that time is void. */
  heap: Moment[];
}

/** A clock that times nothing. */
export function newClock(): DeadlineClock {
  return { timed: new Map(), heap: [] };
}

/** By what name an operation is timed: the same thing has but one deadline. */
export function nameOf(operation: DeepReadonly<GobbyOperation>): string | undefined {
  switch (operation.kind) {
    case "expireSession":
      return sessionName(operation.session);
    case "expireKey":
      return `key ${operation.key}`;
    case "cancelWait":
      return `wait ${operation.ticket}`;
    case "endLockDelay":
      return `delay ${operation.key}`;
    default:
      return undefined;
  }
}

/** By what name a session's time is known. */
export function sessionName(session: number): string {
  return `session ${session}`;
}

/** Begins a deadline, in the place of one of the same name. */
export function begin(
  clock: DeadlineClock,
  { operation, ms }: DeepReadonly<Deadline>,
  now: number,
): void {
  const name = nameOf(operation);
  if (name === undefined) return;
  const before = clock.timed.get(name);
  const at = now + ms;
  const timed = { operation, ms, at, queuedAt: before?.queuedAt ?? Infinity, askedFor: false };
  clock.timed.set(name, timed);
  if (at < timed.queuedAt) {
    timed.queuedAt = at;
    push(clock, { at, name });
  }
}

/** Gives a deadline its full time again. */
export function prolong(timed: Timed, now: number): void {
  timed.at = Math.max(timed.at, now + timed.ms);
}

/** Takes those that are due off the heap, at most so many; they stay known by their names. */
export function takeDue(clock: DeadlineClock, now: number, most: number): string[] {
  const due: string[] = [];
  while (due.length < most) {
    const [first] = clock.heap;
    if (first === undefined || first.at > now) break;
    pop(clock);
    const timed = clock.timed.get(first.name);
    if (timed === undefined || timed.queuedAt !== first.at) continue;
    if (timed.at > now) {
      timed.queuedAt = timed.at;
      push(clock, { at: timed.at, name: first.name });
      continue;
    }
    timed.queuedAt = Infinity;
    due.push(first.name);
  }
  return due;
}

/** Puts one back that was taken and is timed again. */
export function putBack(clock: DeadlineClock, name: string): void {
  const timed = clock.timed.get(name);
  if (timed === undefined || timed.queuedAt !== Infinity) return;
  timed.queuedAt = timed.at;
  push(clock, { at: timed.at, name });
}

/** When the next one may be due. */
export function nextDue({ heap: [first] }: DeadlineClock): number | undefined {
  return first?.at;
}

/** Begins and ends deadlines as events say. */
export function follow(
  clock: DeadlineClock,
  event: GobbyEvent,
  { term, now }: { readonly term: number; readonly now: number },
): void {
  const deadline = deadlineOf(event, term);
  if (deadline !== undefined) return begin(clock, deadline, now);
  switch (event.kind) {
    case "keyStored":
      return end(clock, `key ${event.entry.key}`);
    case "keyDeleted":
      return end(clock, `key ${event.key}`);
    case "sessionEnded":
      return end(clock, sessionName(event.session));
    case "lockGranted":
      if (event.ticket !== null) end(clock, `wait ${event.ticket}`);
      return;
    case "waitEnded":
      return end(clock, `wait ${event.ticket}`);
    case "lockDelayEnded":
      return end(clock, `delay ${event.key}`);
  }
}

/** Forgets a deadline. */
export function end(clock: DeadlineClock, name: string): void {
  clock.timed.delete(name);
}

function push(clock: DeadlineClock, moment: Moment): void {
  const { heap, timed } = clock;
  // What was ended long before its time is still in the heap; not for ever.
  if (heap.length > 2 * timed.size + 64) rebuild(clock);
  clock.heap.push(moment);
  rise(clock.heap, clock.heap.length - 1);
}

function rebuild(clock: DeadlineClock): void {
  const kept = clock.heap.filter(({ at, name }) => clock.timed.get(name)?.queuedAt === at);
  // Sorted lists are heaps. One of a name is enough.
  kept.sort((a, b) => a.at - b.at || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  clock.heap = kept.filter(({ at, name }, index) => {
    const before = kept[index - 1];
    return before === undefined || before.at !== at || before.name !== name;
  });
}

function rise(heap: Moment[], from: number): void {
  for (let index = from; index > 0;) {
    const parent = (index - 1) >>> 1;
    if (!swapIfEarlier(heap, index, parent)) return;
    index = parent;
  }
}

function pop({ heap }: DeadlineClock): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  heap[0] = last;
  for (let index = 0;;) {
    const left = 2 * index + 1;
    const [a, b] = [heap[left], heap[left + 1]];
    const child = a !== undefined && b !== undefined && b.at < a.at ? left + 1 : left;
    if (!swapIfEarlier(heap, child, index)) return;
    index = child;
  }
}

/** Lets the child at `index` and its parent change places, if the child is earlier. */
function swapIfEarlier(heap: Moment[], index: number, parent: number): boolean {
  const [below, above] = [heap[index], heap[parent]];
  if (below === undefined || above === undefined || below.at >= above.at) return false;
  heap[index] = above;
  heap[parent] = below;
  return true;
}
