// Explores a small grid to the end: every order in which messages arrive or are lost, timers fire, and boxes crash and
// start again, within bounds. Breadth first, so that what it finds is the shortest story there is.

import { encodeData } from "../core/data.ts";
import type { AgentDefinition } from "../core/define.ts";
import type { Envelope } from "../core/envelope.ts";
import { messageOf } from "../core/error.ts";
import type { Grid } from "../core/grid.ts";
import { agentId, type BoxId } from "../core/id.ts";
import {
  at,
  type BoxStep,
  type Choice,
  choicesOf,
  ExploredBox,
  keyOf,
  type Letter,
  linesOf,
  type Path,
  type Seen,
  type Whole,
} from "./explore_state.ts";

/** How far to explore. */
export interface Bounds {
  /** How many messages may be lost on a path, timers fire and boxes crash. */
  readonly losses: number;
  readonly timers: number;
  readonly crashes: number;
  /** How long a path may be. */
  readonly depth: number;
  /** After how many states to give up. */
  readonly states: number;
  /** Whether messages of one box to another may overtake each other; default false. */
  readonly reorder?: boolean;
}

/** A grid that can be explored, and what must hold in every state of it. `S` is what its judge remembers. */
export interface Subject<S = unknown> {
  readonly name: string;
  /** What is explored, and what for, in one line. */
  readonly doc: string;
  readonly grid: Grid;
  /** What every start but the first goes by; default `grid`. */
  readonly laterGrid?: Grid;
  readonly definitions: readonly AgentDefinition[];
  /**
   * For grids whose agents trust that clocks run about as fast as time does: by how much the clock of each box is too
   * fast or too slow, in millionths. Timers then fire in the order in which they are due, those of all boxes. Default:
   * clocks have nothing to do with each other, and the time of each box goes on with its own timers alone.
   */
  readonly drifts?: ReadonlyMap<string, number>;
  /** When `lines` are typed, if there are `drifts`, in milliseconds after the start; default 0. */
  readonly typedAtMs?: number;
  /** The boxes that may crash. */
  readonly victims: readonly string[];
  /** What is typed once all boxes have started: agents, and a line for each. */
  readonly lines: readonly (readonly [agent: string, text: string])[];
  readonly bounds: Bounds;
  /** What the judge remembers at first. It is a part of the state, so the less the better. */
  readonly seen: S;
  /**
   * Judges a step of a box by its effects and the state after it.
   *
   * @returns What to remember, `seen` itself being left as it is.
   */
  judge(seen: S, step: BoxStep, violated: (what: string) => never): S;
}

/** What an exploration has found. */
export interface Exploration {
  /** How many different states of the whole were met, and how many steps lead to the farthest. */
  readonly states: number;
  readonly depth: number;
  /** How many different states of single boxes there were. */
  readonly boxStates: number;
  /** Whether every state within the bounds was met. */
  readonly complete: boolean;
  /** What must not happen and did, and the shortest way to it. */
  readonly violation?: { readonly what: string; readonly steps: number; readonly story: string[] };
}

class Violation extends Error {}

/**
 * Explores all that can happen to `subject`. Messages from one box to another arrive in their order, as on a
 * connection, unless `reorder` says otherwise; what is in flight survives a crash of its sender, and is lost if it
 * arrives while its receiver is down.
 *
 * @param changes Bounds other than the subject's own.
 */
export function explore(subject: Subject, changes: Partial<Bounds> = {}): Exploration {
  return new Explorer(subject).run({ ...subject.bounds, ...changes });
}

class Explorer {
  readonly #subject: Subject;
  readonly #ids: readonly BoxId[];
  readonly #boxes: readonly ExploredBox[];
  readonly #letters = new Map<string, Letter>();
  readonly #seen = new Map<string, Seen>();
  readonly #judged = new Map<string, Seen>();
  /** While a story is told: what it is to say. */
  #story: string[] | undefined;

