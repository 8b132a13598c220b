// The record of a run: its last events, a hash over all of them, and whoever else wants to see them.

import { RunningHash } from "./running_hash.ts";
import { formatEvent, hashEvent, type WorldEvent } from "./world_event.ts";

/** How many events a transcript keeps unless told otherwise. */
export const transcriptLinesDefault = 1000;

/** Sees every event of a world, in order. It must not change the world; `World.at` may do so for it. */
export type Observer = (event: WorldEvent) => void;

/** Remembers the last events and hashes all. Events are turned into text only when somebody asks. */
export class Transcript {
  readonly #linesMax: number;
  readonly #ring: WorldEvent[] = [];
  readonly #hash = new RunningHash();
  readonly #observers: Observer[] = [];
  #events = 0;
  /** Where in the ring the next event goes. */
  #next = 0;

  /** @throws {RangeError} if `linesMax` is not a whole number from 1. */
  constructor(linesMax = transcriptLinesDefault) {
    if (!Number.isSafeInteger(linesMax) || linesMax < 1) {
      throw new RangeError(`Cannot keep ${linesMax} lines of a transcript, want at least 1`);
    }
    this.#linesMax = linesMax;
  }

  record(event: WorldEvent): void {
    this.#ring[this.#next] = event;
    this.#next = this.#next + 1 === this.#linesMax ? 0 : this.#next + 1;
    this.#events++;
    hashEvent(this.#hash, event);
    for (const observer of this.#observers) observer(event);
  }

  observe(observer: Observer): void {
    this.#observers.push(observer);
  }

  /** How many events there have been. */
  get events(): number {
    return this.#events;
  }

  /** Sixteen digits that depend on every event so far: equal for equal runs, on every machine. */
  get hash(): string {
    return this.#hash.digest();
  }

  /** The last events as the end of an error's message. */
  story(count: number): string {
    const lines = this.lines(count);
    return `the last ${lines.length} of ${this.events} events:\n${lines.join("\n")}`;
  }

  /** The last events, oldest first, as many as were kept and at most `count`. */
  lines(count = this.#linesMax): string[] {
    const first = Math.max(0, this.#events - Math.min(count, this.#linesMax));
    const lines: string[] = [];
    for (let i = first; i < this.#events; i++) {
      const event = this.#ring[i % this.#linesMax];
      if (event !== undefined) lines.push(formatEvent(event));
    }
    return lines;
  }
}
