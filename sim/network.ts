// The simulated network: a link in each direction between any two boxes, with delay, loss, duplication, reordering
// and cuts. Each link draws from a stream of its own, so that traffic elsewhere does not change its fate.

import { copyJson } from "../core/data.ts";
import type { Envelope } from "../core/envelope.ts";
import type { AgentId, BoxId } from "../core/id.ts";
import { deriveSeed, type Random, randomInteger, seededRandom } from "../core/random.ts";
import { type Delay, drawDelay, requireDelay, requireProbability } from "./chance.ts";
import { HashWords } from "./hash_words.ts";
import type { Fate, LinkEvent, Mail } from "./world_event.ts";

/** How a simulated network behaves. */
export interface NetworkOptions {
  /** How long a message takes; default 100 to 1000 us. */
  readonly latency?: Delay;
  /** The probability that a message is lost on its way between boxes; default 0. */
  readonly loss?: number;
  /** The probability that a message arrives twice; default 0. Real links do not do this. */
  readonly duplicate?: number;
  /** The probability that a message may overtake, or be overtaken; default 0, which is FIFO, as real links are. */
  readonly reorder?: number;
  /** Which share of messages takes so much longer, and is overtaken by those behind it; default: none. */
  readonly late?: Late;
}

/** Messages that are late. */
export interface Late extends Delay {
  readonly share: number;
}

const calmOptions: Required<NetworkOptions> = {
  latency: { minUs: 100, maxUs: 1000 },
  loss: 0,
  duplicate: 0,
  reorder: 0,
  late: { share: 0, minUs: 0, maxUs: 0 },
};

/** What a network has done to mail, each message counted once for each copy. */
export interface NetworkCounters {
  sent: number;
  delivered: number;
  lost: number;
  cut: number;
  down: number;
  unsent: number;
  duplicated: number;
  /** Sent without regard to the order of its link. */
  reordered: number;
}

/** How many messages may wait at a link that is clogged; what comes on top is lost. */
export const cloggedMax = 1000;

/** A box as mail finds it. */
export interface Addressee {
  readonly up: boolean;
  /** Whether what comes now has to wait. */
  readonly waits: boolean;
  /** Puts `event` off until a box that waits goes on. */
  defer(event: () => void): void;
  takeMail(packet: Packet): void;
}

/** What a network needs of its world. */
export interface NetworkSurroundings {
  readonly addressee: (box: BoxId) => Addressee;
  readonly timeline: { schedule(atUs: number, packet: Packet): void };
  readonly transcript: { record(event: Mail | LinkEvent): void };
}

/** Mail on its way. It becomes what the transcript shows when its fate is known. */
export interface Packet extends Mail {
  atUs: number;
  fate: Fate;
  readonly link: Link;
  /** Counts all mail of the network, in the order of sending. */
  readonly number: number;
}

/** The way from one box to another. */
export class Link {
  readonly from: BoxId;
  readonly to: BoxId;
  readonly addressee: Addressee;
  readonly random: Random;
  cut = false;
  /** Whether nothing goes wrong here any more. */
  calm = false;
  /** When the last message in order arrives: none in order may arrive before it. */
  lastArrivalUs = 0;
  /** How long each message keeps the way to itself; 0 for a link that is not clogged. */
  intervalUs = 0;
  /** Until when the way is taken by messages before. */
  takenUntilUs = 0;
  /** How many of the next messages of each type will be lost. */
  readonly doomed = new Map<string, number>();
  /** The last two agents that used it, nearly always the same, and the word that stands for them in hashes. */
  #from: AgentId | undefined;
  #to: AgentId | undefined;
  #ends = 0;

  readonly #words: HashWords;

  constructor(from: BoxId, to: BoxId, addressee: Addressee, words: HashWords, seed: bigint) {
    this.from = from;
    this.to = to;
    this.addressee = addressee;
    this.#words = words;
    this.random = seededRandom(deriveSeed(seed, `${from} ${to}`));
  }

  ends({ from, to }: Envelope): number {
    if (from !== this.#from || to !== this.#to) {
      this.#ends = this.#words.ends(from, to);
      this.#from = from;
      this.#to = to;
    }
    return this.#ends;
  }
}

