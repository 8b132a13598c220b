// Whether one part of a history can be explained: the search of Wing and Gong, "Testing and Verifying Concurrent
// Objects" (1993), with the memory that Lowe gave it in "Testing for Linearizability" (2017), and without recursion.
//
// A configuration is the steps that are placed and the state that they lead to. What may be placed next is what was
// invoked before the first answer to a step that is not placed. Configurations that were seen are not tried again.
// That alone is exponential in the number of steps that overlap; the rules that keep it small are explained where
// they are, each with the reason why it hides no explanation.
//
// Nor do they together, each trusting to what another cuts off. Some cut off what has no explanation. The others say
// that if there is an explanation this way, there is one another way: with fewer steps without answers; or with as
// many, from a configuration with fewer of them placed; or with as many from here, by a step that stands before the
// other in a fixed order. Had all explanations been cut off, take the configuration that was gone on from and has one,
// with the fewest answers left, then the fewest steps without answers to come, then the fewest placed: whatever cut
// off its explanation points to a lesser one.

import { assert } from "../core/error.ts";
import { equalJson } from "./linearizable_model.ts";
import { Needs } from "./linearizable_needs.ts";
import { never, nowhere, type Part, type Step } from "./linearizable_part.ts";
import { EventRing } from "./linearizable_ring.ts";

/** What may still be spent. The search counts down. */
export interface Budget {
  /** Looks at a step in a configuration. */
  steps: number;
  /** Configurations and states that are remembered: they are nearly all of the memory. */
  configurations: number;
}

/** What came of a search. */
export interface Finding {
  readonly explained: "yes" | "no" | "unknown";
  /** How many answers, in the order in which they came, the best try could explain. */
  readonly answers: number;
}

/** How many transitions are remembered, to save time; then all are forgotten, and asked of the model again. */
const transitionsMax = 1_000_000;

/** A configuration counts once more for so many steps that it tells of, so that a long one is not as cheap. */
const stepsInConfiguration = 1024;

/** Searches for an order of the part's steps that explains all answers. */
export function explain<S>(part: Part<S>, budget: Budget): Finding {
  return new Search(part, budget).run();
}

/** A configuration on the way to the present one, and what is still to be tried from it. */
interface Frame {
  readonly state: number;
  /** How many steps were placed. */
  readonly placed: number;
  readonly detour: readonly number[];
  readonly children: readonly number[];
  next: number;
}

class Search<S> {
  readonly #part: Part<S>;
  readonly #steps: readonly Step[];
  readonly #budget: Budget;
  readonly #needs: Needs;
  readonly #ring: EventRing;
  readonly #slots: Int32Array;
  /** What names a configuration: the state, the first return, and the window's bits. */
  readonly #key: Uint16Array;
  readonly #window: number[] = [];
  /** For a state, how many steps in the window only look for it, and where the first of them returns. */
  readonly #ready = new Map<number, { count: number; returnedAt: number }>();
  readonly #unanswered: readonly number[];
  /** What a configuration costs. */
  readonly #weight: number;
  readonly #bits = new Map<number, bigint>();
  readonly #isPlaced: Uint8Array;
  readonly #isAwaited: Uint8Array;
  readonly #placed: number[] = [];
  readonly #frames: Frame[] = [];
  readonly #seen = new Map<string, bigint[]>();
  readonly #transitions = new Map<number, number>();
  #state: number;
  #answersLeft = 0;
  /** The unanswered steps that are placed. */
  #taken = 0n;
  #firstReturn = 0;
  #farthestReturn = 0;
  /** The states before the unanswered steps that led here, since an answered one was placed. */
  #detour: readonly number[] = [];

  constructor(part: Part<S>, budget: Budget) {
    const { steps, places } = part;
    this.#part = part;
    this.#steps = steps;
    this.#budget = budget;
    this.#needs = new Needs(part);
    this.#state = part.initial;
    this.#isPlaced = new Uint8Array(steps.length);
    this.#isAwaited = new Uint8Array(steps.length);
    this.#ring = new EventRing(steps, places);
    const unanswered: number[] = [];
    steps.forEach((step, index) => {
      for (const other of step.awaits) this.#isAwaited[other] = 1;
      if (step.answered) this.#answersLeft++;
      else this.#bits.set(index, 1n << BigInt(unanswered.push(index) - 1));
    });
    this.#unanswered = unanswered;
    this.#slots = new Int32Array(steps.length);
    this.#key = new Uint16Array(4 + this.#assignSlots());
    const told = unanswered.length + 16 * this.#key.length;
    this.#weight = 1 + Math.floor(told / stepsInConfiguration);
  }

