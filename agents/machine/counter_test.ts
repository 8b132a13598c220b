import { assertEquals } from "@std/assert";
import { validate } from "../../core/schema.ts";
import { counter } from "./counter.ts";
import { builtInMachines } from "./registry.ts";

Deno.test("counter: add answers the new total, read leaves it", () => {
  const state = counter.initial();
  assertEquals(counter.apply(state, { kind: "read" }), { kind: "total", total: 0 });
  assertEquals(counter.apply(state, { kind: "add", amount: 3 }), { kind: "total", total: 3 });
  assertEquals(counter.apply(state, { kind: "add", amount: -5 }), { kind: "total", total: -2 });
  assertEquals(counter.apply(state, { kind: "read" }), { kind: "total", total: -2 });
});

Deno.test("counter: goes to the largest safe integer and not beyond", () => {
  const state = counter.initial();
  const total = Number.MAX_SAFE_INTEGER;
  assertEquals(counter.apply(state, { kind: "add", amount: total }), { kind: "total", total });
  assertEquals(counter.apply(state, { kind: "add", amount: 1 }), { kind: "overflow", total });
  assertEquals(counter.apply(state, { kind: "add", amount: 0 }), { kind: "total", total });
  assertEquals(counter.apply(state, { kind: "add", amount: -1 }), {
    kind: "total",
    total: total - 1,
  });
});

Deno.test("counter: takes whole numbers only", () => {
  assertEquals(validate(counter.operation, { kind: "add", amount: 1 }).ok, true);
  assertEquals(validate(counter.operation, { kind: "add", amount: 1.5 }).ok, false);
  assertEquals(validate(counter.operation, { kind: "add", amount: 2 ** 53 }).ok, false);
  assertEquals(counter.isRead({ kind: "read" }), true);
  assertEquals(counter.isRead({ kind: "add", amount: 0 }), false);
});

Deno.test("builtInMachines has every machine under its name", () => {
  assertEquals([...builtInMachines.keys()], ["counter", "gobby_service", "kv"]);
  for (const [name, machine] of builtInMachines) assertEquals(machine.name, name);
});
