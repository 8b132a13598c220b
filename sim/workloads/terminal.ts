// Lines typed at terminals: each terminal has somebody who types a line, waits for its answer, and types the next.

import type { TerminalSettings } from "../../core/config/simulation.ts";
import type { Json } from "../../core/data.ts";
import type { Grid } from "../../core/grid.ts";
import { agentId } from "../../core/id.ts";
import { randomInteger } from "../../core/random.ts";
import type { Stage } from "../scenario.ts";
import { paceOf, Typist } from "../scenarios/typist.ts";
import { type Client, playOf } from "./client.ts";
import { type Answers, answersOf, drawHoles, fill, type Holes, match } from "./template.ts";
import type { Workload } from "./workload.ts";

type TerminalSizes = "clients" | "requests" | "keys";

interface Line {
  readonly line: string;
  readonly operation: unknown;
  /** Undefined if anything that is printed answers it. */
  readonly answers: Answers | undefined;
}

/** The line that was typed last. */
interface Typed {
  readonly text: string;
  readonly line: Line;
  readonly holes: Holes;
  /** Its call in the history; undefined for a line that nobody answers. */
  readonly call: number | undefined;
}

/** The workload `terminal`. */
export function terminalWorkload(settings: TerminalSettings, grid: Grid): Workload<TerminalSizes> {
  const { agents, requests, keys } = settings;
  const lines = settings.lines.map(lineOf);
  return {
    sizes: { clients: [1, agents.length], requests, keys },
    play(stage) {
      const shared = { values: 0 };
      const typing = agents.slice(0, stage.sizes.clients).map((agent) =>
        new TerminalClient(agent, grid.agents.get(agentId(agent))?.box ?? "", lines, stage, shared)
      );
      return playOf(typing);
    },
  };
}

function lineOf(each: TerminalSettings["lines"][number]): Line {
  if (typeof each === "string") return { line: each, operation: each, answers: undefined };
  const { line, operation = line, answers } = each;
  return { line, operation, answers: answers === undefined ? undefined : answersOf(answers) };
}

class TerminalClient implements Client {
  committed = 0;
  readonly #agent: string;
  readonly #box: string;
  readonly #lines: readonly Line[];
  readonly #stage: Stage<TerminalSizes>;
  readonly #shared: { values: number };
  readonly #typist: Typist;
  #left: number;
  /** Whether it has yet to get an answer now that the faults are over, so that every run has one. */
  #owed = false;
  /** Counts the answers that were lost: what was asked before may happen beside what follows. */
  #lives = 0;
  #typed: Typed | undefined;

  constructor(
    agent: string,
    box: string,
    lines: readonly Line[],
    stage: Stage<TerminalSizes>,
    shared: { values: number },
  ) {
    this.#agent = agent;
    this.#box = box;
    this.#lines = lines;
    this.#stage = stage;
    this.#shared = shared;
    this.#left = stage.sizes.requests;
    const { world, random, sizes, safetyMs } = stage;
    this.#typist = new Typist({
      world,
      agent,
      box,
      think: paceOf(random, sizes.requests, safetyMs),
      next: () => this.#next(),
      awaits: () => this.#typed?.call !== undefined,
      isAnswer: (text) => this.#resultOf(text) !== undefined,
      answered: (text) => this.#answered(text),
      lost: () => {
        this.#lives++;
        stage.count("answers lost");
      },
    });
  }

  get done(): boolean {
    return this.#typist.done;
  }

  get waitsFor(): string | undefined {
    if (this.done) return undefined;
    return `${this.#agent} has not answered ${JSON.stringify(this.#typed?.text ?? "anything")}`;
  }

  heal(core: readonly string[]): void {
    if (!core.includes(this.#box)) return this.#typist.leave();
    this.#owed = true;
    this.#typist.wake();
  }

  #next(): string | undefined {
    if (this.#left-- <= 0 && !this.#owed) return undefined;
    const { random, sizes, history, world } = this.#stage;
    const line = this.#lines[randomInteger(random, 0, this.#lines.length - 1)];
    if (line === undefined) return undefined;
    const holes = drawHoles(random, sizes.keys, ++this.#shared.values);
    const text = String(fill(line.line, holes));
    if (line.answers?.size === 0) {
      this.#typed = { text, line, holes, call: undefined };
      this.#commit();
      return text;
    }
    const client = `${this.#agent}.${this.#lives}`;
    const operation = fill(line.operation, holes);
    const call = history.invoke(client, operation, Math.round(1000 * world.now));
    this.#typed = { text, line, holes, call };
    return text;
  }

  /** What an answer says to the model; undefined if it is no answer to what was typed. */
  #resultOf(text: string): Json | undefined {
    if (this.#typed === undefined) return undefined;
    const { line: { answers }, holes } = this.#typed;
    if (answers === undefined) return text;
    for (const [pattern, result] of answers) {
      const found = match(pattern, text, holes);
      if (found !== undefined) return result === undefined ? text : fill(result, found);
    }
    return undefined;
  }

  #answered(text: string): void {
    const { history, world } = this.#stage;
    const result = this.#resultOf(text);
    if (this.#typed?.call === undefined || result === undefined) return;
    history.answer(this.#typed.call, result, Math.round(1000 * world.now));
    this.#commit();
  }

  #commit(): void {
    this.committed++;
    this.#owed = false;
  }
}
