// Transactions: if all comparisons hold then one list of steps, else the other; all at one revision, or nothing.

import { judge } from "./machine_judge.ts";
import {
  type Budget,
  carryOut,
  get,
  judgeFence,
  judgeWrites,
  range,
  type Write,
} from "./machine_keys.ts";
import type { GobbyLimits } from "./machine_limits.ts";
import { holds, isHeld } from "./machine_locks.ts";
import type { Comparison, Gobby, TransactionStep } from "./machine_operation.ts";
import type { GobbyOutcome, Refusal, StepResult } from "./machine_result.ts";
import type { GobbyState, GobbyView } from "./machine_state.ts";

/** Carries out a transaction. */
export function transaction(
  state: GobbyState,
  operation: Gobby<"transaction">,
  limits: GobbyLimits,
): GobbyOutcome<"transaction" | "refused"> {
  const steps = operation.if.length + operation.then.length + operation.else.length;
  const refusal = judge(limits, "transactionSteps", steps) ?? judgeFence(state, operation.fence);
  if (refusal !== undefined) return refusal;
  const succeeded = operation.if.every((comparison) => isTrue(state, comparison));
  const branch = succeeded ? operation.then : operation.else;
  const refusedStep = judgeSteps(state, branch, limits);
  if (refusedStep !== undefined) return refusedStep;
  const revision = state.revision + 1;
  const budget = { length: limits.answerLength };
  const results = branch.map((step) => carryOutStep(state, step, revision, budget));
  return { kind: "transaction", revision: state.revision, succeeded, results };
}

/** Whether a transaction writes nothing, whichever way it goes. */
export function onlyReads(operation: Gobby<"transaction">): boolean {
  return ![...operation.then, ...operation.else].some(isWrite);
}

function isWrite(step: TransactionStep): step is Write {
  return step.kind === "put" || step.kind === "delete";
}

function judgeSteps(
  state: GobbyView,
  steps: readonly TransactionStep[],
  limits: GobbyLimits,
): Refusal | undefined {
  for (const step of steps) {
    const refusal = step.kind === "range" ? judge(limits, "answers", step.limit) : undefined;
    if (refusal !== undefined) return refusal;
  }
  return judgeWrites(state, steps.filter(isWrite), limits);
}

function carryOutStep(
  state: GobbyState,
  step: TransactionStep,
  revision: number,
  budget: Budget,
): StepResult {
  switch (step.kind) {
    case "get":
      return get(state, step);
    case "range":
      return range(state, step, budget);
    default:
      return carryOut(state, step, revision);
  }
}

/** Whether a comparison is true. */
export function isTrue(state: GobbyView, comparison: Comparison): boolean {
  switch (comparison.target) {
    case "token":
      return isHeld(state, comparison);
    case "holder":
      return comparison.session === null
        ? (state.locks.get(comparison.lock)?.holders.size ?? 0) === 0
        : holds(state, comparison.lock, comparison.session);
    case "value": {
      const found = state.entries.get(comparison.key)?.value;
      if (found === undefined) return comparison.is === "notEqual";
      return relates(found, comparison.is, comparison.value);
    }
    default: {
      const found = state.entries.get(comparison.key)?.[comparison.target] ?? 0;
      return relates(found, comparison.is, comparison.number);
    }
  }
}

type Relation = Extract<Comparison, { target: "value" }>["is"];

function relates<T extends string | number>(found: T, relation: Relation, wanted: T): boolean {
  switch (relation) {
    case "equal":
      return found === wanted;
    case "notEqual":
      return found !== wanted;
    case "less":
      return found < wanted;
    case "greater":
      return found > wanted;
  }
}
