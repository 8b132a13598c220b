import { assert, assertEquals } from "@std/assert";
import { partLengthMax } from "./protocol.ts";
import { countMail, found, get, groupOf, put, type SimulatedGroup } from "./sim_group_test.ts";

const large = "v".repeat(60_000);

function putLarge(group: SimulatedGroup, count: number): void {
  for (let number = 0; number < count; number++) group.ask(put(`k${number}`, large + number));
}

Deno.test("onNewState() puts a long log together from parts that fit into a message", () => {
  const group = groupOf();
  group.world.crash("br2");
  putLarge(group, 10);
  const mail = countMail(group);
  group.world.start("br2");
  group.runUntil(() => group.converged(), 5000, "r2 to catch up");
  const parts = mail.get("newState") ?? 0;
  assert(parts >= 10 * large.length / partLengthMax, `${parts} parts`);
  assertEquals(group.notes.get("vr.checkpoint_installed"), undefined);
  group.checkAgreement();
});

Deno.test("onNewState() puts a checkpoint together from parts, where the log does not reach back", () => {
  const group = groupOf({ attrs: { checkpointOperations: 2, keepOperations: 0 } });
  group.world.crash("br2");
  putLarge(group, 10);
  const mail = countMail(group);
  group.world.start("br2");
  group.runUntil(() => group.converged(), 5000, "r2 to catch up");
  const parts = mail.get("newState") ?? 0;
  assert(parts >= 10 * large.length / partLengthMax, `${parts} parts`);
  assertEquals(group.notes.get("vr.checkpoint_installed"), 1);
  group.checkAgreement();
  // It can do everything now: it is the primary once the two others have failed and come back.
  group.world.restart("br2");
  group.world.crash("br0");
  assertEquals(group.ask(get("k7")), found(`${large}7`));
});

Deno.test("onNewState() goes on with the checkpoint it has begun, though newer ones are made meanwhile", () => {
  const attrs = { checkpointOperations: 2, keepOperations: 20 };
  const group = groupOf({ attrs, clients: 2, operations: 100, thinkMs: 0, machine: "kv" });
  group.world.crash("br2");
  putLarge(group, 10);
  group.runUntil(() => (group.replica("r0")?.durable.base ?? 0) > 0, 5000, "a cut log");
  group.world.start("br2");
  group.runUntil(() => group.notes.get("vr.checkpoint_installed") === 1, 5000, "the checkpoint");
  group.runUntil(() => group.done === 2 && group.converged(), 5000, "all operations");
  group.checkAgreement();
});

Deno.test("tryStart() fetches the log of the view where the votes carried too little of it", () => {
  const group = groupOf();
  group.ask(put("a", "1"));
  // r1 is to be the next primary, and lacks what is too large for a vote.
  group.world.cut("br0", "br1");
  group.world.cut("br2", "br1");
  putLarge(group, 10);
  group.runFor(60);
  group.world.crash("br0");
  group.world.heal();
  const mail = countMail(group);
  assertEquals(group.ask(get("k9")), found(`${large}9`));
  assert((mail.get("newState") ?? 0) >= 3);
  group.runUntil(() => group.notes.get("vr.view_change.completed") !== undefined, 1000, "a view");
});

Deno.test("checkpoint() keeps the log within its limits", () => {
  const attrs = { checkpointOperations: 5, keepOperations: 3 };
  const group = groupOf({ attrs, clients: 3, operations: 40 });
  group.runUntil(() => group.done === 3, 20_000, "all operations");
  group.runUntil(() => group.converged(), 1000, "convergence");
  for (const id of group.replicas) {
    const { log, checkpoint, base } = group.replica(id)?.durable ?? { log: [] };
    // Until a checkpoint is made, so many operations come on top of those that are kept.
    assert(log.length <= 5 + 3, `${log.length} entries`);
    assertEquals(base, (checkpoint?.op ?? 0) - 3);
  }
  group.checkAgreement();
});
