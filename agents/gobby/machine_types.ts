// What somebody who asks Gobby, and reads its answers, must know of its machine: types and schemas, nothing that runs.

export {
  type Comparison,
  comparison,
  type EventTarget,
  eventTarget,
  type Fence,
  type Gobby,
  type GobbyOperation,
  gobbyOperation,
  type KeyRange,
  keyRange,
  type LockMode,
  lockMode,
  type TransactionStep,
} from "./machine_operation.ts";
export {
  type GobbyOutcome,
  type GobbyResult,
  gobbyResult,
  type Refusal,
  refusal,
  type StepResult,
} from "./machine_result.ts";
export {
  type GobbyEvent,
  gobbyEvent,
  type KeyEntry,
  keyEntry,
  type SessionEnd,
} from "./machine_event.ts";
export { type GobbyLimits, gobbyLimits, type LimitName } from "./machine_limits.ts";
