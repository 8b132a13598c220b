// The counter machine: one number. Each addition gives a total of its own, so that a history of additions tells at
// once whether one was lost or done twice.

import { z } from "zod";
import { defineMachine } from "./machine.ts";

/** What may be asked of the counter. */
export const counterOperation = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("add"), amount: z.int() }),
  z.strictObject({ kind: z.literal("read") }),
]);

/** What comes of it. */
export const counterResult = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("total"), total: z.int() }),
  /** Nothing was added: the sum would not be a safe integer. */
  z.strictObject({ kind: z.literal("overflow"), total: z.int() }),
]);

/** An operation of the counter. */
export type CounterOperation = z.infer<typeof counterOperation>;

/** A result of the counter. */
export type CounterResult = z.infer<typeof counterResult>;

/** The counter machine, `counter` in a grid. */
export const counter = defineMachine<{ total: number }, CounterOperation, CounterResult>({
  name: "counter",
  doc: "One whole number: add, which answers the new total, and read.",
  operation: counterOperation,
  result: counterResult,
  initial: () => ({ total: 0 }),
  apply(state, operation) {
    if (operation.kind === "add") {
      const total = state.total + operation.amount;
      if (!Number.isSafeInteger(total)) return { kind: "overflow", total: state.total };
      state.total = total;
    }
    return { kind: "total", total: state.total };
  },
  isRead: (operation) => operation.kind === "read",
});