  constructor(subject: Subject) {
    const { grid, laterGrid = grid, drifts } = subject;
    const definitions = new Map(subject.definitions.map((each) => [each.type, each]));
    this.#subject = subject;
    this.#ids = grid.boxes;
    this.#boxes = grid.boxes.map((box) => {
      const driftPpm = drifts === undefined ? undefined : drifts.get(box) ?? 0;
      return new ExploredBox(box, { grid, laterGrid, definitions, driftPpm });
    });
  }

  run(bounds: Bounds): Exploration {
    const known = new Set<string>();
    let depth = 0;
    let way: Path | undefined;
    const report = (complete: boolean): Exploration => ({
      states: known.size,
      depth,
      boxStates: this.#boxes.reduce((sum, { states }) => sum + states, 0),
      complete,
    });
    try {
      let frontier = [this.#begin(bounds)];
      for (const state of frontier) known.add(keyOf(state));
      while (frontier.length > 0) {
        const next: Whole[] = [];
        for (const state of frontier) {
          for (const choice of choicesOf(state, this.#subject.victims, bounds.reorder)) {
            if (depth >= bounds.depth || known.size >= bounds.states) return report(false);
            way = { before: state.path, choice };
            const after = this.#after(state, choice, way);
            const key = keyOf(after);
            if (known.has(key)) continue;
            known.add(key);
            next.push(after);
          }
        }
        if (next.length > 0) depth++;
        frontier = next;
      }
      return report(true);
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      return { ...report(false), violation: { what: error.message, ...this.#tell(bounds, way) } };
    }
  }

  /** All boxes have started, and what is to be typed has been typed. */
  #begin({ losses, timers, crashes }: Bounds): Whole {
    const { grid, lines, seen, drifts, typedAtMs = 0 } = this.#subject;
    let state: Whole = {
      path: undefined,
      us: drifts === undefined ? undefined : 0,
      boxes: this.#boxes.map(({ initial }) => initial),
      links: Array.from({ length: this.#boxes.length ** 2 }, () => []),
      ...{ losses, timers, crashes },
      seen: this.#remember(seen),
    };
    for (const box of this.#boxes.keys()) state = this.#after(state, { kind: "start", box });
    if (drifts !== undefined) state = { ...state, us: 1000 * typedAtMs };
    for (const [name, text] of lines) {
      const agent = agentId(name);
      const box = grid.boxes.findIndex((id) => id === grid.agents.get(agent)?.box);
      const event = { device: "terminal", event: { type: "line", text } } as const;
      const input = { kind: "device", agent, event } as const;
      this.#say(`${agent} <  ${text}`);
      state = this.#with(
        state,
        box,
        this.#box(box).take(at(state.boxes, box), input, text, state.us),
      );
    }
    return state;
  }

  #after(before: Whole, choice: Choice, path?: Path): Whole {
    const state = { ...before, path };
    if ("link" in choice) return this.#pass(state, choice);
    const explored = this.#box(choice.box);
    const from = at(state.boxes, choice.box);
    switch (choice.kind) {
      case "start":
        this.#say(`${from.box} starts`);
        return this.#with(state, choice.box, explored.start(from, state.us));
      case "crash":
        this.#say(`${from.box} crashes`);
        return {
          ...this.#with(state, choice.box, explored.crash(from)),
          crashes: state.crashes - 1,
        };
      case "timer": {
        this.#say(`${from.box} wakes, its clock at ${from.wakeAt} ms`);
        const us = state.us === undefined ? undefined : Math.max(state.us, from.dueUs ?? 0);
        const step = explored.take(from, { kind: "timer" }, "timer", us);
        return { ...this.#with({ ...state, us }, choice.box, step), timers: state.timers - 1 };
      }
    }
  }

  /** A message arrives, or does not. */
  #pass(state: Whole, { kind, link, index }: Extract<Choice, { readonly link: number }>): Whole {
    const letters = at(state.links, link);
    const { envelope, id } = at(letters, index);
    const box = link % this.#ids.length;
    const { type, ...body } = envelope.message;
    const from = at(state.boxes, box);
    const fate = kind === "lose" ? "lost" : from.up ? undefined : "down";
    this.#say(
      `${envelope.from} ${fate === undefined ? "->" : "x "} ${envelope.to}  ${type} ` +
        `${JSON.stringify(body)}${fate === undefined ? "" : ` (${fate})`}`,
    );
    const links = state.links.with(link, letters.toSpliced(index, 1));
    if (kind === "lose") return { ...state, links, losses: state.losses - 1 };
    if (!from.up) return { ...state, links };
    const step = this.#box(box).take(from, { kind: "mail", envelope }, `mail ${id}`, state.us);
    return this.#with({ ...state, links }, box, step);
  }

  /** What a step of a box makes of the whole. */
  #with(state: Whole, box: number, step: BoxStep): Whole {
    this.#story?.push(...linesOf(step));
    let { links } = state;
    for (const outgoing of step.sends) {
      const link = box * this.#ids.length + this.#ids.indexOf(outgoing.box);
      links = links.with(link, [...at(links, link), this.#letter(outgoing)]);
    }
    const seen = this.#judge(state.seen, box, step);
    return { ...state, boxes: state.boxes.with(box, step.to), links, seen };
  }

  #judge(seen: Seen, box: number, step: BoxStep): Seen {
    const key = `${seen.id} ${box} ${step.id}`;
    const known = this.#judged.get(key);
    if (known !== undefined) return known;
    const violated = (what: string): never => {
      throw new Violation(what);
    };
    const [fault] = step.faults;
    if (fault !== undefined) violated(`${fault.agent} faults: ${messageOf(fault.error)}`);
    const next = this.#remember(this.#subject.judge(seen.value, step, violated));
    this.#judged.set(key, next);
    return next;
  }

  #remember(value: unknown): Seen {
    const text = encodeData(value);
    const seen = this.#seen.get(text) ?? { id: this.#seen.size, value };
    this.#seen.set(text, seen);
    return seen;
  }

  #letter(envelope: Envelope): Letter {
    const text = JSON.stringify(envelope);
    const letter = this.#letters.get(text) ?? { id: this.#letters.size, envelope };
    this.#letters.set(text, letter);
    return letter;
  }

  #box(index: number): ExploredBox {
    return at(this.#boxes, index);
  }

  /** Goes a way once more, and says what happens on it. */
  #tell(bounds: Bounds, way: Path | undefined): { steps: number; story: string[] } {
    const choices: Choice[] = [];
    for (let path = way; path !== undefined; path = path.before) choices.unshift(path.choice);
    const story = this.#story = [];
    try {
      let state = this.#begin(bounds);
      for (const [index, choice] of choices.entries()) {
        this.#say(`step ${index + 1}`);
        state = this.#after(state, choice);
      }
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
    } finally {
      this.#story = undefined;
    }
    return { steps: choices.length, story };
  }

  #say(line: string): void {
    this.#story?.push(line);
  }
}
