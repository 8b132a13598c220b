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
import { isInert, type Model, namedBy, passageOf } from "./linearizable_model.ts";
import { preparePart } from "./linearizable_part.ts";
import { type Budget, explain, type Finding } from "./linearizable_search.ts";
import { suspectCalls } from "./linearizable_suspects.ts";

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
 * @param budget Its steps are for all searches together and are counted down, its configurations for each.
 */
export function smallestClash<S>(
  calls: readonly Call[],
  model: Model<S>,
  explained: number,
  budget: Budget,
): Clash {
  const shrinking = new Shrinking(calls, model, explained, budget);
  shrinking.shrink();
  return shrinking.outcome();
}

/**
 * Looks for a clash in a part of a history that was too hard to decide: without the answers that make it hard, it may
 * be easy to see that the others cannot be explained. Undefined if it is not.
 */
export function evidentClash<S>(
  calls: readonly Call[],
  model: Model<S>,
  explained: number,
  budget: Budget,
): Clash | undefined {
  const shrinking = new Shrinking(calls, model, explained, budget);
  if (!shrinking.isEvident()) return undefined;
  shrinking.shrink();
  return shrinking.outcome();
}

/**
 * A search may cost so many times as much as the last one that found no explanation, and so many steps besides. Some
 * histories with few answers left are far harder than that with all; they are not worth the time.
 */
const costFactor = 8;
const costMin = 100_000;

/** The search turns back where there is no hope, which is often this many answers before there is no explanation. */
const strideMin = 64;

/** Chunks of answers, old and new, that only looked and that did not, are forgotten together down to this size. */
const mixedChunkMin = 32;

class Shrinking<S> {
  readonly #model: Model<S>;
  readonly #budget: Budget;
  #costMax = Infinity;
  #isSmallest = false;
  /** How many answers, in the order in which they came, are known to have an explanation together. */
  #explained: number;
  /** All calls with answers, in the order in which these came. */
  readonly #answered: readonly Call[];
  /**
   * The calls that are left, and those of them whose answers are. Once that is known, they have no explanation.
   * What `usefulDrafts` leaves out stays here: that it is of no use is said for these answers, not for fewer.
   */
  #left: readonly Call[];
  #bound: ReadonlySet<Call>;

  constructor(calls: readonly Call[], model: Model<S>, explained: number, budget: Budget) {
    this.#model = model;
    this.#explained = explained;
    this.#budget = budget;
    this.#answered = calls.filter((call) => call.returnUs !== undefined)
      .sort((a, b) => (a.returnUs ?? 0) - (b.returnUs ?? 0));
    this.#left = calls;
    this.#bound = new Set(this.#answered);
  }

