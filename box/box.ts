// A box: a host driven in real time, its links to the other boxes of the grid, its place in the chatroom, and a
// port for its masters.

import { agentsOf, type Grid } from "../core/grid.ts";
import type { AgentDefinition } from "../core/define.ts";
import type { Fault, Note, Outgoing } from "../core/envelope.ts";
import type { DeviceEvent } from "../core/devices.ts";
import { Host } from "../core/host.ts";
import type { AgentId, BoxId } from "../core/id.ts";
import { type Answer, Membership } from "../core/membership.ts";
import { deriveSeed, seededRandom } from "../core/random.ts";
import { Mesh } from "../transport/mesh.ts";
import type { Transport } from "../transport/transport.ts";
import { connectionsPerCollection, countAccepted } from "./churn.ts";
import { Devices, type TextWriter } from "./devices.ts";
import { Driver } from "./driver.ts";
import type { Journal, OpenedJournal } from "./journal.ts";
import { MasterPort } from "./master_port.ts";

/** Where a box says what happens to it. The loggers of `@std/log` are such logs. */
export interface BoxLog {
  debug(text: string): void;
  info(text: string): void;
  warn(text: string): void;
  error(text: string): void;
}

/** What a box is made of. */
export interface BoxOptions {
  readonly box: BoxId;
  readonly grid: Grid;
  readonly definitions: ReadonlyMap<string, AgentDefinition>;
  readonly transport: Transport;
  /** Opened by the caller, closed by the box. */
  readonly journal: OpenedJournal;
  /** An unsigned 64-bit number. */
  readonly seed: bigint;
  readonly loss?: number;
  /** `numeric` is the chatroom of numbered servers, which has no agents. Default `grid`. */
  readonly dialect?: "grid" | "numeric";
  /** Where a box listens; by default at its own id. */
  readonly addressOf?: (box: BoxId) => string;
  readonly masterPort?: number;
  readonly out: TextWriter;
  readonly interactive: boolean;
  readonly filesFolder?: string;
  readonly log: BoxLog;
  /** Collects garbage; called now and then after many connections have come and gone. */
  readonly collect?: () => void;
  /** Logs every note of every agent. */
  readonly debug?: boolean;
}

/** Why a box came to its end. */
export type BoxEnd =
  | { readonly why: "closed" }
  /** A master said so. */
  | { readonly why: "crash" }
  /** It must not go on. */
  | { readonly why: "failed"; readonly error: unknown };

/** How long terminals wait for links to all other boxes before their first line; GoOvid waits as long. */
export const linksAwaitedMs = 1000;

const quiet: ReadonlySet<string> = new Set(["agent.faulted", "agent.stopped"]);

/**
 * A running box.
 *
 * @example
 * ```ts ignore
 * const box = await Box.start({ box, grid, definitions, transport: tcp, journal, seed: 1n, out, interactive: false, log });
 * await box.ended;
 * ```
 */
export class Box {
  /** Resolves once the box has come to its end, whatever the reason. */
  readonly ended: Promise<BoxEnd>;
  readonly host: Host;
  readonly #options: BoxOptions;
  readonly #journal: Journal;
  readonly #driver: Driver;
  readonly #mesh: Mesh;
  readonly #membership: Membership;
  readonly #devices: Devices;
  readonly #masterPort: MasterPort | undefined;
  readonly #agentEnds = new Map<AgentId, PromiseWithResolvers<void>>();
  readonly #linked = Promise.withResolvers<void>();
  readonly #up = new Set<BoxId>();
  #tickTimer: ReturnType<typeof setTimeout> | undefined;
  #linkedTimer: ReturnType<typeof setTimeout> | undefined;
  #accepted = 0;
  #end: (end: BoxEnd) => void;
  #closing: Promise<void> | undefined;

