// All tests of the executable, in one file: it is built once.

import { assertEquals } from "@std/assert";
import { leftBehind, scratch } from "./support.ts";
import "./commands.ts";
import "./containers.ts";
import "./first_start.ts";
import "./plugins.ts";
import "./scripts.ts";

Deno.test("no process is left behind by the tests of the executable", async () => {
  assertEquals(await leftBehind(), []);
});

Deno.test.afterAll(async () => {
  // What a test that failed has not ended itself.
  for (const { pid } of await leftBehind()) Deno.kill(pid, "SIGKILL");
  await Deno.remove(scratch, { recursive: true });
});
