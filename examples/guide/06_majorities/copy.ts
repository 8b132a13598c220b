// A copy of the register: keeps the newest value that it was told, on disk.

import { defineAgent } from "ovid";
import { z } from "zod";
import { protocol } from "./protocol.ts";

export default defineAgent({
  type: "copy",
  version: 1,
  doc: "A copy of a register.",
  attrs: z.strictObject({}),
  protocol,
  record: z.object({ number: z.int(), value: z.string().nullable() }),
  durable: (): { number: number; value: string | null } => ({ number: 0, value: null }),
  apply(durable, { number, value }) {
    durable.number = number;
    durable.value = value;
  },
  init: () => ({}),
  on: {
    write(state, { op, number, value }, ctx) {
      if (number > state.durable.number) ctx.append({ number, value });
      ctx.reply({ type: "written", op });
    },
    read(state, { op }, ctx) {
      const { number, value } = state.durable;
      ctx.reply({ type: "held", op, number, value });
    },
  },
});
