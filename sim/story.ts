// The commands of a golden transcript, carried out in a simulated world. Chance has no say in it but for the waits
// that agents draw: every message takes the same time, every sync too, and what was not synced is lost in a power cut.

import { oneOf, quote } from "../core/config/wording.ts";
import { parseSeed } from "../core/random.ts";
import type { Cast, CastOptions } from "./cast.ts";
import type { Teller } from "./golden.ts";
import { Narrator } from "./narrator.ts";
import { fieldsOf } from "./plain_words.ts";
import { toUs } from "./timeline.ts";
import { World } from "./world.ts";

/** How long nothing new must happen before a story is stable: longer than most agents wait for anything. */
const quietMsDefault = 60;
/** How long `stabilize` and `until` wait at most. */
const patienceMs = 5000;

/** The options of `grid` that every cast has: the seed, and how many ms a message and a sync take. */
const commonOptions = { seed: "1", latency: 0.5, sync: 0.1 };

/** What a quiet block shows: who printed what, and what was asked to be shown. */
const quietSigns: ReadonlySet<string> = new Set([">", "="]);

/** A command: its arguments in words, how many there may be, `->` not counted, and what it does. */
interface Command {
  readonly usage: string;
  readonly least: number;
  readonly most: number;
  /** A number of arguments between the two that says nothing. */
  readonly refuses?: number;
  readonly run: (story: Story, words: readonly string[]) => void;
}

/** A grid that is played. */
interface Play {
  readonly cast: Cast;
  readonly options: CastOptions;
  readonly world: World;
  readonly narrator: Narrator;
}

/** Makes the teller of a golden transcript; see {@linkcode defineCast}. */
export function storyOf(casts: Iterable<Cast>): Story {
  return new Story(casts);
}

/** Carries out the commands of a golden transcript; {@linkcode storyOf} makes it. */
export class Story implements Teller {
  readonly #casts: ReadonlyMap<string, Cast>;
  #playing: Play | undefined;
  #quiet = false;
  /** What grids have left behind that were replaced by others. */
  #lines: string[] = [];
  #commands = 0;

  constructor(casts: Iterable<Cast>) {
    this.#casts = new Map([...casts].map((cast) => [cast.name, cast]));
  }

  tell(text: string): void {
    const [name = "", ...words] = text.trim().split(/\s+/);
    if (name === "quietly" && this.#commands > 0) {
      throw new SyntaxError("quietly stands before the other commands of its block");
    }
    this.#commands++;
    const command = commands.get(name) ?? this.#view(name);
    if (command === undefined) {
      const views = Object.keys(this.#playing?.cast.views ?? {});
      const known = new Set([...commands.keys(), "state", ...views]);
      throw new SyntaxError(`Cannot do ${quote(name)}, want ${oneOf([...known])}`);
    }
    const count = words.filter((word) => word !== "->").length;
    if (count < command.least || count > command.most || command.refuses === count) {
      throw new SyntaxError(`Cannot do ${quote(text)}, want ${`${name} ${command.usage}`.trim()}`);
    }
    command.run(this, words);
  }

  take(): readonly string[] {
    this.#settle();
    const lines = this.#lines;
    this.#lines = [];
    this.#quiet = false;
    this.#commands = 0;
    return lines.length > 0 ? lines : ["ok"];
  }

  /** What is played now. */
  get #play(): Play {
    if (this.#playing === undefined) {
      throw new SyntaxError(`There is no grid yet, want grid ${[...this.#casts.keys()].join("|")}`);
    }
    return this.#playing;
  }

  get world(): World {
    return this.#play.world;
  }

  hush(): void {
    this.#quiet = true;
  }

