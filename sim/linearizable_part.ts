// One part of a history, made ready for the search: its calls in the order of events, what the model tells of each,
// and the states that are known so far.

import type { Json } from "../core/data.ts";
import type { Call } from "./history.ts";
import { isInert, type Model, namedBy, passageOf } from "./linearizable_model.ts";
import { usefulDrafts } from "./linearizable_useful.ts";

/** No state: "unknown", or "none is named". */
export const nowhere = -1;

/** When an operation that has no answer returns. */
export const never = 2 ** 31 - 1;

/** A call as the search sees it. States go by their number in {@linkcode States}. */
export interface Step {
  readonly operation: Json;
  readonly result: Json | undefined;
  readonly answered: boolean;
  /** Equal for calls with the same operation and the same answer, or the same operation and none. */
  readonly likeness: number;
  /** Whether it leaves every state in which it can have its result as it is. */
  readonly inert: boolean;
  readonly from: "any" | "none" | "some" | "only" | "but";
  /** The state that `from` names. */
  readonly named: number;
  /** The only state that it leaves behind, or {@linkcode nowhere} if there are several. */
  readonly to: number;
  /** Places in the order of all events; {@linkcode never} without an answer. */
  readonly invokedAt: number;
  readonly returnedAt: number;
  readonly returnUs: number | undefined;
  /** Steps that come before this one although no place in the order of events says so; see {@linkcode orderEvents}. */
  readonly awaits: readonly number[];
}

/** States by number: those that a passage names, and those that the search comes upon. */
export class States<S> {
  readonly #model: Model<S>;
  readonly #numbers = new Map<string, number>();
  readonly #states: ({ readonly state: S } | undefined)[] = [];

  constructor(model: Model<S>) {
    this.#model = model;
  }

  /** The number of the state with this encoding. */
  numberOf(encoding: string): number {
    const known = this.#numbers.get(encoding);
    if (known !== undefined) return known;
    const number = this.#states.length;
    this.#numbers.set(encoding, number);
    this.#states.push(undefined);
    return number;
  }

  add(state: S): number {
    const number = this.numberOf(this.#model.encode(state));
    this.#states[number] ??= { state };
    return number;
  }

  /** The state itself; undefined as long as it is only named. */
  get(number: number): { readonly state: S } | undefined {
    return this.#states[number];
  }

  get size(): number {
    return this.#states.length;
  }
}

/** A part of a history. */
export interface Part<S> {
  readonly model: Model<S>;
  readonly states: States<S>;
  readonly initial: number;
  /** The call of each step. */
  readonly calls: readonly Call[];
  /** In the order of invocation. Calls without an answer that cannot matter are left out. */
  readonly steps: readonly Step[];
  /** How many places the order of events has. */
  readonly places: number;
}

/** Makes calls of one part ready. */
export function preparePart<S>(calls: readonly Call[], model: Model<S>): Part<S> {
  const states = new States(model);
  const initial = states.add(model.initial());
  const likenesses = new Map<string, number>();
  const steps: Step[] = [];
  const drafts = usefulDrafts(calls.map((call) => {
    const passage = passageOf(call, model);
    return { call, passage, inert: isInert(call, model, passage) };
  }));
  const useful = drafts.map(({ call }) => call);
  const events = orderEvents(useful);
  drafts.forEach(({ call, passage, inert }, index) => {
    const { operation, result, returnUs } = call;
    const { from } = passage;
    const named = namedBy(passage);
    const text = JSON.stringify(returnUs === undefined ? [operation] : [operation, result]);
    const likeness = likenesses.get(text) ?? likenesses.size;
    likenesses.set(text, likeness);
    steps.push({
      operation,
      result,
      answered: returnUs !== undefined,
      likeness,
      inert,
      from: typeof from !== "object" ? from : "only" in from ? "only" : "but",
      named: named === undefined ? nowhere : states.numberOf(named),
      to: passage.to === undefined ? nowhere : states.numberOf(passage.to),
      invokedAt: events.invokedAt[index] ?? 0,
      returnedAt: events.returnedAt[index] ?? never,
      returnUs,
      awaits: events.awaits[index] ?? [],
    });
  });
  return { model, states, initial, calls: useful, steps, places: events.places };
}

interface Order {
  readonly places: number;
  readonly invokedAt: readonly number[];
  readonly returnedAt: readonly number[];
  readonly awaits: readonly (readonly number[])[];
}

/**
 * The order of invocations and answers. Of two events in the same microsecond nobody knows which came first, so
 * invocations are taken to come before answers: calls that touch overlap, and no order is claimed that may not have
 * been. One client is another matter: it asks for the next thing when, and often in the very microsecond in which,
 * it has its answer. What it asked for later must wait for what was answered then; it `awaits` it. That is seen within
 * a part only: that such waits contradict each other across parts goes unnoticed.
 *
 * @param calls In the order of invocation.
 */
function orderEvents(calls: readonly Call[]): Order {
  const events: { readonly us: number; readonly index: number; readonly isReturn: boolean }[] = [];
  calls.forEach(({ invokeUs, returnUs }, index) => {
    events.push({ us: invokeUs, index, isReturn: false });
    if (returnUs !== undefined) events.push({ us: returnUs, index, isReturn: true });
  });
  events.sort((a, b) =>
    a.us - b.us || Number(a.isReturn) - Number(b.isReturn) || a.index - b.index
  );
  const invokedAt: number[] = new Array(calls.length).fill(0);
  const returnedAt: number[] = new Array(calls.length).fill(never);
  events.forEach(({ index, isReturn }, place) => {
    if (isReturn) returnedAt[index] = place;
    else invokedAt[index] = place;
  });
  return { places: events.length, invokedAt, returnedAt, awaits: touchingCalls(calls) };
}

function touchingCalls(calls: readonly Call[]): number[][] {
  const answeredAt = new Map<string, number[]>();
  return calls.map(({ client, invokeUs, returnUs }, index) => {
    const awaits: number[] = [];
    const before = answeredAt.get(`${invokeUs} ${client}`) ?? [];
    for (let i = before.length - 1; i >= 0; i--) {
      const other = before[i] ?? 0;
      awaits.push(other);
      // Whoever took no time awaits all before it, so that those need not be named again.
      if (calls[other]?.invokeUs === invokeUs) break;
    }
    if (returnUs !== undefined) {
      const key = `${returnUs} ${client}`;
      const answered = answeredAt.get(key);
      if (answered === undefined) answeredAt.set(key, [index]);
      else answered.push(index);
    }
    return awaits;
  });
}
