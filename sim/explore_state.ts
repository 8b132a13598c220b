// The states of an exploration: of the whole, and of each box, with what each input makes of it. A box depends on its
// own state alone, so each of its steps is taken once, in however many states of the whole it occurs. A host cannot be
// copied: the life of the box is run again. For equal states to go on equally, all that decides what happens next must
// be in sight: what agents draw is fixed for each life, timers take their lower bound, and are written down.

import { copyData, encodeData } from "../core/data.ts";
import type { AgentDefinition } from "../core/define.ts";
import type {
  Append,
  Batch,
  DurableImage,
  Envelope,
  Fault,
  Input,
  Note,
} from "../core/envelope.ts";
import type { Outgoing, Output } from "../core/envelope.ts";
import { assert } from "../core/error.ts";
import type { Grid } from "../core/grid.ts";
import { Host } from "../core/host.ts";
import type { AgentId, BoxId } from "../core/id.ts";
import { reachedUs, shownMs } from "./explore_clock.ts";
import { tame } from "./explore_tame.ts";
import { type BoxEvent, formatEvent } from "./world_event.ts";

/** What may happen to a box that is up. `timer`: its clock goes forward until the next timer is due. */
export type BoxInput = Input | { readonly kind: "timer" };

/** What an agent is made of, as a copy. */
export interface AgentCopy {
  readonly status: string;
  readonly state: object;
}

/** A state of a box. There is one object for each: equal states are identical. */
export interface BoxState {
  readonly id: number;
  readonly box: BoxId;
  /** The agents by their ids; none while the box is down. */
  readonly agents: ReadonlyMap<AgentId, AgentCopy>;
  readonly up: boolean;
  /** How often the box has started. */
  readonly life: number;
  readonly now: number;
  /** When the next timer is due; undefined if none is armed. */
  readonly wakeAt: number | undefined;
  /** The same in microseconds of the one time of all boxes, if there is one. */
  readonly dueUs: number | undefined;
  /** What its disk holds, and the same as text: two journals may come to the same. */
  readonly images: ReadonlyMap<AgentId, DurableImage>;
  readonly durable: string;
}

/** What an input makes of a box. */
export interface BoxStep {
  readonly id: number;
  readonly to: BoxState;
  readonly appends: readonly Append[];
  readonly sends: readonly Outgoing[];
  readonly outputs: readonly Output[];
  readonly notes: readonly Note[];
  readonly faults: readonly Fault[];
}

/** An input, and what the clock of the box showed, if not what it shows by itself. */
interface TimedInput {
  readonly input: BoxInput;
  readonly now: number | undefined;
}

/** How a box came into a state: the start of its life, and its inputs since. */
interface Origin {
  readonly life: Life;
  readonly inputs: readonly TimedInput[];
  readonly text: string;
}

/** The start of a box, and what its clock showed. */
interface Life {
  readonly down: BoxState;
  readonly now: number;
}

/** What all boxes under exploration are made of. */
export interface BoxOptions {
  readonly grid: Grid;
  /** What every start but the first goes by. */
  readonly laterGrid: Grid;
  readonly definitions: ReadonlyMap<string, AgentDefinition>;
  /** By how much the clock of the box is wrong; undefined if the time of the box is nobody else's. */
  readonly driftPpm: number | undefined;
}

/** Something that may happen next. */
export type Choice =
  | { readonly kind: "deliver" | "lose"; readonly link: number; readonly index: number }
  | { readonly kind: "timer" | "crash" | "start"; readonly box: number };

/** The way to a state, last step first. */
export interface Path {
  readonly before: Path | undefined;
  readonly choice: Choice;
}

/** A message between boxes; one object for each that is different. */
export interface Letter {
  readonly id: number;
  readonly envelope: Envelope;
}

/** What a judge remembers; one object for each that is different. */
export interface Seen {
  readonly id: number;
  readonly value: unknown;
}

/** A state of the whole. */
export interface Whole {
  readonly path: Path | undefined;
  /** The time of all boxes; undefined if each has its own. */
  readonly us: number | undefined;
  readonly boxes: readonly BoxState[];
  /** What is in flight from each box to each, oldest first: link `from * boxes + to`. */
  readonly links: readonly (readonly Letter[])[];
  /** How many more messages may be lost, timers fire and boxes crash. */
  readonly losses: number;
  readonly timers: number;
  readonly crashes: number;
  readonly seen: Seen;
}

/** How many steps in a row a box may take before it must have come to rest. */
const stepsMax = 1000;

const noWake = { wakeAt: undefined, dueUs: undefined };

const nothing = { appends: [], sends: [], outputs: [], notes: [], faults: [] } as const;

