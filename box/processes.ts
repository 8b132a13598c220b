// The device `process`: boxes of the same grid that agents of this box have started, each a process of its own.

import type { ProcessEvent, ProcessOutput } from "../core/devices.ts";
import type { AgentId, BoxId } from "../core/id.ts";

/** How boxes are started here. */
export interface BoxStarter {
  /** @throws {Error} if no process can be made. */
  start(box: BoxId, options: { readonly loss: number }): StartedBox;
}

/** A box that was started. */
export interface StartedBox {
  /** Its exit code when it has ended; null if a signal ended it. */
  readonly ended: Promise<number | null>;
  /** Ends it without a word. */
  kill(): void;
  /** Ends it in order, or by force if that takes too long; resolves when it has ended. */
  stop(): Promise<unknown>;
}

/** What the device needs. */
export interface ProcessesOptions {
  readonly self: BoxId;
  /** All boxes of the grid. */
  readonly boxes: readonly BoxId[];
  /** Undefined where a box starts no others, as inside a program. */
  readonly starter: BoxStarter | undefined;
  readonly event: (agent: AgentId, event: ProcessEvent) => void;
  /** An agent wants this very box to end. */
  readonly end: () => void;
}

/** The boxes that agents of one box have started. */
export class Processes {
  readonly #options: ProcessesOptions;
  readonly #started = new Map<BoxId, StartedBox>();

  constructor(options: ProcessesOptions) {
    this.#options = options;
  }

  take(agent: AgentId, output: ProcessOutput): void {
    if (output.type === "end") return this.#options.end();
    const fault = output.type === "start"
      ? this.#start(agent, output.box, output.loss)
      : this.#kill(output.box);
    if (fault === undefined) return;
    this.#options.event(agent, { type: "failed", box: output.box, reason: fault });
  }

  /** Ends all that was started. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.#started.values(), (started) => started.stop()));
  }

  /** Why the box was not started; undefined if it was. */
  #start(agent: AgentId, name: string, loss: number): string | undefined {
    const { self, boxes, starter, event } = this.#options;
    const box = boxes.find((each) => each === name);
    if (starter === undefined) return "this box starts no others";
    if (box === undefined) return `want one of ${boxes.join(", ")}`;
    if (box === self) return "it is this very box";
    if (this.#started.has(box)) return "it runs already";
    let started: StartedBox;
    try {
      started = starter.start(box, { loss });
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    this.#started.set(box, started);
    event(agent, { type: "started", box });
    started.ended.then((code) => {
      this.#started.delete(box);
      event(agent, { type: "exited", box, code });
    });
    return undefined;
  }

  #kill(name: string): string | undefined {
    for (const [box, started] of this.#started) {
      if (box !== name) continue;
      started.kill();
      return undefined;
    }
    return "it was not started from here, or has ended";
  }
}
