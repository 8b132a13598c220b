import { assert, assertEquals, assertThrows } from "@std/assert";
import { agentId } from "./id.ts";
import {
  type AgentLines,
  bootPuppets,
  boxB,
  go,
  type HostExtras,
  type PuppetActs,
  seen,
} from "./test_support.ts";

const lines: AgentLines = {
  a: { type: "puppet", routes: { both: { b: 1, far: 2 } } },
  b: { type: "puppet" },
  far: { type: "puppet", box: boxB },
};

const boot = (acts: PuppetActs, options: HostExtras = {}) => bootPuppets(lines, acts, options);

Deno.test("host.deliver() does what a step with the same mail does", () => {
  const error = new Error("no");
  const acts: PuppetActs = {
    go(_state, ctx, act) {
      if (act === "throw") throw error;
      if (act === "tick") ctx.setTimer("tick", 5);
      ctx.send("both", { type: "text", text: act });
      ctx.append({ line: act });
    },
    timer: (_state, ctx) => ctx.send("both", { type: "go", act: "late" }),
  };
  const options = { stepMailMax: 2 };
  const [stepped, delivered] = [boot(acts, options), boot(acts, options)];
  const told = ["a", "tick", "b", "c", "throw", "d"].map((act) => go(act));
  for (const [index, input] of told.entries()) {
    const now = 3 * index;
    const batch = delivered.deliver(now, input);
    assertEquals(batch, stepped.step(now, [input]));
    if (batch.faults.length > 0) {
      const revived = delivered.revive(now, agentId("a"), undefined);
      assertEquals(revived, stepped.revive(now, agentId("a"), undefined));
    }
  }
  assertEquals(seen(delivered, "b"), seen(stepped, "b"));
  assertEquals(delivered.counters, stepped.counters);
  assert(delivered.counters.delivered > told.length);
  assertThrows(() => delivered.deliver(0, go()), Error, "the clock of");
});

Deno.test("host: one that uses its batch again says the same in it, and nothing of the step before", () => {
  const error = new Error("no");
  const acts: PuppetActs = {
    go(_state, ctx, act) {
      if (act === "") return;
      ctx.send("both", { type: "text", text: act });
      ctx.append({ line: act });
      ctx.output("console", { type: "print", text: act });
      if (act === "throw") throw error;
      if (act === "stop") ctx.stop();
    },
  };
  const [fresh, reused] = [boot(acts), boot(acts, { reuseBatch: true })];
  const first = reused.step(0, []);
  for (const [now, act] of ["a", "", "b", "throw", "", "c", "stop", ""].entries()) {
    const batch = reused.step(now, [go(act)]);
    assertEquals(batch, fresh.step(now, [go(act)]));
    assert(batch === first);
    if (batch.faults.length === 0) continue;
    assertEquals(
      reused.revive(now, agentId("a"), undefined),
      fresh.revive(now, agentId("a"), undefined),
    );
  }
});
