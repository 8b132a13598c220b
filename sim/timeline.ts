// Virtual time, and what is to happen in it. Time passes only when somebody asks for the next event.

import { OvidError } from "../core/error.ts";
import { EventQueue } from "./event_queue.ts";

/** How many events may be pending: agents that answer each message with two would fill any memory. */
export const pendingMaxDefault = 1_000_000;

/** A clock that jumps from event to event, in whole microseconds. */
export class Timeline<E> {
  readonly #queue = new EventQueue<E>();
  readonly #pendingMax: number;
  #nowUs = 0;
  #eventsAtOnce = 0;

  constructor(pendingMax = pendingMaxDefault) {
    this.#pendingMax = pendingMax;
  }

  get nowUs(): number {
    return this.#nowUs;
  }

  /** How many events there have been since time last moved. */
  get eventsAtOnce(): number {
    return this.#eventsAtOnce;
  }

  /**
   * Lets `event` happen at `atUs`; what should have happened already happens at once.
   *
   * @throws {OvidError} `sim.liveness` if too much is pending.
   */
  schedule(atUs: number, event: E): void {
    if (this.#queue.size >= this.#pendingMax) {
      throw new OvidError(
        "sim.liveness",
        `Cannot simulate more: ${this.#pendingMax} events are pending, and they breed`,
      );
    }
    this.#queue.push(Math.max(atUs, this.#nowUs), event);
  }

  /** The next event, if it is due by `endUs`; it is that time then. */
  next(endUs: number): E | undefined {
    const atUs = this.#queue.nextAtUs;
    if (atUs === undefined || atUs > endUs) return undefined;
    this.pass(atUs);
    this.#eventsAtOnce++;
    return this.#queue.pop();
  }

  /** Lets time pass to `atUs`, unless it has. */
  pass(atUs: number): void {
    if (atUs <= this.#nowUs) return;
    this.#nowUs = atUs;
    this.#eventsAtOnce = 0;
  }

  /** All that is still to happen, in no order that means anything, but in the same order in every run. */
  pending(): Iterable<E> {
    return this.#queue.pending();
  }
}

/**
 * Virtual milliseconds as whole microseconds.
 *
 * @throws {RangeError} if that is no time at all.
 */
export function toUs(ms: number): number {
  if (ms >= 0 && ms < Number.MAX_SAFE_INTEGER / 1000) return Math.round(ms * 1000);
  throw new RangeError(`Cannot use ${ms} ms as virtual time, want 0 or more`);
}
