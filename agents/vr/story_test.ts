// Stories of the protocol, each of which went wrong somewhere: in the paper, in another implementation, or with one
// rule of ours broken. Where a rule is what saves the day, the story is told again without it.

import { assert, assertEquals, assertThrows } from "@std/assert";
import type { VrRules } from "./rules.ts";
import {
  countMail,
  found,
  get,
  groupOf,
  put,
  type SimulatedGroup,
  stored,
} from "./sim_group_test.ts";

Deno.test("normal operation: a put is prepared by a quorum, answered, and executed by all", () => {
  const group = groupOf();
  assertEquals(group.ask(put("a", "1")), stored);
  // Section 4.1, step 7: the backups execute what COMMIT says is committed, without a further request.
  group.runFor(60);
  for (const id of group.replicas) assertEquals(group.replica(id)?.commit, 2);
  group.checkAgreement();
  assertEquals(group.ask(get("a")), found("1"));
  assertEquals(group.ask(get("b")), found(null));
});

Deno.test("normal operation: a resent request is executed once, and answered again", () => {
  const group = groupOf({ machine: "counter" });
  const add = JSON.stringify({ kind: "add", amount: 1 });
  assertEquals(group.ask(add), { kind: "applied", result: { kind: "total", total: 1 } });
  // The answer is lost, so that the client asks everybody again.
  group.world.cut("br0", "badmin", { oneWay: true });
  group.world.line("admin", add);
  group.runFor(200);
  group.world.heal();
  assertEquals(group.ask(add), { kind: "applied", result: { kind: "total", total: 2 } });
  group.runFor(100);
  assertEquals(
    group.world.printed("admin").at(-1),
    '{"kind":"applied","result":{"kind":"total","total":3}}',
  );
});

Deno.test("normal operation: a lost PREPARE is made up for", () => {
  const group = groupOf();
  group.ask(put("a", "1"));
  group.world.cut("br0", "br2");
  group.ask(put("a", "2"));
  group.world.heal();
  group.runFor(100);
  assertEquals(group.opNumber("r2"), 3);
  assertEquals(group.replica("r2")?.view, 0);
  group.checkAgreement();
});

Deno.test("batching: while enough is under way, requests share a PREPARE", () => {
  const options = {
    replicas: 3,
    clients: 20,
    operations: 5,
    machine: "counter",
    thinkMs: 0,
  } as const;
  const counts = [1, 1000].map((prepares) => {
    const operations = prepares === 1 ? 1000 : 1;
    const group = groupOf({ ...options, attrs: { batch: { operations, prepares } } });
    const mail = countMail(group);
    group.runUntil(() => group.done === 20, 10_000, "all operations");
    group.checkCounter();
    return mail.get("prepare") ?? 0;
  });
  const [batched = 0, single = 0] = counts;
  // An opening and five operations for each client, to two backups; less what was said before the counting began.
  assert(single > 200, `${single} PREPAREs`);
  assert(batched < single / 4, `${batched} of ${single} PREPAREs`);
});

Deno.test("view change: when the primary dies, what it answered is there, and service resumes in time", () => {
  const group = groupOf();
  group.ask(put("a", "1"));
  group.world.crash("br0");
  const since = group.world.now;
  assertEquals(group.ask(get("a")), found("1"));
  // Three times the default of viewChangeMs.
  assert(group.world.now - since <= 360, `${group.world.now - since} ms without service`);
  assertEquals(group.primary(), "r1");
});

Deno.test("view change: the client table goes along", () => {
  const group = groupOf({ machine: "counter" });
  group.ask(JSON.stringify({ kind: "add", amount: 1 }));
  // The answer gets lost, and then the primary.
  group.world.cut("br0", "badmin", { oneWay: true });
  group.world.line("admin", JSON.stringify({ kind: "add", amount: 1 }));
  group.runFor(30);
  assertEquals(group.replica("r0")?.commit, 3);
  group.world.crash("br0");
  group.ask(JSON.stringify({ kind: "read" }));
  group.runUntil(() => group.world.printed("admin").length === 3, 1000, "the read");
  assertEquals(group.world.printed("admin").map((text) => JSON.parse(text).result.total), [
    1,
    2,
    2,
  ]);
});

/** r0 is cut off with clients that keep asking it; the others go on without it, a little; then they need its vote. */
function tellOfStaleLog(rules: Partial<VrRules>): SimulatedGroup {
  // All that they ask for gets into its log, though nothing of it is ever committed.
  const attrs = { batch: { prepares: 10 } };
  const group = groupOf({ clients: 4, operations: 1, rules, attrs });
  group.runUntil(() => group.done === 4, 5000, "the clients");
  group.ask(put("a", "1"));
  for (const box of ["bc0", "bc1", "bc2", "bc3"]) {
    // New lives of the clients: each opens a session.
    group.world.restart(box);
    for (const other of ["br1", "br2"]) group.world.cut(box, other);
  }
  for (const box of ["br1", "br2", "badmin"]) group.world.cut("br0", box);
  assertEquals(group.ask(put("a", "2")), stored);
  const stale = group.opNumber("r0");
  assert(
    stale > group.opNumber("r2"),
    "the stale log is longer",
  );
  group.world.crash("br1");
  group.world.heal();
  assertEquals(group.ask(get("a")), found("2"));
  return group;
}

