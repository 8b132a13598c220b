// The host: all agents of a box, and nothing outside. It turns inputs and the passing of time into batches of
// what is to be made durable, sent and shown; a driver (a real box, a test, the simulator) carries them out.

import type { StartReason } from "./agent.ts";
import { AgentFailure, Cell } from "./cell.ts";
import { RecordingContext } from "./context.ts";
import type { AgentDefinition } from "./define.ts";
import { Desk, type HostCounters } from "./desk.ts";
import type { Batch, DurableImage, Envelope, Input } from "./envelope.ts";
import { assert, messageOf } from "./error.ts";
import { agentsOf, type Grid } from "./grid.ts";
import type { AgentId, BoxId } from "./id.ts";
import { Router } from "./router.ts";
import { describeIssues, validate } from "./schema.ts";
import { Timers } from "./timers.ts";

/** What a host is made of. */
export interface HostOptions {
  readonly box: BoxId;
  readonly grid: Grid;
  /**
   * The definition of each type that an agent of this box has. With those of other boxes as well, `ctx.accepts`
   * knows what their agents take.
   */
  readonly definitions: ReadonlyMap<string, AgentDefinition>;
  /** An unsigned 64-bit number, from which every agent's randomness and the losses are drawn. */
  readonly seed: bigint;
  /** The probability that a message between agents is lost, mail within the box included; default 0. */
  readonly loss?: number;
  /** Whether a box takes typed mail; asked at the moment of sending. Default: every box does. */
  readonly takesTyped?: (box: BoxId) => boolean;
  /**
   * Whether an id that no agent of the grid has is a guest: a program that sends to agents of this box, and to whom
   * they may answer. Mail for guests is handed out as mail for this very box. Default: there are none.
   */
  readonly isGuest?: (agent: AgentId) => boolean;
  /** Whether each agent's `check` runs after every handler; default false. */
  readonly checks?: boolean;
  /** How many messages a step delivers before its driver gets its turn; default 1024. */
  readonly stepMailMax?: number;
  /** How many messages may wait inside the host; default 100,000. What comes on top is dropped and counted. */
  readonly queueMax?: number;
}

/** An agent that throws this often within {@linkcode faultWindowMs} is stopped for good. */
export const faultsMax = 5;

