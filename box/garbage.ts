// When a box has its garbage collected. An idle process allocates nothing, so its engine sees no reason to: a box would
// keep for ever what its start has left, and what was left by many short connections that hammered it for a minute.

import type { Random } from "../core/random.ts";
import type { Transport } from "../transport/transport.ts";

/** How garbage is collected. */
export interface Collector {
  /** Some milliseconds. */
  collect(): void;
  /** With all that can be made anew, as code that ran once: two or three times as long. */
  collectAll(): void;
}

/** After how many accepted connections garbage is collected. */
const connectionsPerCollection = 500;

/** The shortest and the longest that a box may be quiet before what its start has left is collected. */
const quietMs = { min: 500, max: 1500 };

/** Watches a box, and chooses the moments. */
export class Garbage {
  /** Whether there was anything to do since the last tick. */
  stirred = true;
  readonly #collector: Collector | undefined;
  readonly #quietMs: number;
  #accepted = 0;
  #quietSince = 0;
  #isStartsLeft = true;

  /** @param random Draws how long the box is quiet first: boxes of one machine that did it all at once would stop it. */
  constructor(collector: Collector | undefined, random: Random) {
    this.#collector = collector;
    this.#quietMs = quietMs.min + random() * (quietMs.max - quietMs.min);
  }

  /** `transport`, with the connections that it accepts counted. */
  counting(transport: Transport): Transport {
    return {
      dial: (address, signal) => transport.dial(address, signal),
      listen: async (address) => {
        const listener = await transport.listen(address);
        return {
          address: listener.address,
          accept: async () => {
            const connection = await listener.accept();
            if (connection !== undefined) this.#accepted++;
            return connection;
          },
          close: () => listener.close(),
        };
      },
    };
  }

  /** Is called several times a second. */
  tick(now: number): void {
    if (this.stirred) this.#quietSince = now;
    this.stirred = false;
    if (this.#accepted >= connectionsPerCollection) {
      this.#accepted = 0;
      this.#collector?.collect();
    } else if (this.#isStartsLeft && now - this.#quietSince >= this.#quietMs) {
      this.#isStartsLeft = false;
      this.#collector?.collectAll();
    }
  }
}
