import { assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import { makePaxosMember, paxosMember } from "../agents/paxos/member.ts";
import { type PaxosRules, paxosRules } from "../agents/paxos/rules.ts";
import { explore } from "./explore.ts";
import { paxosSubjectOf } from "./explore_paxos.ts";

const short = Deno.env.has("OVID_SHORT");

const subject = paxosSubjectOf(paxosMember);

function broken(rules: Partial<PaxosRules>) {
  return paxosSubjectOf(makePaxosMember({ rules: { ...paxosRules, ...rules } }));
}

Deno.test("explore() goes through all of paxos in which no timer fires, and finds nothing", () => {
  const { complete, violation, states } = explore(subject, { timers: 0 });
  assertEquals([complete, violation], [true, undefined]);
  assertGreater(states, 300);
});

Deno.test({
  name: "explore() goes through all of paxos with a second leader, and finds nothing",
  ignore: short,
  fn() {
    const { complete, violation, states } = explore(subject);
    assertEquals([complete, violation], [true, undefined]);
    // Far fewer would mean that something never happens.
    assertGreater(states, 300_000);
  },
});

Deno.test("explore() tells the shortest stories of broken rules of paxos", () => {
  const stories: readonly [Partial<PaxosRules>, steps: number, what: string][] = [
    [{ pollSize: ({ asked }) => asked.size }, 1, "r1 takes slot 1 for decided"],
    [{ promiseRecord: () => undefined }, 0, "which its disk does not know"],
    [{ mayAccept: () => true }, 7, "who leads has promised its own ballot"],
    [{ isPreempted: (own, heard) => own.round !== heard.round }, 2, "faults"],
  ];
  for (const [rules, steps, what] of stories) {
    const { violation } = explore(broken(rules));
    assertEquals(violation?.steps, steps, violation?.what);
    assertStringIncludes(violation?.what ?? "", what);
  }
});

Deno.test({
  name: "explore() finds a leader of paxos that does not wait for what is decided",
  ignore: short,
  fn() {
    const { violation } = explore(broken({ mayLead: () => true }));
    assertStringIncludes(violation?.what ?? "", "chooses []");
  },
});
