import { assertEquals } from "@std/assert";
import type { AnyMessage } from "../../core/agent.ts";
import { rig } from "../../sim/rig.ts";
import { paxosMember } from "./member.ts";

const leading = { round: 1, leader: "r0" };
const own = { epoch: 0, ballot: leading };

/** What one member of r0, r1 and r2 asks r2 to promise when it is told to lead, after it has heard this from another. */
function sentWhenToldToLead(id: string, from: string, ...heard: AnyMessage[]): AnyMessage[] {
  const attrs = { replicas: ["r0", "r1", "r2"], machine: "kv", bootstrap: true };
  const agent = rig(paxosMember, { id, attrs, peers: ["r0", "r1", "r2", "r3", "d"] });
  for (const message of heard) agent.deliver(from, message);
  agent.take();
  agent.deliver("d", { type: "lead" });
  const { sent } = agent.take();
  agent.deliver("d", { type: "lead" });
  assertEquals(agent.take().sent, [], "it is not begun again");
  return sent.filter(({ to, message }) => to === "r2" && message.type === "p1a")
    .map(({ message }) => message);
}

Deno.test("paxos_member: one that is to lead begins a later ballot", () => {
  const ping = { type: "ping", ...own, decided: 0 };
  assertEquals(sentWhenToldToLead("r1", "r0", ping), [
    { type: "p1a", epoch: 0, ballot: { round: 2, leader: "r1" }, after: 0 },
  ]);
});

Deno.test("paxos_member: one that is behind keeps nobody waiting", () => {
  assertEquals(sentWhenToldToLead("r1", "r0", { type: "ping", ...own, decided: 5 }), []);
});

Deno.test("paxos_member: a leader leads already, and who is not in the configuration never does", () => {
  const promise = { asked: leading, decided: 0, after: 0, until: 0, more: false, pvalues: [] };
  assertEquals(sentWhenToldToLead("r0", "r1", { type: "p1b", ...own, ...promise }), []);
  assertEquals(sentWhenToldToLead("r3", "r0"), []);
});
