// Stories of the protocol, each of which went wrong somewhere: in another implementation, or with one rule of ours broken.
// Where a rule is what saves the day, the story is told again without it.

import { assert, assertEquals, assertThrows } from "@std/assert";
import type { PaxosRules } from "./rules.ts";
import { found, get, type GroupOptions, put, SimulatedGroup, stored } from "./sim_group_test.ts";

const others = (
  group: SimulatedGroup,
  id: string,
) => [...group.ids.filter((other) => other !== id).map((other) => `b${other}`), "badmin"];

Deno.test("leaders: phase 1 is done once, for however many slots", () => {
  const group = new SimulatedGroup({ clients: 3, operations: 30, machine: "counter" });
  group.runUntil(() => group.done === 3, 20_000, "all operations");
  assertEquals(group.notes.get("paxos.scout"), 1);
  assertEquals(
    [...group.totals].sort((a, b) => a - b),
    Array.from({ length: 90 }, (_, i) => i + 1),
  );
  group.agree();
});

Deno.test("leaders: when one dies, what it answered is there, and service resumes in time", () => {
  const group = new SimulatedGroup();
  group.ask(put("a", "1"));
  group.world.crash("br0");
  const since = group.world.now;
  assertEquals(group.ask(get("a")), found("1"));
  // Three times the default of viewChangeMs.
  assert(group.world.now - since <= 360, `${group.world.now - since} ms without service`);
});

Deno.test("leaders: one that comes back from its island gives way, and its clients find the other", () => {
  const group = new SimulatedGroup();
  group.ask(put("a", "1"));
  group.cut("br0", others(group, "r0"));
  assertEquals(group.ask(put("a", "2")), stored);
  group.world.heal();
  assertEquals(group.ask(get("a")), found("2"));
  group.agree();
});

Deno.test("leaders: two that duel come to an end", () => {
  const attrs = { viewChangeMs: 4, heartbeatMs: 1 };
  const group = new SimulatedGroup({ latencyUs: 5000, attrs });
  // With as little patience as a message takes, each new leader is taken for dead before it has begun.
  assertEquals(group.ask(put("a", "1")), stored);
  group.runFor(2000);
  const scouts = group.notes.get("paxos.scout") ?? 0;
  group.runFor(2000);
  const later = (group.notes.get("paxos.scout") ?? 0) - scouts;
  assert(scouts > 1 && later < scouts, `${scouts} scouts, then ${later}`);
  assertEquals(group.ask(get("a")), found("1"));
});

/** r2 misses the last decision, and nothing is decided after it. */
function tellOfTheLastDecision(rules: Partial<PaxosRules>): SimulatedGroup {
  const group = new SimulatedGroup({ rules });
  group.cut("br2", ["br0", "br1"]);
  assertEquals(group.ask(put("a", "1")), stored);
  group.runFor(60);
  group.world.heal();
  group.agree();
  return group;
}

Deno.test("catch-up: a member that missed the last decision learns it, without another", () => {
  const group = tellOfTheLastDecision({});
  assertEquals(group.decided("r2"), group.decided("r0"));
  const once = (decided: number, announced: number) => decided > announced ? decided : 0;
  assertThrows(() => tellOfTheLastDecision({ announcement: once }), Error, "agreement");
});

Deno.test("catch-up: who is behind the log gets a snapshot", () => {
  const group = new SimulatedGroup({ attrs: { checkpointOperations: 5, keepOperations: 2 } });
  group.cut("br2", ["br0", "br1"]);
  for (let number = 1; number <= 20; number++) group.ask(put("a", `${number}`));
  assert(group.member("r0").durable.base > 10);
  group.world.heal();
  group.agree();
  assertEquals(group.notes.get("paxos.snapshot_installed"), 1);
});

/**
 * r0 gives slot 2 a value that r1 alone accepts; r2, which never hears of it, gives slot 2 another and has it chosen by
 * r2 and r0; then r1 leads, with what r0 and it have accepted.
 */
function tellOfTwoProposals(rules: Partial<PaxosRules>): SimulatedGroup {
  const group = new SimulatedGroup({ rules });
  group.ask(put("a", "0"));
  group.runFor(60);
  group.cut("br2", ["br0", "br1"]);
  group.world.cut("br1", "br0", { oneWay: true });
  group.world.line("admin", put("a", "1"));
  group.runFor(5);
  assertEquals(group.member("r1").durable.accepted.size, 1);
  group.world.crash("br1");
  group.world.restart("br0");
  group.world.restart("badmin");
  group.world.heal();
  assertEquals(group.ask(put("a", "2")), stored);
  return group;
}

Deno.test("leaders: what a leader finds accepted is proposed again in its own ballot", () => {
  const group = tellOfTwoProposals({});
  group.world.start("br1");
  group.agree();
  assertEquals(group.ask(get("a")), found("2"));
});

Deno.test("durability: all members lose their power, and nothing that was answered is gone", () => {
  for (const rules of [{}, { acceptedAtStart: () => new Map() }]) {
    const tell = () => {
      const group = new SimulatedGroup({ rules });
      assertEquals(group.ask(put("a", "1")), stored);
      // The leader alone knows what was decided; the others have accepted it.
      for (const id of group.ids) group.world.crash(`b${id}`);
      for (const id of ["r1", "r2"]) group.world.start(`b${id}`);
      assertEquals(group.ask(get("a")), found("1"));
    };
    if ("acceptedAtStart" in rules) assertThrows(tell);
    else tell();
  }
});

