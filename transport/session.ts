// A link with somebody at the far end: who that is, whether it speaks Ovid or only what GoOvid speaks, and what it
// says. It judges each line; which boxes there are, and whose link is whose, the mesh decides.

import type { Json } from "../core/data.ts";
import { type AgentId, type BoxId, isToken } from "../core/id.ts";
import { Link, type LinkLimits } from "./link.ts";
import { startTimer, stopTimer, type Timer } from "./timer.ts";
import type { Connection } from "./transport.ts";
import { type Dialect, type Frame, type NoFrame, parseFrame } from "./wire.ts";

/** What a peer understands: everything, or only what GoOvid does. */
export type PeerKind = "ovid" | "foreign";

/** A frame that a box which is up may send. A guest may send mail. */
export type Content = Extract<Frame, { kind: "mail" | "broadcast" }>;

/** The limits of a session. */
export interface SessionLimits extends LinkLimits {
  /** How long a connection may take to say its first line, and to say who it is. */
  readonly identifyMs: number;
  /** How long after that a peer may take to say hello, before it counts as foreign. */
  readonly helloMs: number;
  /**
   * How long a peer that we dialled and that may be foreign hears `hello` for a heartbeat instead of `ping`. A
   * GoOvid box that has lost a link marks its peer as down once more up to a second later; were it to learn before
   * then who dialled it, as it does if we were restarted quickly, it would not see us for ever after.
   */
  readonly foreignPingMs: number;
  /** How much it may say before it says who it is, in bytes. */
  readonly strangerBytesMax: number;
}

/** What a session asks and tells. Nothing is told after `closed`; `up` comes once, before `heard` and `content`. */
export interface SessionOwner {
  /** Somebody claims to be `box`: sets `session.box` and greets, or says why not. */
  admit(session: Session, box: string): string | undefined;
  /** A program outside the grid claims to be `guest`: sets `session.guest`, or says why not. */
  admitGuest(session: Session, guest: string): string | undefined;
  up(session: Session): void;
  heard(session: Session): void;
  content(session: Session, content: Content): void;
  closed(session: Session, reason: string): void;
  note(session: Session, event: string, detail: { readonly [key: string]: Json }): void;
}

/** One link from its first byte to its last. */
export class Session {
  /** Who is at the far end; undefined as long as a connection that was accepted has not said so. */
  box: BoxId | undefined;
  /** The program at the far end, if it is no box. */
  guest: AgentId | undefined;
  readonly link: Link;
  readonly #dialect: Dialect;
  readonly #limits: SessionLimits;
  readonly #owner: SessionOwner;
  readonly #pingFrom: number;
  #kind: PeerKind | undefined;
  #hello: Json | undefined;
  // What GoOvid may say before it says who it is.
  #early: Content[] = [];
  #spoke = false;
  #timer: Timer | undefined;

