// Whether a history is linearizable: whether all that clients were told can be explained by their operations having
// happened one after the other, each at some moment between its invocation and its answer. The search is bounded;
// when it comes to its end without an answer, it says so.

import { assert } from "../core/error.ts";
import type { Call } from "./history.ts";
import { evidentClash, smallestClash } from "./linearizable_explain.ts";
import type { Model } from "./linearizable_model.ts";
import { preparePart } from "./linearizable_part.ts";
import { type Budget, explain } from "./linearizable_search.ts";
import { formatMs } from "./world_event.ts";

/** What a check may cost. */
export interface CheckLimits {
  /** Looks at an operation, all in all: the time. */
  readonly stepsMax?: number;
  /** Configurations that are remembered, for one part of the history at a time: the memory. */
  readonly configurationsMax?: number;
  /** The same for making a failure small. As much as `stepsMax` by default; 0 leaves it as it was found. */
  readonly shrinkStepsMax?: number;
}

/** Some ten seconds of searching. */
export const stepsMaxDefault = 100_000_000;

/** Some half a gigabyte. */
export const configurationsMaxDefault = 3_000_000;

/** What came of a check. */
export type Verdict =
  | { readonly kind: "linearizable" }
  | {
    readonly kind: "not linearizable";
    /** The part of the state, as the model names it; empty if there is only one. */
    readonly part: string;
    /** How many calls concern the part. */
    readonly calls: number;
    /** At least so many of their answers, in the order in which they came, can be explained together. */
    readonly explainedAnswers: number;
    /**
     * The calls whose answers contradict each other, in the order of invocation. If `isSmallest`, then without any
     * one of the answers the others can be explained.
     */
    readonly clash: readonly Call[];
    /**
     * Other calls that were taken into account: even if each of them happened at any time after its invocation,
     * or never, and whatever it answered, the clash cannot be explained.
     */
    readonly others: readonly Call[];
    /** Whether the clash could be made as small as can be within the limits. */
    readonly isSmallest: boolean;
  }
  | {
    readonly kind: "unknown";
    readonly part: string;
    readonly calls: number;
    /** How many of the answers, in the order in which they came, the best try could explain. */
    readonly explainedAnswers: number;
    /** What ran out. */
    readonly limit: "stepsMax" | "configurationsMax";
  };

/**
 * Decides whether a history is linearizable, part by part, the small parts first.
 *
 * @example A read that gives what was already overwritten.
 * ```ts
 * import { checkLinearizable } from "./linearizable.ts";
 * import { kvModel } from "./linearizable_model.ts";
 *
 * const put = (value: string, invokeUs: number, returnUs: number) => ({
 *   client: "c1",
 *   operation: { kind: "put", key: "x", value },
 *   result: { kind: "stored" },
 *   invokeUs,
 *   returnUs,
 * });
 * const get = {
 *   client: "c2",
 *   operation: { kind: "get", key: "x" },
 *   result: { kind: "value", value: "1" },
 *   invokeUs: 50,
 *   returnUs: 60,
 * };
 * const verdict = checkLinearizable([put("1", 10, 20), put("2", 30, 40), get], kvModel);
 * console.log(verdict.kind); // not linearizable
 * ```
 *
 * @throws {RangeError} if a call returns before it is invoked, or a time is not a whole number.
 */
