import { assertEquals } from "@std/assert";
import { rig } from "../../sim/rig.ts";
import { vrReplica } from "./replica.ts";

/** One replica of r0, r1 and r2, which somebody has told to lead; and what it has sent since. */
function toldToLead(id: string) {
  const attrs = { replicas: ["r0", "r1", "r2"], machine: "kv", bootstrap: true };
  const agent = rig(vrReplica, { id, attrs, peers: ["r0", "r1", "r2", "r3", "d"] });
  agent.take();
  agent.deliver("d", { type: "lead" });
  const { status, view } = agent.state;
  return { agent, status, view, sent: agent.take().sent };
}

Deno.test("vr_replica: a backup that is to lead votes for the next view that is its own", () => {
  const { agent, status, view, sent } = toldToLead("r2");
  assertEquals([status, view], ["viewChange", 2]);
  const message = { type: "startViewChange", epoch: 0, view: 2 };
  assertEquals(sent, ["r0", "r1"].map((to) => ({ to, message })));
  // A view change that is under way is not begun again.
  agent.deliver("d", { type: "lead" });
  assertEquals([agent.take().sent, agent.state.view], [[], 2]);
});

Deno.test("vr_replica: a primary leads already, and a spare never does", () => {
  assertEquals([toldToLead("r0").sent, toldToLead("r0").view], [[], 0]);
  assertEquals([toldToLead("r3").sent, toldToLead("r3").view], [[], 0]);
});