  /** Gives each answered step a slot of its own while it is under way, so that a few bits name those in a window. */
  #assignSlots(): number {
    const free: number[] = [];
    let slots = 0;
    const ring = this.#ring;
    for (let place = ring.after(ring.end); place !== ring.end; place = ring.after(place)) {
      const index = ring.stepAt(place);
      if (this.#stepOf(index).returnedAt === place) free.push(this.#slots[index] ?? 0);
      else this.#slots[index] = free.pop() ?? slots++;
    }
    return (slots + 15) >> 4;
  }

  run(): Finding {
    const isImpossible = this.#steps.some(({ answered, from }) => answered && from === "none");
    if (isImpossible || this.#needs.areHopeless(this.#part.initial)) return this.#conclude("no");
    while (true) {
      if (this.#placeInert()) this.#detour = [];
      if (this.#answersLeft === 0) return this.#conclude("yes");
      if (this.#budget.steps <= 0 || this.#budget.configurations <= 0) {
        return this.#conclude("unknown");
      }
      const children = this.#isNew() ? this.#children() : [];
      this.#frames.push({
        state: this.#state,
        placed: this.#placed.length,
        detour: this.#detour,
        children,
        next: 0,
      });
      if (!this.#advance()) return this.#conclude("no");
    }
  }

  #conclude(explained: Finding["explained"]): Finding {
    const end = explained === "yes" ? never : this.#farthestReturn;
    return { explained, answers: this.#steps.filter((step) => step.returnedAt < end).length };
  }

  /** Goes on to the next configuration that is to be tried, or says that there is none. */
  #advance(): boolean {
    for (let frame = this.#frames.at(-1); frame !== undefined; frame = this.#frames.at(-1)) {
      while (this.#placed.length > frame.placed) this.#takeBack();
      this.#state = frame.state;
      const child = frame.children[frame.next++];
      if (child !== undefined) {
        this.#detour = this.#stepOf(child).answered ? [] : [...frame.detour, frame.state];
        this.#place(child, this.#follow(child, frame.state));
        return true;
      }
      this.#frames.pop();
    }
    return false;
  }

  #stepOf(index: number): Step {
    const step = this.#steps[index];
    assert(step !== undefined, "the search speaks of steps of its part");
    return step;
  }

  #place(index: number, state: number): void {
    const step = this.#stepOf(index);
    this.#isPlaced[index] = 1;
    this.#placed.push(index);
    this.#needs.count(step, -1);
    this.#state = state;
    if (!step.answered) {
      this.#taken |= this.#bits.get(index) ?? 0n;
      return;
    }
    this.#answersLeft--;
    this.#ring.remove(step);
  }

