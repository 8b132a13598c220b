// What must be true of tally, whatever happens to its box. `ovid sim` asks after every event.

import { defineInvariant } from "ovid";
import tally from "./tally.ts";

export default defineInvariant({
  doc: "A count that was shown is never forgotten.",
  always(view) {
    for (const { id, state } of view.of(tally)) {
      for (const line of view.printed(id)) {
        const [, word = "", shown = ""] = /^(.+): (\d+)$/.exec(line) ?? [];
        const times = state.durable.times.get(word) ?? 0;
        if (times < Number(shown)) throw new Error(`${word} was ${shown}, and is ${times} now`);
      }
    }
  },
});
