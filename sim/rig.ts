// The rig: one agent without a world, for tests that look at every message. It runs in a real host; the test plays
// everybody else, the devices and the clock. What the agent appends is durable at once.

import type { AnyMessage } from "../core/agent.ts";
import { encodeData, type Json } from "../core/data.ts";
import type { AgentDefinition } from "../core/define.ts";
import type { DeviceEvent, HttpOutput, ProcessOutput } from "../core/devices.ts";
import type { Batch, Input, Note } from "../core/envelope.ts";
import { Host } from "../core/host.ts";
import { type AgentId, agentId } from "../core/id.ts";
import { deriveSeed } from "../core/random.ts";
import { validate } from "../core/schema.ts";
import { boxId, type PlainAgent, plainGrid, type PlainRoutes, routingTable } from "./plain_grid.ts";

/** What stands around the agent of a {@linkcode Rig}. */
export interface RigOptions {
  /** The agent's id; default the name of its type. */
  readonly id?: string;
  readonly attrs?: { readonly [name: string]: Json };
  /** Who stands behind its routes: `{ counter: ["c1"] }`, with ports for text `{ "200": { replica: 10 } }`. */
  readonly routes?: PlainRoutes;
  /** Further agents that it may hear from and send to; those behind its routes need not be named again. */
  readonly peers?: readonly string[];
  /** Those of its peers whose boxes take nothing but text, as GoOvid's do. */
  readonly textOnly?: readonly string[];
  /** Default 1. */
  readonly seed?: bigint;
}

/** A message that left the agent. */
export interface Sent {
  readonly to: string;
  readonly message: AnyMessage;
}

/** A text that the agent gave to the device `file`. */
export interface Written {
  readonly path: string;
  readonly text: string;
}

/** All that an agent did, oldest first. */
export interface Effects {
  readonly sent: Sent[];
  /** Lines for the terminal or the console. */
  readonly printed: string[];
  readonly prompts: string[];
  readonly written: Written[];
  /** What it wanted done about boxes. */
  readonly processes: ProcessOutput[];
  /** What it said by HTTP. */
  readonly http: HttpOutput[];
  /** Records. */
  readonly appended: Json[];
  readonly notes: Note[];
}

const stepsMax = 100_000;
const ownBox = "rig";
// No definition can have this name.
const peerType = "a peer";

/**
 * Puts one agent to the test, and starts it.
 *
 * @example
 * ```ts
 * import { defineAgent, rig } from "ovid";
 * import { assertEquals } from "@std/assert";
 * import { z } from "zod";
 *
 * const counter = defineAgent({
 *   type: "counter",
 *   version: 1,
 *   doc: "Counts the amounts that it was sent.",
 *   attrs: z.object({}),
 *   protocol: { add: z.object({ amount: z.int() }), total: z.object({ value: z.int() }) },
 *   record: z.object({ amount: z.int() }),
 *   durable: () => ({ value: 0 }),
 *   apply(durable, { amount }) {
 *     durable.value += amount;
 *   },
 *   init: () => ({}),
 *   on: {
 *     add(state, { amount }, ctx) {
 *       ctx.append({ amount });
 *       ctx.reply({ type: "total", value: state.durable.value });
 *     },
 *   },
 * });
 *
 * const agent = rig(counter, { peers: ["alice"] });
 * agent.deliver("alice", { type: "add", amount: 2 });
 * agent.restart();
 * agent.deliver("alice", { type: "add", amount: 3 });
 * assertEquals(agent.sent.map(({ message }) => message.value), [2, 5]);
 * ```
 *
 * @throws {TypeError} if the attrs are not what the agent wants.
 */
export function rig(definition: AgentDefinition, options: RigOptions = {}): Rig {
  return new Rig(definition, options);
}

/** One agent and its surroundings; {@linkcode rig} makes it. */
export class Rig {
  readonly id: string;
  readonly #id: AgentId;
  readonly #definition: AgentDefinition;
  readonly #attrs: unknown;
  readonly #peers: ReadonlySet<string>;
  readonly #makeHost: (life: number) => Host;
  #host: Host;
  #life = 1;
  #nowMs = 0;
  #wakeAt: number | undefined;
  /** All that is durable. */
  #records: string[] = [];
  #effects: Effects = noEffects();