  grid([name = "", ...settings]: readonly string[]): void {
    const cast = this.#casts.get(name);
    if (cast === undefined) {
      throw new SyntaxError(
        `There is no grid ${quote(name)}, want ${oneOf([...this.#casts.keys()])}`,
      );
    }
    this.#settle();
    const { seed, latency, sync, ...options } = parseOptions(
      { ...commonOptions, ...cast.options },
      settings,
    );
    const [latencyUs, syncUs] = [toUs(Number(latency)), toUs(Number(sync))];
    const world = new World({
      grid: cast.grid(options, true),
      laterGrid: cast.grid(options, false),
      definitions: cast.definitions,
      seed: parseSeed(String(seed)),
      network: { latency: { minUs: latencyUs, maxUs: latencyUs } },
      disk: { sync: { minUs: syncUs, maxUs: syncUs }, tornTails: false },
      // A fault is a line like any other: what follows from it is part of the story.
      allowFaults: true,
      sendBeforeSync: cast.sendBeforeSync ?? false,
    });
    const narrator = new Narrator(cast);
    world.observe((event) => narrator.see(event));
    this.#playing = { cast, options, world, narrator };
  }

  /** Types what a client asks for. */
  client([name = "", ...words]: readonly string[]): void {
    const { cast, world } = this.#play;
    const { agent, line } = cast.ask?.(name, words) ?? { agent: name, line: words.join(" ") };
    world.line(agent, line);
  }

  stabilize(quietMs: number): void {
    const { world, narrator } = this.#play;
    const endMs = world.now + patienceMs;
    for (let before = -1; narrator.count > before;) {
      if (world.now >= endMs) {
        throw new Error(`It is not stable after ${patienceMs} ms, want run MS or until AGENT ...`);
      }
      before = narrator.count;
      world.runFor(quietMs);
    }
  }

  /** Lets time pass until the view `state` of an agent has all of these words. */
  until([agent = "", ...wanted]: readonly string[]): void {
    const { world } = this.#play;
    const endMs = world.now + patienceMs;
    const reached = () => {
      const words = this.#look("state", agent).split(" ");
      return wanted.every((word) => words.includes(word));
    };
    while (!reached()) {
      if (world.now < endMs && world.step()) continue;
      const state = this.#look("state", agent);
      throw new Error(`Waited ${patienceMs} ms for ${agent} ${wanted.join(" ")}, it is ${state}`);
    }
  }

  #view(name: string): Command | undefined {
    const views = this.#playing?.cast.views ?? {};
    if (name !== "state" && !Object.hasOwn(views, name)) return undefined;
    return {
      usage: "[AGENT...]",
      least: 0,
      most: Infinity,
      run: (_story, words) => {
        const { cast, options, world, narrator } = this.#play;
        const all = cast.shown?.(options) ?? [...world.grid.agents.keys()];
        for (const agent of words.length > 0 ? words : all) {
          narrator.add(toUs(world.now), agent, "=", this.#look(name, agent));
        }
      },
    };
  }

  #look(view: string, agent: string): string {
    const { cast, world } = this.#play;
    const inspected = world.inspect(agent);
    if (inspected === undefined) return "down";
    if (inspected.status !== "running") return "ended";
    return cast.views?.[view]?.(inspected.state, agent) ?? fieldsOf(inspected.state);
  }

  /** Writes down what has happened in the grid that is played. */
  #settle(): void {
    if (this.#playing === undefined) return;
    const { world, narrator } = this.#playing;
    this.#lines.push(...narrator.take(toUs(world.now), this.#quiet ? quietSigns : undefined));
  }
}

/** Reads `name=value` words; the defaults say what there is, and of which type. */
function parseOptions<O extends CastOptions>(defaults: O, settings: readonly string[]): O {
  const options = new Map<string, number | string>(Object.entries(defaults));
  for (const setting of settings) {
    const [, name = "", value = ""] = /^([^=]+)=(.+)$/.exec(setting) ?? [];
    const known = options.get(name);
    if (known === undefined) {
      const names = Object.keys(defaults).map((name) => `${name}=...`);
      throw new SyntaxError(`Cannot use ${quote(setting)}, want ${oneOf(names)}`);
    }
    options.set(name, typeof known === "number" ? parseNumber(setting, value) : value);
  }
  return Object.assign({ ...defaults }, Object.fromEntries(options));
}