/** All ways from one box to others. */
export class Links {
  readonly #links = new Map<BoxId, Link>();
  readonly #make: (to: BoxId) => Link;
  #last: Link | undefined;

  constructor(make: (to: BoxId) => Link) {
    this.#make = make;
  }

  to(box: BoxId): Link {
    if (this.#last?.to === box) return this.#last;
    let link = this.#links.get(box);
    if (link === undefined) this.#links.set(box, link = this.#make(box));
    this.#last = link;
    return link;
  }
}

/** All links between the boxes of a world. */
export class Network {
  readonly counters: NetworkCounters = {
    sent: 0,
    delivered: 0,
    lost: 0,
    cut: 0,
    down: 0,
    unsent: 0,
    duplicated: 0,
    reordered: 0,
  };
  readonly #options: Required<NetworkOptions>;
  readonly #seed: bigint;
  readonly #words = new HashWords();
  readonly #addressee: NetworkSurroundings["addressee"];
  readonly #timeline: NetworkSurroundings["timeline"];
  readonly #transcript: NetworkSurroundings["transcript"];
  readonly #links = new Map<BoxId, Links>();

  /** @throws {RangeError} if an option is out of range. */
  constructor(seed: bigint, surroundings: NetworkSurroundings, options: NetworkOptions = {}) {
    this.#options = { ...calmOptions, ...options };
    const { latency, loss, duplicate, reorder, late } = this.#options;
    requireDelay(latency, "network.latency");
    requireProbability(loss, "network.loss");
    requireProbability(duplicate, "network.duplicate");
    requireProbability(reorder, "network.reorder");
    requireDelay(late, "network.late");
    requireProbability(late.share, "network.late.share");
    this.#seed = seed;
    this.#addressee = surroundings.addressee;
    this.#timeline = surroundings.timeline;
    this.#transcript = surroundings.transcript;
  }

  /** The ways from a box. */
  linksFrom(box: BoxId): Links {
    let links = this.#links.get(box);
    if (links === undefined) {
      links = new Links((to) => new Link(box, to, this.#addressee(to), this.#words, this.#seed));
      this.#links.set(box, links);
    }
    return links;
  }

  send(nowUs: number, link: Link, envelope: Envelope): void {
    const { duplicate, loss } = link.calm ? calmOptions : this.#options;
    // A coin is thrown only for what can happen: an option that is off costs nothing.
    if (duplicate > 0 && link.random() < duplicate) this.#duplicate(nowUs, link, envelope);
    const lost = loss > 0 && link.random() < loss;
    this.#post(nowUs, link, envelope, lost || isDoomed(link, envelope));
  }

  #duplicate(nowUs: number, link: Link, envelope: Envelope): void {
    this.counters.duplicated++;
    // As bytes on a wire would be, the copy is nobody else's.
    const copy = { ...envelope, message: copyJson(envelope.message) };
    this.#post(nowUs, link, copy, false);
  }

  /** Decides whether a packet that is due reaches its box, which is `up` or not. */
  arrive(nowUs: number, packet: Packet, up: boolean): boolean {
    // The sender's crash took it back.
    if (packet.fate !== "flying") return false;
    if (packet.link.cut || !up) {
      this.#meet(nowUs, packet, packet.link.cut ? "cut" : "down");
      return false;
    }
    packet.atUs = nowUs;
    packet.fate = "delivered";
    this.counters.delivered++;
    this.#transcript.record(packet);
    return true;
  }

  /**
   * Takes back what was still in the buffers of `box` when it crashed: of each of its links, the last few of
   * `pending`, or none, or all.
   */
  takeBack(nowUs: number, box: BoxId, pending: Iterable<Packet>): void {
    const flying = new Map<Link, Packet[]>();
    for (const packet of pending) {
      if (packet.from !== box || packet.fate !== "flying") continue;
      const packets = flying.get(packet.link);
      if (packets === undefined) flying.set(packet.link, [packet]);
      else packets.push(packet);
    }
    for (const [link, packets] of flying) {
      packets.sort((a, b) => a.number - b.number);
      const kept = randomInteger(link.random, 0, packets.length);
      for (const packet of packets.slice(kept)) this.#meet(nowUs, packet, "unsent");
    }
  }

  /** Until {@linkcode heal}, all mail from one box to another is lost when it is sent, or when it would arrive. */
  cut(nowUs: number, from: BoxId, to: BoxId): void {
    const link = this.linksFrom(from).to(to);
    if (link.cut) return;
    link.cut = true;
    this.#transcript.record({ kind: "cut", atUs: nowUs, from, to });
  }

  heal(nowUs: number, from: BoxId, to: BoxId): void {
    const link = this.linksFrom(from).to(to);
    if (!link.cut) return;
    link.cut = false;
    this.#transcript.record({ kind: "heal", atUs: nowUs, from, to });
  }

  /** Loses the next `count` messages of a type on the way from one box to another. */
  drop(from: BoxId, to: BoxId, type: string, count: number): void {
    const { doomed } = this.linksFrom(from).to(to);
    doomed.set(type, (doomed.get(type) ?? 0) + count);
  }

  /** From now on one message after the other, each `intervalUs` behind the one before; 0 for all at once again. */
  clog(nowUs: number, from: BoxId, to: BoxId, intervalUs: number): void {
    const link = this.linksFrom(from).to(to);
    if (link.intervalUs === intervalUs) return;
    link.intervalUs = intervalUs;
    this.#transcript.record({ kind: "clog", atUs: nowUs, from, to, intervalUs });
  }

  /** From now on chance does no harm to mail from one box to another: it is quick, in order, and not lost. */
  calm(from: BoxId, to: BoxId): void {
    this.linksFrom(from).to(to).calm = true;
  }

  #post(nowUs: number, link: Link, envelope: Envelope, lost: boolean): void {
    const number = this.counters.sent++;
    const packet: Packet = {
      kind: "mail",
      from: link.from,
      to: link.to,
      envelope,
      ends: link.ends(envelope),
      sentAtUs: nowUs,
      atUs: nowUs,
      fate: "flying",
      link,
      number,
    };
    if (link.cut) return this.#meet(nowUs, packet, "cut");
    const clogged = (link.takenUntilUs - nowUs) > cloggedMax * link.intervalUs;
    if (lost || (clogged && link.intervalUs > 0)) return this.#meet(nowUs, packet, "lost");
    packet.atUs = this.#arrival(nowUs, link);
    this.#timeline.schedule(packet.atUs, packet);
  }

