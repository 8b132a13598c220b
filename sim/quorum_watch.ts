// Sees from the events of a world when no quorum of its voters is up and connected any more.

import type { WorldEvent } from "./world_event.ts";

/** Knows who is up, and which links are cut. */
export class QuorumWatch {
  readonly #boxes: readonly string[];
  readonly #size: number;
  readonly #lost: () => void;
  readonly #absent = new Set<string>();
  readonly #cut = new Set<string>();
  #has = true;

  /** @param lost Called whenever the last quorum is gone. */
  constructor(
    { boxes, size }: { readonly boxes: readonly string[]; readonly size: number },
    lost: () => void,
  ) {
    this.#boxes = boxes;
    this.#size = size;
    this.#lost = lost;
  }

  see(event: WorldEvent): void {
    switch (event.kind) {
      case "crash":
      case "pause":
        this.#absent.add(event.box);
        break;
      case "start":
      case "resume":
        this.#absent.delete(event.box);
        break;
      case "cut":
        this.#cut.add(`${event.from} ${event.to}`);
        break;
      case "heal":
        this.#cut.delete(`${event.from} ${event.to}`);
        break;
      default:
        return;
    }
    const had = this.#has;
    this.#has = this.#boxes.some((box) => this.#reaches(box) >= this.#size);
    if (had && !this.#has) this.#lost();
  }

  /** How many voters a box reaches and is reached by, itself included. */
  #reaches(box: string): number {
    if (this.#absent.has(box)) return 0;
    const connected = (other: string) =>
      other === box || !(this.#absent.has(other) || this.#cut.has(`${box} ${other}`) ||
        this.#cut.has(`${other} ${box}`));
    return this.#boxes.filter(connected).length;
  }
}
