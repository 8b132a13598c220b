// The linearizability checker on histories as long as those of a soak: it decides them within its limits, and finds
// one stale read. How long that takes is for `sim/linearizable_bench.ts` to say.

import { assert, assertEquals } from "@std/assert";
import { checkLinearizable } from "../../sim/linearizable.ts";
import { kvModel } from "../../sim/linearizable_model.ts";
import { longHistory, plantStaleRead } from "./long_history.ts";

const short = Deno.env.has("OVID_SHORT");
const calls = short ? 10_000 : 100_000;
const seeds = short ? [1n] : [1n, 2n, 3n];
const clients = 50;

for (const keys of [5, 20]) {
  for (const seed of seeds) {
    const name = `${calls} calls by ${clients} clients on ${keys} keys, seed ${seed}`;

    Deno.test(`checkLinearizable() decides ${name}, and finds a stale read in it`, () => {
      const history = longHistory({ calls, clients, keys, seed });
      // Easy histories would prove nothing.
      assert(history.filter(({ returnUs }) => returnUs === undefined).length > calls / 200);
      assertEquals(checkLinearizable(history, kvModel).kind, "linearizable");

      for (const share of [0.5, 0.95]) {
        const { calls, staleRead } = plantStaleRead(history, share);
        const verdict = checkLinearizable(calls, kvModel);
        assert(verdict.kind === "not linearizable");
        assert(verdict.clash.includes(staleRead));
        assert(verdict.isSmallest);
        // The read, the put of what it found, and one that came between.
        assertEquals(verdict.clash.length, 3);
      }
    });
  }
}
