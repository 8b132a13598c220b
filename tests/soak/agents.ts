// Who makes the load of a soak: talkers, whose numbered mail shows whether links keep its order, and keepers, whose
// answers say what is on disk.

import { z } from "zod";
import { defineAgent } from "../../core/define.ts";

const number = z.int().min(1);

const protocol = {
  said: z.object({ number, padding: z.string() }),
  keep: z.object({ number }),
  /** All up to `last` is kept. */
  kept: z.object({ last: z.int() }),
  report: z.object({}),
  reported: z.object({ heard: z.int(), lost: z.int(), disorder: z.int() }),
};

/** How many messages a talker sends at once. */
const burst = 8;
const everyMs = 20;

/** Talks to everybody else, and listens to all. */
export const talker = defineAgent({
  type: "talker",
  version: 1,
  doc: "Sends numbered mail without end, and notes whether others' arrives in its order.",
  attrs: z.object({ canary: z.string() }),
  protocol,
  routes: ["others"],
  timers: ["talk"],
  init: () => ({
    number: 0,
    /** Of each sender the last number that was heard: as many as there are boxes. */
    last: new Map<string, number>(),
    ...{ heard: 0, lost: 0, disorder: 0 },
  }),
  start: (_state, ctx) => ctx.setTimer("talk", everyMs),
  on: {
    said(state, { number }, ctx) {
      const last = state.last.get(ctx.from) ?? 0;
      state.heard++;
      // A cut may lose some, but none may come twice, or behind a later one.
      if (number <= last) state.disorder++;
      else state.lost += number - last - 1;
      state.last.set(ctx.from, number);
    },
    report({ heard, lost, disorder }, _message, ctx) {
      ctx.reply({ type: "reported", heard, lost, disorder });
    },
  },
  onTimer: {
    talk(state, ctx) {
      const numbers = Array.from({ length: burst }, () => ++state.number);
      if (ctx.attrs.canary === "disorder" && state.number % 40 === 0) numbers.reverse();
      const padding = "x".repeat(state.number % 400);
      for (const number of numbers) ctx.send("others", { type: "said", number, padding });
      ctx.setTimer("talk", everyMs);
    },
  },
});

/** Keeps numbers in their order, each once. */
export const keeper = defineAgent({
  type: "keeper",
  version: 1,
  doc: "Keeps the numbers from 1 on, and says how far it has got once that is on disk.",
  attrs: z.object({}),
  protocol,
  record: z.object({ number }),
  durable: () => ({ last: 0 }),
  apply: (durable, record) => void (durable.last = record.number),
  init: () => ({}),
  on: {
    keep(state, { number }, ctx) {
      if (number === state.durable.last + 1) ctx.append({ number });
      ctx.reply({ type: "kept", last: state.durable.last });
    },
  },
});
