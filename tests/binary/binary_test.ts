// All tests of the executable, in one file: it is built once.

import { assertEquals, assertMatch } from "@std/assert";
import { dirname } from "@std/path";
import { binary, leftBehind, making, scratch } from "./support.ts";
import "./commands.ts";
import "./containers.ts";
import "./first_start.ts";
import "./plugins.ts";
import "./scripts.ts";

Deno.test({
  name: "deno task compile falls back on unpacking where deno compile makes nothing that runs",
  ignore: making === undefined,
  fn() {
    // Deno has taken all modules and what it was given for a base; what came out was run, and is not Ovid.
    const reason = "not by deno compile, since what it has made does not run\n";
    assertMatch(
      making ?? "",
      new RegExp(`^${binary}: [\\d.]+ MB, made self-extracting, ${reason}$`),
    );
    const names = Array.from(Deno.readDirSync(dirname(binary)), ({ name }) => name);
    assertEquals(names.filter((name) => name.startsWith("ovid")), ["ovid"]);
  },
});

Deno.test("no process is left behind by the tests of the executable", async () => {
  assertEquals(await leftBehind(), []);
});

Deno.test.afterAll(async () => {
  // What a test that failed has not ended itself.
  for (const { pid } of await leftBehind()) Deno.kill(pid, "SIGKILL");
  await Deno.remove(scratch, { recursive: true });
});
