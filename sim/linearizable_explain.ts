// Why a history is not linearizable: the smallest part of it that cannot be explained.
//
// Not every part of such a history proves anything: without the write, a read of what it wrote cannot be explained
// either. What may be left out is what makes the history easier to explain, so that if the rest has no explanation,
// the whole has none:
// - what comes after some answer: the beginning of a linearizable history is linearizable;
// - an operation that only looked: without it, an explanation is still one;
// - the answer of any other operation: it then may have happened at any time after its invocation, or never. It stays
//   in view, as one of the others that do not help.

import type { Call } from "./history.ts";
import { isInert, type Model } from "./linearizable_model.ts";
import { preparePart } from "./linearizable_part.ts";
import { type Budget, explain } from "./linearizable_search.ts";

/** What a failure comes down to; see `Verdict`. */
export interface Clash {
  readonly explainedAnswers: number;
  readonly clash: readonly Call[];
  readonly others: readonly Call[];
  readonly isSmallest: boolean;
}

/**
 * Makes an unexplainable part of a history small.
 *
 * @param calls In the order of invocation.
 * @param budget Its steps are for all searches together, its configurations for each.
 */
export function smallestClash<S>(calls: readonly Call[], model: Model<S>, budget: Budget): Clash {
  const shrinking = new Shrinking(calls, model, budget);
  const explainedAnswers = shrinking.cutEnd();
  shrinking.forgetAnswers();
  return { explainedAnswers, ...shrinking.outcome() };
}

/** A search may have this part of the steps that are left, so that one that is too hard leaves some for easier ones. */
const searchShare = 4;

class Shrinking<S> {
  readonly #calls: readonly Call[];
  readonly #model: Model<S>;
  readonly #configurations: number;
  #stepsLeft: number;
  #isSmallest = true;
  /** Calls with answers, in the order in which these came. */
  readonly #answered: readonly Call[];
  /** The calls that are left, and those of them whose answers are. */
  #left: readonly Call[];
  #bound: ReadonlySet<Call>;

  constructor(calls: readonly Call[], model: Model<S>, budget: Budget) {
    this.#calls = calls;
    this.#model = model;
    this.#stepsLeft = budget.steps;
    this.#configurations = budget.configurations;
    this.#answered = calls.filter((call) => call.returnUs !== undefined)
      .sort((a, b) => (a.returnUs ?? 0) - (b.returnUs ?? 0));
    this.#left = calls;
    this.#bound = new Set(this.#answered);
  }

  /** Cuts the end off, as early as can be. Gives how many answers are known to have an explanation together. */
  cutEnd(): number {
    let explained = 0;
    let known = 0;
    let unexplained = this.#answered.length;
    while (unexplained - explained > 1) {
      const middle = (explained + unexplained) >> 1;
      const bound = new Set(this.#answered.slice(0, middle));
      const left = this.#begunBy(middle);
      const finding = this.#search(left, bound);
      if (finding === "no") {
        unexplained = middle;
        this.#left = left;
        this.#bound = bound;
      } else {
        explained = middle;
        if (finding === "yes") known = middle;
      }
    }
    return known;
  }

  /** The calls that were invoked when so many answers had come. */
  #begunBy(answers: number): readonly Call[] {
    const endUs = this.#answered[answers - 1]?.returnUs ?? 0;
    return this.#calls.filter((call) => call.invokeUs <= endUs);
  }

  /**
   * Forgets answers as long as the rest cannot be explained, first many at a time and then one by one. To forget more
   * makes it easier to explain, never harder: what could not be forgotten once cannot be forgotten later, so that one
   * pass over single answers is enough.
   */
  forgetAnswers(): void {
    // What only looked goes first: it disappears, and makes all that follows quicker.
    const isInertCall = (call: Call) => isInert(call, this.#model);
    let kept = [...this.#bound].filter(isInertCall);
    kept.push(...[...this.#bound].filter((call) => !isInertCall(call)));
    for (let size = kept.length >> 1; size >= 1; size >>= 1) {
      const needed: Call[] = [];
      for (let start = 0; start < kept.length; start += size) {
        const chunk = kept.slice(start, start + size);
        const bound = new Set(this.#bound);
        for (const call of chunk) bound.delete(call);
        if (this.#search(this.#left, bound) === "no") this.#bound = bound;
        else needed.push(...chunk);
      }
      kept = needed;
    }
  }

  outcome(): Pick<Clash, "clash" | "others" | "isSmallest"> {
    return {
      clash: this.#left.filter((call) => this.#bound.has(call)),
      others: this.#left.filter((call) => !this.#bound.has(call) && !isInert(call, this.#model)),
      isSmallest: this.#isSmallest,
    };
  }

  /** Whether `calls` can be explained if only the answers of those in `bound` count. */
  #search(calls: readonly Call[], bound: ReadonlySet<Call>): "yes" | "no" | "unknown" {
    const weaker: Call[] = [];
    for (const call of calls) {
      if (bound.has(call)) weaker.push(call);
      else if (!isInert(call, this.#model)) weaker.push(withoutAnswer(call));
    }
    const steps = Math.ceil(this.#stepsLeft / searchShare);
    const budget = { steps, configurations: this.#configurations };
    const part = preparePart(weaker, this.#model);
    const { explained } = steps === 0 ? { explained: "unknown" as const } : explain(part, budget);
    this.#stepsLeft -= steps - Math.max(budget.steps, 0);
    if (explained === "unknown") this.#isSmallest = false;
    return explained;
  }
}

function withoutAnswer(call: Call): Call {
  return { ...call, result: undefined, returnUs: undefined };
}
