import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { countedMs } from "./lease.ts";
import { countMail, found, get, groupOf, put } from "./sim_group_test.ts";
import type { VrRules } from "./rules.ts";

Deno.test("countedMs() ends before the promise does, however wrong the two clocks are", () => {
  const leases = fc.integer({ min: 0, max: 60_000 });
  const drifts = fc.integer({ min: 0, max: 500_000 });
  fc.assert(fc.property(leases, drifts, (leaseMs, ppm) => {
    const drift = ppm / 1_000_000;
    const promisedMs = leaseMs / (1 + drift);
    const countedTrueMs = countedMs(leaseMs, ppm) / (1 - drift);
    assert(countedTrueMs <= promisedMs + 1e-6);
  }));
  assertEquals(countedMs(100, 0), 100);
  assertEquals(countedMs(100, 10_000), 98);
});

Deno.test("lease: a read needs no PREPARE, and sees what was answered before", () => {
  const group = groupOf({ attrs: { leaseMs: 100 } });
  group.ask(put("a", "1"));
  group.runFor(60);
  const mail = countMail(group);
  for (let number = 0; number < 5; number++) assertEquals(group.ask(get("a")), found("1"));
  assertEquals(mail.get("prepare"), undefined);
  assertEquals(group.notes.get("vr.lease_read"), 5);
});

Deno.test("lease: off by default, every read goes through the log", () => {
  const group = groupOf();
  const mail = countMail(group);
  group.ask(get("a"));
  assertEquals(group.notes.get("vr.lease_read"), undefined);
  assert((mail.get("prepare") ?? 0) > 0);
});

Deno.test("lease: nobody is elected while a promise lasts, and then somebody is", () => {
  const group = groupOf({ attrs: { leaseMs: 2000 } });
  group.ask(put("a", "1"));
  group.runFor(60);
  group.world.crash("br0");
  group.runFor(1800);
  assertEquals(group.primary(), undefined);
  assertEquals(group.ask(get("a")), found("1"));
});

Deno.test("lease: a restart does not end a promise", () => {
  const group = groupOf({ attrs: { leaseMs: 2000 } });
  group.ask(put("a", "1"));
  group.world.crash("br0");
  for (const box of ["br1", "br2"]) group.world.restart(box);
  group.runFor(1800);
  assertEquals(group.notes.get("vr.view_change.completed"), undefined);
  assertEquals(group.ask(get("a")), found("1"));
});

/** The primary is cut off with a client that only reads, while the others elect another one and a client writes. */
function tellOfDeposedPrimary(seed: bigint, rules: Partial<VrRules>): void {
  const group = groupOf({
    seed,
    rules,
    machine: "counter",
    clients: 2,
    operations: 10_000,
    reads: [1, 0],
    thinkMs: 4,
    attrs: { leaseMs: 60, viewChangeMs: 500 },
  });
  group.runFor(300);
  for (const box of ["br1", "br2", "bc1"]) group.world.cut("br0", box);
  for (const box of ["br1", "br2"]) group.world.cut("bc0", box);
  group.runFor(1500);
  assert(group.primary() !== "r0");
  group.checkCounter();
}

Deno.test("lease: a primary that was deposed answers no reads", () => {
  const seeds = Array.from({ length: 10 }, (_, index) => BigInt(index));
  for (const seed of seeds) tellOfDeposedPrimary(seed, {});
  // Who loses patience first, the old primary or the others, is left to chance.
  assertThrows(
    () => {
      for (const seed of seeds) tellOfDeposedPrimary(seed, { holdsLease: () => true });
    },
    Error,
    "misses",
  );
});