  private constructor(options: BoxOptions) {
    const { box, grid, journal, dialect = "grid", masterPort, seed, log } = options;
    const transport = countAccepted(options.transport, () => this.#accepted++);
    this.#options = options;
    this.#journal = journal.journal;
    const { promise, resolve } = Promise.withResolvers<BoxEnd>();
    this.ended = promise;
    this.#end = resolve;
    this.#membership = new Membership({ self: box, numeric: dialect === "numeric" });
    this.#mesh = new Mesh({
      self: box,
      boxes: grid.boxes,
      dialect,
      addressOf: options.addressOf ?? ((id) => id),
      transport,
      random: seededRandom(deriveSeed(seed, "mesh")),
      hello: { ovid: 1, box },
      events: {
        up: (peer) => this.#onUp(peer),
        heard: (peer) => this.#membership.heard(peer, now()),
        down: (peer, reason) => this.#onDown(peer, reason),
        mail: (peer, envelope) => {
          // Who sends is the link's word; an agent of another box has no voice on it.
          if (grid.agents.get(envelope.from)?.box !== peer) {
            return log.warn(`dropped mail from ${envelope.from}, which does not live on ${peer}`);
          }
          this.#driver.take({ kind: "mail", envelope });
        },
        broadcast: (peer, text) => {
          if (!this.#membership.received(text)) {
            log.warn(`dropped a broadcast of ${peer}: the log is full`);
          }
        },
        note: (event, detail) => {
          // A box that is not there yet is no news.
          const level = event === "dial.failed" ? "debug" : "info";
          log[level](`${event} ${JSON.stringify(detail)}`);
        },
      },
    });
    this.host = new Host({
      box,
      grid,
      definitions: options.definitions,
      seed,
      ...options.loss === undefined ? {} : { loss: options.loss },
      takesTyped: (peer) => this.#mesh.takesTyped(peer),
    });
    this.#devices = new Devices({
      out: options.out,
      interactive: options.interactive,
      filesFolder: options.filesFolder,
      date: () => new Date(),
      event: (agent, event) => this.deviceEvent(agent, event),
    });
    this.#driver = new Driver({
      host: this.host,
      journal: this.#journal,
      now,
      send: (outgoing) => this.#send(outgoing),
      output: ({ agent, output }) => this.#devices.take(agent, output),
      note: (note) => this.#note(note),
      fault: (fault) => this.#fault(fault),
      ended: (agent) => this.#agentEnded(agent),
      failed: (error) => this.#finish({ why: "failed", error }),
    });
    if (masterPort !== undefined) {
      this.#masterPort = new MasterPort({
        transport,
        port: masterPort,
        command: (line) => this.command(line),
        note: (event, detail) => log.info(`${event} ${detail}`),
      });
    }
  }

  /**
   * Starts a box: its links, its master port, then its agents.
   *
   * @throws {Error} if a port is taken, or the journal holds what today's agents cannot read.
   */
  static async start(options: BoxOptions): Promise<Box> {
    const box = new Box(options);
    try {
      await box.#mesh.start();
      await box.#masterPort?.start();
    } catch (error) {
      await box.close();
      throw error;
    }
    box.#linkedTimer = setTimeout(() => box.#linked.resolve(), linksAwaitedMs);
    if (options.grid.boxes.length <= 1) box.#linked.resolve();
    box.#tick();
    box.#driver.boot(options.journal.images);
    return box;
  }

  /** Resolves when every other box of the grid is linked, or has had its time to be. */
  get linked(): Promise<void> {
    return this.#linked.promise;
  }

  /** The agents of this box that have a terminal. */
  get terminalAgents(): AgentId[] {
    const { grid, box, definitions } = this.#options;
    return agentsOf(grid, box)
      .filter((entry) => definitions.get(entry.type)?.devices?.includes("terminal"))
      .map((entry) => entry.id);
  }

  /** Resolves once `agent` has ended and its last output has been handed over. */
  async agentEnd(agent: AgentId): Promise<void> {
    await this.#endOf(agent).promise;
    await this.#devices.flush();
  }

  /** Hands an event of a device to an agent. */
  deviceEvent(agent: AgentId, event: DeviceEvent): void {
    this.#driver.take({ kind: "device", agent, event });
  }

  /** Does what a master's line says, and says what to reply. */
  command(line: string): Answer {
    const answer = this.#membership.command(line, now());
    if (answer.broadcast !== undefined) {
      this.#mesh.broadcastTo(answer.broadcast.to, answer.broadcast.text);
    }
    if (answer.crash) this.#finish({ why: "crash" });
    return answer;
  }

  /** The boxes alive as seen from here. */
  get alive(): BoxId[] {
    return this.#membership.alive(now());
  }

  /** Resolves when what has arrived by now has been carried out. */
  async settle(): Promise<void> {
    // A turn for the sockets to be read, and one for what was read to be taken.
    for (let turn = 0; turn < 2; turn++) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      await this.#driver.idle();
    }
  }

  /** Ends the box: what it has promised is on disk, its ports are free. */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    clearTimeout(this.#tickTimer);
    clearTimeout(this.#linkedTimer);
    this.#linked.resolve();
    await this.#driver.close();
    await this.#devices.flush();
    await Promise.all([this.#masterPort?.close(), this.#mesh.close()]);
    try {
      await this.#journal.close();
    } finally {
      this.#end({ why: "closed" });
    }
  }

  #finish(end: BoxEnd): void {
    this.#end(end);
  }

  #send({ box, envelope }: Outgoing): void {
    const outcome = this.#mesh.send(box, envelope);
    if (outcome !== "sent" && this.#options.debug) {
      this.#options.log.debug(
        `mail.${outcome} ${envelope.from} -> ${envelope.to} ${envelope.message.type}`,
      );
    }
  }

  #onUp(peer: BoxId): void {
    this.#membership.up(peer, now());
    this.#options.log.info(`linked to ${peer}`);
    this.#up.add(peer);
    if (this.#up.size === this.#options.grid.boxes.length - 1) this.#linked.resolve();
  }

  #onDown(peer: BoxId, reason: string): void {
    this.#membership.down(peer);
    this.#up.delete(peer);
    this.#options.log.info(`lost the link to ${peer}: ${reason}`);
  }

  #tick(): void {
    const { ping, drop, nextAt } = this.#membership.tick(now());
    for (const peer of drop) this.#mesh.drop(peer, "it has been silent for too long");
    this.#mesh.ping(ping);
    if (this.#accepted >= connectionsPerCollection) {
      this.#accepted = 0;
      this.#options.collect?.();
    }
    this.#tickTimer = setTimeout(() => this.#tick(), Math.max(1, Math.ceil(nextAt - now())));
  }

  #note({ agent, event, detail }: Note): void {
    if (!this.#options.debug || quiet.has(event)) return;
    const about = detail === undefined ? "" : ` ${JSON.stringify(detail)}`;
    this.#options.log.debug(`${agent ?? "box"} ${event}${about}`);
  }

  #fault({ agent, error, then }: Fault): void {
    const words = error instanceof Error ? error.stack ?? error.message : String(error);
    this.#options.log.error(
      `agent ${agent} ${
        then === "stopped" ? "was stopped" : "starts again from its durable state"
      }: ${words}`,
    );
    if (then === "stopped") this.#agentEnded(agent);
  }

  #agentEnded(agent: AgentId): void {
    this.#endOf(agent).resolve();
  }

  #endOf(agent: AgentId): PromiseWithResolvers<void> {
    let end = this.#agentEnds.get(agent);
    if (end === undefined) this.#agentEnds.set(agent, end = Promise.withResolvers());
    return end;
  }
}

function now(): number {
  return performance.now();
}
