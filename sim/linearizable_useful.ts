// Which calls without an answer can help to explain the answers of others at all. The rest is left out: each of them
// would double what there is to search.
//
// Why that hides no explanation: take one with the fewest calls without answers, and in it a call without an answer
// that leads to a state X that is not wanted (see `wantedStates`). Some call must follow that could not without it, or
// it would not be there. That call cannot follow all states; it cannot follow X alone, since X would be wanted, unless
// it is itself a call of this kind, and then both may go, or the first of them. So it is a stranger, which follows all
// states but one, Y; the state before was Y, and X is not Y. Hence the call leads from Y, or from all states, to
// another state than Y. At most one such call stands before each stranger, and of those that lead from all states any
// one does as well as any other, if it was invoked by then.

import type { Call } from "./history.ts";
import type { Passage } from "./linearizable_model.ts";

/** A call and what the model tells of it. */
export interface Draft {
  readonly call: Call;
  readonly passage: Passage;
  /** Whether it leaves every state in which it can have its result as it is. */
  readonly inert: boolean;
}

/**
 * The drafts that can matter, in their order: all that have answers, and of the others those that can lead to a state
 * in which some answer can have been given that could not be without.
 */
export function usefulDrafts(drafts: readonly Draft[]): Draft[] {
  const effective = drafts.filter(({ call, inert }) => isAnswered(call) || !inert);
  const strangers = effective.filter(({ passage }) => barredBy(passage) !== undefined);
  const barred = new Set(strangers.map(({ passage }) => barredBy(passage)));
  // Where the model does not tell enough, anything may help.
  if (barred.size > 1 || effective.some(isVague)) return effective;

  const wanted = wantedStates(effective);
  let helpers = 0;
  let lastInvokeUs = 0;
  return effective.filter(({ call, passage: { from, to } }) => {
    if (isAnswered(call) || wanted.has(to)) return true;
    // It leads to a state that nobody looks for, so that it can only help a stranger out of the state that it bars.
    if (barred.size === 0 || barred.has(to)) return false;
    if (from !== "any") return barred.has(onlyIn({ from }));
    // Of those that can do so from everywhere it does not matter which one does, so that the first ones, as many as
    // there are to be helped, are enough. For two of the same microsecond it is not known which was the first.
    if (helpers >= strangers.length) return call.invokeUs === lastInvokeUs;
    helpers++;
    lastInvokeUs = call.invokeUs;
    return true;
  });
}

const isAnswered = (call: Call): boolean => call.returnUs !== undefined;

function onlyIn({ from }: Passage): string | undefined {
  return typeof from === "object" && "only" in from ? from.only : undefined;
}

function barredBy({ from }: Passage): string | undefined {
  return typeof from === "object" && "but" in from ? from.but : undefined;
}

function isVague({ call, passage }: Draft): boolean {
  const { from, to } = passage;
  if (from === "none") return false;
  return from === "some" || to === undefined ||
    (!isAnswered(call) && barredBy(passage) !== undefined);
}

/** The states that an answered step must find, and those from which unanswered ones can lead to such a state. */
function wantedStates(drafts: readonly Draft[]): ReadonlySet<string | undefined> {
  const wanted = new Set<string>();
  const sources = new Map<string, string[]>();
  for (const { call, passage } of drafts) {
    const source = onlyIn(passage);
    if (source === undefined) continue;
    if (isAnswered(call)) {
      wanted.add(source);
    } else if (passage.to !== undefined) {
      const others = sources.get(passage.to);
      if (others === undefined) sources.set(passage.to, [source]);
      else others.push(source);
    }
  }
  // A set gives what is added to it while it is gone through, so that this ends with all of them.
  for (const state of wanted) {
    for (const source of sources.get(state) ?? []) wanted.add(source);
  }
  return wanted;
}
