import { assertEquals } from "@std/assert";
import { rig } from "../sim/rig.ts";
import { dummy } from "./dummy.ts";

Deno.test("dummy prints what it is told, at any port, a single word as well", () => {
  const agent = rig(dummy, { peers: ["10"] });
  agent.deliver("10", { type: "text", port: 1, text: "alice hello there" });
  agent.deliver("10", { type: "text", port: 65535, text: "word" });
  agent.deliver("10", { type: "text", port: 0, text: "" });
  assertEquals(agent.take(), {
    sent: [],
    printed: ["alice > hello there", "10 > word", "10 > "],
    prompts: [],
    written: [],
    processes: [],
    http: [],
    appended: [],
    notes: [],
  });
});

Deno.test("dummy leaves the terminal to others", () => {
  assertEquals(dummy.devices, ["console"]);
});
