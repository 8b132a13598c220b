// What a mesh is given and what it tells: the types around mesh.ts.

import type { Json } from "../core/data.ts";
import type { Envelope } from "../core/envelope.ts";
import type { AgentId, BoxId } from "../core/id.ts";
import type { Random } from "../core/random.ts";
import { lineBytesMaxDefault } from "./lines.ts";
import type { PeerKind, SessionLimits } from "./session.ts";
import type { Transport } from "./transport.ts";
import type { Dialect } from "./wire.ts";

/** The limits of a mesh. */
export interface MeshLimits extends SessionLimits {
  /** How many connections may be open that have not said who they are, beside one for each box. */
  readonly strangersMax: number;
  /** How long a link must have been silent before a new one takes its place. */
  readonly incumbentMs: number;
  /** How many programs outside the grid may be linked. */
  readonly guestsMax: number;
  /** How many links a GoOvid box may have open beside the one that counts. */
  readonly sparesMax: number;
  /** How long one attempt to dial may take. */
  readonly dialMs: number;
  /** The longest pause between two attempts. */
  readonly redialMsMax: number;
  /** How long a mesh that closes waits for what is queued to be written. */
  readonly closeMs: number;
}

/** The limits that hold unless others are given. */
export const meshLimitsDefault: MeshLimits = {
  lineBytesMax: lineBytesMaxDefault,
  queueCharactersMax: 16 << 20,
  identifyMs: 1000,
  helloMs: 250,
  foreignPingMs: 1100,
  strangerBytesMax: 1 << 16,
  strangersMax: 64,
  incumbentMs: 1000,
  guestsMax: 1024,
  sparesMax: 2,
  dialMs: 1000,
  redialMsMax: 100,
  closeMs: 200,
};

/** A program that asks to be a guest. */
export interface GuestCaller {
  /** What its hello said. */
  readonly hello: Json | undefined;
  /** From where it has connected. */
  readonly remote: string;
}

/** What a mesh tells its box. For each peer `up` and `down` alternate, and all else comes between the two. */
export interface MeshEvents {
  /** A link stands, and its peer has spoken. */
  up(peer: BoxId): void;
  /** The peer said something, whatever it was; once for all lines that arrived together. */
  heard(peer: BoxId): void;
  down(peer: BoxId, reason: string): void;
  /** That the sender lives on the peer is for the box to check: it knows the grid. */
  mail(peer: BoxId, envelope: Envelope): void;
  broadcast(peer: BoxId, text: string): void;
  /**
   * A program outside the grid asks to take part as `guest`: why not, or undefined if it may. From then on its mail
   * arrives by `guestMail`, and `sendToGuest` reaches it, until `guestLeft`.
   */
  guestCame(guest: AgentId, caller: GuestCaller): string | undefined;
  guestMail(guest: AgentId, envelope: Envelope): void;
  guestLeft(guest: AgentId): void;
  /** A line for the log; one a second at most for each peer and event, with the count of those left out. */
  note(event: string, detail: Json): void;
}

/** What a mesh needs. */
export interface MeshOptions {
  readonly self: BoxId;
  /** All boxes of the grid, with or without `self`. */
  readonly boxes: readonly BoxId[];
  readonly dialect: Dialect;
  /** Asked before every dial, and for `self` at the start. */
  addressOf(box: BoxId): string;
  readonly transport: Transport;
  readonly random: Random;
  /** What our hello says; `box` is added to it. */
  readonly hello: { readonly [key: string]: Json };
  readonly events: MeshEvents;
  readonly limits?: Partial<MeshLimits>;
}

/** What passed between a box and one peer since the start. */
export interface LinkCounts {
  readonly ups: number;
  readonly mailIn: number;
  readonly mailOut: number;
  readonly broadcastsIn: number;
  readonly broadcastsOut: number;
  /** Mail and broadcasts that the peer could not have read, or that found its queue full. */
  readonly refused: number;
}

/** How the link to one peer does. */
export interface LinkStatus extends LinkCounts {
  readonly peer: BoxId;
  readonly up: boolean;
  /** Undefined while the link is not up. */
  readonly kind: PeerKind | undefined;
  /** What the peer's hello said. */
  readonly hello: Json | undefined;
  readonly remote: string | undefined;
  readonly queuedCharacters: number;
  /** Since the link stands. */
  readonly bytesIn: number;
  readonly bytesOut: number;
}
