// A chatroom of simulated boxes: the membership machine of real boxes on links in virtual time, and no agents.
// Links lose nothing and no box is paused, so that links end with their boxes alone.

import type { BoxId } from "../core/id.ts";
import { heartbeatMs, Membership } from "../core/membership.ts";
import { type Random, randomInteger, seededRandom } from "../core/random.ts";
import { Timeline, toUs } from "./timeline.ts";

// What a loopback takes.
const latencyUsMin = 50;
const latencyUsMax = 500;

/** What a {@linkcode SimulatedChatroom} is made of. */
export interface ChatroomOptions {
  /** Whether the names of boxes are numbers, and are sorted as such. */
  readonly numeric?: boolean;
  /** Decides how long each line is on its way; 0 by default. */
  readonly seed?: bigint;
}

/** One run of a box: a box that starts again is another one to its old links. */
interface Run {
  readonly name: BoxId;
  readonly knows: (peer: string) => boolean;
  readonly membership: Membership;
  /** Where it sends to, by peer. */
  readonly links: Map<BoxId, Link>;
}

/** One direction of a connection. */
interface Link {
  readonly to: Run;
  /** When its last line arrives, which none may overtake. */
  lastUs: number;
}

type Line =
  | { readonly kind: "hello" }
  | { readonly kind: "ping" }
  | { readonly kind: "text"; readonly text: string }
  /** The end of the connection, as the system of a dead process tells it. */
  | { readonly kind: "close" };

type ChatroomEvent =
  | { readonly kind: "tick"; readonly run: Run }
  | { readonly kind: "line"; readonly from: Run; readonly to: Run; readonly line: Line };

/**
 * Boxes that chat in virtual time, which passes in {@linkcode SimulatedChatroom.advance} alone.
 *
 * @example
 * ```ts
 * const room = new SimulatedChatroom({ numeric: true });
 * room.start("0");
 * room.start("1");
 * room.advance(10);
 * room.command("0", "alive"); // "alive 0,1"
 * ```
 */
export class SimulatedChatroom {
  readonly #timeline = new Timeline<ChatroomEvent>();
  readonly #numeric: boolean;
  readonly #random: Random;
  readonly #runs = new Map<BoxId, Run>();

  constructor(options: ChatroomOptions = {}) {
    this.#numeric = options.numeric ?? false;
    this.#random = seededRandom(options.seed ?? 0n);
  }

  /** Virtual milliseconds since the beginning. */
  get now(): number {
    return this.#timeline.nowUs / 1000;
  }

  /** The boxes that run, in the order of their starts. */
  get running(): string[] {
    return [...this.#runs.keys()];
  }

  /**
   * Starts a box, without messages: also one that has crashed. Two boxes link if each knows the other.
   *
   * @throws {RangeError} if it is running.
   */
  start(box: string, knows: (peer: string) => boolean = () => true): void {
    const name = box as BoxId;
    if (this.#runs.has(name)) throw new RangeError(`Cannot start box ${box}: it is running`);
    const membership = new Membership({ self: name, numeric: this.#numeric });
    const run: Run = { name, knows, membership, links: new Map() };
    for (const peer of this.#runs.values()) {
      if (knows(peer.name) && peer.knows(name)) this.#connect(run, peer);
    }
    this.#runs.set(name, run);
    this.#timeline.schedule(this.#timeline.nowUs, { kind: "tick", run });
  }

  /**
   * Crashes a box: what it has sent still arrives, and then the end of its links.
   *
   * @throws {RangeError} if it is not running.
   */
  crash(box: string): void {
    const run = this.#running(box);
    this.#runs.delete(run.name);
    for (const peer of run.links.keys()) this.#send(run, peer, { kind: "close" });
  }

  /**
   * Gives a box a line of its master, and returns its reply, if any.
   *
   * @throws {RangeError} if it is not running.
   */
  command(box: string, line: string): string | undefined {
    const run = this.#running(box);
    const { reply, broadcast, crash } = run.membership.command(line, this.now);
    for (const peer of broadcast?.to ?? []) {
      this.#send(run, peer, { kind: "text", text: broadcast?.text ?? "" });
    }
    if (crash) this.crash(box);
    return reply;
  }

  /**
   * Lets time pass.
   *
   * @throws {RangeError} if `ms` is no time.
   */
  advance(ms: number): void {
    const endUs = this.#timeline.nowUs + toUs(ms);
    while (true) {
      const event = this.#timeline.next(endUs);
      if (event === undefined) break;
      if (event.kind === "tick") this.#tick(event.run);
      else this.#receive(event.from, event.to, event.line);
    }
    this.#timeline.pass(endUs);
  }

  #running(box: string): Run {
    const run = this.#runs.get(box as BoxId);
    if (run === undefined) throw new RangeError(`Cannot reach box ${box}: it is not running`);
    return run;
  }

  #isRunning(run: Run): boolean {
    return this.#runs.get(run.name) === run;
  }

  #connect(one: Run, other: Run): void {
    for (const [from, to] of [[one, other], [other, one]] as const) {
      from.links.set(to.name, { to, lastUs: 0 });
      this.#send(from, to.name, { kind: "hello" });
    }
  }

  #send(from: Run, peer: BoxId, line: Line): void {
    const link = from.links.get(peer);
    if (link === undefined) return;
    const latencyUs = randomInteger(this.#random, latencyUsMin, latencyUsMax);
    link.lastUs = Math.max(link.lastUs, this.#timeline.nowUs + latencyUs);
    this.#timeline.schedule(link.lastUs, { kind: "line", from, to: link.to, line });
  }

  #receive(from: Run, to: Run, line: Line): void {
    if (!this.#isRunning(to)) return;
    // A peer that has started again has a new link, which lines on its old one say nothing about.
    const current = to.links.get(from.name)?.to === from;
    if (line.kind === "text") to.membership.received(line.text);
    if (!current) return;
    if (line.kind === "hello") to.membership.up(from.name, this.now);
    else if (line.kind !== "close") to.membership.heard(from.name, this.now);
    else {
      to.links.delete(from.name);
      to.membership.down(from.name);
    }
  }

  #tick(run: Run): void {
    if (!this.#isRunning(run)) return;
    // None is silent for long enough to be dropped.
    const { ping, nextAt } = run.membership.tick(this.now);
    for (const peer of ping) this.#send(run, peer, { kind: "ping" });
    // As with real boxes never at once: rounded, the time of a ping may seem to be a little ahead.
    const waitMs = Math.min(Math.max(nextAt - this.now, 1), heartbeatMs);
    this.#timeline.schedule(this.#timeline.nowUs + toUs(waitMs), { kind: "tick", run });
  }
}
