import { assertEquals } from "@std/assert";
import { agentId } from "../core/id.ts";
import { Devices } from "./devices.ts";
import { boxId } from "./plain_grid.ts";

const box = boxId("b1");
const agent = agentId("a");

Deno.test("Devices.take(): keeps what was printed in order, for each agent, without prompts", () => {
  const devices = new Devices();
  const print = (text: string) => ({ type: "print", text }) as const;
  devices.take(0, box, { agent, output: { device: "terminal", output: print("one") } });
  devices.take(1, box, { agent: agentId("b"), output: { device: "console", output: print("b") } });
  devices.take(2, box, { agent, output: { device: "console", output: print("two") } });
  devices.take(3, box, {
    agent,
    output: { device: "terminal", output: { type: "prompt", text: "> " } },
  });
  assertEquals(devices.printed(agent), ["one", "two"]);
  assertEquals(devices.printed(agentId("c")), []);
});

Deno.test("Devices.take(): appends lines to files, with virtual time as their stamp", () => {
  const devices = new Devices();
  const append = (path: string, text: string, stamp = false) =>
    devices.take(12_345, box, {
      agent,
      output: { device: "file", output: { type: "append", path, text, stamp } },
    });
  append("log", "one");
  append("log", "two", true);
  append("other", "three");
  assertEquals(devices.file(box, "log"), "one\n12.345 two\n");
  assertEquals(devices.file(box, "other"), "three\n");
  assertEquals(devices.file(boxId("b2"), "log"), undefined);
  devices.lose(box);
  assertEquals(devices.file(box, "log"), undefined);
});

Deno.test("Devices.take(): puts lines in the place of a file", () => {
  const devices = new Devices();
  const write = (...lines: string[]) =>
    devices.take(0, box, {
      agent,
      output: { device: "file", output: { type: "write", path: "dump", lines } },
    });
  write("one", "two");
  write("three");
  assertEquals(devices.file(box, "dump"), "three\n");
  write();
  assertEquals(devices.file(box, "dump"), "");
});
