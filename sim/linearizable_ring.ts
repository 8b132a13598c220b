// The answered steps that the search has not placed: their invocations and returns in the order of events, as a ring
// from which steps are taken and to which they come back in the opposite order.

import { nowhere, type Step } from "./linearizable_part.ts";

/** Invocations and returns by their places; `end` stands before the first and after the last. */
export class EventRing {
  readonly end: number;
  readonly #following: Int32Array;
  readonly #preceding: Int32Array;
  readonly #stepAt: Int32Array;

  constructor(steps: readonly Step[], places: number) {
    this.end = places;
    this.#following = new Int32Array(places + 1);
    this.#preceding = new Int32Array(places + 1);
    this.#stepAt = new Int32Array(places + 1).fill(nowhere);
    steps.forEach((step, index) => {
      if (!step.answered) return;
      this.#stepAt[step.invokedAt] = index;
      this.#stepAt[step.returnedAt] = index;
    });
    let last = this.end;
    for (let place = 0; place <= this.end; place++) {
      if (place < this.end && this.stepAt(place) === nowhere) continue;
      this.#join(last, place);
      last = place;
    }
  }

  /** The place after this one; after the end the first one. */
  after(place: number): number {
    return this.#following[place] ?? this.end;
  }

  /** The number of the step that is invoked or returns here. */
  stepAt(place: number): number {
    return this.#stepAt[place] ?? nowhere;
  }

  /** Takes a step out. Who stands at its invocation still finds the way on. */
  remove({ invokedAt, returnedAt }: Step): void {
    for (const place of [returnedAt, invokedAt]) {
      this.#join(this.#preceding[place] ?? this.end, this.after(place));
    }
  }

  /** Puts the step back that was taken out last. */
  restore({ invokedAt, returnedAt }: Step): void {
    for (const place of [invokedAt, returnedAt]) {
      this.#following[this.#preceding[place] ?? this.end] = place;
      this.#preceding[this.after(place)] = place;
    }
  }

  #join(preceding: number, following: number): void {
    this.#following[preceding] = following;
    this.#preceding[following] = preceding;
  }
}
