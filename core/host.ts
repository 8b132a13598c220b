// The host: all agents of a box, and nothing outside. It turns inputs and the passing of time into batches of
// what is to be made durable, sent and shown; a driver (a real box, a test, the simulator) carries them out.

import type { AnyMessage } from "./agent.ts";
import { AgentFailure, Cell } from "./cell.ts";
import { RecordingContext } from "./context.ts";
import type { Json } from "./data.ts";
import type { AgentDefinition } from "./define.ts";
import { Desk, type HostCounters } from "./desk.ts";
import type { Batch, DurableImage, Envelope, Input, MailInput } from "./envelope.ts";
import { assert, messageOf } from "./error.ts";
import { agentsOf } from "./grid.ts";
import type { HostOptions } from "./host_options.ts";
import type { AgentId, BoxId } from "./id.ts";
import { Router } from "./router.ts";
import { faultOf, type Schema } from "./schema.ts";
import { Timers } from "./timers.ts";

/** An agent that throws this often within {@linkcode faultWindowMs} is stopped for good. */
export const faultsMax = 5;

/** See {@linkcode faultsMax}. */
export const faultWindowMs = 10_000;

/** A handler of any kind, which takes the state, and two more that depend on the kind. */
type Handler = (state: object, second: unknown, third: unknown) => unknown;

type Item = Input | { readonly kind: "start"; readonly agent: AgentId };

/** All agents of one box. Give it inputs with {@linkcode step}; do with each batch what {@linkcode Batch} says. */
export class Host {
  readonly box: BoxId;
  readonly counters: HostCounters = {
    delivered: 0,
    sent: 0,
    lost: 0,
    unknown: 0,
    refused: 0,
    overflowed: 0,
  };
  /** Is told of all mail that reaches an agent's door; undefined, and no cost, unless somebody watches. */
  observer: ((envelope: Envelope) => void) | undefined;
  readonly #options: HostOptions;
  /** Each agent's context, which has its cell. */
  readonly #contexts = new Map<AgentId, RecordingContext>();
  /** Who was asked for last: many a host has but one agent. */
  #last: AgentId | undefined;
  #lastContext: RecordingContext | undefined;
  readonly #timers = new Timers();
  readonly #desk: Desk;
  #queue: Item[] = [];
  #queueHead = 0;