  constructor(
    connection: Connection,
    box: BoxId | undefined,
    dialect: Dialect,
    limits: SessionLimits,
    owner: SessionOwner,
  ) {
    this.box = box;
    this.#dialect = dialect;
    this.#limits = limits;
    this.#owner = owner;
    const held = box !== undefined && dialect === "grid";
    this.#pingFrom = held ? performance.now() + limits.foreignPingMs : 0;
    this.link = new Link(connection, limits, {
      lines: (lines) => this.#lines(lines),
      closed: (reason) => this.#end(reason),
    });
    this.#within(
      limits.identifyMs,
      () => this.link.close(`it did not say who it is within ${limits.identifyMs} ms`),
    );
  }

  /** Undefined until it is known, which is when the session is up. */
  get kind(): PeerKind | undefined {
    return this.#kind;
  }

  /** What the peer's hello said. */
  get hello(): Json | undefined {
    return this.#hello;
  }

  get up(): boolean {
    return this.#kind !== undefined && !this.link.closed;
  }

  /** Whether a heartbeat may be a `ping`; else it must be `hello`. */
  get pingable(): boolean {
    return this.#kind === "ovid" || performance.now() >= this.#pingFrom;
  }

  #end(reason: string): void {
    stopTimer(this.#timer);
    this.#early = [];
    this.#owner.closed(this, reason);
  }

  #within(ms: number, otherwise: () => void): void {
    stopTimer(this.#timer);
    this.#timer = startTimer(ms, otherwise);
  }

  #lines(lines: readonly string[]): void {
    if (this.up && lines.length > 0) this.#owner.heard(this);
    for (const line of lines) {
      if (this.link.closed) return;
      this.#take(parseFrame(line, this.#dialect));
    }
    const known = this.box !== undefined || this.guest !== undefined;
    if (!known && this.link.bytesIn > this.#limits.strangerBytesMax) {
      this.link.close(`it did not say who it is within ${this.#limits.strangerBytesMax} bytes`);
    }
  }

  #take(frame: Frame | NoFrame): void {
    switch (frame.kind) {
      case "mail":
        return this.#content(frame);
      case "broadcast":
        return this.#content(frame);
      case "ping":
        return this.#ping(frame.box);
      case "hello":
        return this.#greeted(frame.hello);
      case "unknown":
        // A newer Ovid may say more than we know; from GoOvid it is ignored as GoOvid itself does.
        if (this.#kind === "ovid") {
          this.#owner.note(this, "frame.unknown", { verb: frame.verb.slice(0, 40) });
        }
        return;
      default:
        this.link.close(frame.reason);
    }
  }

  #ping(box: string): void {
    if (this.guest !== undefined) return;
    if (!this.#isFrom(box)) return;
    if (this.#kind !== undefined || this.#spoke) return;
    this.#spoke = true;
    // GoOvid would have spoken before its ping, Ovid never does; and the numeric dialect has no hello.
    if (this.#dialect === "numeric" || this.#early.length > 0) return this.#decide("foreign");
    this.#within(this.#limits.helloMs, () => this.#decide("foreign"));
  }

  #greeted(hello: { readonly [key: string]: Json | undefined }): void {
    const { box, client } = hello;
    if (typeof box === "string" && isToken(box)) {
      if (!this.#isFrom(box)) return;
    } else if (typeof client === "string" && isToken(client)) {
      return this.#greetedByGuest(client, hello);
    } else if (this.box === undefined) {
      return this.link.close("its hello names neither a box nor a client");
    }
    this.#hello = hello;
    this.#decide("ovid");
  }

  // A guest says hello once, before anything else, and is Ovid's own kind.
  #greetedByGuest(client: string, hello: Json): void {
    this.#hello ??= hello;
    const taken = this.box !== undefined || this.guest !== undefined || this.#early.length > 0;
    const fault = taken ? "it said who it is already" : this.#owner.admitGuest(this, client);
    if (fault !== undefined) return this.link.close(fault);
    this.#kind = "ovid";
    stopTimer(this.#timer);
  }

  #content(content: Content): void {
    if (this.guest !== undefined) return this.#guestContent(content);
    if (this.box === undefined) {
      this.#early.push(content);
      return;
    }
    if (this.#kind === undefined) this.#decide("foreign");
    this.#deliver(content);
  }

  #deliver(content: Content): void {
    if (this.link.closed) return;
    if (content.kind === "broadcast" && content.box !== this.box) {
      return this.link.close(`it broadcasts in the name of ${JSON.stringify(content.box)}`);
    }
    this.#owner.content(this, content);
  }

  // A guest has a voice of its own, and no other.
  #guestContent(content: Content): void {
    if (content.kind !== "mail" || content.envelope.from !== this.guest) {
      return this.link.close("a client may send nothing but mail in its own name");
    }
    this.#owner.content(this, content);
  }

  // Whether the far end is, or now becomes, `box`; the link is closed if not.
  #isFrom(box: string): boolean {
    const fault = this.box === undefined
      ? this.#owner.admit(this, box)
      : box === this.box
      ? undefined
      : `it says that it is ${JSON.stringify(box)}`;
    if (fault !== undefined) this.link.close(fault);
    return fault === undefined;
  }

  // Ovid says hello with its first lines, so that whoever says anything else first is foreign. A hello that is late
  // all the same still counts from then on.
  #decide(kind: PeerKind): void {
    if (this.#kind === kind || (this.#kind === "ovid" && kind === "foreign")) return;
    const first = this.#kind === undefined;
    this.#kind = kind;
    stopTimer(this.#timer);
    if (!first) return this.#owner.note(this, "hello.late", {});
    this.#owner.up(this);
    for (const content of this.#early.splice(0)) this.#deliver(content);
  }
}