Deno.test("view change: a longer log of an older view does not win", () => {
  assertEquals(tellOfStaleLog({}).primary(), "r2");
  const byLength: VrRules["chooseLog"] = (votes) =>
    [...votes].sort(([, a], [, b]) => b.op - a.op)[0]?.[0];
  assertThrows(() => tellOfStaleLog({ chooseLog: byLength }), Error, "commits");
});

/** r2 votes for view 1, crashes, and hears of view 0 only; the vote is still on its way to r1. */
function tellOfForgottenVote(rules: Partial<VrRules>): SimulatedGroup {
  const group = groupOf({ rules });
  const { world } = group;
  group.ask(put("a", "1"));
  world.cut("br0", "br1");
  group.runUntil(() => group.replica("r1")?.status === "viewChange", 1000, "r1 to lose patience");
  world.cut("br2", "br0", { oneWay: true });
  group.runFor(0.3);
  world.pause("br1");
  group.runUntil(() => group.replica("r2")?.status === "viewChange", 1000, "r2 to vote");
  group.runFor(2);
  world.restart("br2");
  world.heal("br2", "br0");
  world.line("admin", put("a", "2"));
  group.runFor(60);
  world.resume("br1");
  world.heal();
  group.runUntil(() => world.printed("admin").length === 2, 5000, "the answer");
  group.runUntil(() => group.converged(), 5000, "convergence");
  return group;
}

Deno.test("recovery: a vote survives a crash, which is why a replica needs its disk", () => {
  tellOfForgottenVote({}).checkAgreement();
  assertThrows(() => tellOfForgottenVote({ voteRecord: () => undefined }), Error);
});

Deno.test("recovery: a primary that restarts at once goes on in its view", () => {
  const group = groupOf();
  group.ask(put("a", "1"));
  group.world.restart("br0");
  assertEquals(group.ask(put("a", "2")), stored);
  assertEquals(group.primary(), "r0");
  assertEquals(group.replica("r0")?.view, 0);
});

Deno.test("recovery: after a power failure of all, everything is there", () => {
  const group = groupOf({ replicas: 5 });
  for (let number = 0; number < 10; number++) group.ask(put(`k${number}`, `${number}`));
  for (const id of group.replicas) group.world.crash(`b${id}`);
  group.runFor(100);
  group.world.start();
  for (let number = 0; number < 10; number++) {
    assertEquals(group.ask(get(`k${number}`)), found(`${number}`));
  }
});

Deno.test("state transfer: what a quorum held survives, though all of it are behind and the primary dies", () => {
  const group = groupOf();
  const { world } = group;
  group.ask(put("a", "1"));
  // Only r0 and r2 hold the second put. r1 begins view 1 with the vote of r2, and nobody is told.
  world.cut("br0", "br1");
  group.ask(put("a", "2"));
  group.runUntil(() => group.replica("r1")?.status === "viewChange", 1000, "r1 to lose patience");
  world.cut("br0", "br2");
  group.runUntil(() => group.replica("r2")?.status === "viewChange", 1000, "r2 to vote");
  group.runFor(0.9);
  world.cut("br1", "br2", { oneWay: true });
  group.runFor(1);
  assertEquals(group.replica("r1")?.status, "normal");
  world.heal();
  // The paper has both of them drop what they are not sure of before they ask r1, and r1 is no more.
  const asks = (id: string) => group.replica(id)?.transfer !== undefined;
  group.runUntil(() => asks("r0") && asks("r2"), 1000, "both to ask");
  world.crash("br1");
  assertEquals(group.ask(get("a")), found("2"));
});

Deno.test("one-way cut: a primary that is heard and hears nobody makes way", () => {
  const group = groupOf();
  group.ask(put("a", "1"));
  for (const other of ["br1", "br2"]) group.world.cut(other, "br0", { oneWay: true });
  assertEquals(group.ask(put("a", "2"), 3000), stored);
  assert(group.primary() !== "r0");
});

for (const replicas of [1, 2, 3, 4, 5]) {
  const spared = Math.ceil(replicas / 2) - 1;
  Deno.test(`size: ${replicas} replicas go on without ${spared}, and wait with one less`, () => {
    const group = groupOf({ replicas });
    assertEquals(group.ask(put("a", "1")), stored);
    for (let index = 0; index < spared; index++) group.world.crash(`br${index}`);
    assertEquals(group.ask(put("a", "2")), stored);
    if (spared === 0) return;
    group.world.crash(`br${spared}`);
    group.world.line("admin", put("a", "3"));
    group.runFor(5000);
    assertEquals(group.world.printed("admin").length, 2);
    group.world.start(`br${spared}`);
    group.runUntil(() => group.world.printed("admin").length === 3, 10_000, "the third put");
    assertEquals(group.ask(get("a")), found("3"));
  });
}