  #arrival(nowUs: number, link: Link): number {
    const options = link.calm ? calmOptions : this.#options;
    let arrivalUs = nowUs + drawDelay(link.random, options.latency);
    if (link.intervalUs > 0) arrivalUs += this.#wait(nowUs, link);
    if (options.reorder > 0 || options.late.share > 0) {
      const overtaking = this.#overtake(arrivalUs, link, options);
      if (overtaking !== undefined) return overtaking;
    }
    if (arrivalUs > link.lastArrivalUs) link.lastArrivalUs = arrivalUs;
    return link.lastArrivalUs;
  }

  /** How long a message waits for those before it on a clogged link. */
  #wait(nowUs: number, link: Link): number {
    link.takenUntilUs = Math.max(link.takenUntilUs, nowUs) + link.intervalUs;
    return link.takenUntilUs - nowUs;
  }

  /** When a message arrives that goes by no order; undefined for one that does. */
  #overtake(arrivalUs: number, { random }: Link, { reorder, late }: Required<NetworkOptions>) {
    if (reorder > 0 && random() < reorder) {
      this.counters.reordered++;
      return arrivalUs;
    }
    if (late.share === 0 || random() >= late.share) return undefined;
    this.counters.reordered++;
    return arrivalUs + drawDelay(random, late);
  }

  #meet(nowUs: number, packet: Packet, fate: Exclude<Fate, "flying">): void {
    packet.atUs = nowUs;
    packet.fate = fate;
    this.counters[fate]++;
    this.#transcript.record(packet);
  }
}

/** Whether a message is one of those that were to be lost; if so, there is one less to come. */
function isDoomed({ doomed }: Link, { message }: Envelope): boolean {
  if (doomed.size === 0) return false;
  const count = doomed.get(message.type) ?? 0;
  if (count > 0) doomed.set(message.type, count - 1);
  return count > 0;
}
