// One agent inside its host: its definition, its state, and what it takes to run a handler of it.

import type { StartReason } from "./agent.ts";
import { decodeData, encodeData } from "./data.ts";
import type { AgentDefinition } from "./define.ts";
import type { DurableImage } from "./envelope.ts";
import { messageOf } from "./error.ts";
import type { AgentEntry } from "./grid.ts";
import { type QuickCheck, QuickChecks } from "./quick_check.ts";
import { deriveSeed, type Random, seededRandom } from "./random.ts";
import { describeIssues, faultOf, type Schema, validate } from "./schema.ts";

/**
 * `idle`: not started yet. `running`: takes mail. `faulted`: waits to be rebuilt. `stopped`: ended, in peace or
 * not, until its box starts anew.
 */
export type CellStatus = "idle" | "running" | "faulted" | "stopped";

/** Thrown by `ctx.fail`. */
export class AgentFailure extends Error {
  override readonly name = "AgentFailure";
}

/** How an agent takes messages of one type. */
export interface Intake {
  readonly handler: (state: object, message: unknown, ctx: unknown) => unknown;
  readonly schema: Schema<unknown>;
  readonly quick: QuickCheck;
}

/** An agent's definition and state. Its host alone calls it. */
export class Cell {
  readonly entry: AgentEntry;
  readonly definition: AgentDefinition;
  readonly attrs: unknown;
  readonly random: Random;
  status: CellStatus = "idle";
  /** Whether a handler threw since the state was last built: it may hold changes that no journal has. */
  tainted = false;
  /** When its handlers last threw, newest last. */
  readonly faultsAt: number[] = [];
  /** Set by `ctx.stop` during a handler. */
  stopping = false;
  #durable: unknown;
  #recovered: StartReason = "new";
  #state: object = {};
  readonly #quick: QuickChecks;
  /** By types of messages, as they are first met. */
  readonly #intakes = new Map<string, Intake>();
  #lastType: string | undefined;
  #lastIntake: Intake | undefined;

  /** @throws {TypeError} if the grid's attrs do not satisfy the definition. */
  constructor(entry: AgentEntry, definition: AgentDefinition, seed: bigint) {
    this.entry = entry;
    this.definition = definition;
    const attrs = validate(definition.attrs, entry.attrs);
    if (!attrs.ok) {
      throw new TypeError(
        `Cannot make agent ${entry.id} of type ${definition.type}: ${
          describeIssues(attrs.issues, "attrs")
        }`,
      );
    }
    this.attrs = deepFreeze(attrs.value);
    this.random = seededRandom(deriveSeed(seed, entry.id));
    this.#quick = definition["~quick"] ?? new QuickChecks();
  }

  get state(): object {
    return this.#state;
  }

  /** Builds the state from what the disk holds, as if nothing volatile had ever been. */
  rebuild(image: DurableImage | undefined): void {
    const { definition, entry } = this;
    const empty = image === undefined ||
      (image.snapshot === undefined && image.records.length === 0);
    this.tainted = false;
    this.#recovered = empty ? "new" : "recovered";
    this.#durable = definition.durable === undefined ? undefined : this.#replay(image);
    const volatile = definition.init(this.attrs, entry.id);
    this.#state = Object.defineProperty(volatile, "durable", {
      value: this.#durable,
      enumerable: true,
      configurable: true,
    });
  }

  /** How messages of `type` are taken; undefined for a type that the agent does not take. */
  intake(type: string): Intake | undefined {
    if (type !== this.#lastType) {
      this.#lastIntake = this.#findIntake(type);
      this.#lastType = type;
    }
    return this.#lastIntake;
  }

  #findIntake(type: string): Intake | undefined {
    const known = this.#intakes.get(type);
    if (known !== undefined) return known;
    const { on, protocol } = this.definition;
    const handler = Object.hasOwn(on, type) ? on[type] : undefined;
    const schema = protocol[type];
    if (handler === undefined || schema === undefined) return undefined;
    const intake = { handler, schema, quick: this.#quick.of(schema) };
    this.#intakes.set(type, intake);
    return intake;
  }

  /** What is wrong with a record, in words; undefined if nothing is. */
  recordFault(schema: Schema<unknown>, record: unknown): string | undefined {
    return this.#quick.of(schema)(record) ? undefined : faultOf(schema, record, "record");
  }

  /**
   * The cell that takes this one's place under another definition, with the durable state that this one has.
   *
   * @throws {Error} if the definition cannot take the attrs or the durable state.
   */
  successor(definition: AgentDefinition, seed: bigint): Cell {
    const cell = new Cell(this.entry, definition, seed);
    const snapshot = this.snapshot();
    cell.rebuild(snapshot === undefined ? undefined : { snapshot, records: [] });
    return cell;
  }

  /** Why the agent starts, by what {@linkcode rebuild} found. */
  get startReason(): StartReason {
    return this.#recovered;
  }

  /** Changes the durable state by one record. */
  apply(record: unknown): void {
    this.definition.apply?.(this.#durable, record);
  }

  /** The durable state as a snapshot holds it; undefined for an agent without one. */
  snapshot(): { version: number; durable: string } | undefined {
    if (this.definition.durable === undefined) return undefined;
    return { version: this.definition.version, durable: encodeData(this.#durable) };
  }

  #replay(image: DurableImage | undefined): unknown {
    const { definition, entry } = this;
    const snapshot = image?.snapshot;
    let durable: unknown;
    if (snapshot === undefined) durable = definition.durable?.(this.attrs);
    else if (snapshot.version === definition.version) durable = decodeData(snapshot.durable);
    else if (definition.upgrade !== undefined && snapshot.version < definition.version) {
      durable = definition.upgrade(decodeData(snapshot.durable), snapshot.version);
    } else {
      throw new Error(
        `Cannot start agent ${entry.id}: its durable state has version ${snapshot.version}, ` +
          `want ${definition.version}${
            definition.upgrade === undefined ? " or an upgrade()" : " or older"
          }`,
      );
    }
    for (const [index, record] of (image?.records ?? []).entries()) {
      try {
        definition.apply?.(durable, JSON.parse(record));
      } catch (error) {
        throw new Error(
          `Cannot start agent ${entry.id}: record ${index} of its journal does not apply: ${
            messageOf(error)
          }`,
          { cause: error },
        );
      }
    }
    return durable;
  }
}

function deepFreeze(value: unknown): unknown {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}
