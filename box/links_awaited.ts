// Whether all other boxes of a grid have been linked, or have had their time to be.

import type { BoxId } from "../core/id.ts";
import { startTimer, stopTimer, type Timer } from "../transport/timer.ts";

/** How long terminals wait for links to all other boxes before their first line; GoOvid waits as long. */
export const linksAwaitedMs = 1000;

/** Waits for links. */
export class LinksAwaited {
  readonly #count: number;
  readonly #up = new Set<BoxId>();
  readonly #all = Promise.withResolvers<void>();
  #timer: Timer | undefined;

  /** @param count How many links there are to be. */
  constructor(count: number) {
    this.#count = count;
  }

  /** Resolves when it need not be waited for any longer. */
  get all(): Promise<void> {
    return this.#all.promise;
  }

  /** Begins to count the time. */
  start(): void {
    this.#timer = startTimer(linksAwaitedMs, () => this.#all.resolve());
    if (this.#count === 0) this.#all.resolve();
  }

  up(peer: BoxId): void {
    this.#up.add(peer);
    if (this.#up.size === this.#count) this.#all.resolve();
  }

  down(peer: BoxId): void {
    this.#up.delete(peer);
  }

  close(): void {
    stopTimer(this.#timer);
    this.#all.resolve();
  }
}
