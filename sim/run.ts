// One run of a scenario: faults, then healing, then whatever is left to be answered, then the judgement.

import { messageOf, OvidError } from "../core/error.ts";
import { deriveSeed, type Random, randomInteger, seededRandom } from "../core/random.ts";
import { type Call, History } from "./history.ts";
import { drawCore, Injector } from "./injector.ts";
import { type Changes, exposureOf, makePlan, type Plan } from "./plan.ts";
import { type CheckLimits, checkLinearizable, verdictLines } from "./linearizable.ts";
import type { Model } from "./linearizable_model.ts";
import type { Play, Scenario } from "./scenario.ts";
import type { Observer } from "./transcript.ts";
import { World } from "./world.ts";
import type { WorldEvent } from "./world_event.ts";

/**
 * How a run ended: `safety`, with something that must never be; `liveness`, without something that must be;
 * `determinism`, differently the second time; `unknown`, with a history too hard to judge.
 */
export type Verdict = "fine" | "safety" | "liveness" | "determinism" | "unknown";

/** What judging the history of one run may cost: much less than a second. */
const checkLimits: CheckLimits = {
  stepsMax: 5_000_000,
  configurationsMax: 200_000,
  shrinkStepsMax: 5_000_000,
};

/** What came of a run. It is JSON. */
export interface Result {
  readonly scenario: string;
  readonly seed: string;
  readonly verdict: Verdict;
  readonly events: number;
  readonly virtualMs: number;
  /** Over all events: equal for equal runs. */
  readonly hash: string;
  /**
   * How often what happened: `note.<name>`, `fault.<kind>`, `mail.<fate>.<type>`, and what the scenario counts.
   */
  readonly counters: { readonly [mark: string]: number };
  /** What was wrong, in a line or a few; undefined if nothing. */
  readonly failure?: string;
  /** The last events of a run that failed. */
  readonly story?: readonly string[];
}

/** How long a line of a story may be: a message may carry a whole store. */
const storyLineLengthMax = 500;

/** How a run is looked at. */
export interface RunOptions {
  readonly changes?: Changes;
  readonly observer?: Observer;
  /** Gets the history when the run is over. */
  readonly history?: (calls: readonly Call[]) => void;
  /** How many events the story of a failure has; default 40. */
  readonly storyLines?: number;
  /** Leaves a history that cannot be explained as it was found: quicker, for those who only count failures. */
  readonly brief?: boolean;
}

const livenessMsDefault = 60_000;

const verdicts: ReadonlyMap<string, Verdict> = new Map([
  ["sim.liveness", "liveness"],
  ["sim.unknown", "unknown"],
]);

/** Runs a scenario once. The same scenario, seed and changes give the same result, on every machine. */
export function runScenario(scenario: Scenario, seed: bigint, options: RunOptions = {}): Result {
  const plan = makePlan(scenario, seed, options.changes);
  const run = new Run(scenario, plan, options);
  if (options.observer !== undefined) run.world.observe(options.observer);
  const result = run.result();
  options.history?.(run.history.calls());
  return result;
}

class Run {
  readonly world: World;
  readonly history = new History();
  readonly #scenario: Scenario;
  readonly #plan: Plan;
  readonly #storyLines: number;
  readonly #limits: CheckLimits;
  readonly #random: Random;
  readonly #counters = new Map<string, number>();

