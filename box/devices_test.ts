import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { type FileOutput, httpLimits } from "../core/devices.ts";
import { agentId } from "../core/id.ts";
import { boxA } from "../core/test_support.ts";
import { MemoryNetwork } from "../transport/memory.ts";
import { Devices, TextWriter, type TextWriterOptions } from "./devices.ts";
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
    http: new HttpServers({
      transport: new MemoryNetwork(),
      limits: httpLimits,
      event: () => {},
      note: () => {},
    }),
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

/** A reader that takes what it is given only when it is told to. */
function slowReader(options: TextWriterOptions = {}) {
  let read = "";
  let waiting: (() => void) | undefined;
  const writer = new TextWriter(async (bytes) => {
    await new Promise<void>((resolve) => waiting = resolve);
    read += new TextDecoder().decode(bytes);
    return bytes.length;
  }, options);
  const take = async () => {
    while (waiting === undefined) await new Promise((resolve) => setImmediate(resolve));
    waiting();
    waiting = undefined;
  };
  return { writer, take, read: () => read };
}

Deno.test("TextWriter: leaves out the newest of what finds no room, and says how much", async () => {
  const leftOut: number[] = [];
  const { writer, take, read } = slowReader({
    charactersMax: 10,
    leftOut: (characters) => leftOut.push(characters),
  });
  writer.write("first\n");
  // It is on its way to the reader now, and what follows has to wait.
  await Promise.resolve();
  await Promise.resolve();
  for (const text of ["12345\n", "12345\n", "1234567\n"]) writer.write(text);
  assertEquals(leftOut, []);
  writer.write("123\n");
  assertEquals(leftOut, [14]);
  await take();
  await take();
  await writer.flush();
  assertEquals(read(), "first\n12345\n123\n");
  writer.write("longer than ten\n");
  await take();
  await writer.flush();
  assertEquals(read().slice(-16), "longer than ten\n");
});

Deno.test("TextWriter.flush(): waits for a reader that is slow, and gives up one that has stopped", async () => {
  const { writer, take, read } = slowReader();
  // Several pieces.
  writer.write("x".repeat(200_000));
  await take();
  await writer.flush(20);
  assertEquals(read().length, 65536, "it has stopped");
  const flushed = writer.flush(60_000);
  for (let piece = 1; piece < 4; piece++) await take();
  await flushed;
  assertEquals(read().length, 200_000);
});
