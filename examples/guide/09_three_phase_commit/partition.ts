// The transactions of this chapter, in a network that breaks into two parts while the first of them is under way, and
// into other parts when somebody may be taking the coordinator's place.

import { defineWorkload, randomInteger } from "ovid";
import { silenceMs } from "./protocol.ts";
import transactions from "./transactions.ts";

export default defineWorkload({
  ...transactions,
  sizes: { transactions: [2, 2] },
  play(stage) {
    const { world, random } = stage;
    const { boxes } = world.grid;

    function split(): void {
      world.heal();
      const inside = boxes.filter(() => random() < 0.5);
      for (const a of inside) {
        for (const b of boxes) if (!inside.includes(b)) world.cut(a, b);
      }
    }

    world.at(randomInteger(random, 2, 4), split);
    world.at(randomInteger(random, silenceMs, silenceMs + 150), split);
    return transactions.play(stage);
  },
});