  constructor(scenario: Scenario, plan: Plan, { storyLines = 40, brief = false }: RunOptions) {
    this.#scenario = scenario;
    this.#plan = plan;
    this.#storyLines = storyLines;
    this.#limits = brief ? { ...checkLimits, shrinkStepsMax: 0 } : checkLimits;
    const { seed, sizes, weather: { network, disk } } = plan;
    this.#random = seededRandom(deriveSeed(seed, "run"));
    this.world = new World({
      grid: scenario.grid(sizes),
      ...scenario.laterGrid === undefined ? {} : { laterGrid: scenario.laterGrid(sizes) },
      definitions: scenario.definitions,
      seed,
      network,
      disk,
      sendBeforeSync: scenario.sendBeforeSync ?? false,
      transcriptLines: storyLines,
    });
    this.world.observe((event) => this.#countEvent(event));
  }

  result(): Result {
    let verdict: Verdict = "fine";
    let failure: string | undefined;
    try {
      this.#perform();
    } catch (error) {
      verdict = error instanceof OvidError ? verdicts.get(error.code) ?? "safety" : "safety";
      failure = whatOf(error);
    }
    const { world } = this;
    this.#countDisks();
    return {
      scenario: this.#scenario.name,
      seed: String(this.#plan.seed),
      verdict,
      events: world.transcript.events,
      virtualMs: world.now,
      hash: world.transcript.hash,
      counters: Object.fromEntries([...this.#counters].sort(([a], [b]) => a < b ? -1 : 1)),
      ...failure === undefined ? {} : { failure, story: this.#story() },
    };
  }

  #story(): string[] {
    return this.world.transcript.lines(this.#storyLines).map((line) =>
      line.length > storyLineLengthMax ? `${line.slice(0, storyLineLengthMax)} ...` : line
    );
  }

  #perform(): void {
    const { world } = this;
    const { sizes, schedule, safetyMs } = this.#plan;
    const { victims, quorum } = exposureOf(this.#scenario, sizes);
    const { boxes } = world.grid;
    this.#setClocks();
    const play = this.#scenario.play({
      world,
      sizes,
      safetyMs,
      random: seededRandom(deriveSeed(this.#plan.seed, "play")),
      history: this.history,
      count: this.#count,
      violated,
    });
    const injector = new Injector(world, victims ?? boxes, quorum, this.#count);
    injector.mayLose = (box) => play.mayLose?.(box) ?? true;
    injector.plan(schedule);
    world.start();
    world.runUntil(() => play.done() || world.now >= safetyMs, { withinMs: safetyMs });
    const core = play.core?.(this.#random) ?? drawCore(this.#random, boxes, quorum);
    play.healed?.(core);
    injector.heal(core);
    this.#awaitAnswers(play);
    play.conclude?.();
    if (play.model !== undefined) this.#explain(play.model);
  }

  #explain(model: Model<unknown>): void {
    const verdict = checkLinearizable(this.history.calls(), model, this.#limits);
    if (verdict.kind === "linearizable") return;
    const code = verdict.kind === "unknown" ? "sim.unknown" : "sim.safety";
    throw new OvidError(code, verdictLines(verdict).join("\n"));
  }

  #awaitAnswers(play: Play): void {
    const { livenessMs: withinMs = livenessMsDefault } = this.#scenario;
    const over = (what: string) => {
      const open = play.waitsFor?.();
      return `${what}, the faults being over${open === undefined ? "" : `: ${open}`}`;
    };
    this.world.runUntil(() => play.done(), {
      withinMs,
      get what() {
        return over("all answers");
      },
    });
    if (play.committed() === 0) throw new OvidError("sim.liveness", "Nothing was ever answered");
    this.world.runUntil(() => play.converged?.() ?? true, {
      withinMs,
      get what() {
        return over("all boxes to agree");
      },
    });
  }

  #setClocks(): void {
    const { driftPpm } = this.#plan.weather;
    if (driftPpm === 0) return;
    for (const box of this.world.grid.boxes) {
      this.world.driftClock(box, randomInteger(this.#random, -driftPpm, driftPpm));
    }
  }

  readonly #count = (mark: string, by = 1): void => {
    this.#counters.set(mark, (this.#counters.get(mark) ?? 0) + by);
  };

  #countEvent(event: WorldEvent): void {
    if (event.kind === "note") this.#count(`note.${event.note.event}`);
    else if (event.kind === "mail" && event.fate !== "delivered") {
      this.#count(`mail.${event.fate}.${event.envelope.message.type}`);
    } else if (event.kind === "start") this.#count("start");
    else if (event.kind === "sync" && event.compacted) this.#count("compaction");
  }

  #countDisks(): void {
    const { duplicated, reordered } = this.world.mail;
    if (duplicated > 0) this.#count("fault.duplicate", duplicated);
    if (reordered > 0) this.#count("fault.reorder", reordered);
    for (const box of this.world.grid.boxes) {
      const { droppedBytes, tornTails } = this.world.disk(box);
      if (droppedBytes > 0) this.#count("fault.unsyncedBytes", droppedBytes);
      if (tornTails > 0) this.#count("fault.tornTail", tornTails);
    }
  }
}

function violated(what: string): never {
  throw new OvidError("sim.safety", what);
}

// What a world throws ends with its story, which a result has by itself.
function whatOf(error: unknown): string {
  const text = error instanceof OvidError || !(error instanceof Error)
    ? messageOf(error)
    : `${error.name}: ${error.message}`;
  return text.split("; the last ", 1)[0] ?? text;
}
