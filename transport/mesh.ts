// All links of one box: it listens, dials, finds out who is there, and carries mail and broadcasts. Who counts as
// alive is decided elsewhere, from what this tells.

import type { Json } from "../core/data.ts";
import type { Envelope } from "../core/envelope.ts";
import { type AgentId, agentId, type BoxId, compareBytes } from "../core/id.ts";
import { keepDialling } from "./dial.ts";
import {
  type LinkCounts,
  type LinkStatus,
  type MeshLimits,
  meshLimitsDefault,
  type MeshOptions,
} from "./mesh_options.ts";
import { pause } from "./pause.ts";
import { type Content, Session, type SessionOwner } from "./session.ts";
import type { Connection, Listener } from "./transport.ts";
import { NoteThrottle } from "./throttle.ts";
import { type Dialect, foreignFault, formatFrame, type Frame } from "./wire.ts";

interface Peer {
  readonly box: BoxId;
  /** Whether we dial it; else it dials us. */
  readonly dialled: boolean;
  /** The one link that speaks for it, from the moment that it is known whose link it is. */
  session: Session | undefined;
  /** Further links of a GoOvid box, see `#admit`. */
  readonly spares: Set<Session>;
  readonly counts: { -readonly [K in keyof LinkCounts]: LinkCounts[K] };
}

const acceptRetryMs = 50;
const noteEveryMs = 1000;

/**
 * The links of a box to all others of its grid.
 *
 * @example
 * ```ts ignore
 * const mesh = new Mesh({ self, boxes, dialect: "grid", addressOf: (box) => box, transport: tcp, random, hello, events });
 * await mesh.start();
 * mesh.send(peer, { from, to, message: { type: "text", port: 1, text: "hi" } }); // "sent"
 * await mesh.close();
 * ```
 */
export class Mesh {
  readonly #options: MeshOptions;
  readonly #limits: MeshLimits;
  readonly #peers = new Map<string, Peer>();
  readonly #sessions = new Set<Session>();
  // Sessions whose far end has not said who it is, the oldest first.
  readonly #strangers = new Set<Session>();
  readonly #guests = new Map<string, Session>();
  readonly #tasks = new Set<Promise<void>>();
  readonly #end = new AbortController();
  readonly #notes: NoteThrottle;
  readonly #pingLine: string;
  readonly #helloLine: string | undefined;
  readonly #owner: SessionOwner;
  #listener: Listener | undefined;