/** See {@linkcode faultsMax}. */
export const faultWindowMs = 10_000;

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
  readonly #options: HostOptions;
  readonly #cells = new Map<AgentId, Cell>();
  readonly #contexts = new Map<Cell, RecordingContext>();
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
        return entry && (this.#cells.get(agent)?.definition ?? options.definitions.get(entry.type));
      },
      seed: options.seed,
      loss: options.loss ?? 0,
      takesTyped: options.takesTyped ?? (() => true),
      isGuest: options.isGuest ?? (() => false),
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
      this.#cells.set(entry.id, cell);
      this.#contexts.set(cell, new RecordingContext(cell, this.#desk));
    }
  }

  /**
   * Builds every agent from what the disk holds and starts it.
   *
   * @throws {Error} if what the disk holds cannot be read by an agent of today.
   */
  boot(now: number, images: ReadonlyMap<AgentId, DurableImage> = new Map()): Batch {
    this.#desk.now = now;
    for (const [id, cell] of this.#cells) {
      cell.rebuild(images.get(id));
      this.#queue.push({ kind: "start", agent: id });
    }
    return this.step(now, []);
  }

  /** Takes inputs, fires what is due, delivers local mail, and says what is to be done about it all. */
  step(now: number, inputs: readonly Input[]): Batch {
    const { now: before } = this.#desk;
    // Asked first: to put the text together takes longer than many a step.
    if (now < before) assert(false, `the clock of ${this.box} went from ${before} to ${now}`);
    this.#desk.now = now;
    for (const input of inputs) this.#enqueue(input);
    let budget = this.#options.stepMailMax ?? 1024;
    const { sequence } = this.#timers;
    while (budget-- > 0) {
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
    const cell = this.#cells.get(agent);
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
      const cell = this.#cells.get(agent);
      assert(
        cell !== undefined && !cell.tainted,
        `the state of agent ${agent} is what was written`,
      );
      return cell.successor(definition, this.#options.seed);
    });
    this.#desk.now = now;
    for (const cell of successors) {
      const agent = cell.entry.id;
      const old = this.#cells.get(agent);
      if (old !== undefined) this.#contexts.delete(old);
      this.#timers.clearAll(agent);
      this.#cells.set(agent, cell);
      this.#contexts.set(cell, new RecordingContext(cell, this.#desk));
      // At once, so that mail that waits finds it running.
      this.#start(cell, cell.startReason);
    }
    return this.step(now, []);
  }

  /**
   * The durable state of every agent that has one, for a snapshot of the journal; undefined while an agent waits
   * for {@linkcode revive}, since its state holds what was never written.
   */
  snapshot(): Map<AgentId, { version: number; durable: string }> | undefined {
    if ([...this.#cells.values()].some((cell) => cell.tainted)) return undefined;
    const snapshot = new Map<AgentId, { version: number; durable: string }>();
    for (const [id, cell] of this.#cells) {
      const part = cell.snapshot();
      if (part !== undefined) snapshot.set(id, part);
    }
    return snapshot;
  }

  /** The agents of this box, in the grid's order. */
  get agents(): readonly AgentId[] {
    return [...this.#cells.keys()];
  }

  /** The state of an agent, to look at: changing it breaks every promise of this class. */
  inspect(
    agent: AgentId,
  ): Pick<Cell, "status" | "state" | "definition" | "tainted"> | undefined {
    const cell = this.#cells.get(agent);
    if (cell === undefined) return undefined;
    const { status, state, definition, tainted } = cell;
    return { status, state, definition, tainted };
  }

  /** Whether the agent has ended and will not come back by itself. */
  hasEnded(agent: AgentId): boolean {
    return this.#cells.get(agent)?.status === "stopped";
  }

  #take(item: Item): void {
    switch (item.kind) {
      case "start": {
        const cell = this.#cells.get(item.agent);
        if (cell !== undefined) this.#start(cell, cell.startReason);
        return;
      }
      case "mail":
        return this.#deliver(item.envelope);
      case "device": {
        const cell = this.#running(item.agent);
        const handler = cell?.definition.onDevice?.[item.event.device];
        if (cell === undefined || handler === undefined) return;
        this.#run(cell, cell.entry.id, (ctx) => handler(cell.state, item.event.event, ctx));
      }
    }
  }

  #start(cell: Cell, why: StartReason): void {
    cell.status = "running";
    const { definition } = cell;
    this.#run(cell, cell.entry.id, (ctx) => definition.start?.(cell.state, ctx, why));
  }

  #fire(agent: AgentId, name: string, key: string | undefined): void {
    const cell = this.#running(agent);
    const handler = cell?.definition.onTimer?.[name];
    if (cell === undefined || handler === undefined) return;
    this.#run(cell, agent, (ctx) => handler(cell.state, ctx, key));
  }

  #deliver({ from, to, message }: Envelope): void {
    const cell = this.#running(to);
    if (cell === undefined) {
      if (this.#cells.has(to)) {
        this.counters.refused++;
        this.#desk.note(to, "mail.undeliverable", { from, type: message.type });
      } else {
        this.counters.unknown++;
        this.#desk.note(undefined, "mail.unknown", { from, to, type: message.type });
      }
      return;
    }
    const { definition } = cell;
    const handler = Object.hasOwn(definition.on, message.type)
      ? definition.on[message.type]
      : undefined;
    const schema = definition.protocol[message.type];
    if (handler === undefined || schema === undefined) {
      this.counters.refused++;
      this.#desk.note(to, "mail.refused", {
        from,
        type: message.type,
        want: Object.keys(definition.on),
      });
      return;
    }
    const verdict = validate(schema, message);
    if (!verdict.ok) {
      this.counters.refused++;
      this.#desk.note(to, "mail.invalid", {
        from,
        type: message.type,
        why: describeIssues(verdict.issues),
      });
      return;
    }
    this.counters.delivered++;
    this.#run(cell, from, (ctx) => handler(cell.state, message, ctx));
  }

  // Runs one handler; if it throws, whatever it asked for is taken back and the agent waits to be rebuilt.
  #run(cell: Cell, from: AgentId, handler: (ctx: RecordingContext) => unknown): void {
    const context = this.#contexts.get(cell);
    assert(context !== undefined, "every cell has a context");
    this.#desk.mark();
    const queued = this.#queue.length;
    cell.stopping = false;
    context.open(from);
    try {
      const result = handler(context);
      if (result instanceof Promise) {
        result.catch(() => {});
        throw new TypeError("A handler returned a promise, want it to finish at once");
      }
      if (this.#options.checks) cell.definition.check?.(cell.state);
      if (cell.stopping) {
        this.#end(cell);
        this.#desk.ending(cell.entry.id);
      }
    } catch (error) {
      this.#desk.rollBack();
      this.#queue.length = queued;
      this.#fault(cell, error);
    } finally {
      context.close();
    }
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

  #running(agent: AgentId): Cell | undefined {
    const cell = this.#cells.get(agent);
    return cell?.status === "running" ? cell : undefined;
  }

  #enqueue(item: Item): void {
    if (this.#queue.length - this.#queueHead >= (this.#options.queueMax ?? 100_000)) {
      this.counters.overflowed++;
      return;
    }
    this.#queue.push(item);
  }

  #dequeue(): Item | undefined {
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