export function checkLinearizable<S>(
  history: readonly Call[],
  model: Model<S>,
  limits: CheckLimits = {},
): Verdict {
  const { stepsMax = stepsMaxDefault, configurationsMax = configurationsMaxDefault } = limits;
  // One for all parts: were it one for each, many hard parts could take as many times as long.
  const shrinkBudget: Budget = {
    steps: limits.shrinkStepsMax ?? stepsMax,
    configurations: configurationsMax,
  };
  let stepsLeft = stepsMax;
  let unknown: Verdict | undefined;
  for (const [part, calls] of partsOf(history, model)) {
    const budget: Budget = { steps: stepsLeft, configurations: configurationsMax };
    const { explained, answers } = explain(preparePart(calls, model), budget);
    stepsLeft = Math.max(budget.steps, 0);
    if (explained === "yes") continue;
    const clash = explained === "no"
      ? smallestClash(calls, model, answers, shrinkBudget)
      : evidentClash(calls, model, answers, shrinkBudget);
    if (clash !== undefined) {
      return { kind: "not linearizable", part, calls: calls.length, ...clash };
    }
    const limit = stepsLeft === 0 ? "stepsMax" : "configurationsMax";
    unknown ??= { kind: "unknown", part, calls: calls.length, explainedAnswers: answers, limit };
  }
  return unknown ?? { kind: "linearizable" };
}

/** The parts of a history, the small ones first, so that a hard one does not eat up what the others need. */
function partsOf<S>(history: readonly Call[], model: Model<S>): [string, Call[]][] {
  const parts = new Map<string, Call[]>();
  for (const call of history) {
    requireTimes(call);
    const name = model.partition?.(call.operation) ?? "";
    const part = parts.get(name);
    if (part === undefined) parts.set(name, [call]);
    else part.push(call);
  }
  for (const calls of parts.values()) calls.sort((a, b) => a.invokeUs - b.invokeUs);
  return [...parts].sort(([, a], [, b]) => a.length - b.length);
}

function requireTimes({ client, invokeUs, returnUs, result }: Call): void {
  const isOrdered = Number.isSafeInteger(invokeUs) && invokeUs >= 0 &&
    (returnUs === undefined || (Number.isSafeInteger(returnUs) && returnUs >= invokeUs));
  if (!isOrdered) {
    throw new RangeError(
      `Cannot check history: a call of ${JSON.stringify(client)} lasts from ${invokeUs} to ` +
        `${returnUs} us, want whole numbers, ascending from 0`,
    );
  }
  assert((result === undefined) === (returnUs === undefined), "an answer has a result and a time");
}

const shownOthersMax = 10;

/** A verdict in words, for people: lines without their ends. */
export function verdictLines(verdict: Verdict): string[] {
  if (verdict.kind === "linearizable") return ["The history is linearizable"];
  const { part, calls, explainedAnswers } = verdict;
  const where = part === "" ? `${calls} calls` : `${calls} calls on ${JSON.stringify(part)}`;
  if (verdict.kind === "unknown") {
    return [
      `Nobody knows whether the history is linearizable: ${verdict.limit} was reached on the ` +
      `${where}, when the first ${explainedAnswers} answers were explained`,
    ];
  }
  const { clash, others, isSmallest } = verdict;
  const lines = [
    `The history is not linearizable: of the ${where}, the first ${explainedAnswers} answers can ` +
    `be explained, but not all`,
    clashTitle(clash.length, isSmallest),
    ...clash.map(callLine),
  ];
  if (others.length > 0) {
    lines.push("Nor do these explain it, whether and whenever they happened:");
    lines.push(...others.slice(-shownOthersMax).map(callLine));
    const hidden = others.length - shownOthersMax;
    if (hidden > 0) lines.push(`  and ${hidden} before them`);
  }
  return lines;
}

function clashTitle(count: number, isSmallest: boolean): string {
  if (!isSmallest) return `Among these ${count} there is a contradiction:`;
  return count === 1
    ? "Nothing explains this one:"
    : `These ${count} contradict each other, and without any one of them there is no contradiction:`;
}

// In the milliseconds of a story, where the call can then be found.
function callLine({ client, operation, result, invokeUs, returnUs }: Call): string {
  const answer = result === undefined ? "no answer" : JSON.stringify(result);
  const until = returnUs === undefined ? "" : formatMs(returnUs);
  return `  ${client}  ${formatMs(invokeUs)}..${until} ms  ${JSON.stringify(operation)}  ${answer}`;
}
