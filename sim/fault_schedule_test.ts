import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { drawSchedule, type FaultScene, formatStep } from "./fault_schedule.ts";
import { faultNames } from "../core/config/fault_kinds.ts";
import { drawWeather } from "./swarm.ts";

const scene: FaultScene = {
  fromUs: 1000,
  untilUs: 500_000,
  boxes: ["a", "b", "c"],
  victims: ["a", "b"],
  disks: { boxes: ["a", "b"], max: 1 },
  ambushes: ["append", "sync"],
};

const schedules = Array.from(
  { length: 300 },
  (_, seed) => drawSchedule(BigInt(seed), drawWeather(BigInt(seed)), scene),
);

Deno.test("drawSchedule(): steps have numbers in the order of time, and fall into the safety phase", () => {
  for (const steps of schedules) {
    assertEquals(steps.map(({ id }) => id), steps.map((_, index) => index + 1));
    for (const [index, { atUs, forUs }] of steps.entries()) {
      assert(atUs >= scene.fromUs && atUs <= scene.untilUs && forUs >= 1000);
      assert(atUs >= (steps[index - 1]?.atUs ?? 0));
    }
  }
});

Deno.test("drawSchedule(): only victims fail, at most so many disks are lost, and all kinds occur", () => {
  const kinds = new Set<string>();
  for (const steps of schedules) {
    for (const { act } of steps) {
      kinds.add(act.kind);
      if ("box" in act) assert(scene.victims.includes(act.box));
      if (act.kind === "partition") assert(act.boxes.length > 0 && act.boxes.length < 3);
    }
    assert(steps.filter(({ act }) => act.kind === "lostDisk").length <= 1);
  }
  const timed = ["clog", "partition", "oneWay", "pause", "slow", "kill", "powerCut", "ambush"];
  for (const kind of [...timed, "fullDisk", "lostDisk", "jump"]) assert(kinds.has(kind), kind);
});

Deno.test("drawSchedule(): a weather without faults has no steps, and one box cannot be cut off", () => {
  const calm = { ...drawWeather(1n), faults: [] };
  assertEquals(drawSchedule(1n, calm, scene), []);
  const stormy = { ...drawWeather(1n), faults: faultNames };
  const alone = drawSchedule(1n, stormy, { ...scene, boxes: ["a"], victims: ["a"] });
  assert(!alone.some(({ act }) => act.kind === "partition" || act.kind === "clog"));
});

Deno.test("formatStep(): says when, what, to whom and for how long", () => {
  const step = { id: 7, atUs: 1500, forUs: 2000, act: { kind: "kill", box: "a" } } as const;
  assertEquals(formatStep(step), "  7       1.500 ms  a is killed, for 2.000 ms");
  for (const steps of schedules) {
    for (const step of steps) assertStringIncludes(formatStep(step), " ms  ");
  }
});
