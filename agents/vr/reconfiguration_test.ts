import { assert, assertEquals, assertThrows } from "@std/assert";
import type { VrRules } from "./rules.ts";
import { found, get, groupOf, put, type SimulatedGroup, stored } from "./sim_group_test.ts";

function statuses(group: SimulatedGroup): string[] {
  return [...group.replicas, ...group.spares].map((id) => group.replica(id)?.status ?? "down");
}

Deno.test("reconfiguration: replicas are added while clients work, and count", () => {
  const group = groupOf({ spares: 2, clients: 3, operations: 60, machine: "counter" });
  group.runFor(200);
  assertEquals(group.ask("r0 r1 r2 r3 r4"), { kind: "epoch", epoch: 1 });
  group.runFor(200);
  assertEquals(statuses(group), Array(5).fill("normal"));
  // Five replicas survive two failures.
  group.world.crash("br0");
  group.world.crash("br1");
  group.runUntil(() => group.done === 3, 20_000, "all operations");
  group.checkCounter();
  assert(group.calls.every(({ outcome }) => outcome?.kind === "applied"));
});

Deno.test("reconfiguration: a removed replica retires, and is not waited for", () => {
  const group = groupOf({ replicas: 5 });
  group.ask(put("a", "1"));
  assertEquals(group.ask("r0 r2 r4"), { kind: "epoch", epoch: 1 });
  group.runFor(300);
  assertEquals(statuses(group), ["normal", "spare", "normal", "spare", "normal"]);
  group.world.crash("br1");
  group.world.crash("br3");
  group.world.crash("br4");
  assertEquals(group.ask(get("a")), found("1"));
});

Deno.test("reconfiguration: all replicas are replaced, and the old ones are no longer needed", () => {
  const group = groupOf({ spares: 3, clients: 2, operations: 100, machine: "counter" });
  group.runFor(300);
  assertEquals(group.ask("r3 r4 r5"), { kind: "epoch", epoch: 1 });
  assertEquals(group.ask("epoch"), { kind: "epoch", epoch: 1 });
  // Section 7.1.2: they go once f' + 1 of the new ones can do without them.
  group.runUntil(
    () => statuses(group).slice(0, 3).every((status) => status === "spare"),
    3000,
    "the end",
  );
  for (const id of group.replicas) group.world.crash(`b${id}`);
  group.runUntil(() => group.done === 2, 20_000, "all operations");
  group.checkCounter();
  group.runUntil(() => group.converged(), 1000, "convergence");
  group.checkAgreement();
});

Deno.test("reconfiguration: the old replicas stay until the new ones have all they need", () => {
  const group = groupOf({ spares: 3 });
  group.ask(put("a", "1"));
  // Two of the three new ones, and so a quorum of them, hear nobody.
  for (const id of ["br4", "br5"]) {
    for (const other of ["br0", "br1", "br2", "br3"]) group.world.cut(id, other);
  }
  group.world.line("admin", "r3 r4 r5");
  group.runFor(3000);
  assertEquals(statuses(group).slice(0, 3), Array(3).fill("replaced"));
  // A restart changes nothing about that.
  for (const id of group.replicas) group.world.restart(`b${id}`);
  group.runFor(1000);
  assertEquals(statuses(group).slice(0, 3), Array(3).fill("replaced"));
  group.world.heal();
  group.runFor(1000);
  assertEquals(statuses(group), [...Array(3).fill("spare"), ...Array(3).fill("normal")]);
  assertEquals(group.ask(get("a")), found("1"));
});

Deno.test("reconfiguration: the one replica that knows of it may fail", () => {
  for (const next of ["r1 r2 r3", "r3 r4 r5"]) {
    const group = groupOf({ spares: 3 });
    group.ask(put("a", "1"));
    group.world.line("admin", next);
    group.runUntil(() => group.replica("r0")?.durable.epoch === 1, 1000, "the new epoch");
    group.world.crash("br0");
    group.runUntil(() => group.world.printed("admin").length === 2, 20_000, "the answer");
    assertEquals(JSON.parse(group.world.printed("admin")[1] ?? ""), { kind: "epoch", epoch: 1 });
    assertEquals(group.ask(get("a")), found("1"));
    assertEquals(group.members(), next.split(" "));
  }
});

