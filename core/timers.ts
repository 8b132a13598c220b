// The timers of a box: which is due next, in an order that depends on nothing but when each was armed.

import type { AgentId } from "./id.ts";

/** A timer of an agent. */
export interface Timer {
  readonly agent: AgentId;
  readonly name: string;
  readonly key: string | undefined;
  /** When it is due, in the host's milliseconds. */
  readonly at: number;
}

interface Entry extends Timer {
  /** Breaks ties: of two timers due at once, the one armed first fires first. */
  readonly sequence: number;
  /** Whether it has not been replaced or cleared. */
  armed: boolean;
}

/** A binary heap of timers by due time. A replaced or cleared timer stays in the heap until it surfaces. */
export class Timers {
  #heap: Entry[] = [];
  #armed = new Map<AgentId, Map<string, Entry>>();
  #count = 0;
  #sequence = 0;

  /** How many timers are armed. */
  get size(): number {
    return this.#count;
  }

  /** Arms a timer; one of the same agent, name and key is replaced. */
  set(agent: AgentId, name: string, key: string | undefined, at: number): void {
    const entry: Entry = { agent, name, key, at, sequence: this.#sequence++, armed: true };
    let armed = this.#armed.get(agent);
    if (armed === undefined) this.#armed.set(agent, armed = new Map());
    const id = timerId(name, key);
    const replaced = armed.get(id);
    if (replaced === undefined) this.#count++;
    else replaced.armed = false;
    armed.set(id, entry);
    this.#push(entry);
    if (this.#heap.length > 64 && this.#heap.length > 4 * this.#count) this.#rebuild();
  }

  clear(agent: AgentId, name: string, key: string | undefined): void {
    const armed = this.#armed.get(agent);
    const id = timerId(name, key);
    const entry = armed?.get(id);
    if (entry === undefined) return;
    entry.armed = false;
    armed?.delete(id);
    this.#count--;
  }

  /** Clears all timers of an agent that has ended. */
  clearAll(agent: AgentId): void {
    const armed = this.#armed.get(agent);
    if (armed === undefined) return;
    for (const entry of armed.values()) entry.armed = false;
    this.#count -= armed.size;
    this.#armed.delete(agent);
  }

  /** The armed timers of an agent, in the order of their names and keys' first arming. */
  of(agent: AgentId): Timer[] {
    return [...this.#armed.get(agent)?.values() ?? []];
  }

  /** When the next timer is due; undefined if none is armed. */
  nextAt(): number | undefined {
    return this.#peek()?.at;
  }

  /** Stands between the timers armed so far and those to come, for {@linkcode popDue}. */
  get sequence(): number {
    return this.#sequence;
  }

  /**
   * Removes and returns the next timer that is due at `now` and was armed before `sequence`: a timer of 0 ms that
   * re-arms itself must not keep a step from ending.
   */
  popDue(now: number, sequence: number): Timer | undefined {
    const next = this.#peek();
    if (next === undefined || next.at > now || next.sequence >= sequence) return undefined;
    this.#pop();
    this.#armed.get(next.agent)?.delete(timerId(next.name, next.key));
    this.#count--;
    return next;
  }

  #peek(): Entry | undefined {
    // Asked at every step, and many a box has no timer: to read beyond the end of an array takes longer.
    if (this.#heap.length === 0) return undefined;
    let top = this.#heap[0];
    while (top !== undefined && !top.armed) {
      this.#pop();
      top = this.#heap[0];
    }
    return top;
  }

  // Without this an agent that re-arms a far timer with every message would fill the heap with dead entries.
  #rebuild(): void {
    const live = this.#heap.filter((entry) => entry.armed);
    this.#heap = [];
    for (const entry of live) this.#push(entry);
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (parent === undefined || !isBefore(entry, parent)) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    while (true) {
      const leftIndex = 2 * index + 1;
      let child = heap[leftIndex];
      if (child === undefined) break;
      let childIndex = leftIndex;
      const right = heap[leftIndex + 1];
      if (right !== undefined && isBefore(right, child)) {
        child = right;
        childIndex = leftIndex + 1;
      }
      if (!isBefore(child, last)) break;
      heap[index] = child;
      index = childIndex;
    }
    heap[index] = last;
  }
}

function timerId(name: string, key: string | undefined): string {
  return key === undefined ? name : `${name} ${key}`;
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.sequence < b.sequence);
}
