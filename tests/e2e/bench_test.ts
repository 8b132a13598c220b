import { assert, assertEquals } from "@std/assert";
import { ovid } from "./support.ts";

const isShort = Deno.env.has("OVID_SHORT");

for (const name of ["text", "typed", "round-trip", "puts", "start", "memory"]) {
  Deno.test({
    name: `ovid bench ${name}: both sides really run`,
    ignore: isShort,
    async fn() {
      const { code, stdout, stderr } = await ovid(["bench", name, "--rounds", "1", "--json"]);
      // How fast the machine is today is not for a test to say.
      assert(code === 0 || code === 1, stderr);
      const { ovid: ours, ceiling, ratio, verdict } = JSON.parse(stdout);
      for (const { median } of [ours, ceiling, ratio]) assert(median > 0, stdout);
      assert(["met", "missed", "void"].includes(verdict), stdout);
    },
  });
}

Deno.test("ovid bench refuses what it does not have, and suggests the nearest", async () => {
  const { code, stderr } = await ovid(["bench", "put"]);
  assertEquals(code, 2);
  assert(stderr.includes("did you mean puts"), stderr);
});
