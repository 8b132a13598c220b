// Whichever operation of the transport fails, a box goes on, and its links come back.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { FailingTransport, type TransportOperation } from "./failing.ts";
import { MemoryNetwork } from "./memory.ts";
import { Rig, textMail, withRig } from "./mesh_rig.ts";

/** Two boxes that send each other mail, and again until it arrives; what failed meanwhile. */
async function exchange(
  fails: (number: number, operation: TransportOperation) => boolean,
): Promise<FailingTransport> {
  const transport = new FailingTransport(new MemoryNetwork(), fails);
  await withRig(new Rig(["a", "b"], transport), async (rig) => {
    const a = await rig.start("a", { limits: { identifyMs: 200 } });
    const b = await rig.start("b", { limits: { identifyMs: 200 } });
    const timer = setInterval(() => {
      a.mesh.send(b.box, textMail("there"));
      b.mesh.send(a.box, textMail("back"));
      rig.poke();
    }, 5);
    try {
      await rig.until("mail arrives both ways", () => a.count("mail") > 2 && b.count("mail") > 2);
    } finally {
      clearInterval(timer);
    }
    for (const member of [a, b]) {
      // Up and down alternate, whatever fails.
      const changes = member.log.filter((entry) => /^(up|down)/.test(entry));
      assert(changes.every((entry, i) => entry.startsWith(i % 2 === 0 ? "up" : "down")));
    }
  });
  return transport;
}

Deno.test("Mesh: whichever operation of its transport fails, mail flows again", async () => {
  const whole = await exchange(() => false);
  const failed = new Set<TransportOperation>();
  for (let failAt = 2; failAt < Math.min(whole.operations, 30); failAt++) {
    const transport = await exchange((number, operation) =>
      number === failAt && operation !== "listen"
    );
    for (const operation of transport.failed) failed.add(operation);
  }
  assertEquals([...failed].sort(), ["accept", "dial", "read", "write"]);
});

Deno.test("Mesh: however many accepts and dials fail, the next one is tried", async () => {
  for (const operation of ["accept", "dial"] as const) {
    let left = 6;
    const { failed } = await exchange((_, each) => each === operation && left-- > 0);
    assertEquals([...failed], [operation]);
  }
});

Deno.test("Mesh.start(): rejects if it cannot listen, and can be tried again", async () => {
  let left = 1;
  const transport = new FailingTransport(
    new MemoryNetwork(),
    (_, operation) => operation === "listen" && left-- > 0,
  );
  await withRig(new Rig(["a", "b"], transport), async (rig) => {
    await assertRejects(() => rig.start("a"), Error, "Too many open files");
    await rig.startAll();
  });
});