  constructor(definition: AgentDefinition, options: RigOptions) {
    const { id = definition.type, attrs = {}, routes = {}, textOnly = [], seed = 1n } = options;
    this.id = id;
    this.#id = agentId(id);
    this.#definition = definition;
    const peers = new Set([...options.peers ?? [], ...textOnly, ...targetsOf(routes)]);
    peers.delete(id);
    this.#peers = peers;
    const agents: { [id: string]: PlainAgent } = {
      [id]: { type: definition.type, box: ownBox, attrs, routes },
    };
    // Each peer has a box of its own, so that whatever is sent to it leaves the host.
    for (const peer of peers) agents[peer] = { type: peerType, box: peerBox(peer) };
    const grid = plainGrid(agents);
    const textBoxes = new Set<string>(textOnly.map(peerBox));
    this.#makeHost = (life) =>
      new Host({
        box: boxId(ownBox),
        grid,
        definitions: new Map([[definition.type, definition]]),
        seed: deriveSeed(seed, String(life)),
        checks: true,
        takesTyped: (box) => !textBoxes.has(box),
      });
    this.#host = this.#makeHost(this.#life);
    const verdict = validate(definition.attrs, attrs);
    this.#attrs = verdict.ok ? verdict.value : undefined;
    this.#carryOut(this.#host.boot(this.#nowMs));
  }

