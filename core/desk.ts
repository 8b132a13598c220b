// The desk of a host: where the contexts of its agents leave what they ask for. It records mail, appends, outputs
// and notes for the batch of the step in hand, and takes them back when a handler throws.

import type { AnyMessage } from "./agent.ts";
import type { Cell } from "./cell.ts";
import { copyJson, type Json } from "./data.ts";
import type { AgentDefinition } from "./define.ts";
import type { DeviceName, DeviceOutput } from "./devices.ts";
import type { Append, Batch, Envelope, Fault, Note, Outgoing, Output } from "./envelope.ts";
import type { Target } from "./grid.ts";
import type { AgentId, BoxId } from "./id.ts";
import { deriveSeed, type Random, seededRandom } from "./random.ts";
import type { Router } from "./router.ts";
import { oneLine } from "./text.ts";
import type { Timers } from "./timers.ts";

/** What a host has counted since it was made. */
export interface HostCounters {
  delivered: number;
  sent: number;
  /** Dropped on purpose, by `loss`. */
  lost: number;
  /** Sent along a route with nobody behind it, or to an agent that the grid does not have. */
  unknown: number;
  /** Of a type that the receiver does not take, with a body against its schema, or for an agent that does not run. */
  refused: number;
  /** Dropped because too much was waiting. */
  overflowed: number;
}

/** What a desk needs of its host. */
export interface DeskOptions {
  readonly box: BoxId;
  readonly router: Router;
  readonly timers: Timers;
  readonly counters: HostCounters;
  /** The definition behind an agent of any box, where this host has it. */
  readonly definitionOf: (agent: AgentId) => AgentDefinition | undefined;
  readonly seed: bigint;
  readonly loss: number;
  readonly takesTyped: (box: BoxId) => boolean;
  /** Whether mail to an id that no agent has goes to the driver, as mail for this very box. */
  readonly isGuest: (agent: AgentId) => boolean;
  readonly reuseBatch: boolean;
  /** Queues mail for an agent of this box. */
  readonly deliver: (envelope: Envelope) => void;
}

/** What a batch has of each kind that nobody asked for: one for all, since most batches have nothing of most kinds. */
const none: readonly never[] = [];

/** Records what handlers ask for. */
export class Desk {
  /** The time of the step in hand. */
  now = 0;
  readonly #options: DeskOptions;
  readonly #random: Random;
  #appends: Append[] = [];
  #sends: Outgoing[] = [];
  #outputs: Output[] = [];
  #notes: Note[] = [];
  #faults: Fault[] = [];
  #endings: AgentId[] = [];
  /** The one batch of a host that uses it again; its arrays are those above. */
  readonly #reused: { -readonly [K in keyof Batch]: Batch[K] } | undefined;
  readonly #marked = { appends: 0, sends: 0, outputs: 0, notes: 0 };

  constructor(options: DeskOptions) {
    this.#options = options;
    this.#reused = options.reuseBatch ? this.#batch(undefined, false) : undefined;
    this.#random = seededRandom(deriveSeed(options.seed, "loss"));
  }

  /** Notes how much has been recorded, for {@linkcode rollBack}. */
  mark(): void {
    this.#marked.appends = this.#appends.length;
    this.#marked.sends = this.#sends.length;
    this.#marked.outputs = this.#outputs.length;
    this.#marked.notes = this.#notes.length;
  }

  /** Forgets what was recorded since {@linkcode mark}. */
  rollBack(): void {
    this.#appends.length = this.#marked.appends;
    this.#sends.length = this.#marked.sends;
    this.#outputs.length = this.#marked.outputs;
    this.#notes.length = this.#marked.notes;
  }

