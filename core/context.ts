// The context that handlers get: it records what they ask for, into the batch of the step in hand.

import type { AnyMessage } from "./agent.ts";
import { AgentFailure, type Cell } from "./cell.ts";
import type { Desk } from "./desk.ts";
import { copyJson, type Json } from "./data.ts";
import type { DeviceName } from "./devices.ts";
import type { AgentId } from "./id.ts";

/** The longest that a timer may be set for: a year, in milliseconds. */
export const timerMsMax = 365 * 24 * 3_600_000;

/** One for each agent, opened for a handler and closed after it. */
export class RecordingContext {
  readonly self: AgentId;
  readonly attrs: unknown;
  #from: AgentId;
  #open = false;
  /** Of no concern to handlers, whose types do not have it. */
  readonly cell: Cell;
  readonly #desk: Desk;

  constructor(cell: Cell, desk: Desk) {
    this.self = this.#from = cell.entry.id;
    this.attrs = cell.attrs;
    this.cell = cell;
    this.#desk = desk;
  }

  open(from: AgentId): void {
    this.#from = from;
    this.#open = true;
  }

  close(): void {
    this.#open = false;
  }

  get from(): AgentId {
    return this.#from;
  }

  get now(): number {
    return this.#desk.now;
  }

  random(): number {
    this.#requireOpen();
    return this.cell.random();
  }

  targets(route: string): readonly AgentId[] {
    return this.#desk.targets(this.self, route).map((target) => target.agent);
  }

  accepts(agent: AgentId, type: string): boolean {
    return this.#desk.accepts(agent, type);
  }

  send(route: string, message: AnyMessage): void {
    this.#requireOpen();
    const targets = this.#desk.targets(this.self, route);
    if (targets.length === 0) return this.#desk.unrouted(this.self, route);
    for (const { agent, port } of targets) this.#desk.mail(this.self, agent, message, port);
  }

  sendTo(agent: AgentId, message: AnyMessage): void {
    this.#requireOpen();
    this.#desk.mail(this.self, agent, message);
  }

  reply(message: AnyMessage): void {
    this.sendTo(this.#from, message);
  }

  setTimer(timer: string, ms: number | readonly [number, number], key?: string): void {
    this.#requireOpen();
    if (!this.cell.definition.timers?.includes(timer)) {
      throw new TypeError(
        `Cannot set timer ${JSON.stringify(timer)}, want one that timers declares`,
      );
    }
    const delay = typeof ms === "number" ? ms : ms[0] + this.cell.random() * (ms[1] - ms[0]);
    if (!(delay >= 0 && delay <= timerMsMax)) {
      throw new RangeError(`Cannot set timer ${timer} for ${delay} ms, want 0 to ${timerMsMax}`);
    }
    this.#desk.setTimer(this.self, timer, key, this.#desk.now + delay);
  }

  clearTimer(timer: string, key?: string): void {
    this.#requireOpen();
    this.#desk.clearTimer(this.self, timer, key);
  }

  append(record: unknown): void {
    this.#requireOpen();
    this.#desk.append(this.cell, record);
  }

  output(device: DeviceName, output: Json): void {
    this.#requireOpen();
    if (!this.cell.definition.devices?.includes(device)) {
      throw new TypeError(
        `Cannot use device ${JSON.stringify(device)}, want one that devices declares`,
      );
    }
    this.#desk.output(this.self, device, copyJson(output));
  }

  note(event: string, detail?: Json): void {
    this.#requireOpen();
    this.#desk.note(this.self, event, detail === undefined ? undefined : copyJson(detail));
  }

  stop(): void {
    this.#requireOpen();
    this.cell.stopping = true;
  }

  fail(reason: string): never {
    throw new AgentFailure(reason);
  }

  // What is asked for after the handler has returned would be in no batch, and in no replay.
  #requireOpen(): void {
    if (!this.#open) {
      throw new Error(
        `Cannot use the context of agent ${this.self} after its handler has returned`,
      );
    }
  }
}
