// A box: a host driven in real time, its links to the other boxes of the grid, its place in the chatroom, and a
// port for its masters.

import type { AnyMessage } from "../core/agent.ts";
import type { AgentDefinition } from "../core/define.ts";
import { agentsOf } from "../core/grid.ts";
import type { Envelope, Fault, Input, Outgoing } from "../core/envelope.ts";
import { type DeviceEvent, httpLimits } from "../core/devices.ts";
import { Host } from "../core/host.ts";
import { type AgentId, agentId, type BoxId } from "../core/id.ts";
import { type Answer, Membership } from "../core/membership.ts";
import { deriveSeed, seededRandom } from "../core/random.ts";
import { Mesh } from "../transport/mesh.ts";
import { tcp } from "../transport/tcp.ts";
import { startTimer, stopTimer, type Timer } from "../transport/timer.ts";
import { AgentEnds } from "./agent_ends.ts";
import type { BoxEnd, BoxLog, BoxOptions, Guest, Replacement } from "./box_options.ts";
import { BoxWords, silent } from "./box_words.ts";
import { Devices, standardOutput } from "./devices.ts";
import { Driver } from "./driver.ts";
import { Garbage } from "./garbage.ts";
import { HttpServers } from "./http.ts";
import { Guests } from "./guests.ts";
import type { Journal, OpenedJournal } from "./journal.ts";
import { LinksAwaited } from "./links_awaited.ts";
import { MasterPort } from "./master_port.ts";
import { memoryJournal } from "./memory_journal.ts";
import { Processes } from "./processes.ts";
import { sandboxBox } from "./sandbox_limits.ts";
import type { Sandboxes } from "./sandboxes.ts";
import { Tracing } from "./tracing.ts";

/** How long a box that ends waits for a reader of its output that takes nothing. */
const lastWordsMs = 1000;

const endOfInput: DeviceEvent = { device: "terminal", event: { type: "eof" } };

/**
 * A running box.
 *
 * @example A box inside a program, which talks to its agents as a guest.
 * ```ts
 * import { agentId, Box, builtIns, parseGrid } from "ovid";
 *
 * const { grid } = parseGrid(`{ "1": { "type": "dummy", "box": "127.0.0.1:5999" } }`, "inline");
 * if (grid === undefined) throw new Error("no grid");
 * const [address] = grid.boxes;
 * if (address === undefined) throw new Error("no box");
 * const box = await Box.start({ box: address, grid, definitions: builtIns });
 * const guest = box.addGuest(agentId("me"), (from, message) => console.log(from, message));
 * guest.send(agentId("1"), { type: "text", port: 0, text: "me hello" }); // prints: me > hello
 * await box.settle();
 * await box.close();
 * ```
 */
export class Box {
  /** Resolves once the box has come to its end, whatever the reason. */
  readonly ended: Promise<BoxEnd>;
  readonly host: Host;
  /** From which its agents' random numbers and its losses are drawn. */
  readonly seed: bigint;
  readonly #log: BoxLog;
  readonly #images: OpenedJournal["images"];
  readonly #options: BoxOptions;
  readonly #journal: Journal;
  readonly #driver: Driver;
  readonly #mesh: Mesh;
  readonly #membership: Membership;
  readonly #devices: Devices;
  readonly #processes: Processes;
  readonly #http: HttpServers;
  readonly #masterPort: MasterPort | undefined;
  readonly #tracing: Tracing;
  readonly #agentEnds = new AgentEnds();
  readonly #links: LinksAwaited;
  readonly #inputEnded = new Set<AgentId>();
  readonly #guests: Guests;
  readonly #definitions: Map<string, AgentDefinition>;
  readonly #words: BoxWords;
  readonly #sandboxes: Sandboxes | undefined;
  #tickTimer: Timer | undefined;
  readonly #garbage: Garbage;
  readonly #end = Promise.withResolvers<BoxEnd>();
  #closing: Promise<void> | undefined;