Deno.test("reconfiguration: a replica that missed the end of an epoch gets it before it begins the next", () => {
  function tell(rules: Partial<VrRules>) {
    const group = groupOf({ spares: 1, rules });
    group.ask(put("a", "1"));
    for (const other of ["br0", "br1"]) group.world.cut("br2", other);
    assertEquals(group.ask("r0 r1 r2 r3"), { kind: "epoch", epoch: 1 });
    group.ask(put("a", "2"));
    group.world.heal();
    group.runUntil(() => group.converged(), 3000, "convergence");
    group.checkAgreement();
  }
  tell({});
  assertThrows(() => tell({ isComplete: () => true }), Error, "convergence");
});

Deno.test("reconfiguration: one that is of an epoch that is over is refused, and one that names a replica twice", () => {
  const group = groupOf({ spares: 1 });
  group.ask("r0 r1 r3");
  assertEquals(group.ask("r0 r1 r1"), {
    kind: "failed",
    certain: true,
    why: "a replica is named twice",
  });
  assertEquals(group.ask("epoch"), { kind: "epoch", epoch: 1 });
  assertEquals(group.ask("r0 r1 r2"), { kind: "epoch", epoch: 2 });
});

Deno.test("reconfiguration: a replica that slept through several epochs finds its place", () => {
  const group = groupOf({ spares: 2 });
  group.ask(put("a", "1"));
  group.world.crash("br2");
  group.ask("r0 r1 r3");
  group.ask("r3 r4");
  group.ask(put("a", "2"));
  group.world.start("br2");
  group.runFor(1000);
  assertEquals(group.replica("r2")?.status, "spare");
  assertEquals(group.ask("r2 r4"), { kind: "epoch", epoch: 3 });
  group.runUntil(() => group.converged(), 3000, "convergence");
  group.world.crash("br3");
  assertEquals(group.ask(get("a")), found("2"));
});

Deno.test("lost disk: a replica does not come back as itself, and joins under a new incarnation", () => {
  const group = groupOf();
  group.founded();
  group.ask(put("a", "1"));
  group.world.crash("br2");
  group.world.loseDisk("br2");
  group.world.start("br2");
  group.runFor(500);
  assertEquals(group.replica("r2")?.status, "spare");
  // Its place counts as failed: with r1 gone as well there is no quorum.
  group.world.crash("br1");
  group.world.line("admin", put("a", "2"));
  group.runFor(3000);
  assertEquals(group.world.printed("admin").length, 1);
  group.world.start("br1");
  group.runUntil(() => group.world.printed("admin").length === 2, 5000, "the second put");
  assertEquals(group.ask("r0 r1 r2"), { kind: "epoch", epoch: 1 });
  group.runUntil(() => group.converged(), 3000, "convergence");
  assertEquals(group.members(), ["r0", "r1", "r2"]);
  group.world.crash("br0");
  assertEquals(group.ask(put("a", "3")), stored);
  assertEquals(group.ask(get("a")), found("3"));
});

/** r0 and r2 have stored something; r2 loses its disk, r0 its connections. */
function tellOfLostDisk(founded: boolean): SimulatedGroup {
  const group = groupOf();
  if (founded) group.founded();
  group.world.cut("br1", "br0");
  assertEquals(group.ask(put("a", "1")), stored);
  group.world.crash("br2");
  group.world.loseDisk("br2");
  group.world.crash("br0");
  group.world.heal();
  group.world.start("br2");
  group.world.line("admin", get("a"));
  group.runFor(3000);
  return group;
}

Deno.test("lost disk: without its promises a replica would let others lose what was stored", () => {
  assertEquals(tellOfLostDisk(true).world.printed("admin").length, 1);
  // As if every box were started with --new, always.
  assertThrows(() => {
    const group = tellOfLostDisk(false);
    assertEquals(JSON.parse(group.world.printed("admin").at(-1) ?? ""), found("1"));
  });
});

Deno.test("lost disk: nobody begins with an empty disk who was not told to", () => {
  const group = groupOf({ attrs: {} });
  for (const id of group.replicas) {
    group.world.crash(`b${id}`);
    group.world.loseDisk(`b${id}`);
  }
  group.founded();
  group.world.start();
  group.runFor(1000);
  assertEquals(statuses(group), ["spare", "spare", "spare"]);
});
