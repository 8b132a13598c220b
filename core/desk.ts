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
  readonly #marked = { appends: 0, sends: 0, outputs: 0, notes: 0 };

  constructor(options: DeskOptions) {
    this.#options = options;
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

  /** Hands over the batch of the step, and begins the next. */
  finish(busy: boolean): Batch {
    const batch = {
      appends: this.#appends.length === 0 ? none : this.#appends,
      sends: this.#sends.length === 0 ? none : this.#sends,
      outputs: this.#outputs.length === 0 ? none : this.#outputs,
      notes: this.#notes.length === 0 ? none : this.#notes,
      faults: this.#faults.length === 0 ? none : this.#faults,
      endings: this.#endings.length === 0 ? none : this.#endings,
      wakeAt: this.#options.timers.nextAt(),
      busy,
    };
    // What was handed over belongs to the batch; what was not needed is used again.
    if (batch.appends !== none) this.#appends = [];
    if (batch.sends !== none) this.#sends = [];
    if (batch.outputs !== none) this.#outputs = [];
    if (batch.notes !== none) this.#notes = [];
    if (batch.faults !== none) this.#faults = [];
    if (batch.endings !== none) this.#endings = [];
    return batch;
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

  mail(from: AgentId, to: AgentId, message: AnyMessage): void {
    const { router, counters, loss, deliver, isGuest, box: here } = this.#options;
    const guest = isGuest(to);
    const box = guest ? here : router.boxOf(to);
    if (box === undefined) {
      counters.unknown++;
      return this.note(from, "mail.unknown", { to, type: message.type });
    }
    // Copied at once, so that later changes to the sender's state cannot reach the receiver.
    const copy = message.type === "text" ? trimmed(message) : copyJson(message);
    counters.sent++;
    if (loss > 0 && this.#random() < loss) {
      counters.lost++;
      return this.note(from, "mail.lost", { to, type: message.type });
    }
    const envelope = { from, to, message: copy };
    if (box === here && !guest) deliver(envelope);
    // An array that is written down has room for what is in it; one that is pushed to makes room for many.
    else if (this.#sends.length === 0) this.#sends = [{ box, envelope }];
    else this.#sends.push({ box, envelope });
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

function trimmed(message: AnyMessage): AnyMessage {
  const { text, port } = message;
  if (typeof text !== "string") throw new TypeError("Cannot send text without a string in text");
  return { type: "text", port, text: oneLine(text) };
}