/** All states of one box, as far as anybody has asked for them. */
export class ExploredBox {
  /** The box before its first start. */
  readonly initial: BoxState;
  readonly #options: BoxOptions;
  readonly #states = new Map<string, BoxState>();
  readonly #origins: (Origin | undefined)[] = [];
  readonly #steps = new Map<string, BoxStep>();
  #stepCount = 0;

  constructor(box: BoxId, options: BoxOptions) {
    this.#options = options;
    const images = new Map<AgentId, DurableImage>();
    this.initial = this.#down({ box, life: 0, now: 0, images, durable: "" });
  }

  /** How many different states the box has been seen in. */
  get states(): number {
    return this.#states.size;
  }

  /** Ends the box at once. Its disk has all that it ever appended, its memory is gone. */
  crash(from: BoxState): BoxStep {
    return this.#once(`${from.id} crash`, () => ({ ...nothing, to: this.#down(from) }));
  }

  /** @param us The time of all boxes, if there is one. */
  start(down: BoxState, us?: number): BoxStep {
    assert(!down.up, "only a box that is down can start");
    return this.#once(`${down.id} start ${us}`, () => {
      const life = { down, now: this.#shows(us) ?? down.now };
      const run = new Run(life, this.#options);
      return { ...run.boot, to: this.#state(run, life, []) };
    });
  }

  /**
   * @param key Tells this input from all others that this box may get.
   * @param us The time of all boxes, if there is one.
   */
  take(from: BoxState, input: BoxInput, key: string, us?: number): BoxStep {
    return this.#once(`${from.id} ${key} ${us}`, () => {
      const origin = this.#origins[from.id];
      assert(origin !== undefined, "only a box that is up takes inputs");
      const { life } = origin;
      const run = new Run(life, this.#options);
      for (const earlier of origin.inputs) run.take(earlier);
      if (run.text() !== origin.text) {
        throw new Error(`Cannot explore ${from.box}: the same inputs have given two states`);
      }
      const timed = { input, now: this.#shows(us) };
      const done = run.take(timed);
      return { ...done, to: this.#state(run, life, [...origin.inputs, timed]) };
    });
  }

  #shows(us: number | undefined): number | undefined {
    const { driftPpm } = this.#options;
    return us === undefined || driftPpm === undefined ? undefined : shownMs(us, driftPpm);
  }

  #once(key: string, take: () => Omit<BoxStep, "id">): BoxStep {
    const known = this.#steps.get(key);
    if (known !== undefined) return known;
    const step = { ...take(), id: this.#stepCount++ };
    this.#steps.set(key, step);
    return step;
  }

  #down(from: Pick<BoxState, "box" | "life" | "now" | "images" | "durable">): BoxState {
    const { box, life, now, images, durable } = from;
    const known = { box, life, now, images, durable, up: false, ...noWake };
    return this.#intern(`down ${life} ${now} ${durable}`, { ...known, agents: new Map() });
  }

  #state(run: Run, from: Life, inputs: readonly TimedInput[]): BoxState {
    const { host, now, life, wakeAt } = run;
    const { driftPpm } = this.#options;
    const isShared = wakeAt !== undefined && driftPpm !== undefined;
    const text = run.text();
    const images = run.images();
    return this.#states.get(text) ?? this.#intern(text, {
      box: host.box,
      agents: new Map(copyData(run.agents()).map(({ agent, ...copy }) => [agent, copy] as const)),
      up: true,
      ...{ life, now, wakeAt },
      dueUs: isShared ? reachedUs(wakeAt, driftPpm) : undefined,
      images,
      // An agent with records has started before, even if they have left no trace.
      durable: encodeData([host.snapshot(), [...images.keys()]]),
    }, { life: from, inputs, text });
  }

  #intern(text: string, state: Omit<BoxState, "id">, origin?: Origin): BoxState {
    const known = this.#states.get(text);
    if (known !== undefined) return known;
    const fresh = { ...state, id: this.#states.size };
    this.#states.set(text, fresh);
    this.#origins.push(origin);
    return fresh;
  }
}

/** One life of a box, from its start on. */
class Run {
  readonly host: Host;
  readonly life: number;
  /** The timers that are armed, by agent, name and key, and when they are due. */
  readonly armed = new Map<string, number>();
  readonly boot: Omit<BoxStep, "id" | "to">;
  now: number;
  wakeAt: number | undefined;
  readonly #before: BoxState["images"];
  readonly #records = new Map<AgentId, string[]>();

  constructor({ down, now }: Life, { grid, laterGrid, definitions }: BoxOptions) {
    const { box, images } = down;
    this.life = down.life + 1;
    this.now = now;
    this.#before = images;
    // Each life draws numbers of its own: a nonce that was used before a crash must not come again.
    const drawn = this.life * 0.618_033_988_75 % 1;
    const tamed = new Map<string, AgentDefinition>();
    for (const [type, definition] of definitions) {
      tamed.set(type, tame(definition, this.armed, drawn));
    }
    const used = this.life === 1 ? grid : laterGrid;
    this.host = new Host({ box, grid: used, definitions: tamed, seed: 0n, checks: true });
    this.boot = this.#settle(this.host.boot(now, images));
  }

