// The two ways to find a mistake: random runs, made short, and the search through everything. Both find it, and the
// search tells the shorter story.

import { assert, assertEquals, assertLess } from "@std/assert";
import { makeVrReplica } from "../../agents/vr/replica.ts";
import { vrRules } from "../../agents/vr/rules.ts";
import { explore } from "../../sim/explore.ts";
import { vrSubjectOf } from "../../sim/explore_subjects.ts";
import { runScenario } from "../../sim/run.ts";
import { vrScenarioOf } from "../../sim/scenarios/vr.ts";
import { shrink } from "../../sim/shrink.ts";

const broken = makeVrReplica({
  rules: {
    ...vrRules,
    chooseLog: (votes) => [...votes].sort(([, a], [, b]) => a.op - b.op)[0]?.[0],
  },
});

const name =
  "a new primary that takes the shortest log: the search tells a shorter story than any run";

// Making a run short takes seconds.
Deno.test({ name, ignore: Deno.env.has("OVID_SHORT") }, () => {
  const scenario = vrScenarioOf(broken);
  let seed = 1n;
  while (runScenario(scenario, seed).verdict === "fine") seed++;
  const { result } = shrink(scenario, seed, {}, { seedsMax: 100 });
  assertEquals(result.verdict, "safety");
  const { violation } = explore(vrSubjectOf(broken));
  assert(violation !== undefined);
  // An event of a run is a line of a story, too.
  assertLess(violation.story.length, result.events);
});