  #takeBack(): void {
    const index = this.#placed.pop() ?? nowhere;
    const step = this.#stepOf(index);
    this.#isPlaced[index] = 0;
    this.#needs.count(step, 1);
    if (!step.answered) {
      this.#taken ^= this.#bits.get(index) ?? 0n;
      return;
    }
    this.#answersLeft++;
    this.#ring.restore(step);
  }

  /** The state that the step leads to from `state`; {@linkcode nowhere} if it cannot have had its result there. */
  #follow(index: number, state: number): number {
    const step = this.#stepOf(index);
    const { from, named, to, likeness } = step;
    if (from === "none") return nowhere;
    if (from === "only" && state !== named) return nowhere;
    if (from === "but" && state === named) return nowhere;
    const { model, states } = this.#part;
    if (from !== "some" && to !== nowhere && states.get(to) !== undefined) return to;
    const key = likeness * 2 ** 32 + state;
    const remembered = this.#transitions.get(key);
    if (remembered !== undefined) return remembered;
    const present = states.get(state);
    assert(present !== undefined, "a state that was reached is known");
    const applied = model.apply(present.state, step.operation);
    const fits = !step.answered || equalJson(applied.result, step.result);
    const known = states.size;
    const next = fits ? states.add(applied.state) : nowhere;
    this.#budget.configurations -= states.size - known;
    if (this.#transitions.size >= transitionsMax) this.#transitions.clear();
    this.#transitions.set(key, next);
    return next;
  }

  #isAvailable(step: Step): boolean {
    return step.awaits.every((other) =>
      this.#isPlaced[other] === 1 || !this.#stepOf(other).answered
    );
  }

  /**
   * Places what can be placed and never changes a state. It is no choice: in an explanation that has such a step
   * later, it may as well stand here.
   */
  #placeInert(): boolean {
    const placed = this.#placed.length;
    const ring = this.#ring;
    for (let place = ring.after(ring.end); place !== ring.end; place = ring.after(place)) {
      const index = ring.stepAt(place);
      const step = this.#stepOf(index);
      if (step.returnedAt === place) break;
      if (!step.inert || !this.#isAvailable(step)) continue;
      this.#budget.steps--;
      if (this.#follow(index, this.#state) !== nowhere) this.#place(index, this.#state);
    }
    return this.#placed.length > placed;
  }

  /**
   * Fills the window with the answered steps that may come next. Says whether it is worth while to go on from here:
   * not if the same state with the same answered steps was seen before, with the same or fewer of the unanswered
   * ones placed. Those that are left may be placed or not, so that more of them can only help.
   */
  #isNew(): boolean {
    const key = this.#key.fill(0);
    this.#window.length = 0;
    this.#ready.clear();
    const ring = this.#ring;
    let place = ring.after(ring.end);
    for (; place !== ring.end; place = ring.after(place)) {
      const index = ring.stepAt(place);
      const step = this.#stepOf(index);
      if (step.returnedAt === place) break;
      if (step.inert && step.from === "only" && this.#isAvailable(step)) {
        const ready = this.#ready.get(step.named);
        if (ready === undefined) {
          this.#ready.set(step.named, { count: 1, returnedAt: step.returnedAt });
        } else {
          ready.count++;
          ready.returnedAt = Math.min(ready.returnedAt, step.returnedAt);
        }
      }
      this.#budget.steps--;
      const slot = this.#slots[index] ?? 0;
      const word = 4 + (slot >> 4);
      key[word] = (key[word] ?? 0) | (1 << (slot & 15));
      this.#window.push(index);
    }
    this.#firstReturn = place;
    this.#farthestReturn = Math.max(this.#farthestReturn, place);
    const state = this.#needs.isForgotten(this.#state) ? nowhere : this.#state;
    key.set([state & 0xffff, state >>> 16, place & 0xffff, place >>> 16]);
    const name = String.fromCharCode(...key);
    const takenBefore = this.#seen.get(name);
    this.#budget.configurations -= this.#weight;
    if (takenBefore === undefined) {
      this.#seen.set(name, [this.#taken]);
      return true;
    }
    this.#budget.steps -= takenBefore.length * this.#weight;
    if (takenBefore.some((taken) => (taken & this.#taken) === taken)) return false;
    takenBefore.push(this.#taken);
    return true;
  }

  /** What to try next from here, the most promising first. */
  #children(): number[] {
    const needs = this.#needs;
    let answered = this.#window.filter((index) => this.#isOffered(index));
    answered.sort((a, b) => this.#stepOf(a).returnedAt - this.#stepOf(b).returnedAt);
    let unanswered = this.#unanswered.filter((index) => this.#isOffered(index));
    this.#budget.steps -= this.#unanswered.length;
    if (needs.letOverwrittenGoFirst) {
      // Whatever follows all states may as well be preceded by a step that it overwrites, so that among the steps
      // that follow all states this one is the only choice.
      const first = answered.find((index) => {
        const step = this.#stepOf(index);
        return needs.isOverwritten(step, this.#ready.get(step.to)?.count);
      });
      const isChoice = (index: number) =>
        first === undefined || index === first || this.#stepOf(index).from !== "any";
      answered = answered.filter(isChoice);
      unanswered = unanswered.filter(isChoice);
    }
    const children = [...this.#withoutTwins(answered), ...this.#withoutTwins(unanswered)];
    const deadlines = new Map(
      children.map((index) => [index, this.#deadlineOf(this.#stepOf(index))]),
    );
    return children.sort((a, b) => (deadlines.get(a) ?? never) - (deadlines.get(b) ?? never));
  }

  /** The place by which the step had better be placed: where it returns, or something that its state is ready for. */
  #deadlineOf({ to, returnedAt }: Step): number {
    return Math.min(returnedAt, this.#ready.get(to)?.returnedAt ?? never);
  }

  #isOffered(index: number): boolean {
    const step = this.#stepOf(index);
    if (this.#isPlaced[index] === 1 || step.invokedAt > this.#firstReturn) return false;
    if (!this.#isAvailable(step)) return false;
    this.#budget.steps -= 1 + this.#detour.length;
    const next = this.#follow(index, this.#state);
    if (next === nowhere) return false;
    const needs = this.#needs;
    if (next !== this.#state && needs.forbidLeaving(this.#state, step)) return false;
    // Unanswered steps led here, and this one does the same without them: then it is tried without them.
    if (this.#detour.some((before) => this.#follow(index, before) === next)) return false;
    if (step.answered) return true;
    // Without an answer and without an effect there is no reason to place it.
    if (next === this.#state || (needs.isForgotten(next) && needs.isForgotten(this.#state))) {
      return false;
    }
    return !needs.isUseless(step);
  }

  /**
   * Of steps that do the same, the one that returns first: if an explanation has another one here and that one later,
   * they can change places. Only what awaits the other one may stand in between, and keeps it from going later.
   */
  #withoutTwins(indexes: readonly number[]): number[] {
    const firsts = new Map<number, Step>();
    return indexes.filter((index) => {
      const step = this.#stepOf(index);
      const likeness = this.#needs.isOverwritten(step) ? nowhere : step.likeness;
      const first = firsts.get(likeness);
      if (first === undefined) firsts.set(likeness, step);
      return first === undefined ||
        (this.#isAwaited[index] === 1 && first.returnUs === step.returnUs);
    });
  }
}
