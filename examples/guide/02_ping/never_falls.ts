// What was counted stays counted.

import { defineInvariant } from "ovid";

export default defineInvariant({
  doc: "The number of suspicions that the watch tells never falls.",
  always(view) {
    let last = 0;
    for (const line of view.printed("watch")) {
      const number = Number(line.split(": ").at(-1));
      if (number < last) throw new Error(`it was ${last}, and then ${number}`);
      last = number;
    }
  },
});
