// Calls of which one look tells that they contradict each other: somebody found a state that nobody can have made
// since it was overwritten. It is how stale reads look, and where many calls overlap the search may not get that far.
// What is found here is a suspicion; it is for the search to confirm it.

import type { Call } from "./history.ts";
import { isInert, type Model, type Passage, passageOf } from "./linearizable_model.ts";

interface Change {
  readonly call: Call;
  readonly to: string;
}

/**
 * The fewest such calls: who found the state, who overwrote it before, and all who made it before that. None if there
 * are none.
 *
 * @param calls In the order of invocation.
 */
export function suspectCalls<S>(calls: readonly Call[], model: Model<S>): readonly Call[] {
  const passages = new Map(calls.map((call) => [call, passageOf(call, model)]));
  const changes: Change[] = [];
  for (const [call, passage] of passages) {
    if (passage.from === "none" || isInert(call, model, passage)) continue;
    // It may have made any state.
    if (passage.to === undefined) return [];
    changes.push({ call, to: passage.to });
  }
  const makers = makersOf(changes);
  const overwriters = new Overwriters(changes);
  const initial = model.encode(model.initial());
  let suspects: readonly Call[] = [];
  for (const [finder, passage] of passages) {
    const state = foundBy(finder, passage);
    if (state === undefined) continue;
    const overwriter = overwriters.before(finder.invokeUs, state);
    if (overwriter === undefined) continue;
    const before = makers.get(state)?.idleSince(overwriter.invokeUs, finder) ?? [];
    if (before === "busy" || (before.length === 0 && state !== initial)) continue;
    const found = [...before, overwriter, finder];
    if (suspects.length === 0 || found.length < suspects.length) suspects = found;
  }
  return suspects;
}

function foundBy({ returnUs }: Call, { from }: Passage): string | undefined {
  return returnUs !== undefined && typeof from === "object" && "only" in from
    ? from.only
    : undefined;
}

/** The calls that can leave one state behind. */
class Makers {
  /** In the order of invocation. */
  readonly #calls: Call[] = [];
  /** For each, when the last one up to it returned. */
  readonly #busyUntilUs: number[] = [];

  add(call: Call): void {
    this.#calls.push(call);
    this.#busyUntilUs.push(Math.max(this.#busyUntilUs.at(-1) ?? 0, call.returnUs ?? Infinity));
  }

  /** All that can have been before `finder`; "busy" if any of them can have been after `sinceUs`. */
  idleSince(sinceUs: number, finder: Call): readonly Call[] | "busy" {
    const endUs = finder.returnUs ?? Infinity;
    let [low, high] = [0, this.#calls.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#calls[middle]?.invokeUs ?? Infinity) <= endUs) low = middle + 1;
      else high = middle;
    }
    if ((this.#busyUntilUs[low - 1] ?? -1) >= sinceUs) return "busy";
    return this.#calls.slice(0, low);
  }
}

function makersOf(changes: readonly Change[]): ReadonlyMap<string, Makers> {
  const makers = new Map<string, Makers>();
  for (const { call, to } of changes) {
    let ofState = makers.get(to);
    if (ofState === undefined) makers.set(to, ofState = new Makers());
    ofState.add(call);
  }
  return makers;
}

/** Answers who was the last to be asked for a change, of those that were over by some time; times must ascend. */
class Overwriters {
  readonly #changes: readonly Change[];
  #over = 0;
  /** The last one, and the last one that left another state behind than it. */
  #last: Change | undefined;
  #other: Change | undefined;

  constructor(changes: readonly Change[]) {
    this.#changes = changes.filter(({ call }) => call.returnUs !== undefined)
      .sort((a, b) => (a.call.returnUs ?? 0) - (b.call.returnUs ?? 0));
  }

  /** The last one over before `us` that left another state behind than `state`. */
  before(us: number, state: string): Call | undefined {
    for (
      let change = this.#changes[this.#over];
      change !== undefined && (change.call.returnUs ?? us) < us;
      change = this.#changes[++this.#over]
    ) this.#add(change);
    return (this.#last?.to === state ? this.#other : this.#last)?.call;
  }

  #add(change: Change): void {
    if (change.to === this.#last?.to) {
      this.#last = later(this.#last, change);
    } else if (later(this.#last, change) === change) {
      this.#other = this.#last;
      this.#last = change;
    } else this.#other = later(this.#other, change);
  }
}

function later(a: Change | undefined, b: Change): Change {
  return a !== undefined && a.call.invokeUs >= b.call.invokeUs ? a : b;
}