  take({ input, now = this.now }: TimedInput): Omit<BoxStep, "id" | "to"> {
    this.now = Math.max(this.now, now);
    if (input.kind !== "timer") return this.#settle(this.host.step(this.now, [input]));
    assert(this.wakeAt !== undefined, "a timer is armed");
    this.now = Math.max(this.now, this.wakeAt);
    return this.#settle(this.host.step(this.now, []));
  }

  /** All agents, as they are and not as copies. */
  agents(): (AgentCopy & { readonly agent: AgentId })[] {
    return this.host.agents.map((agent) => {
      const { status = "idle", state = {} } = this.host.inspect(agent) ?? {};
      return { agent, status, state };
    });
  }

  /** All that decides what happens next. */
  text(): string {
    // The host fires timers in the order of their times, and of those that are due at once the one armed first.
    const timers = [...this.armed].sort(([, a], [, b]) => a - b);
    return encodeData([this.life, this.now, timers, this.agents(), [...this.images().keys()]]);
  }

  /** What the disk holds now. */
  images(): BoxState["images"] {
    const images = new Map(this.#before);
    for (const [agent, records] of this.#records) {
      images.set(agent, { records: [...images.get(agent)?.records ?? [], ...records] });
    }
    return images;
  }

  /** Lets the host come to rest. */
  #settle(first: Batch): Omit<BoxStep, "id" | "to"> {
    const batches = [first];
    for (let last = first; last.busy; batches.push(last)) {
      assert(batches.length < stepsMax, `${this.host.box} comes to rest`);
      last = this.host.step(this.now, []);
    }
    this.wakeAt = batches.at(-1)?.wakeAt;
    const appends = batches.flatMap((batch) => batch.appends);
    for (const { agent, record } of appends) {
      const records = this.#records.get(agent);
      if (records === undefined) this.#records.set(agent, [record]);
      else records.push(record);
    }
    return {
      appends,
      sends: batches.flatMap((batch) => batch.sends),
      outputs: batches.flatMap((batch) => batch.outputs),
      notes: batches.flatMap((batch) => batch.notes),
      faults: batches.flatMap((batch) => batch.faults),
    };
  }
}

/** Everything that may happen next, when the boxes `victims` may crash. */
export function* choicesOf(
  state: Whole,
  victims: readonly string[],
  reorder = false,
): Generator<Choice> {
  for (const [link, letters] of state.links.entries()) {
    for (let index = 0; index < (reorder ? letters.length : Math.min(1, letters.length)); index++) {
      yield { kind: "deliver", link, index };
      if (state.losses > 0) yield { kind: "lose", link, index };
    }
  }
  // In a time of all boxes nobody's timer fires before one that is due earlier.
  const nextUs = Math.min(...state.boxes.map(({ dueUs = Infinity }) => dueUs));
  for (const [box, { up, wakeAt, dueUs = nextUs, box: id }] of state.boxes.entries()) {
    if (!up) yield { kind: "start", box };
    const isNext = Math.max(dueUs, state.us ?? 0) <= Math.max(nextUs, state.us ?? 0);
    if (wakeAt !== undefined && isNext && state.timers > 0) yield { kind: "timer", box };
    if (up && state.crashes > 0 && victims.includes(id)) {
      yield { kind: "crash", box };
    }
  }
}

/** The item of a list that must be there. */
export function at<T>(list: readonly T[], index: number): T {
  const item = list[index];
  assert(item !== undefined, `there is an item ${index}`);
  return item;
}

/** Equal for equal states and for no others: all of a state is in it. */
export function keyOf({ boxes, links, losses, timers, crashes, seen, us }: Whole): string {
  let key = `${us} ${losses} ${timers} ${crashes} ${seen.id}`;
  for (const { id } of boxes) key += ` ${id}`;
  for (const letters of links) {
    key += "/";
    for (const { id } of letters) key += `${id} `;
  }
  return key;
}

/** What a step does, a line each, for a story. */
export function linesOf({ to: { box }, appends, notes, outputs, faults }: BoxStep): string[] {
  const events: BoxEvent[] = [
    ...notes.map((note) => ({ kind: "note", atUs: 0, box, note } as const)),
    ...appends.map((append) => ({ kind: "append", atUs: 0, box, append } as const)),
    ...outputs.map((output) => ({ kind: "output", atUs: 0, box, output } as const)),
    ...faults.map((fault) => ({ kind: "fault", atUs: 0, box, fault } as const)),
  ];
  // Time means nothing here: it stands still until a timer fires.
  return events.map((event) => `    ${formatEvent(event).replace(/^ *[\d.]+ */, "")}`);
}
