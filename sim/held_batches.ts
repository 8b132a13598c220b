// What a simulated box holds back until the records that it follows from are durable.

import type { Batch } from "../core/envelope.ts";

interface Held {
  /** May go once so many records of this life are durable. */
  readonly records: number;
  readonly batch: Batch;
}

/** Batches in the order of their steps. */
export class HeldBatches {
  #held: Held[] = [];

  /** Holds what is left of a batch until so many records are durable: a copy, since its host uses the batch again. */
  hold(records: number, batch: Batch): void {
    const copy = {
      ...batch,
      sends: [...batch.sends],
      outputs: [...batch.outputs],
      endings: [...batch.endings],
      faults: [...batch.faults],
    };
    this.#held.push({ records, batch: copy });
  }

  /** Gives what may go, now that so many records are durable. */
  release(records: number): Batch[] {
    let count = 0;
    while ((this.#held[count]?.records ?? Infinity) <= records) count++;
    return this.#held.splice(0, count).map(({ batch }) => batch);
  }

  /** Forgets all, as a crash does. */
  clear(): void {
    this.#held = [];
  }
}