  /** Begins a step: what a batch that is used again has of the step before is over. */
  begin(now: number): void {
    this.now = now;
    if (this.#reused === undefined) return;
    if (this.#sends.length > 0) empty(this.#sends);
    if (this.#appends.length > 0) empty(this.#appends);
    if (this.#outputs.length > 0) empty(this.#outputs);
    if (this.#notes.length > 0) empty(this.#notes);
    if (this.#faults.length > 0) empty(this.#faults);
    if (this.#endings.length > 0) empty(this.#endings);
  }

  /** Hands over the batch of the step. */
  finish(busy: boolean): Batch {
    const wakeAt = this.#options.timers.nextAt();
    if (this.#reused === undefined) return this.#handOver(wakeAt, busy);
    this.#reused.wakeAt = wakeAt;
    this.#reused.busy = busy;
    return this.#reused;
  }

  #batch(wakeAt: number | undefined, busy: boolean): Batch {
    return {
      appends: this.#appends,
      sends: this.#sends,
      outputs: this.#outputs,
      notes: this.#notes,
      faults: this.#faults,
      endings: this.#endings,
      wakeAt,
      busy,
    };
  }

  /** Makes a batch of its own. What is handed over belongs to it; what was not needed is used again. */
  #handOver(wakeAt: number | undefined, busy: boolean): Batch {
    const { appends, sends, outputs, notes, faults, endings } = this.#batch(wakeAt, busy);
    if (appends.length > 0) this.#appends = [];
    if (sends.length > 0) this.#sends = [];
    if (outputs.length > 0) this.#outputs = [];
    if (notes.length > 0) this.#notes = [];
    if (faults.length > 0) this.#faults = [];
    if (endings.length > 0) this.#endings = [];
    return {
      appends: appends.length === 0 ? none : appends,
      sends: sends.length === 0 ? none : sends,
      outputs: outputs.length === 0 ? none : outputs,
      notes: notes.length === 0 ? none : notes,
      faults: faults.length === 0 ? none : faults,
      endings: endings.length === 0 ? none : endings,
      wakeAt,
      busy,
    };
  }

  fault(fault: Fault): void {
    this.#faults.push(fault);
  }

  ending(agent: AgentId): void {
    this.#endings.push(agent);
  }

  targets(agent: AgentId, route: string): readonly Target[] {
    return this.#options.router.resolve(agent, route);
  }

  accepts(agent: AgentId, type: string): boolean {
    const { router, box: here, definitionOf, takesTyped, isGuest } = this.#options;
    if (isGuest(agent)) return true;
    const box = router.boxOf(agent);
    if (box === undefined) return false;
    const definition = definitionOf(agent);
    if (definition !== undefined && !Object.hasOwn(definition.on, type)) return false;
    return box === here || type === "text" || takesTyped(box);
  }

  /** @param port Where text goes that was sent along a route. */
  mail(from: AgentId, to: AgentId, message: AnyMessage, port?: number): void {
    const { router, counters, loss, deliver, isGuest, box: here } = this.#options;
    const guest = isGuest(to);
    const box = guest ? here : router.boxOf(to);
    if (box === undefined) return this.#unknown(from, to, message.type);
    // Copied at once, so that later changes to the sender's state cannot reach the receiver.
    const copy = message.type === "text" ? trimmed(message, port) : copyJson(message);
    counters.sent++;
    if (loss > 0 && this.#random() < loss) return this.#lose(from, to, message.type);
    const outgoing: Outgoing = { from, to, message: copy, box };
    if (box === here && !guest) deliver(outgoing);
    else this.#sends.push(outgoing);
  }

  #unknown(from: AgentId, to: AgentId, type: string): void {
    this.#options.counters.unknown++;
    this.note(from, "mail.unknown", { to, type });
  }

  #lose(from: AgentId, to: AgentId, type: string): void {
    this.#options.counters.lost++;
    this.note(from, "mail.lost", { to, type });
  }

  unrouted(from: AgentId, route: string): void {
    this.#options.counters.unknown++;
    this.note(from, "mail.unrouted", { route });
  }

  append(cell: Cell, record: unknown): void {
    const schema = cell.definition.record;
    if (schema === undefined) {
      throw new TypeError(`Cannot append: agent type ${cell.definition.type} declares no record`);
    }
    const copy = copyJson(record);
    const fault = cell.recordFault(schema, copy);
    if (fault !== undefined) throw new TypeError(`Cannot append a record: ${fault}`);
    // Written down before `apply` gets it, which may keep parts of the copy and change them later.
    this.#appends.push({ agent: cell.entry.id, record: JSON.stringify(copy) });
    cell.apply(copy);
  }

  output(agent: AgentId, device: DeviceName, output: Json): void {
    this.#outputs.push({ agent, output: { device, output } as DeviceOutput });
  }

  note(agent: AgentId | undefined, event: string, detail?: Json): void {
    this.#notes.push(detail === undefined ? { agent, event } : { agent, event, detail });
  }

  setTimer(agent: AgentId, timer: string, key: string | undefined, at: number): void {
    this.#options.timers.set(agent, timer, key, at);
  }

  clearTimer(agent: AgentId, timer: string, key: string | undefined): void {
    this.#options.timers.clear(agent, timer, key);
  }
}

/** An array that is popped keeps its room, one that is cut to nothing does not. */
function empty(array: unknown[]): void {
  while (array.length > 0) array.pop();
}

function trimmed(message: AnyMessage, port = message.port): AnyMessage {
  const { text } = message;
  if (typeof text !== "string") throw new TypeError("Cannot send text without a string in text");
  return { type: "text", port, text: oneLine(text) };
}