  /**
   * Gives the agent a message.
   *
   * @throws {TypeError} if it does not take such a message, or has ended.
   * @throws whatever its handler threw; it has been rebuilt from its durable state by then.
   */
  deliver(from: string, message: AnyMessage): void {
    if (from !== this.id && !this.#peers.has(from)) {
      const known = [...this.#peers].join(", ") || "nobody yet";
      throw new RangeError(
        `Cannot deliver mail from "${from}": the rig knows ${known}, want it among the rig's peers`,
      );
    }
    const envelope = { from: agentId(from), to: this.#id, message };
    const first = this.#effects.notes.length;
    this.#step([{ kind: "mail", envelope }]);
    for (const note of this.#effects.notes.slice(first)) this.#refuse(from, message, note);
  }

  /** Types a line at its terminal. */
  line(text: string): void {
    this.event({ device: "terminal", event: { type: "line", text } });
  }

  /** Ends the input of its terminal. */
  eof(): void {
    this.event({ device: "terminal", event: { type: "eof" } });
  }

  /**
   * Lets a device tell it something.
   *
   * @throws {TypeError} if it does not listen to such a device.
   */
  event(event: DeviceEvent): void {
    if (this.#definition.onDevice?.[event.device] === undefined) {
      throw new TypeError(`Cannot reach ${this.id}: it does not listen to device ${event.device}`);
    }
    if (this.stopped) throw new TypeError(`Cannot reach ${this.id}: it has ended`);
    this.#step([{ kind: "device", agent: this.#id, event }]);
  }

  /** Lets time pass, and fires its timers, each at its time. */
  advance(ms: number): void {
    if (!(ms >= 0)) throw new RangeError(`Cannot advance by ${ms} ms, want 0 or more`);
    const endMs = this.#nowMs + ms;
    for (let steps = 0; this.#wakeAt !== undefined && this.#wakeAt <= endMs; steps++) {
      if (steps === stepsMax) {
        throw new Error(`Cannot advance ${this.id} by ${ms} ms: its timers fire without end`);
      }
      this.#nowMs = Math.max(this.#nowMs, this.#wakeAt);
      this.#step([]);
    }
    this.#nowMs = endMs;
  }

  /**
   * Lets its box crash and start again: what is not durable is gone.
   *
   * @throws {Error} if its records do not give the durable state that it has: `apply` cannot be trusted then.
   */
  restart(): void {
    this.#requireReplay();
    this.#life++;
    this.#host = this.#makeHost(this.#life);
    const images = new Map([[this.#id, { records: [...this.#records] }]]);
    this.#carryOut(this.#host.boot(this.#nowMs, images));
  }

  /** What the agent did since the last call; later calls and getters do not show it again. */
  take(): Effects {
    const effects = this.#effects;
    this.#effects = noEffects();
    return effects;
  }

  /** What it sent since the last {@linkcode take}. */
  get sent(): readonly Sent[] {
    return this.#effects.sent;
  }

  /** The lines that it printed since the last {@linkcode take}. */
  get printed(): readonly string[] {
    return this.#effects.printed;
  }

  /** The records that it appended since the last {@linkcode take}. */
  get appended(): readonly Json[] {
    return this.#effects.appended;
  }

  /** What it noted since the last {@linkcode take}, and what its host noted about it. */
  get notes(): readonly Note[] {
    return this.#effects.notes;
  }

  /** Its state, the durable part under `durable`: to look at, not to change. */
  get state(): Readonly<Record<string, unknown>> {
    return Object.fromEntries(Object.entries(this.#host.inspect(this.#id)?.state ?? {}));
  }

  /** Whether it has ended, in peace or by `ctx.fail`. */
  get stopped(): boolean {
    return this.#host.hasEnded(this.#id);
  }

  /** The clock that it sees, from 0. */
  get now(): number {
    return this.#nowMs;
  }

  /** In how many milliseconds its next timer is due; undefined if none is armed. */
  get nextTimerMs(): number | undefined {
    return this.#wakeAt === undefined ? undefined : this.#wakeAt - this.#nowMs;
  }

  #step(inputs: readonly Input[]): void {
    this.#carryOut(this.#host.step(this.#nowMs, inputs));
  }

  #carryOut(first: Batch): void {
    let batch = first;
    let error: unknown;
    let faulted = false;
    for (let steps = 0;; steps++) {
      if (steps === stepsMax) {
        throw new Error(`Cannot go on: ${this.id} writes to itself without end`);
      }
      this.#collect(batch);
      this.#wakeAt = batch.wakeAt;
      const fault = batch.faults[0];
      if (fault !== undefined) {
        if (!faulted) error = fault.error;
        faulted = true;
        batch = this.#host.revive(this.#nowMs, this.#id, { records: this.#records });
      } else if (batch.busy) batch = this.#host.step(this.#nowMs, []);
      else break;
    }
    if (faulted) throw error;
  }

  #collect({ sends, outputs, appends, notes }: Batch): void {
    const effects = this.#effects;
    for (const { to, message } of sends) effects.sent.push({ to, message });
    for (const { record } of appends) {
      this.#records.push(record);
      effects.appended.push(JSON.parse(record));
    }
    for (const { output: { device, output } } of outputs) {
      if (device === "process") effects.processes.push(output);
      else if (device === "http") effects.http.push(output);
      else if (device === "file") {
        const text = output.type === "write" ? output.lines.join("\n") : output.text;
        effects.written.push({ path: output.path, text });
      } else (output.type === "print" ? effects.printed : effects.prompts).push(output.text);
    }
    effects.notes.push(...notes);
  }

  /** Throws if `note` says that the message in hand was not taken. */
  #refuse(from: string, { type }: AnyMessage, { agent, event, detail }: Note): void {
    if (agent !== this.#id || typeof detail !== "object" || detail === null) return;
    const said = new Map(Object.entries(detail));
    if (said.get("from") !== from || said.get("type") !== type) return;
    const act = `Cannot deliver ${JSON.stringify(type)} to ${this.id}`;
    switch (event) {
      case "mail.undeliverable":
        throw new TypeError(`${act}: it has ended`);
      case "mail.refused":
        throw new TypeError(`${act}, want one of ${Object.keys(this.#definition.on).join(", ")}`);
      case "mail.invalid":
        throw new TypeError(`${act}: ${said.get("why")}`);
    }
  }

  #requireReplay(): void {
    const live = this.#host.snapshot()?.get(this.#id)?.durable;
    if (live === undefined) return;
    const durable = this.#definition.durable?.(this.#attrs);
    for (const record of this.#records) this.#definition.apply?.(durable, JSON.parse(record));
    const replayed = encodeData(durable);
    if (live === replayed) return;
    throw new Error(
      `Cannot trust apply() of ${this.id}: its records give ${replayed}, while it runs on ${live}`,
    );
  }
}

/** Every agent behind a route. */
function targetsOf(routes: PlainRoutes): string[] {
  return [...routingTable(routes).values()].flat().map(({ agent }) => agent);
}

function peerBox(peer: string): string {
  return `box-of-${peer}`;
}

function noEffects(): Effects {
  return {
    sent: [],
    printed: [],
    prompts: [],
    written: [],
    processes: [],
    http: [],
    appended: [],
    notes: [],
  };
}
