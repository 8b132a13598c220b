// An agent of one's own: it counts the words that are typed, and those that other agents send, and forgets none.

import { defineAgent } from "ovid";
import { z } from "zod";

/** How many different words it counts; further ones are turned away. */
export const wordsMax = 1000;

export default defineAgent({
  type: "tally",
  version: 1,
  doc: "Counts words, typed at its terminal or sent by other agents.",
  // What the grid may say about it.
  attrs: z.strictObject({ greeting: z.string().default("Words, please") }),
  // What it takes, and what it sends.
  protocol: {
    count: z.object({ word: z.string().max(100) }),
    counted: z.object({ word: z.string(), times: z.int() }),
  },
  devices: ["terminal"],
  // What survives a crash: made by `durable`, changed by `apply` alone, one record at a time.
  record: z.object({ word: z.string() }),
  durable: () => ({ times: new Map<string, number>() }),
  apply(durable, { word }) {
    durable.times.set(word, (durable.times.get(word) ?? 0) + 1);
  },
  // What does not: it begins anew with every start.
  init: () => ({ typed: 0 }),
  start(state, ctx) {
    const known = state.durable.times.size;
    ctx.output("terminal", { type: "print", text: `${ctx.attrs.greeting} (${known} known)` });
  },
  on: {
    count(state, { word }, ctx) {
      if (!isWelcome(state.durable.times, word)) return ctx.note("turned away", word);
      ctx.append({ word });
      // It leaves once the record is on disk: nobody is told what a crash could take back.
      ctx.reply({ type: "counted", word, times: state.durable.times.get(word) ?? 0 });
    },
  },
  onDevice: {
    terminal(state, event, ctx) {
      if (event.type === "eof") {
        ctx.output("terminal", { type: "print", text: `${state.typed} typed, goodbye` });
        return ctx.stop();
      }
      const word = event.text.trim();
      if (!isWelcome(state.durable.times, word)) return ctx.note("turned away", word);
      ctx.append({ word });
      state.typed++;
      const text = `${word}: ${state.durable.times.get(word)}`;
      ctx.output("terminal", { type: "print", text });
    },
  },
  // Tests and simulated worlds ask after every step whether this still holds.
  check({ durable }) {
    if (durable.times.size > wordsMax) throw new Error(`${durable.times.size} words`);
  },
});

function isWelcome(times: ReadonlyMap<string, number>, word: string): boolean {
  return word !== "" && (times.has(word) || times.size < wordsMax);
}
