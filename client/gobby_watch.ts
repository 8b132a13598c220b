// A watch, as a program would like to loop over it. A program that is slow is not drowned: what it has not taken has a
// limit, beyond which the watch ends, and begins anew from where it was when all is taken.

import type { EventTarget, GobbyEvent } from "../agents/gobby/machine_types.ts";
import { gobbyClientProtocol } from "../agents/gobby/protocol.ts";
import { quickParse } from "../core/quick_check.ts";
import type { GobbyChannel, WatchMessage } from "./gobby_channel.ts";
import { CompactedError } from "./gobby_error.ts";

/** How many events wait for a program that is slow. */
const bufferMax = 4096;

/** How a watch differs from others. */
export interface WatchOptions {
  /** The first revision whose events are wanted; default those that are still to come. */
  readonly from?: number;
  /** Ends with the first revision that has events. */
  readonly oneShot?: boolean;
  /** Ends the watch; its loop throws the signal's reason. */
  readonly signal?: AbortSignal;
}

const { watching, watchEnded } = gobbyClientProtocol;
const readEvents = quickParse(gobbyClientProtocol.events);

/** The events of a key, a prefix, a session or of all: in order, none left out and none twice. */
export class GobbyWatch implements AsyncIterable<GobbyEvent>, Disposable {
  readonly #channel: GobbyChannel;
  readonly #target: EventTarget;
  readonly #oneShot: boolean;
  readonly #signal: AbortSignal | undefined;
  readonly #buffer: GobbyEvent[] = [];
  /** The number at the channel; undefined while it is suspended, or over. */
  #id: number | undefined;
  /** The first revision of which nothing was heard; undefined until it is known where the watch begins. */
  #next: number | undefined;
  #over = false;
  #failure: { readonly error: unknown } | undefined;
  #wakeups: (() => void)[] = [];
  readonly #abort = () => this.#stop({ error: this.#signal?.reason });

  constructor(channel: GobbyChannel, target: EventTarget, options: WatchOptions = {}) {
    this.#channel = channel;
    this.#target = target;
    this.#oneShot = options.oneShot ?? false;
    this.#signal = options.signal;
    this.#next = options.from;
    if (options.signal?.aborted) {
      this.#abort();
      return;
    }
    options.signal?.addEventListener("abort", this.#abort);
    this.#begin();
  }

  /** The revision to go on from, by another watch, when all events that were given are dealt with. */
  get revision(): number | undefined {
    return this.#buffer[0]?.revision ?? this.#next;
  }

  /** Resolves with the first revision whose events it gives, when the watch has begun: all that comes then is seen. */
  async started(): Promise<number> {
    while (this.revision === undefined) {
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#over) throw new TypeError("Cannot start a watch that was closed");
      await this.#change();
    }
    return this.revision;
  }

  /** Ends the watch. Its loop ends. */
  close(): void {
    this.#next = this.revision;
    this.#buffer.length = 0;
    this.#stop(undefined);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<GobbyEvent, void> {
    try {
      while (true) {
        const event = this.#buffer.shift();
        if (event !== undefined) yield event;
        else if (this.#failure !== undefined) throw this.#failure.error;
        else if (this.#over) return;
        else {
          if (this.#id === undefined) this.#begin();
          await this.#change();
        }
      }
    } finally {
      this.close();
    }
  }

  #hear(message: WatchMessage): void {
    if (this.#over) return;
    if (message.type === "watching") this.#next ??= watching.parse(message).from;
    else if (message.type === "events") {
      const heard = readEvents(message);
      this.#buffer.push(...heard.events);
      this.#next = heard.next;
      if (this.#buffer.length > bufferMax && !this.#oneShot) this.#suspend();
    } else {
      const { end } = watchEnded.parse(message);
      if (end.why === "told") this.#stop(undefined);
      else if (end.why === "limit") {
        this.#stop({ error: new RangeError(`Cannot watch: the limit ${end.limit} is reached`) });
      } else this.#stop({ error: new CompactedError(end.oldest, this.#next ?? 1) });
    }
    this.#wake();
  }

  #begin(): void {
    this.#id = this.#channel.watch(
      { target: this.#target, from: this.#next, oneShot: this.#oneShot },
      { hear: (message) => this.#hear(message), fail: (error) => this.#stop({ error }) },
    );
  }

  #suspend(): void {
    if (this.#id !== undefined) this.#channel.unwatch(this.#id);
    this.#id = undefined;
  }

  #stop(failure: { readonly error: unknown } | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#failure = failure;
    this.#suspend();
    this.#signal?.removeEventListener("abort", this.#abort);
    this.#wake();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => void this.#wakeups.push(resolve));
  }

  #wake(): void {
    const wakeups = this.#wakeups;
    this.#wakeups = [];
    for (const wake of wakeups) wake();
  }
}
