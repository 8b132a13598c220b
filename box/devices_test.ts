import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { type FileOutput, httpLimits } from "../core/devices.ts";
import { agentId } from "../core/id.ts";
import { boxA } from "../core/test_support.ts";
import { tcp } from "../transport/tcp.ts";
import { Devices, TextWriter } from "./devices.ts";
import { HttpServers } from "./http.ts";
import { Processes } from "./processes.ts";

/** Gives a file's changes to the devices of a box, and says what the folder has then, and what failed. */
async function carryOut(...batches: readonly (readonly FileOutput[])[]) {
  const folder = await Deno.makeTempDir({ prefix: "ovid-test-" });
  const failed: string[] = [];
  const devices = new Devices({
    out: new TextWriter((bytes) => Promise.resolve(bytes.length)),
    interactive: false,
    filesFolder: folder,
    processes: new Processes({
      self: boxA,
      boxes: [],
      starter: undefined,
      event: () => {},
      end: () => {},
    }),
    http: new HttpServers({ transport: tcp, limits: httpLimits, event: () => {}, note: () => {} }),
    event: (_agent, { device, event }) => {
      if (device === "file") failed.push(event.reason);
    },
    date: () => new Date(0),
  });
  try {
    for (const outputs of batches) {
      for (const output of outputs) devices.take(agentId("a"), { device: "file", output });
      await devices.flush();
    }
    const files: Record<string, string> = {};
    for await (const { name } of Deno.readDir(folder)) {
      files[name] = await Deno.readTextFile(join(folder, name));
    }
    return { files, failed };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const append = (text: string, path = "f"): FileOutput => ({ type: "append", path, text });
const write = (...lines: readonly string[]): FileOutput => ({ type: "write", path: "f", lines });

Deno.test("Devices: what replaces a file leaves nothing of what it had, or of the way there", async () => {
  const { files, failed } = await carryOut([append("old")], [write("a", "b")]);
  assertEquals([files, failed], [{ f: "a\nb\n" }, []]);
  assertEquals((await carryOut([write("a")], [write()])).files, { f: "" });
});

Deno.test("Devices: appends and replacements of one file are carried out in their order", async () => {
  const changes = [append("1"), write("2", "3"), append("4"), write("5"), append("6"), append("7")];
  const want = { f: "5\n6\n7\n" };
  assertEquals((await carryOut(changes)).files, want);
  assertEquals((await carryOut(...changes.map((change) => [change]))).files, want);
});

Deno.test("Devices: no file outside the data folder is touched", async () => {
  const { files, failed } = await carryOut([
    { type: "write", path: "../f", lines: [] },
    append("a", "/f"),
  ]);
  assertEquals([files, failed.length], [{}, 2]);
});