  constructor(options: MeshOptions) {
    const { self, boxes, dialect, hello, events } = options;
    this.#options = options;
    this.#limits = { ...meshLimitsDefault, ...options.limits };
    this.#notes = new NoteThrottle(noteEveryMs, (event, detail) => events.note(event, detail));
    this.#pingLine = formatFrame({ kind: "ping", box: self }, dialect);
    this.#helloLine = dialect === "grid"
      ? formatFrame({ kind: "hello", hello: { ...hello, box: self } }, dialect)
      : undefined;
    for (const box of boxes) {
      if (box !== self) this.#peers.set(box, newPeer(self, box, dialect));
    }
    this.#owner = {
      admit: (session, box) => this.#admit(session, box),
      admitGuest: (session, guest) => this.#admitGuest(session, guest),
      up: (session) => this.#up(session),
      heard: (session) => this.#heard(session),
      content: (session, content) => this.#content(session, content),
      closed: (session, reason) => this.#closed(session, reason),
      note: (session, event, detail) => this.#note(event, session.box, detail),
    };
  }

  /** The address at which it listens; empty before the start. */
  get address(): string {
    return this.#listener?.address ?? "";
  }

  /**
   * Listens, and begins to dial.
   *
   * @throws {Error} if the address is taken or is none of this machine's.
   */
  async start(): Promise<void> {
    const { addressOf, self, transport } = this.#options;
    const listener = await transport.listen(addressOf(self));
    if (this.#end.signal.aborted) return listener.close();
    this.#listener = listener;
    this.#run(this.#accept(listener));
    for (const peer of this.#peers.values()) {
      if (peer.dialled) this.#run(this.#dial(peer));
    }
  }

  /**
   * Sends mail: "sent" says that it is queued, which is no promise that it arrives. "down" says that there is no
   * link; "refused", that the peer cannot read it or its queue is full, which is noted and counted.
   */
  send(box: BoxId, envelope: Envelope): "sent" | "down" | "refused" {
    const peer = this.#peer(box);
    if (peer.session?.up !== true) return "down";
    const frame: Frame = { kind: "mail", envelope };
    const fault = this.#sendTo(peer, peer.session, frame);
    if (fault === undefined) {
      peer.counts.mailOut++;
      return "sent";
    }
    const { from, to } = envelope;
    this.#note("mail.refused", box, { from, to, reason: fault });
    return "refused";
  }

  /** Sends mail to a program outside the grid; "down" if it is not linked. */
  sendToGuest(guest: AgentId, envelope: Envelope): "sent" | "down" | "refused" {
    const session = this.#guests.get(guest);
    if (session === undefined) return "down";
    const fault = session.link.send(formatFrame({ kind: "mail", envelope }, this.#options.dialect));
    if (fault === undefined) return "sent";
    this.#note("mail.refused", undefined, { to: guest, reason: fault });
    return "refused";
  }

  /** How much waits for a program outside the grid to read it, in UTF-16 units. */
  queuedForGuest(guest: AgentId): number {
    return this.#guests.get(guest)?.link.queuedCharacters ?? 0;
  }

  /** Sends `text` to those of `boxes` that are up; a box among them that is our own is left out. */
  broadcastTo(boxes: Iterable<BoxId>, text: string): void {
    const frame: Frame = { kind: "broadcast", box: this.#options.self, text };
    for (const box of boxes) {
      const peer = this.#peers.get(box);
      if (peer?.session?.up !== true) continue;
      const fault = this.#sendTo(peer, peer.session, frame);
      if (fault === undefined) peer.counts.broadcastsOut++;
      else this.#note("broadcast.refused", box, { reason: fault });
    }
  }

  /** Sends a heartbeat to those of `boxes` that have a link, ahead of all that is queued. */
  ping(boxes: Iterable<BoxId>): void {
    for (const box of boxes) {
      const peer = this.#peers.get(box);
      if (peer?.session === undefined) continue;
      for (const { link, pingable } of [peer.session, ...peer.spares]) {
        link.beat(pingable ? this.#pingLine : this.#helloLine ?? this.#pingLine);
      }
    }
  }

  /** Closes the link to `box`, if there is one; `down` is told before this returns. */
  drop(box: BoxId, reason: string): void {
    this.#peer(box).session?.link.close(reason);
  }

  /** Whether `box` takes typed mail: every other box of the grid that has not shown itself to be foreign. */
  takesTyped(box: BoxId): boolean {
    const peer = this.#peers.get(box);
    return peer !== undefined && peer.session?.kind !== "foreign" && this.#helloLine !== undefined;
  }

  /** How each link does, in the order of the boxes. */
  links(): LinkStatus[] {
    return Array.from(this.#peers.values(), ({ box, session, counts }) => ({
      peer: box,
      up: session?.up ?? false,
      kind: session?.kind,
      hello: session?.hello,
      remote: session?.link.remote,
      queuedCharacters: session?.link.queuedCharacters ?? 0,
      bytesIn: session?.link.bytesIn ?? 0,
      bytesOut: session?.link.bytesOut ?? 0,
      ...counts,
    }));
  }

  /** Closes everything and tells nothing more. What is queued still goes out to peers that read it at once. */
  async close(): Promise<void> {
    this.#end.abort();
    this.#listener?.close();
    const { closeMs } = this.#limits;
    await Promise.all(
      Array.from(this.#sessions, ({ link }) => link.closeGently("the box stops", closeMs)),
    );
    await Promise.all(this.#tasks);
  }

  #peer(box: BoxId): Peer {
    const peer = this.#peers.get(box);
    if (peer === undefined) {
      throw new RangeError(`Cannot reach box "${box}", want another box of the grid`);
    }
    return peer;
  }

  #note(event: string, peer: BoxId | undefined, detail: { readonly [key: string]: Json }): void {
    this.#notes.note(`${event} ${peer}`, event, peer === undefined ? detail : { peer, ...detail });
  }

  #run(task: Promise<void>): void {
    const done = task.finally(() => this.#tasks.delete(done));
    this.#tasks.add(done);
  }

  async #accept(listener: Listener): Promise<void> {
    while (!this.#end.signal.aborted) {
      let connection: Connection | undefined;
      try {
        connection = await listener.accept();
      } catch (error) {
        // Out of descriptors, most likely: those who wait are served once some have been closed.
        this.#note("accept.failed", undefined, { reason: String(error) });
        await pause(acceptRetryMs, this.#end.signal);
        continue;
      }
      if (connection === undefined) return;
      this.#run(this.#open(connection, undefined));
      if (this.#strangers.size > this.#limits.strangersMax + this.#peers.size) {
        const [oldest] = this.#strangers;
        oldest?.link.close("it did not say who it is, and many others wait");
      }
    }
  }

  #dial(peer: Peer): Promise<void> {
    const { transport, addressOf, random } = this.#options;
    const { dialMs, redialMsMax } = this.#limits;
    return keepDialling({
      dial: (signal) => transport.dial(addressOf(peer.box), signal),
      use: (connection) => this.#open(connection, peer),
      failed: (reason) => this.#note("dial.failed", peer.box, { reason }),
      random,
      dialMs,
      redialMsMax,
    }, this.#end.signal);
  }

  // Uses a connection to its end.
  async #open(connection: Connection, peer: Peer | undefined): Promise<void> {
    if (this.#end.signal.aborted) return connection.close();
    const { dialect } = this.#options;
    const session = new Session(connection, peer?.box, dialect, this.#limits, this.#owner);
    this.#sessions.add(session);
    if (peer === undefined) {
      this.#strangers.add(session);
    } else {
      peer.session = session;
      this.#greet(session);
    }
    await session.link.run();
  }

  #greet({ link, pingable }: Session): void {
    if (pingable) link.send(this.#pingLine);
    if (this.#helloLine !== undefined) link.send(this.#helloLine);
  }

  // A stranger is greeted only once it is admitted, so that a box which is turned away never believes to be linked.
  #admit(session: Session, box: string): string | undefined {
    const peer = this.#peers.get(box);
    const claim = `it says that it is ${JSON.stringify(box)}`;
    if (box === this.#options.self) return `${claim}, as we are`;
    if (peer === undefined) return `${claim}, which is not in the grid`;
    if (peer.dialled) return `${claim}, which we dial`;
    const incumbent = peer.session;
    if (incumbent === undefined) {
      peer.session = session;
    } else if (incumbent.link.silentMs >= this.#limits.incumbentMs) {
      incumbent.link.close("a new link took the place of a silent one");
      peer.session = session;
    } else if (
      incumbent.kind === "foreign" && this.#options.dialect === "grid" &&
      peer.spares.size < this.#limits.sparesMax
    ) {
      // A GoOvid box dials again when it has lost track of its link, as it does when we were restarted within a
      // second. It still reads the first link but writes to the last, and forgets both if either is closed: so
      // the first stays the one that counts, and what arrives on the others is heeded too.
      peer.spares.add(session);
    } else {
      return `${claim}, whose link is alive`;
    }
    this.#strangers.delete(session);
    session.box = peer.box;
    this.#greet(session);
    return undefined;
  }

  #admitGuest(session: Session, client: string): string | undefined {
    const { dialect, events } = this.#options;
    const guest = agentId(client);
    if (dialect === "numeric") return "the numeric chatroom has no clients";
    if (this.#guests.has(guest)) return `a client ${JSON.stringify(guest)} is linked already`;
    if (this.#guests.size >= this.#limits.guestsMax) return "too many clients are linked";
    const { hello, link: { remote } } = session;
    const fault = events.guestCame(guest, { hello, remote });
    if (fault !== undefined) return fault;
    this.#guests.set(guest, session);
    this.#strangers.delete(session);
    session.guest = guest;
    if (this.#helloLine !== undefined) session.link.send(this.#helloLine);
    return undefined;
  }

  #up(session: Session): void {
    if (this.#end.signal.aborted) return;
    const peer = this.#peerOf(session);
    if (peer?.session !== session) {
      if (session.kind === "ovid") session.link.close("it says hello, and its link is alive");
      return;
    }
    peer.counts.ups++;
    this.#options.events.up(peer.box);
  }

  // What spares say is no sign of life: if the link that counts is dead, all must go.
  #heard(session: Session): void {
    if (this.#end.signal.aborted) return;
    const peer = this.#peerOf(session);
    if (peer?.session === session) this.#options.events.heard(peer.box);
  }

  #content(session: Session, content: Content): void {
    if (this.#end.signal.aborted) return;
    if (session.guest !== undefined && content.kind === "mail") {
      return this.#options.events.guestMail(session.guest, content.envelope);
    }
    const peer = this.#peerOf(session);
    if (peer?.session?.up !== true) return;
    const { box, counts } = peer;
    if (content.kind === "mail") {
      counts.mailIn++;
      this.#options.events.mail(box, content.envelope);
    } else {
      counts.broadcastsIn++;
      this.#options.events.broadcast(box, content.text);
    }
  }

  #closed(session: Session, reason: string): void {
    this.#sessions.delete(session);
    this.#strangers.delete(session);
    if (session.guest !== undefined) return this.#guestClosed(session.guest);
    const peer = this.#peerOf(session);
    peer?.spares.delete(session);
    const counted = peer?.session === session;
    if (peer && counted) {
      peer.session = undefined;
      for (const spare of peer.spares) spare.link.close("the link that counted is closed");
    }
    if (this.#end.signal.aborted) return;
    if (peer && counted && session.kind !== undefined) this.#options.events.down(peer.box, reason);
    else this.#note("link.closed", session.box, { remote: session.link.remote, reason });
  }

  #guestClosed(guest: AgentId): void {
    this.#guests.delete(guest);
    if (!this.#end.signal.aborted) this.#options.events.guestLeft(guest);
  }

  #peerOf({ box }: Session): Peer | undefined {
    return box === undefined ? undefined : this.#peers.get(box);
  }

  // Why the frame was not taken; undefined if it was.
  #sendTo(peer: Peer, session: Session, frame: Frame): string | undefined {
    const { dialect } = this.#options;
    const fault = (session.kind === "foreign" ? foreignFault(frame, dialect) : undefined) ??
      session.link.send(formatFrame(frame, dialect));
    if (fault !== undefined) peer.counts.refused++;
    return fault;
  }
}

function newPeer(self: BoxId, box: BoxId, dialect: Dialect): Peer {
  const order = dialect === "numeric" ? Number(box) - Number(self) : compareBytes(box, self);
  return {
    box,
    dialled: order < 0,
    session: undefined,
    spares: new Set(),
    counts: { ups: 0, mailIn: 0, mailOut: 0, broadcastsIn: 0, broadcastsOut: 0, refused: 0 },
  };
}