  /** Whether there is no explanation of the few that are suspect, or without the answers that tell of shared states. */
  isEvident(): boolean {
    if (this.#areSuspectsGuilty()) return true;
    const hard = new Set(this.#aboutSharedStates());
    return this.#try(this.#answered.filter((call) => !hard.has(call))).explained === "no";
  }

  shrink(): void {
    this.#areSuspectsGuilty();
    this.#cutFarEnd();
    this.#forgetMixed(this.#aboutSharedStates());
    this.#forgetMixed([...this.#bound]);
    this.#cutNearEnd();
    // What only looked goes first: it disappears, and makes all that follows quicker.
    const isInertCall = (call: Call) => isInert(call, this.#model);
    const areInertNeeded = this.#forget([...this.#bound].filter(isInertCall));
    const areOthersNeeded = this.#forget([...this.#bound].filter((call) => !isInertCall(call)));
    this.#isSmallest = areInertNeeded && areOthersNeeded;
  }

  #areSuspectsGuilty(): boolean {
    const suspects = suspectCalls(this.#left, this.#model).filter((call) => this.#bound.has(call));
    return suspects.length > 0 && this.#try(suspects).explained === "no";
  }

  /** Cuts off what is far behind the answers that are known to have an explanation. */
  #cutFarEnd(): void {
    const { inOrder, explained } = this.#known();
    const isWhole = inOrder.length === this.#answered.length;
    for (let end = explained + strideMin; end < inOrder.length; end += end - explained) {
      const finding = this.#try(inOrder.slice(0, end));
      if (isWhole) this.#explained = Math.max(this.#explained, finding.answers);
      if (finding.explained !== "yes") break;
    }
  }

  /** Cuts the end off, as early as can be. */
  #cutNearEnd(): void {
    const { inOrder, ...known } = this.#known();
    let explained = known.explained;
    let unexplained = inOrder.length;
    while (unexplained - explained > 1) {
      const middle = (explained + unexplained) >> 1;
      if (this.#try(inOrder.slice(0, middle)).explained === "no") unexplained = middle;
      else explained = middle;
    }
  }

  /** The answers that are left in the order in which they came, and how many are known to have an explanation. */
  #known(): { inOrder: readonly Call[]; explained: number } {
    const isBound = (call: Call) => this.#bound.has(call);
    const explained = this.#answered.slice(0, this.#explained).filter(isBound).length;
    return { inOrder: this.#answered.filter(isBound), explained };
  }

  /**
   * The answers that tell of states that several calls can leave behind, as "absent" where keys are deleted. They are
   * what makes a search hard, and are seldom what is wrong.
   */
  #aboutSharedStates(): Call[] {
    const makers = new Map<string | undefined, number>();
    const passages = new Map(this.#left.map((call) => [call, passageOf(call, this.#model)]));
    for (const [call, passage] of passages) {
      if (isInert(call, this.#model, passage)) continue;
      makers.set(passage.to, (makers.get(passage.to) ?? 0) + 1);
    }
    const isShared = (state: string | undefined) => (makers.get(state) ?? 0) > 1;
    return [...this.#bound].filter((call) => {
      const passage = passages.get(call);
      return isShared(passage?.to) || (passage !== undefined && isShared(namedBy(passage)));
    });
  }

  /** Forgets large chunks of answers, the old ones first, until that gets too hard. */
  #forgetMixed(answers: readonly Call[]): void {
    let kept = answers;
    for (let size = kept.length; size >= mixedChunkMin; size >>= 1) {
      const { needed, isCertain } = this.#forgetChunks(kept, size);
      if (!isCertain) return;
      kept = needed;
    }
  }

  /**
   * Forgets answers, first many at a time, and at last one by one. To forget more makes it easier to explain, never
   * harder: what could not be forgotten once cannot be forgotten later, so that one pass over single answers is
   * enough. Says whether all that are left are certainly needed.
   */
  #forget(answers: readonly Call[]): boolean {
    let kept = answers;
    for (let size = kept.length; size >= 1; size >>= 1) {
      const { needed, isCertain } = this.#forgetChunks(kept, size);
      if (size === 1) return isCertain;
      kept = needed;
    }
    return true;
  }

  #forgetChunks(answers: readonly Call[], size: number): { needed: Call[]; isCertain: boolean } {
    const needed: Call[] = [];
    let isCertain = true;
    for (let start = 0; start < answers.length; start += size) {
      if (this.#budget.steps <= 0) {
        return { needed: [...needed, ...answers.slice(start)], isCertain: false };
      }
      const chunk = new Set(answers.slice(start, start + size));
      const { explained } = this.#try([...this.#bound].filter((call) => !chunk.has(call)));
      if (explained !== "no") needed.push(...chunk);
      if (explained === "unknown") isCertain = false;
    }
    return { needed, isCertain };
  }

  outcome(): Clash {
    const weaker = this.#weaken(this.#bound);
    return {
      explainedAnswers: this.#explained,
      clash: this.#left.filter((call) => this.#bound.has(call)),
      others: preparePart([...weaker.keys()], this.#model).calls
        .flatMap((call) => weaker.get(call) ?? [])
        .filter((call) => !this.#bound.has(call)),
      isSmallest: this.#isSmallest,
    };
  }

  /** Whether what is left can be explained if only these answers count. If not, nothing else is left. */
  #try(answers: readonly Call[]): Finding {
    if (this.#budget.steps <= 0) return { explained: "unknown", answers: 0 };
    const bound = new Set(answers);
    const weaker = this.#weaken(bound);
    const steps = Math.min(this.#budget.steps, this.#costMax);
    const budget = { steps, configurations: this.#budget.configurations };
    const finding = explain(preparePart([...weaker.keys()], this.#model), budget);
    const cost = steps - Math.max(budget.steps, 0);
    this.#budget.steps -= cost + weaker.size;
    if (finding.explained === "no") {
      this.#bound = bound;
      this.#left = [...weaker.values()];
      this.#costMax = cost * costFactor + costMin;
    }
    return finding;
  }

  /** What is left without the answers that do not count, in its order, each call with the one that it was. */
  #weaken(bound: ReadonlySet<Call>): Map<Call, Call> {
    let endUs = 0;
    for (const { returnUs = 0 } of bound) endUs = Math.max(endUs, returnUs);
    const weaker = new Map<Call, Call>();
    for (const call of this.#left) {
      if (bound.has(call)) weaker.set(call, call);
      else if (call.invokeUs <= endUs && !isInert(call, this.#model)) {
        weaker.set({ ...call, result: undefined, returnUs: undefined }, call);
      }
    }
    return weaker;
  }
}
