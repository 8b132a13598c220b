// Who is alive, what was broadcast, and what a master is told: the chatroom that every box takes part in, as a
// pure machine. Real boxes and simulated ones drive the same code.

import { type BoxId, compareBytes } from "./id.ts";

/** How often a box pings each peer that it has a link to. GoOvid gives up on a peer after two of its 500 ms. */
export const heartbeatMs = 250;

/** How long a link may be silent before its peer counts as dead: the chatroom's specification says 1 s. */
export const silenceMs = 1000;

/** How many characters of broadcasts a box remembers; what comes on top is refused and counted. */
export const logCharactersMax = 64 * 1024 * 1024;

/** What a box does about a command of its master. */
export interface Answer {
  /** The line to send back, if any. */
  readonly reply?: string;
  /** A text to send to `to`; the own log has it already. */
  readonly broadcast?: { readonly text: string; readonly to: readonly BoxId[] };
  /** The master asked for the end of this box, at once and without ceremony. */
  readonly crash?: true;
}

/** What is due at a {@linkcode Membership.tick}. */
export interface Upkeep {
  readonly ping: readonly BoxId[];
  /** Peers whose links have been silent for too long: close them. */
  readonly drop: readonly BoxId[];
  /** When to tick again, in the clock of `now`. */
  readonly nextAt: number;
}

/** The chatroom's view of one box. Times are monotonic milliseconds of this box alone. */
export class Membership {
  readonly #self: BoxId;
  readonly #compare: (a: string, b: string) => number;
  /** When each linked peer was last heard. */
  readonly #heardAt = new Map<BoxId, number>();
  readonly #log: string[] = [];
  #logCharacters = 0;
  #pingAt = 0;

  /** @param options.numeric Whether ids are numbers, as in the numeric chatroom, and sorted as such. */
  constructor(options: { readonly self: BoxId; readonly numeric?: boolean }) {
    this.#self = options.self;
    this.#compare = options.numeric ? (a, b) => Number(a) - Number(b) : compareBytes;
  }

  /** A link to `peer` stands. */
  up(peer: BoxId, now: number): void {
    this.#heardAt.set(peer, now);
  }

  /** A line of any kind came from `peer`. */
  heard(peer: BoxId, now: number): void {
    if (this.#heardAt.has(peer)) this.#heardAt.set(peer, now);
  }

  /** The link to `peer` is gone. */
  down(peer: BoxId): void {
    this.#heardAt.delete(peer);
  }

  /** What is due now. */
  tick(now: number): Upkeep {
    const drop: BoxId[] = [];
    let nextAt = Infinity;
    for (const [peer, heardAt] of this.#heardAt) {
      if (now - heardAt >= silenceMs) drop.push(peer);
      else nextAt = Math.min(nextAt, heardAt + silenceMs);
    }
    for (const peer of drop) this.#heardAt.delete(peer);
    let ping: BoxId[] = [];
    if (now >= this.#pingAt) {
      ping = [...this.#heardAt.keys()];
      this.#pingAt = now + heartbeatMs;
    }
    return { ping, drop, nextAt: Math.min(nextAt, this.#pingAt) };
  }

  /** The boxes that are alive as seen from here, this one included, in ascending order. */
  alive(now: number): BoxId[] {
    const alive = [this.#self];
    for (const [peer, heardAt] of this.#heardAt) {
      if (now - heardAt < silenceMs) alive.push(peer);
    }
    return alive.sort(this.#compare);
  }

  /** All broadcasts so far, the own ones included, in the order of delivery. */
  get messages(): readonly string[] {
    return this.#log;
  }

  /** A broadcast of a peer arrived. Whether there was room for it. */
  received(text: string): boolean {
    if (this.#logCharacters + text.length > logCharactersMax) return false;
    this.#logCharacters += text.length;
    this.#log.push(text);
    return true;
  }

  /**
   * A line from a master. `get` and `alive` answer as the chatroom's specification says, commas and all; with the
   * word `json` behind them they answer unambiguously. A malformed command gets an error, and never harms the box.
   */
  command(line: string, now: number): Answer {
    const trimmed = line.trim();
    const blank = trimmed.search(/\s/);
    const verb = blank < 0 ? trimmed : trimmed.slice(0, blank);
    const rest = blank < 0 ? "" : trimmed.slice(blank).trim();
    switch (verb) {
      case "get":
        return { reply: `messages ${list(this.#log, rest)}` };
      case "alive":
        return { reply: `alive ${list(this.alive(now), rest)}` };
      case "broadcast":
        return this.#broadcast(rest, now);
      case "crash":
        return { crash: true };
      default:
        return {
          reply: `error: unknown command ${JSON.stringify(verb.slice(0, 40))}, ` +
            "want get, alive, broadcast TEXT or crash",
        };
    }
  }

  #broadcast(text: string, now: number): Answer {
    if (text === "") return { reply: "error: broadcast has no text, want broadcast TEXT" };
    // The own log gets it first: FIFO for each sender, and the sender is the first to see it.
    if (!this.received(text)) {
      return { reply: `error: the log is full, want at most ${logCharactersMax} characters` };
    }
    return { broadcast: { text, to: this.alive(now).filter((box) => box !== this.#self) } };
  }
}

function list(items: readonly string[], form: string): string {
  return form === "json" ? JSON.stringify(items) : items.join(",");
}
