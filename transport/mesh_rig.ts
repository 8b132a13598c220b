// What the tests of the mesh stand on: several boxes in one process, raw peers that speak only what a test tells
// them to, and waiting for conditions instead of for time.

import type { Json } from "../core/data.ts";
import type { Envelope } from "../core/envelope.ts";
import { agentId, type BoxId } from "../core/id.ts";
import { seededRandom } from "../core/random.ts";
import { LineDecoder } from "./lines.ts";
import { Mesh } from "./mesh.ts";
import type { MeshEvents, MeshLimits } from "./mesh_options.ts";
import type { Connection, Listener, Transport } from "./transport.ts";
import type { Dialect } from "./wire.ts";

const deadlineMs = 8000;
const never = new AbortController().signal;

/** A box of the rig. */
export interface Member {
  readonly box: BoxId;
  readonly mesh: Mesh;
  /** `up b`, `down b`, `mail b text`, `broadcast b text`, in order. */
  readonly log: string[];
  /** Events of the log that begin with `prefix`. */
  count(prefix: string): number;
  readonly notes: { readonly event: string; readonly detail: Json }[];
  /** How often each peer was heard. */
  readonly heard: Map<string, number>;
}

/** How a member differs from an ordinary one. */
export interface MemberOptions {
  readonly limits?: Partial<MeshLimits>;
  /** Called after an event has been logged. */
  readonly on?: Partial<MeshEvents>;
}

/** Mail of text from agent 1 to agent 2. */
export function textMail(text: string): Envelope {
  return { from: agentId("1"), to: agentId("2"), message: { type: "text", port: 1, text } };
}

/** Typed mail from agent 1 to agent 2. */
export function typedMail(value: string): Envelope {
  return { from: agentId("1"), to: agentId("2"), message: { type: "put", value } };
}

/** Boxes and raw peers around one transport; everything is closed with it. */
export class Rig {
  readonly boxes: readonly BoxId[];
  readonly #transport: Transport;
  readonly #listenAddress: string;
  readonly #dialect: Dialect;
  readonly #addresses = new Map<BoxId, string>();
  readonly #members = new Set<Member>();
  readonly #closers: (() => void)[] = [];
  readonly #waiting = new Set<() => void>();
  #seed = 1n;

  constructor(
    boxes: readonly string[],
    transport: Transport,
    dialect: Dialect = "grid",
    listenAddress = "127.0.0.1:0",
  ) {
    this.boxes = boxes as readonly BoxId[];
    this.#transport = transport;
    this.#dialect = dialect;
    this.#listenAddress = listenAddress;
  }

  /** The id of the box named `name`. */
  box(name: string): BoxId {
    const box = this.boxes.find((each) => each === name);
    if (box === undefined) throw new RangeError(`Cannot find box "${name}" in the rig`);
    return box;
  }

  /** Where the box named `name` listens, once it has been started. */
  address(name: string): string {
    return this.#addresses.get(this.box(name)) ?? this.#listenAddress;
  }