  /** @throws {TypeError} if a definition is missing, or an agent's attrs are not what its type wants. */
  constructor(options: HostOptions) {
    this.#options = options;
    this.box = options.box;
    this.#desk = new Desk({
      box: options.box,
      router: new Router(options.grid),
      timers: this.#timers,
      counters: this.counters,
      definitionOf: (agent) => {
        const entry = options.grid.agents.get(agent);
        return entry &&
          (this.#contexts.get(agent)?.cell.definition ?? options.definitions.get(entry.type));
      },
      seed: options.seed,
      loss: options.loss ?? 0,
      takesTyped: options.takesTyped ?? (() => true),
      isGuest: options.isGuest ?? (() => false),
      reuseBatch: options.reuseBatch ?? false,
      deliver: (envelope) => this.#enqueue({ kind: "mail", envelope }),
    });
    for (const entry of agentsOf(options.grid, options.box)) {
      const definition = options.definitions.get(entry.type);
      if (definition === undefined) {
        throw new TypeError(
          `Cannot make agent ${entry.id}: type ${JSON.stringify(entry.type)} is not defined`,
        );
      }
      const cell = new Cell(entry, definition, options.seed);
      this.#contexts.set(entry.id, new RecordingContext(cell, this.#desk));
    }
  }

  /**
   * Builds every agent from what the disk holds and starts it.
   *
   * @throws {Error} if what the disk holds cannot be read by an agent of today.
   */
  boot(now: number, images: ReadonlyMap<AgentId, DurableImage> = new Map()): Batch {
    this.#desk.now = now;
    for (const [id, { cell }] of this.#contexts) {
      cell.rebuild(images.get(id));
      this.#queue.push({ kind: "start", agent: id });
    }
    return this.step(now, []);
  }

  /** Takes inputs, fires what is due, delivers local mail, and says what is to be done about it all. */
  step(now: number, inputs: readonly Input[]): Batch {
    this.#begin(now);
    for (const input of inputs) this.#enqueue(input);
    return this.#work(now, this.#options.stepMailMax ?? 1024);
  }

  /** As a step with this mail alone, which needs not wait in a queue if nothing is before it. */
  deliver(now: number, mail: MailInput): Batch {
    const dueAt = this.#timers.nextAt();
    if (this.#queue.length > 0 || (dueAt !== undefined && dueAt <= now)) {
      return this.step(now, [mail]);
    }
    this.#begin(now);
    this.#deliver(mail.envelope);
    // Nothing was due before, and what was armed since is for a later step.
    if (this.#queue.length === 0) return this.#desk.finish(false);
    return this.#work(now, (this.#options.stepMailMax ?? 1024) - 1);
  }

  #begin(now: number): void {
    const { now: before } = this.#desk;
    // Asked first: to put the text together takes longer than many a step.
    if (now < before) assert(false, `the clock of ${this.box} went from ${before} to ${now}`);
    this.#desk.begin(now);
  }

  #work(now: number, itemsMax: number): Batch {
    const { sequence } = this.#timers;
    for (let budget = itemsMax; budget > 0; budget--) {
      const timer = this.#timers.popDue(now, sequence);
      if (timer !== undefined) {
        this.#fire(timer.agent, timer.name, timer.key);
        continue;
      }
      const item = this.#dequeue();
      if (item === undefined) break;
      this.#take(item);
    }
    return this.#desk.finish(this.#queue.length > this.#queueHead);
  }

  /**
   * Gives an agent that was named in `Batch.faults` the state that the disk holds of it, and starts it again unless
   * it was stopped. Mail that came for it meanwhile has been dropped, as it is for a crashed box.
   */
  revive(now: number, agent: AgentId, image: DurableImage | undefined): Batch {
    const cell = this.#contexts.get(agent)?.cell;
    assert(cell !== undefined && cell.tainted, `agent ${agent} waits to be rebuilt`);
    cell.rebuild(image);
    if (cell.status === "faulted") {
      cell.status = "idle";
      this.#queue.push({ kind: "start", agent });
    }
    return this.step(now, []);
  }

  /**
   * Gives agents of this box a definition in the place of theirs, all of them or, if it throws, none. What they have
   * that is durable is kept, through `upgrade` where its version is older; all else begins anew, as at any start,
   * for those that had ended as well. None of them may wait for {@linkcode revive}.
   *
   * @throws {Error} if the definition cannot take the attrs or the durable state of one of them.
   */
  replace(now: number, agents: readonly AgentId[], definition: AgentDefinition): Batch {
    const successors = agents.map((agent) => {
      const cell = this.#contexts.get(agent)?.cell;
      assert(
        cell !== undefined && !cell.tainted,
        `the state of agent ${agent} is what was written`,
      );
      return cell.successor(definition, this.#options.seed);
    });
    this.#desk.now = now;
    for (const cell of successors) {
      const agent = cell.entry.id;
      const context = new RecordingContext(cell, this.#desk);
      this.#timers.clearAll(agent);
      this.#contexts.set(agent, context);
      this.#last = undefined;
      // At once, so that mail that waits finds it running.
      this.#start(context);
    }
    return this.step(now, []);
  }

  /**
   * The durable state of every agent that has one, for a snapshot of the journal; undefined while an agent waits
   * for {@linkcode revive}, since its state holds what was never written.
   */
  snapshot(): Map<AgentId, { version: number; durable: string }> | undefined {
    if ([...this.#contexts.values()].some(({ cell }) => cell.tainted)) return undefined;
    const snapshot = new Map<AgentId, { version: number; durable: string }>();
    for (const [id, { cell }] of this.#contexts) {
      const part = cell.snapshot();
      if (part !== undefined) snapshot.set(id, part);
    }
    return snapshot;
  }

  /** How many inputs and messages wait for a step. */
  get queued(): number {
    return this.#queue.length - this.#queueHead;
  }

  /** The agents of this box, in the grid's order. */
  get agents(): readonly AgentId[] {
    return [...this.#contexts.keys()];
  }

  /** The state of an agent, to look at: changing it breaks every promise of this class. */
  inspect(
    agent: AgentId,
  ): Pick<Cell, "status" | "state" | "definition" | "tainted"> | undefined {
    const cell = this.#contexts.get(agent)?.cell;
    if (cell === undefined) return undefined;
    const { status, state, definition, tainted } = cell;
    return { status, state, definition, tainted };
  }

  /** Whether the agent has ended and will not come back by itself. */
  hasEnded(agent: AgentId): boolean {
    return this.#contexts.get(agent)?.cell.status === "stopped";
  }

  #take(item: Item): void {
    switch (item.kind) {
      case "start": {
        const context = this.#contexts.get(item.agent);
        if (context !== undefined) this.#start(context);
        return;
      }
      case "mail":
        return this.#deliver(item.envelope);
      case "device": {
        const context = this.#running(item.agent);
        const handler = context?.cell.definition.onDevice?.[item.event.device];
        if (context === undefined || handler === undefined) return;
        this.#run(context, item.agent, handler, item.event.event, context);
      }
    }
  }

  #start(context: RecordingContext): void {
    const { cell } = context;
    const { definition, startReason } = cell;
    cell.status = "running";
    const start: Handler = (state, ctx) => definition.start?.(state, ctx, startReason);
    this.#run(context, cell.entry.id, start, context, undefined);
  }

  #fire(agent: AgentId, name: string, key: string | undefined): void {
    const context = this.#running(agent);
    const handler = context?.cell.definition.onTimer?.[name];
    if (context === undefined || handler === undefined) return;
    const fire: Handler = (state, ctx) => handler(state, ctx, key);
    this.#run(context, agent, fire, context, undefined);
  }

  #deliver(envelope: Envelope): void {
    this.observer?.(envelope);
    const { from, to, message } = envelope;
    const context = this.#running(to);
    if (context === undefined) return this.#undeliverable(from, to, message.type);
    const intake = context.cell.intake(message.type);
    if (intake === undefined) return this.#refuseType(context, from, message.type);
    if (!intake.quick(message) && !this.#isValid(intake.schema, from, to, message)) return;
    this.counters.delivered++;
    this.#run(context, from, intake.handler, message, context);
  }

  /** Whether a message that is not certainly valid is so all the same. */
  #isValid(schema: Schema<unknown>, from: AgentId, to: AgentId, message: AnyMessage): boolean {
    const why = whyNot(schema, message);
    if (why === undefined) return true;
    this.#refuse(to, "mail.invalid", { from, type: message.type, why });
    return false;
  }

  #refuseType({ cell }: RecordingContext, from: AgentId, type: string): void {
    const want = Object.keys(cell.definition.on);
    this.#refuse(cell.entry.id, "mail.refused", { from, type, want });
  }

  #undeliverable(from: AgentId, to: AgentId, type: string): void {
    if (this.#contexts.has(to)) return this.#refuse(to, "mail.undeliverable", { from, type });
    this.counters.unknown++;
    this.#desk.note(undefined, "mail.unknown", { from, to, type });
  }

  #refuse(to: AgentId, event: string, detail: Json): void {
    this.counters.refused++;
    this.#desk.note(to, event, detail);
  }

  // Runs one handler; if it throws, whatever it asked for is taken back and the agent waits to be rebuilt. Handlers of
  // mail, which are most, come as they are, with what they take beside the state: they need no closure for each message.
  #run(
    context: RecordingContext,
    from: AgentId,
    handler: Handler,
    second: unknown,
    third: unknown,
  ): void {
    const { cell } = context;
    this.#desk.mark();
    const queued = this.#queue.length;
    cell.stopping = false;
    context.open(from);
    try {
      const result = handler(cell.state, second, third);
      if (result !== undefined) refusePromise(result);
      if (this.#options.checks) cell.definition.check?.(cell.state);
      if (cell.stopping) this.#stop(cell);
    } catch (error) {
      this.#takeBack(cell, queued, error);
    } finally {
      context.close();
    }
  }

  #stop(cell: Cell): void {
    this.#end(cell);
    this.#desk.ending(cell.entry.id);
  }

  #takeBack(cell: Cell, queued: number, error: unknown): void {
    this.#desk.rollBack();
    this.#queue.length = queued;
    this.#fault(cell, error);
  }

  #fault(cell: Cell, error: unknown): void {
    const agent = cell.entry.id;
    this.#end(cell);
    cell.tainted = true;
    cell.faultsAt.push(this.#desk.now);
    while ((cell.faultsAt[0] ?? this.#desk.now) < this.#desk.now - faultWindowMs) {
      cell.faultsAt.shift();
    }
    const stopped = error instanceof AgentFailure || cell.faultsAt.length >= faultsMax;
    if (!stopped) cell.status = "faulted";
    this.#desk.fault({ agent, error, then: stopped ? "stopped" : "rebuild" });
    this.#desk.note(agent, stopped ? "agent.stopped" : "agent.faulted", { why: messageOf(error) });
  }

  #end(cell: Cell): void {
    cell.status = "stopped";
    this.#timers.clearAll(cell.entry.id);
  }

  #running(agent: AgentId): RecordingContext | undefined {
    if (agent !== this.#last) {
      this.#lastContext = this.#contexts.get(agent);
      this.#last = agent;
    }
    const context = this.#lastContext;
    return context?.cell.status === "running" ? context : undefined;
  }

  #enqueue(item: Item): void {
    if (this.#queue.length - this.#queueHead >= (this.#options.queueMax ?? 100_000)) {
      this.counters.overflowed++;
      return;
    }
    this.#queue.push(item);
  }

  #dequeue(): Item | undefined {
    if (this.#queue.length === 0) return undefined;
    // The usual case; an array that is popped keeps its room, one that is cut to nothing does not.
    if (this.#queueHead === 0 && this.#queue.length === 1) return this.#queue.pop();
    const item = this.#queue[this.#queueHead];
    if (item === undefined) return undefined;
    this.#queueHead++;
    if (this.#queueHead === this.#queue.length) {
      this.#queue.length = 0;
      this.#queueHead = 0;
    } else if (this.#queueHead > 4096 && this.#queueHead * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#queueHead);
      this.#queueHead = 0;
    }
    return item;
  }
}

function refusePromise(result: unknown): void {
  if (!(result instanceof Promise)) return;
  result.catch(() => {});
  throw new TypeError("A handler returned a promise, want it to finish at once");
}

/** Why a message is against its schema, if it is; of a schema that fails at its work that is why. */
function whyNot(schema: Schema<unknown>, message: AnyMessage): string | undefined {
  try {
    return faultOf(schema, message);
  } catch (error) {
    return messageOf(error);
  }
}
