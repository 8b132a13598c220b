// What a member knows to be decided, and when it writes that down. A leader knows a decision before its disk does, and
// answers at once: what was decided was accepted by a quorum, on whose disks it is already. So the decision itself is
// written together with whatever is written next.

import type { DeepReadonly } from "../../core/data.ts";
import type { Value } from "./protocol.ts";
import { logEnd, valueAt } from "./state.ts";
import type { Step } from "./step.ts";

/**
 * Writes down what is known to be decided and is not in the log yet. Before any other record: a promise in a later
 * configuration tells that this one has ended, and what is accepted must not be taken for it.
 */
export function writeDecisions({ state, ctx }: Step): void {
  const { decided, durable } = state;
  if (logEnd(durable) < decided) ctx.append({ kind: "decided", to: decided });
}

/** Takes what others know to be decided in the next slots. */
export function takeDecisions(step: Step, values: DeepReadonly<Value[]>): void {
  const { state, ctx } = step;
  writeDecisions(step);
  ctx.append({ kind: "learned", values });
  state.decided += values.length;
}

/** What was decided in the slots after `after`. */
export function decisionsAfter(
  { state: { durable, decided } }: Step,
  after: number,
): DeepReadonly<Value>[] {
  const values: DeepReadonly<Value>[] = durable.log.slice(after - durable.base);
  for (let slot = Math.max(after, logEnd(durable)) + 1; slot <= decided; slot++) {
    const value = valueAt(durable, slot);
    if (value === undefined) break;
    values.push(value);
  }
  return values;
}