  /** Starts the box named `name`, at its old address if it had one. */
  async start(name: string, options: MemberOptions = {}): Promise<Member> {
    const self = this.box(name);
    const log: string[] = [];
    const notes: Member["notes"] = [];
    const heard = new Map<string, number>();
    const { on } = options;
    const tell = (entry: string) => {
      log.push(entry);
      this.poke();
    };
    const mesh = new Mesh({
      self,
      boxes: this.boxes,
      dialect: this.#dialect,
      addressOf: (box) => this.address(box),
      transport: this.#transport,
      random: seededRandom(this.#seed++),
      hello: { ovid: 1 },
      limits: options.limits ?? {},
      events: {
        up: (peer) => (tell(`up ${peer}`), on?.up?.(peer)),
        down: (peer, reason) => (tell(`down ${peer}: ${reason}`), on?.down?.(peer, reason)),
        heard: (peer) => {
          heard.set(peer, (heard.get(peer) ?? 0) + 1);
          this.poke();
          on?.heard?.(peer);
        },
        mail: (peer, envelope) => {
          const { type, text, value } = envelope.message;
          tell(`mail ${peer} ${type} ${text ?? value}`);
          on?.mail?.(peer, envelope);
        },
        broadcast: (peer, text) => (tell(`broadcast ${peer} ${text}`), on?.broadcast?.(peer, text)),
        guestCame: (guest, caller) => {
          tell(`guest ${guest}`);
          return on?.guestCame?.(guest, caller);
        },
        guestMail: (guest, { to, message }) => tell(`from guest ${guest} to ${to} ${message.type}`),
        guestLeft: (guest) => tell(`guest ${guest} left`),
        note: (event, detail) => {
          notes.push({ event, detail });
          this.poke();
        },
      },
    });
    const count = (prefix: string) => log.filter((entry) => entry.startsWith(prefix)).length;
    const member: Member = { box: self, mesh, log, count, notes, heard };
    await mesh.start();
    this.#addresses.set(self, mesh.address);
    this.#members.add(member);
    return member;
  }

  /** The box named `name` that was started last. */
  last(name: string): Member {
    const member = [...this.#members].findLast(({ box }) => box === name);
    if (member === undefined) throw new RangeError(`Cannot find box "${name}", it is not running`);
    return member;
  }

  /** Starts all boxes, and waits until each has a link to each. */
  async startAll(options: MemberOptions = {}): Promise<Member[]> {
    const members: Member[] = [];
    for (const box of this.boxes) members.push(await this.start(box, options));
    await this.untilLinked(members);
    return members;
  }

  async stop(member: Member): Promise<void> {
    this.#members.delete(member);
    await member.mesh.close();
  }

  untilLinked(members: readonly Member[]): Promise<void> {
    return this.until(
      "every box has a link to every other",
      () => members.every(({ mesh }) => mesh.links().every(({ up }) => up)),
    );
  }

  /** Waits until `condition` holds, which is tried whenever anything happens in the rig. */
  async until(what: string, condition: () => boolean): Promise<void> {
    if (condition()) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let check: (() => void) | undefined;
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(() => {
        const logs = [...this.#members].map(({ box, log, notes }) => ({
          box,
          log: log.slice(-9),
          notes,
        }));
        reject(new Error(`Not within ${deadlineMs} ms: ${what}\n${JSON.stringify(logs, null, 1)}`));
      }, deadlineMs);
      this.#waiting.add(check = () => condition() && resolve());
    }).finally(() => {
      clearTimeout(timer);
      if (check !== undefined) this.#waiting.delete(check);
    });
  }

  poke(): void {
    for (const check of this.#waiting) check();
  }

  /** A raw connection to the box named `name`, which says at once what `said` holds, and may never read. */
  async dial(name: string, said: string | Uint8Array = "", reads = true): Promise<RawPeer> {
    const connection = await this.#transport.dial(this.address(name), never);
    const raw = new RawPeer(connection, () => this.poke(), reads);
    this.#closers.push(() => raw.close());
    if (said.length > 0) await raw.say(said);
    return raw;
  }

  /** Listens in the place of the box named `name`; `raws` grows with each connection. */
  async listen(name: string, greeting = ""): Promise<{ readonly raws: RawPeer[]; close(): void }> {
    const listener: Listener = await this.#transport.listen(this.address(name));
    this.#addresses.set(this.box(name), listener.address);
    const raws: RawPeer[] = [];
    const accept = async () => {
      for (let next = await listener.accept(); next !== undefined; next = await listener.accept()) {
        const raw = new RawPeer(next, () => this.poke());
        this.#closers.push(() => raw.close());
        if (greeting !== "") await raw.say(greeting).catch(() => {});
        raws.push(raw);
        this.poke();
      }
    };
    const accepting = accept();
    this.#closers.push(() => listener.close());
    return { raws, close: () => (listener.close(), void accepting) };
  }

  async close(): Promise<void> {
    for (const close of this.#closers.reverse()) close();
    for (const member of this.#members) await member.mesh.close();
  }
}

/** A peer that says only what a test tells it to. */
export class RawPeer {
  /** All lines that it was sent. */
  readonly lines: string[] = [];
  closed = false;
  readonly #connection: Connection;

  constructor(connection: Connection, poke: () => void, reads = true) {
    this.#connection = connection;
    if (!reads) return;
    const read = async () => {
      const decoder = new LineDecoder();
      // A connection that the other side resets ends as well.
      const next = () => connection.read().catch(() => undefined);
      for (let bytes = await next(); bytes !== undefined; bytes = await next()) {
        this.lines.push(...decoder.push(bytes).lines);
        poke();
      }
      this.closed = true;
      poke();
    };
    void read();
  }

  async say(said: string | Uint8Array): Promise<void> {
    await this.#connection.write(typeof said === "string" ? new TextEncoder().encode(said) : said);
  }

  close(): void {
    this.#connection.close();
  }
}

/** Runs `body` with a rig, which is closed whatever happens. */
export async function withRig(rig: Rig, body: (rig: Rig) => Promise<void>): Promise<void> {
  try {
    await body(rig);
  } finally {
    await rig.close();
  }
}
