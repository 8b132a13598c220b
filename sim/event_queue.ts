// The queue of everything that is still to happen in a simulated world, by virtual time.

interface Entry<E> {
  readonly atUs: number;
  /** Breaks ties: of two events at one moment, the one pushed first comes first. */
  readonly sequence: number;
  readonly event: E;
}

/** A binary heap on (time, order of pushing), so that the order of events depends on nothing else. */
export class EventQueue<E> {
  #heap: Entry<E>[] = [];
  #sequence = 0;

  get size(): number {
    return this.#heap.length;
  }

  /** When the next event is due; undefined if there is none. */
  get nextAtUs(): number | undefined {
    return this.#heap[0]?.atUs;
  }

  push(atUs: number, event: E): void {
    const entry = { atUs, sequence: this.#sequence++, event };
    const heap = this.#heap;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      // What is pushed last loses every tie, so that the time alone decides here.
      if (parent === undefined || parent.atUs <= atUs) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = entry;
  }

  /** Removes and returns the next event. */
  pop(): E | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined) return undefined;
    if (heap.length > 0) this.#sink(last);
    return top.event;
  }

  /** All events, in no order that means anything, but in the same order in every run. */
  *pending(): Generator<E> {
    for (const entry of this.#heap) yield entry.event;
  }

  #sink(entry: Entry<E>): void {
    const heap = this.#heap;
    let index = 0;
    while (true) {
      let childIndex = 2 * index + 1;
      let child = heap[childIndex];
      if (child === undefined) break;
      const right = heap[childIndex + 1];
      if (right !== undefined && isBefore(right, child)) {
        child = right;
        childIndex++;
      }
      if (!isBefore(child, entry)) break;
      heap[index] = child;
      index = childIndex;
    }
    heap[index] = entry;
  }
}

function isBefore(a: Entry<unknown>, b: Entry<unknown>): boolean {
  return a.atUs < b.atUs || (a.atUs === b.atUs && a.sequence < b.sequence);
}
