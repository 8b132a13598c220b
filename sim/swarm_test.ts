import { assert, assertEquals, assertGreater, assertLess, assertNotEquals } from "@std/assert";
import { faultNames } from "../core/config/fault_kinds.ts";
import { drawWeather, withoutFaults } from "./swarm.ts";

const seeds = Array.from({ length: 400 }, (_, index) => BigInt(index));

Deno.test("drawWeather(): each kind of fault is there in about half of the seeds", () => {
  for (const kind of faultNames) {
    const count = seeds.filter((seed) => drawWeather(seed).faults.includes(kind)).length;
    assertGreater(count, 150, kind);
    assertLess(count, 250, kind);
  }
});

Deno.test("drawWeather(): a fault that is not there does nothing, one that is does something", () => {
  for (const seed of seeds) {
    const { faults, network, disk, driftPpm } = drawWeather(seed);
    assertEquals((network.loss ?? 0) > 0, faults.includes("loss"));
    assertEquals((network.duplicate ?? 0) > 0, faults.includes("duplicate"));
    assertEquals((network.reorder ?? 0) > 0, faults.includes("reorder"));
    assertEquals(network.latency?.heavyTail ?? false, faults.includes("heavyTail"));
    assertEquals(disk.tornTails, faults.includes("tornTail"));
    assertEquals(driftPpm > 0, faults.includes("drift"));
    assert(driftPpm <= 10_000);
  }
});

Deno.test("drawWeather(): spares what a scenario does not promise to survive", () => {
  for (const seed of seeds) {
    const all = drawWeather(seed);
    const { faults } = drawWeather(seed, { spares: ["loss", "jump"], driftPpmMax: 5 });
    assertEquals(faults, all.faults.filter((kind) => kind !== "loss" && kind !== "jump"));
  }
});

Deno.test("drawWeather(): loses as much mail as a climate says, unless that is left out", () => {
  for (const seed of seeds) {
    const climate = { spares: faultNames, loss: 0.2 };
    const weather = drawWeather(seed, climate);
    assertEquals([weather.faults, weather.network.loss], [["loss"], 0.2]);
    assertEquals(withoutFaults(seed, weather, ["loss"], climate).network.loss, 0);
  }
});

Deno.test("withoutFaults(): leaves the others as hard as they were", () => {
  for (const seed of seeds) {
    const weather = drawWeather(seed);
    const less = withoutFaults(seed, weather, ["loss", "drift"]);
    assertEquals([less.network.loss, less.driftPpm], [0, 0]);
    assertEquals(less.network.latency, weather.network.latency);
    assertEquals(less.network.duplicate, weather.network.duplicate);
    assertEquals(less.disk, weather.disk);
  }
  assertNotEquals(drawWeather(1n), drawWeather(2n));
});
