// What a failure detector promises: it notices who is down, and takes back what it suspected wrongly.

import { defineInvariant } from "ovid";
import peer from "./peer.ts";
import watch from "./repaired.ts";

const noticedWithinMs = 1000;

export default defineInvariant({
  doc: "Who is down for a second is suspected; once all are up, nobody is.",
  memory: () => ({ upAt: new Map([["cat", 0], ["dog", 0]]) }),
  always(view, { upAt }) {
    for (const { id } of view.of(peer)) upAt.set(id, view.now);
    for (const { id, state } of view.of(watch)) {
      for (const [name, at] of upAt) {
        const ms = Math.round(view.now - at);
        if (ms <= noticedWithinMs || state.down.has(name)) continue;
        throw new Error(`${name} is down for ${ms} ms, and ${id} has not noticed`);
      }
    }
  },
  eventually: (view) => view.of(watch).every(({ state }) => state.down.size === 0),
});