Deno.test("reconfiguration: members are added while clients work, and count", () => {
  const group = new SimulatedGroup({ spares: 2, clients: 2, operations: 60, machine: "counter" });
  group.runFor(100);
  assertEquals(group.ask("r0 r1 r2 r3 r4"), { kind: "epoch", epoch: 1 });
  group.agree();
  // Five members survive two failures.
  group.world.crash("br0");
  group.world.crash("br1");
  group.runUntil(() => group.done === 2, 20_000, "all operations");
  assertEquals(group.totals.length, 120);
  assertEquals(new Set(group.totals).size, 120);
});

Deno.test("reconfiguration: all members are replaced, and the old ones are no longer needed", () => {
  const group = new SimulatedGroup({ spares: 3 });
  group.ask(put("a", "1"));
  assertEquals(group.ask("r3 r4 r5"), { kind: "epoch", epoch: 1 });
  assertEquals(group.ask("epoch"), { kind: "epoch", epoch: 1 });
  group.runUntil(
    () => ["r0", "r1", "r2"].every((id) => !group.member(id).retiring),
    3000,
    "the old ones to retire",
  );
  for (const id of ["r0", "r1", "r2"]) group.world.crash(`b${id}`);
  assertEquals(group.ask(get("a")), found("1"));
});

Deno.test("reconfiguration: the old members stay until the new ones have all they need", () => {
  const group = new SimulatedGroup({ spares: 3 });
  group.ask(put("a", "1"));
  for (const box of ["br4", "br5"]) group.cut(box, ["br0", "br1", "br2", "br3"]);
  group.world.line("admin", "r3 r4 r5");
  group.runFor(2000);
  const retiring = () => ["r0", "r1", "r2"].map((id) => group.member(id).retiring);
  assertEquals(retiring(), [true, true, true]);
  for (const id of ["r0", "r1", "r2"]) group.world.restart(`b${id}`);
  group.runFor(500);
  assertEquals(retiring(), [true, true, true]);
  group.world.heal();
  group.runUntil(() => !retiring().includes(true), 3000, "the old ones to retire");
  assertEquals(group.ask(get("a")), found("1"));
});

Deno.test("reconfiguration: one after the other, each answered when it has taken effect", () => {
  const group = new SimulatedGroup({ spares: 2 });
  group.ask(put("a", "1"));
  for (const [index, next] of ["r0 r1 r3", "r3 r4", "r4", "r0 r1 r2 r3 r4"].entries()) {
    assertEquals(group.ask(next), { kind: "epoch", epoch: index + 1 });
  }
  assertEquals(group.ask("r0 r0"), {
    kind: "failed",
    certain: true,
    why: "a replica is named twice",
  });
  group.agree();
  assertEquals(group.ask(get("a")), found("1"));
});

/** With many slots under way, the group is given other members. */
function tellOfPipeline(rules: Partial<PaxosRules>): void {
  const attrs = { window: 6, batch: { operations: 1, prepares: 6 } };
  const options: GroupOptions = {
    spares: 2,
    clients: 6,
    operations: 40,
    machine: "counter",
    attrs,
  };
  const group = new SimulatedGroup({ ...options, thinkMs: 0, rules });
  group.runFor(20);
  group.world.line("admin", "r2 r3 r4");
  group.runUntil(() => group.done === 6, 20_000, "all operations");
  assertEquals(new Set(group.totals).size, 240);
  group.agree();
}

Deno.test("reconfiguration: what is under way in the window belongs to the old configuration", () => {
  tellOfPipeline({});
  assertThrows(
    () => tellOfPipeline({ firstSlotAfter: (slot) => slot + 1 }),
    Error,
    "the one before has proposed in",
  );
});

Deno.test("lost disk: a member does not come back as itself, and joins under a new incarnation", () => {
  const group = new SimulatedGroup();
  group.founded();
  group.ask(put("a", "1"));
  group.world.crash("br2");
  group.world.loseDisk("br2");
  group.world.start("br2");
  group.runFor(500);
  assertEquals(group.watch.members(), ["r0", "r1"]);
  // Its place counts as failed: with r1 gone as well there is no quorum.
  group.world.crash("br1");
  group.world.line("admin", put("a", "2"));
  group.runFor(2000);
  assertEquals(group.world.printed("admin").length, 1);
  group.world.start("br1");
  group.runUntil(() => group.world.printed("admin").length === 2, 5000, "the second put");
  assertEquals(group.ask("r0 r1 r2"), { kind: "epoch", epoch: 1 });
  group.agree();
  assertEquals(group.watch.members(), ["r0", "r1", "r2"]);
  group.world.crash("br0");
  assertEquals(group.ask(get("a")), found("2"));
});

Deno.test("leases: reads are answered without a slot, and a new leader waits until they end", () => {
  const group = new SimulatedGroup({ attrs: { leaseMs: 300 } });
  group.ask(put("a", "1"));
  group.runFor(60);
  const decided = group.decided("r0");
  assertEquals(group.ask(get("a")), found("1"));
  assertEquals(group.decided("r0"), decided);
  assertEquals(group.notes.get("paxos.lease_read"), 1);
  const since = group.world.now;
  group.world.crash("br0");
  assertEquals(group.ask(put("a", "2")), stored);
  assert(group.world.now - since > 250, `${group.world.now - since} ms`);
});
