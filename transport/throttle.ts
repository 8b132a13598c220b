// Keeps a log readable and small while something goes wrong a thousand times a second.

import type { Json } from "../core/data.ts";

/** Passes on one note a period for each key, and says in the next how many were left out. */
export class NoteThrottle {
  readonly #periodMs: number;
  readonly #note: (event: string, detail: Json) => void;
  readonly #last = new Map<string, { at: number; leftOut: number }>();

  constructor(periodMs: number, note: (event: string, detail: Json) => void) {
    this.#periodMs = periodMs;
    this.#note = note;
  }

  /** Notes `event`, unless one with the same key was noted within the period. There must be few keys. */
  note(key: string, event: string, detail: { readonly [key: string]: Json }): void {
    const now = performance.now();
    const last = this.#last.get(key);
    if (last !== undefined && now - last.at < this.#periodMs) {
      last.leftOut++;
      return;
    }
    const leftOut = last?.leftOut ?? 0;
    this.#last.set(key, { at: now, leftOut: 0 });
    this.#note(event, leftOut > 0 ? { ...detail, leftOut } : detail);
  }
}