function parseNumber(given: string, text: string): number {
  if (/^\d{1,9}(\.\d{1,3})?$/.test(text)) return Number(text);
  throw new SyntaxError(
    `Cannot use ${quote(given)}, want a number from 0, in ms to the microsecond`,
  );
}

function parseCount(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new SyntaxError(`Cannot use ${quote(text)}, want a whole number from 1`);
}

/** A command of boxes, one after the other. */
function ofBoxes(act: (world: World, box: string) => void): Command {
  return {
    usage: "BOX...",
    least: 1,
    most: Infinity,
    run: ({ world }, boxes) => boxes.forEach((box) => act(world, box)),
  };
}

/** A command of the links between a box and others; with `->` of those from it alone. */
function ofLinks(
  act: (world: World, a: string, b: string, oneWay: { readonly oneWay: boolean }) => void,
): Command {
  return {
    usage: "BOX [->] BOX...",
    least: 2,
    most: Infinity,
    run({ world }, [from = "", ...others]) {
      const oneWay = others[0] === "->";
      for (const to of oneWay ? others.slice(1) : others) act(world, from, to, { oneWay });
    },
  };
}

function cutPower(world: World, boxes: readonly string[]): void {
  const up = world.grid.boxes.filter((box) => world.isUp(box));
  for (const box of boxes.length > 0 ? boxes : up) world.crash(box, "synced");
}

const heal = ofLinks((world, a, b, oneWay) => world.heal(a, b, oneWay));

const commands: ReadonlyMap<string, Command> = new Map(Object.entries<Command>({
  grid: {
    usage: "NAME [OPTION=VALUE...]",
    least: 1,
    most: Infinity,
    run: (story, words) => story.grid(words),
  },
  quietly: { usage: "", least: 0, most: 0, run: (story) => story.hush() },
  client: {
    usage: "NAME WORDS...",
    least: 2,
    most: Infinity,
    run: (story, words) => story.client(words),
  },
  run: {
    usage: "MS",
    least: 1,
    most: 1,
    run: ({ world }, [ms = ""]) => world.runFor(parseNumber(ms, ms)),
  },
  stabilize: {
    usage: "[MS]",
    least: 0,
    most: 1,
    run: (story, [ms]) => story.stabilize(ms === undefined ? quietMsDefault : parseNumber(ms, ms)),
  },
  until: {
    usage: "AGENT WORD...",
    least: 2,
    most: Infinity,
    run: (story, words) => story.until(words),
  },
  start: {
    usage: "[BOX...]",
    least: 0,
    most: Infinity,
    run: ({ world }, boxes) => world.start(...boxes),
  },
  crash: ofBoxes((world, box) => world.crash(box, "written")),
  "power-cut": {
    usage: "[BOX...]",
    least: 0,
    most: Infinity,
    run: ({ world }, boxes) => cutPower(world, boxes),
  },
  restart: ofBoxes((world, box) => {
    if (world.isUp(box)) world.crash(box, "written");
    world.start(box);
  }),
  "lose-disk": ofBoxes((world, box) => world.loseDisk(box)),
  pause: ofBoxes((world, box) => world.pause(box)),
  resume: ofBoxes((world, box) => world.resume(box)),
  cut: ofLinks((world, a, b, oneWay) => world.cut(a, b, oneWay)),
  heal: {
    ...heal,
    usage: `[${heal.usage}]`,
    least: 0,
    refuses: 1,
    run: (story, words) => words.length === 0 ? story.world.heal() : heal.run(story, words),
  },
  clog: {
    usage: "FROM TO MS",
    least: 3,
    most: 3,
    run: ({ world }, [from = "", to = "", ms = ""]) => world.clog(from, to, parseNumber(ms, ms)),
  },
  drop: {
    usage: "FROM TO TYPE [COUNT]",
    least: 3,
    most: 4,
    run: ({ world }, [from = "", to = "", type = "", count = "1"]) =>
      world.drop(from, to, type, parseCount(count)),
  },
}));
