// What the steps that are still to be placed need of the states: how many must find which state, and how many can
// make it. It is what lets the search turn back before it has lost its way, and see that two states are one.

import { nowhere, type Part, type Step } from "./linearizable_part.ts";

/** Counts over the steps that are not placed yet. Steps are taken out and put back as the search goes. */
export class Needs {
  /** For each state, the answered steps that must find it, and those among them that then leave it. */
  readonly #finders: Int32Array;
  readonly #leavers: Int32Array;
  /** For each state, all steps that do something in it alone, and those that do so in all states but it. */
  readonly #friends: Int32Array;
  readonly #strangers: Int32Array;
  /** For each state, the steps that can leave it behind. */
  readonly #makers: Int32Array;
  /** Steps that can leave behind who knows which state. */
  #anyMakers = 0;
  /** Steps of which the model does not tell in which states they can be, or what they leave behind. */
  #vague = 0;
  #allStrangers = 0;

  constructor(part: Part<unknown>) {
    const { size } = part.states;
    this.#finders = new Int32Array(size);
    this.#leavers = new Int32Array(size);
    this.#friends = new Int32Array(size);
    this.#strangers = new Int32Array(size);
    this.#makers = new Int32Array(size);
    for (const step of part.steps) this.count(step, 1);
  }

  /** Puts a step in by 1, takes it out by -1. */
  count(step: Step, by: 1 | -1): void {
    const { from, named, to, answered, inert } = step;
    if (from === "only") {
      add(this.#friends, named, by);
      if (answered) {
        add(this.#finders, named, by);
        if (!inert) add(this.#leavers, named, by);
      }
    } else if (from === "but") {
      add(this.#strangers, named, by);
      this.#allStrangers += by;
    }
    if (!inert) {
      if (to === nowhere) this.#anyMakers += by;
      else add(this.#makers, to, by);
    }
    if (from === "some" || to === nowhere) this.#vague += by;
  }

  /** Whether some state must be found more often than it can be there, so that there is no need to search. */
  areHopeless(initial: number): boolean {
    return this.#finders.some((finders, state) => {
      const visits = (this.#makers[state] ?? 0) + this.#anyMakers + (state === initial ? 1 : 0);
      return (this.#leavers[state] ?? 0) > visits || (finders > 0 && visits === 0);
    });
  }

  /** Whether `step` is the end of all hope if it leaves `state`: somebody must find that, and it cannot come again. */
  forbidLeaving(state: number, step: Step): boolean {
    const mine = step.answered && step.from === "only" && step.named === state ? 1 : 0;
    const makers = (this.#makers[state] ?? 0) + this.#anyMakers - (step.to === nowhere ? 1 : 0);
    // Each that leaves the state behind needs it made once more.
    if ((this.#leavers[state] ?? 0) - mine > makers) return true;
    return makers === 0 && (this.#finders[state] ?? 0) - mine > 0;
  }

  /**
   * Whether no step looks for this state, or does anything in all others: then it is like each other state of which
   * that can be said. From two such states the same steps lead to the same states from here on.
   */
  isForgotten(state: number): boolean {
    return this.#vague === 0 && (this.#friends[state] ?? 0) === 0 &&
      (this.#strangers[state] ?? 0) === 0;
  }

  /**
   * Whether the step can follow all states, and nothing but `ready` steps that only look look for the state that it
   * leaves behind. If these can be placed right after it, the state is forgotten then.
   */
  isOverwritten(step: Step, ready = 0): boolean {
    return step.from === "any" && step.to !== nowhere && this.#vague === 0 &&
      (this.#friends[step.to] ?? 0) === ready && (this.#strangers[step.to] ?? 0) === 0;
  }

  /**
   * Whether an overwritten step, and what is ready to look at it, can stand before any other step that follows all
   * states, wherever they stood: what came after them there can only be such a step too.
   */
  get letOverwrittenGoFirst(): boolean {
    return this.#vague === 0 && this.#allStrangers === 0;
  }

  /** Whether a step without an answer can as well be left out: what comes right after it overwrites it. */
  isUseless(step: Step): boolean {
    return !step.answered && this.letOverwrittenGoFirst && this.isOverwritten(step);
  }
}

function add(counts: Int32Array, index: number, by: number): void {
  counts[index] = (counts[index] ?? 0) + by;
}
