// Whether the operations that a simulation declares are those of the model that comes with Ovid: one that is not would
// be taken for a mistake of the agents.

import { builtInMachines } from "../../agents/machine/registry.ts";
import type { Simulation } from "../../core/config/simulation.ts";
import { describeIssues, validate } from "../../core/schema.ts";
import { fill } from "./template.ts";

/** What stands in for all that is drawn. */
const sample = new Map<string, string | number>([
  ["key", "key1"],
  ["value", "value1"],
  ["amount", 1],
  ["id", 1],
]);

/** An operation that the model does not know. */
export interface OperationFault {
  /** The path below the "simulation". */
  readonly steps: readonly (string | number)[];
  readonly fault: string;
}

/** The operations that a built-in model does not know; none for a model of one's own. */
export function findOperationFaults({ model, workload }: Simulation): OperationFault[] {
  const machine = model === undefined ? undefined : builtInMachines.get(model);
  if (machine === undefined || typeof workload === "string") return [];
  const [key, requests] = workload.type === "terminal"
    ? ["lines", workload.lines] as const
    : ["messages", workload.messages] as const;
  return requests.flatMap((request, index) => {
    if (typeof request === "string" || request.operation === undefined) return [];
    const verdict = validate(machine.operation, fill(request.operation, sample));
    if (verdict.ok) return [];
    const steps = ["workload", key, index, "operation"];
    return [{ steps, fault: describeIssues(verdict.issues) }];
  });
}
