// The desk of a register: writes to a majority of its copies, reads from a majority.

import { type AgentId, defineAgent } from "ovid";
import { z } from "zod";
import { protocol } from "./protocol.ts";

/** How many operations may be under way; the oldest is forgotten, its client has given up. */
const underWayMax = 1000;

interface Operation {
  readonly asker: AgentId;
  readonly answered: Set<AgentId>;
  /** The newest that was read so far. */
  number: number;
  value: string | null;
}

export default defineAgent({
  type: "desk",
  version: 1,
  doc: "Keeps a register in copies: writes to a majority, reads from a majority.",
  attrs: z.strictObject({}),
  protocol,
  routes: ["copies"],
  init: () => ({ lastOp: 0, lastNumber: 0, underWay: new Map<number, Operation>() }),
  on: {
    put(state, { value }, ctx) {
      const op = begin(state, ctx.from);
      ctx.send("copies", { type: "write", op, number: ++state.lastNumber, value });
    },
    written(state, { op }, ctx) {
      const operation = state.underWay.get(op);
      if (operation === undefined) return;
      operation.answered.add(ctx.from);
      if (operation.answered.size < majority(ctx.targets("copies"))) return;
      state.underWay.delete(op);
      ctx.sendTo(operation.asker, { type: "done" });
    },
    get(state, _message, ctx) {
      const op = begin(state, ctx.from);
      ctx.send("copies", { type: "read", op });
    },
    held(state, { op, number, value }, ctx) {
      const operation = state.underWay.get(op);
      if (operation === undefined) return;
      operation.answered.add(ctx.from);
      if (number > operation.number) {
        operation.number = number;
        operation.value = value;
      }
      if (operation.answered.size < majority(ctx.targets("copies"))) return;
      state.underWay.delete(op);
      ctx.sendTo(operation.asker, { type: "value", value: operation.value });
    },
  },
});

interface Desk {
  lastOp: number;
  readonly underWay: Map<number, Operation>;
}

function begin(desk: Desk, asker: AgentId): number {
  const [oldest = 0] = desk.underWay.keys();
  if (desk.underWay.size >= underWayMax) desk.underWay.delete(oldest);
  desk.underWay.set(++desk.lastOp, { asker, answered: new Set(), number: 0, value: null });
  return desk.lastOp;
}

function majority(copies: readonly AgentId[]): number {
  return Math.ceil(copies.length / 2);
}