  private constructor(options: BoxOptions, withSandboxes: typeof Sandboxes | undefined) {
    const { box, grid, dialect = "grid", masterPort, log = silent } = options;
    const { seed = crypto.getRandomValues(new BigUint64Array(1))[0] ?? 0n } = options;
    this.#garbage = new Garbage(options.collector, seededRandom(deriveSeed(seed, "garbage")));
    const transport = this.#garbage.counting(options.transport ?? tcp);
    const { journal, images } = options.journal ?? memoryJournal();
    this.#options = options;
    this.#log = log;
    this.#journal = journal;
    this.#images = images;
    this.seed = seed;
    this.#definitions = new Map(options.definitions);
    this.#words = new BoxWords(log, options);
    this.#links = new LinksAwaited(Math.max(0, grid.boxes.length - 1));
    const deliver = (envelope: Envelope) => this.#take({ kind: "mail", envelope });
    this.#guests = new Guests({ box, grid, log, deliver });
    this.ended = this.#end.promise;
    this.#membership = new Membership({ self: box, numeric: dialect === "numeric" });
    this.#mesh = new Mesh({
      ...{ self: box, boxes: grid.boxes, dialect },
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
          deliver(envelope);
        },
        broadcast: (peer, text) => {
          this.#garbage.stirred = true;
          if (!this.#membership.received(text)) {
            log.warn(`dropped a broadcast of ${peer}: the log is full`);
          }
        },
        guestCame: (guest, caller) =>
          this.#guests.enter(guest, (from, message) => {
            this.#mesh.sendToGuest(guest, { from, to: guest, message });
          }) ?? this.#tracing.admit(guest, caller),
        guestMail: (_guest, envelope) => this.#guests.hear(envelope),
        guestLeft: (guest) => (this.#guests.leave(guest), this.#tracing.remove(guest)),
        note: (event, detail) => {
          // A box that is not there yet is no news.
          const level = event === "dial.failed" ? "debug" : "info";
          log[level](`${event} ${JSON.stringify(detail)}`);
        },
      },
    });
    const common = {
      ...{ box, definitions: this.#definitions, seed, loss: options.loss ?? 0 },
      takesTyped: (peer: BoxId) => peer === sandboxBox || this.#mesh.takesTyped(peer),
    };
    this.#sandboxes = withSandboxes && new withSandboxes({
      ...common,
      grid,
      sandboxes: options.sandboxes,
      now,
      read: (agent) => journal.read(agent),
      carry: (batch) => this.#driver.carry(batch),
      fault: (fault) => this.#fault(fault),
      note: (note) => this.#words.note(note),
      said: (agent, words) => log.info(`agent ${agent} says: ${words}`),
      revived: (agent) => this.#revived(agent),
      failed: (error) => this.#finish({ why: "failed", error }),
    });
    this.host = new Host({
      ...common,
      grid: this.#sandboxes?.rest ?? grid,
      isGuest: (agent) => this.#guests.has(agent),
    });
    this.#tracing = new Tracing({
      queued: (tracer) => this.#mesh.queuedForGuest(tracer),
      send: (to, message) => this.#mesh.sendToGuest(to, { from: agentId(box), to, message }),
      date: () => Date.now(),
      always: options.telemetry && ((envelope) => options.telemetry?.mail(envelope)),
      watch: (saw) => this.host.observer = saw,
    });
    this.#processes = new Processes({
      self: box,
      boxes: grid.boxes,
      starter: options.starter,
      event: (agent, event) => this.deviceEvent(agent, { device: "process", event }),
      end: () => this.#finish({ why: "closed" }),
    });
    this.#http = new HttpServers({
      transport,
      limits: httpLimits,
      event: (agent, event) => this.deviceEvent(agent, { device: "http", event }),
      note: (event, detail) => log.info(`${event} ${detail}`),
    });
    this.#devices = new Devices({
      out: options.out ?? standardOutput(log),
      interactive: options.interactive ?? false,
      filesFolder: options.filesFolder,
      processes: this.#processes,
      http: this.#http,
      date: () => new Date(),
      event: (agent, event) => this.deviceEvent(agent, event),
    });
    this.#driver = new Driver({
      host: this.host,
      journal: this.#journal,
      now,
      send: (outgoing) => this.#send(outgoing),
      output: ({ agent, output }) => this.#devices.take(agent, output),
      note: (note) => this.#words.note(note),
      fault: (fault) => this.#fault(fault),
      revived: (agent) => this.#revived(agent),
      ...this.#sandboxes === undefined ? {} : { elsewhere: this.#sandboxes },
      ended: (agent) => this.#agentEnded(agent),
      failed: (error) => this.#finish({ why: "failed", error }),
      stepped: options.telemetry && ((from, to) => options.telemetry?.stepped(from, to)),
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
    const box = new Box(options, options.sandboxes && (await import("./sandboxes.ts")).Sandboxes);
    try {
      await box.#mesh.start();
      await box.#masterPort?.start();
    } catch (error) {
      await box.close();
      throw error;
    }
    box.#links.start();
    options.telemetry?.started({ host: box.host, driver: box.#driver, mesh: box.#mesh });
    box.#tick();
    // First, so that the others' first mail finds them.
    box.#sandboxes?.boot(box.#images);
    box.#driver.boot(box.#images);
    return box;
  }

  /** Resolves when every other box of the grid is linked, or has had its time to be. */
  get linked(): Promise<void> {
    return this.#links.all;
  }

  /** Resolves once `agent` has ended and its last output has been handed over. */
  async agentEnd(agent: AgentId): Promise<void> {
    await this.#agentEnds.of(agent);
    await this.#devices.flush();
  }

  /** Hands an event of a device to an agent. */
  deviceEvent(agent: AgentId, event: DeviceEvent): void {
    if (event.device === "terminal" && event.event.type === "eof") this.#inputEnded.add(agent);
    this.#take({ kind: "device", agent, event });
  }

  /**
   * Lets a program take part as `id`. What agents send to it goes to `receive`, once what they appended before is
   * durable.
   *
   * @throws {RangeError} if an agent of the grid or another guest is called so.
   */
  addGuest(id: AgentId, receive: (from: AgentId, message: AnyMessage) => void): Guest {
    return this.#guests.add(id, receive);
  }

  /** Does what a master's line says, and says what to reply. */
  command(line: string): Answer {
    this.#garbage.stirred = true;
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

  /**
   * Gives the agents of a type another definition while they run: the durable state of those that live here is kept,
   * through `upgrade` where its version is older, and they start again. Says who they are.
   *
   * @throws {Error} if the definition cannot take the attrs or the durable state of one of them. All goes on as it
   * was then.
   */
  async replace(type: string, by: Replacement): Promise<AgentId[]> {
    const { grid, box } = this.#options;
    const agents = agentsOf(grid, box).filter((entry) => entry.type === type).map(({ id }) => id);
    await this.#words.withSource(type, by.source, async () => {
      if (by.sandboxed === undefined) return await this.#driver.replace(agents, by.definition);
      await this.#sandboxes?.replace(type, by.sandboxed);
      this.#driver.compact();
    });
    this.#definitions.set(type, by.definition);
    return agents;
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
    stopTimer(this.#tickTimer);
    this.#links.close();
    await Promise.all([this.#driver.close(), this.#sandboxes?.close()]);
    // A terminal that has stopped reading must not keep a box from its end.
    await this.#devices.flush(lastWordsMs);
    await Promise.all([
      ...[this.#masterPort?.close(), this.#mesh.close(), this.#processes.close()],
      this.#http.close(),
    ]);
    try {
      await this.#journal.close();
    } finally {
      this.#end.resolve({ why: "closed" });
    }
  }

  #take(input: Input): void {
    this.#garbage.stirred = true;
    const agent = input.kind === "mail" ? input.envelope.to : input.agent;
    if (this.#sandboxes?.has(agent)) this.#sandboxes.take(agent, input);
    else this.#driver.take(input);
  }

  #revived(agent: AgentId): void {
    // Nobody will end its input a second time.
    if (this.#inputEnded.has(agent)) this.deviceEvent(agent, endOfInput);
  }

  #finish(end: BoxEnd): void {
    this.#end.resolve(end);
  }

  #send(outgoing: Outgoing): void {
    const { box, from, to, message } = outgoing;
    const home = this.#options.grid.agents.get(to)?.box ?? box;
    if (home === this.#options.box) {
      if (!this.#guests.has(to)) return this.#take({ kind: "mail", envelope: outgoing });
      this.host.observer?.(outgoing);
      return this.#guests.tell(outgoing);
    }
    const outcome = this.#mesh.send(home, outgoing);
    if (outcome !== "sent" && this.#options.debug) {
      this.#log.debug(`mail.${outcome} ${from} -> ${to} ${message.type}`);
    }
  }

  #onUp(peer: BoxId): void {
    this.#garbage.stirred = true;
    this.#membership.up(peer, now());
    this.#log.info(`linked to ${peer}`);
    this.#links.up(peer);
  }

  #onDown(peer: BoxId, reason: string): void {
    this.#membership.down(peer);
    this.#links.down(peer);
    this.#log.info(`lost the link to ${peer}: ${reason}`);
  }

  #tick(): void {
    const { ping, drop, nextAt } = this.#membership.tick(now());
    for (const peer of drop) this.#mesh.drop(peer, "it has been silent for too long");
    this.#mesh.ping(ping);
    this.#tracing.tellMissed();
    this.#garbage.tick(now());
    this.#tickTimer = startTimer(Math.max(1, nextAt - now()), () => this.#tick());
  }

  #fault(fault: Fault): void {
    this.#words.fault(fault);
    if (fault.then === "stopped") this.#agentEnded(fault.agent);
  }

  #agentEnded(agent: AgentId): void {
    this.#http.stop(agent);
    this.#agentEnds.end(agent);
  }
}

const now = () => performance.now();
