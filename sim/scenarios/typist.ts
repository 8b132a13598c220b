// Somebody at a simulated terminal: types a line, waits for its answer, thinks, types the next. When the box goes
// down, the answer will never come, and the next line is typed when the box is up again.

import { type Random, randomInteger } from "../../core/random.ts";
import type { World } from "../world.ts";
import type { WorldEvent } from "../world_event.ts";

/** What a typist does. */
export interface TypistOptions {
  readonly world: World;
  /** The agent whose terminal it is. */
  readonly agent: string;
  readonly box: string;
  /** How long the typist thinks before a line, in virtual milliseconds. */
  readonly think: () => number;
  /** The next line, as it is being typed; undefined if there is nothing left to say. */
  readonly next: () => string | undefined;
  /** Whether the line that was just typed is ever answered; default: it is. */
  readonly awaits?: () => boolean;
  /** Whether what is printed while an answer is awaited is the answer; default: it is. */
  readonly isAnswer?: (text: string) => boolean;
  readonly answered: (text: string) => void;
  /** The answer will not come any more. */
  readonly lost: () => void;
}

/**
 * Times to think, which let so many lines fall all over `durationMs`: evenly, so that something is always under way,
 * or several in quick succession, so that much is under way at once, and then a long pause.
 */
export function paceOf(random: Random, lines: number, durationMs: number): () => number {
  const evenUs = Math.ceil(2_000 * durationMs / Math.max(1, lines));
  if (random() < 0.5) return () => randomInteger(random, 0, evenUs) / 1000;
  const shortUs = randomInteger(random, 1, 20_000);
  const pauseUs = Math.ceil(10_000 * durationMs / Math.max(1, lines));
  return () => randomInteger(random, 0, random() < 0.8 ? shortUs : pauseUs) / 1000;
}

/** See the top of this file. */
export class Typist {
  readonly #options: TypistOptions;
  #waits = false;
  /** Nothing is left to say, or nobody is left to say it. */
  #finished = false;
  #gone = false;
  /** Counts the lines and the crashes, so that what was planned before one means nothing after it. */
  #turn = 0;

  constructor(options: TypistOptions) {
    this.#options = options;
    options.world.observe((event) => this.#see(event));
  }

  /** Whether no answer is awaited, and nothing more will be typed. */
  get done(): boolean {
    return this.#gone || (this.#finished && !this.#waits);
  }

  /** Whether an answer is awaited. */
  get waits(): boolean {
    return this.#waits;
  }

  /** There is more to say: asks again for the next line, if the last one had been said. */
  wake(): void {
    const { world, box } = this.#options;
    if (!this.#finished) return;
    this.#finished = false;
    if (!this.#waits && world.isUp(box)) this.#think();
  }

  /** The box of this terminal stays as it is for ever. */
  leave(): void {
    this.#gone = true;
  }

  #see(event: WorldEvent): void {
    const { agent, box } = this.#options;
    if (event.kind === "start" && event.box === box) this.#think();
    else if (event.kind === "crash" && event.box === box) this.#lose();
    else if (event.kind === "output" && event.output.agent === agent && this.#waits) {
      const { output } = event.output.output;
      if (output.type !== "print" || this.#options.isAnswer?.(output.text) === false) return;
      this.#waits = false;
      this.#options.answered(output.text);
      this.#think();
    }
  }

  #lose(): void {
    this.#turn++;
    if (!this.#waits) return;
    this.#waits = false;
    this.#options.lost();
  }

  #think(): void {
    const { world, think } = this.#options;
    const turn = ++this.#turn;
    world.at(world.now + think(), () => {
      if (turn === this.#turn && !this.#gone) this.#type();
    });
  }

  #type(): void {
    const line = this.#options.next();
    if (line === undefined) {
      this.#finished = true;
      return;
    }
    this.#waits = this.#options.awaits?.() ?? true;
    this.#options.world.line(this.#options.agent, line);
    if (!this.#waits) this.#think();
  }
}
