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
import { Needs } from "./linearizable_needs.ts";
import { type Part, preparePart } from "./linearizable_part.ts";
import { type Budget, explain, type Finding } from "./linearizable_search.ts";

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
 * @param explained How many answers, in the order in which they came, are known to have an explanation together.
 * @param budget Its steps are for all searches together, its configurations for each.
 */
export function smallestClash<S>(
  calls: readonly Call[],
  model: Model<S>,
  explained: number,
  budget: Budget,
): Clash {
  const shrinking = new Shrinking(calls, model, budget);
  const explainedAnswers = shrinking.cutEnd(explained);
  shrinking.forgetAnswers();
  return { explainedAnswers, ...shrinking.outcome() };
}

/**
 * A search may cost so many times as much as the last one that found no explanation, and so many steps besides. Some
 * histories with few answers left are far harder than that with all; they are not worth the time.
 */
const costFactor = 8;
const costMin = 100_000;

/** The search turns back where there is no hope, which is often this many answers before there is no explanation. */
const strideMin = 64;

class Shrinking<S> {
  readonly #model: Model<S>;
  readonly #configurations: number;
  #stepsLeft: number;
  #costMax = Infinity;
  #isSmallest = false;
  /** Calls with answers, in the order in which these came. */
  readonly #answered: readonly Call[];
  /** The calls that are left, and those of them whose answers are. Together they have no explanation. */
  #left: readonly Call[];
  #bound: ReadonlySet<Call>;

  constructor(calls: readonly Call[], model: Model<S>, budget: Budget) {
    this.#model = model;
    this.#stepsLeft = budget.steps;
    this.#configurations = budget.configurations;
    this.#answered = calls.filter((call) => call.returnUs !== undefined)
      .sort((a, b) => (a.returnUs ?? 0) - (b.returnUs ?? 0));
    this.#left = calls;
    this.#bound = new Set(this.#answered);
  }

  /**
   * Cuts the end off, soon after what has an explanation. Gives how many answers are known to have one together.
   *
   * @param known How many are known to have one from the start.
   */
  cutEnd(known: number): number {
    let explained = known;
    for (let stride = strideMin; explained + stride < this.#answered.length; stride *= 2) {
      const end = explained + stride;
      const endUs = this.#answered[end - 1]?.returnUs ?? 0;
      const begun = this.#left.filter((call) => call.invokeUs <= endUs);
      const finding = this.#try(begun, new Set(this.#answered.slice(0, end)));
      explained = Math.max(explained, finding.answers);
      if (finding.explained !== "yes") break;
    }
    return explained;
  }

  /** Forgets answers as long as the rest cannot be explained. */
  forgetAnswers(): void {
    // What only looked goes first: it disappears, and makes all that follows quicker.
    const isInertCall = (call: Call) => isInert(call, this.#model);
    const areInertNeeded = this.#forget([...this.#bound].filter(isInertCall));
    const areOthersNeeded = this.#forget([...this.#bound].filter((call) => !isInertCall(call)));
    this.#isSmallest = areInertNeeded && areOthersNeeded;
  }

  /**
   * First many answers at a time, and at last one by one. To forget more makes it easier to explain, never harder:
   * what could not be forgotten once cannot be forgotten later, so that one pass over single answers is enough.
   * Says whether all that are left are certainly needed.
   */
  #forget(answers: readonly Call[]): boolean {
    let kept = answers;
    let areNeeded = true;
    for (let size = kept.length; size >= 1; size >>= 1) {
      const needed: Call[] = [];
      areNeeded = true;
      for (let start = 0; start < kept.length; start += size) {
        if (this.#stepsLeft <= 0) return false;
        const chunk = kept.slice(start, start + size);
        const bound = new Set(this.#bound);
        for (const call of chunk) bound.delete(call);
        const { explained } = this.#try(this.#left, bound);
        if (explained !== "no") needed.push(...chunk);
        if (explained === "unknown") areNeeded = false;
      }
      kept = needed;
    }
    return areNeeded;
  }

  outcome(): Pick<Clash, "clash" | "others" | "isSmallest"> {
    return {
      clash: this.#left.filter((call) => this.#bound.has(call)),
      others: this.#left.filter((call) => !this.#bound.has(call)),
      isSmallest: this.#isSmallest,
    };
  }

  /** Whether `calls` can be explained if only the answers of those in `bound` count. If not, only they are left. */
  #try(calls: readonly Call[], bound: ReadonlySet<Call>): Finding {
    if (this.#stepsLeft <= 0) return { explained: "unknown", answers: 0 };
    const left = calls.filter((call) => bound.has(call) || !isInert(call, this.#model));
    const weaker = left.map((call) =>
      bound.has(call) ? call : { ...call, result: undefined, returnUs: undefined }
    );
    const part = preparePart(weaker, this.#model);
    const steps = Math.min(this.#stepsLeft, this.#costMax);
    const budget = { steps, configurations: this.#configurations };
    const finding = explain(part, budget);
    const cost = steps - Math.max(budget.steps, 0);
    this.#stepsLeft -= cost + left.length;
    if (finding.explained === "no") {
      this.#bound = bound;
      this.#costMax = cost * costFactor + costMin;
      const useless = uselessCalls(part);
      this.#left = left.filter((_, index) => !useless.has(weaker[index]));
    }
    return finding;
  }
}

/** The calls that would not help to explain a part, whether or not they happened. */
function uselessCalls(part: Part<unknown>): ReadonlySet<Call | undefined> {
  const needs = new Needs(part);
  return new Set(part.calls.filter((_, index) => {
    const step = part.steps[index];
    return step !== undefined && needs.isUseless(step);
  }));
}
