// All tests of the executable, in one file: it is built once.

import { assertEquals } from "@std/assert";
import { leftBehind, scratch } from "./support.ts";
import "./commands.ts";
import "./first_start.ts";
import "./plugins.ts";
import "./scripts.ts";

Deno.test("no process is left behind by the tests of the executable", async () => {
  assertEquals(await leftBehind(), []);
});

Deno.test.afterAll(async () => {
  await Deno.remove(scratch, { recursive: true });
});
