import { assertEquals, assertThrows } from "@std/assert";
import { SimulatedGroup } from "./sim_group_test.ts";

Deno.test("vr_replica: three replicas execute what two clients ask", () => {
  const group = new SimulatedGroup({ replicas: 3, clients: 2, operations: 20, seed: 3n });
  group.world.start();
  group.runUntil(() => group.done === 2, 20_000, "all operations");
  group.runUntil(() => group.converged(), 5_000, "convergence");
  group.checkCounter();
  group.checkAgreement();
  assertEquals(group.calls.filter(({ outcome }) => outcome?.kind === "applied").length, 40);
});

Deno.test("SimulatedGroup: a replica that commits something else is found out", () => {
  const group = new SimulatedGroup({ replicas: 1, clients: 1, operations: 3, seed: 1n });
  group.world.start();
  group.runUntil(() => group.done === 1, 10_000, "the operations");
  assertThrows(
    () => {
      group.committed[2] = "{}";
      group.world.restart("br0");
      group.runFor(100);
    },
    Error,
    "as operation 2, another had {}",
  );
});
