// The device `file` on a disk of which any operation fails.

import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import type { FileOutput } from "../core/devices.ts";
import { agentId } from "../core/id.ts";
import { type DeviceFile, type DeviceFiles, FileDevice, realDeviceFiles } from "./file_device.ts";

const agent = agentId("a");
const append = (text: string, path = "f"): FileOutput => ({ type: "append", path, text });
const write = (...lines: readonly string[]): FileOutput => ({ type: "write", path: "f", lines });

type Operation = keyof DeviceFiles | keyof DeviceFile;

/** Real files whose operation number `failAt` fails; a write that fails has written a half. */
class FailingFiles implements DeviceFiles {
  readonly failed = new Set<Operation>();
  operations = 0;
  handles = 0;

  constructor(readonly failAt: number) {}

  makeFolder = (folder: string) =>
    this.#act("makeFolder", () => realDeviceFiles.makeFolder(folder));
  rename = (from: string, to: string) =>
    this.#act("rename", () => realDeviceFiles.rename(from, to));
  remove = (path: string) => this.#act("remove", () => realDeviceFiles.remove(path));

  open = (path: string, how: "append" | "new") =>
    this.#act("open", async (): Promise<DeviceFile> => {
      const file = await realDeviceFiles.open(path, how);
      this.handles++;
      return {
        size: () => this.#act("size", () => file.size()),
        write: (bytes) => {
          const half = bytes.subarray(0, Math.ceil(bytes.length / 2));
          return this.#act("write", () => file.write(half), () => file.write(half));
        },
        truncate: (bytes) => this.#act("truncate", () => file.truncate(bytes)),
        sync: () => this.#act("sync", () => file.sync()),
        close: () => {
          this.handles--;
          file.close();
        },
      };
    });

  async #act<T>(
    operation: Operation,
    act: () => Promise<T>,
    spoil: () => Promise<unknown> = () => Promise.resolve(),
  ): Promise<T> {
    if (this.operations++ === this.failAt) {
      this.failed.add(operation);
      await spoil();
      throw new Error(`${operation} was told to fail`);
    }
    return await act();
  }
}

interface Outcome {
  readonly files: FailingFiles;
  readonly reasons: readonly string[];
  /** What the folder has after each batch. */
  readonly after: readonly Readonly<Record<string, string>>[];
}

async function carryOut(
  failAt: number,
  batches: readonly (readonly FileOutput[])[],
  charactersMax?: number,
): Promise<Outcome> {
  const folder = await Deno.makeTempDir({ prefix: "ovid-test-" });
  const files = new FailingFiles(failAt);
  const reasons: string[] = [];
  const device = new FileDevice({
    folder,
    files,
    event: (_agent, { reason }) => reasons.push(reason),
    date: () => new Date(0),
    ...charactersMax === undefined ? {} : { charactersMax },
  });
  const after: Record<string, string>[] = [];
  try {
    for (const outputs of batches) {
      for (const output of outputs) device.take(agent, output);
      await device.flush();
      const found: Record<string, string> = {};
      for await (const { name } of Deno.readDir(folder)) {
        found[name] = await Deno.readTextFile(join(folder, name));
      }
      after.push(found);
    }
    return { files, reasons, after };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const story = [[append("one")], [append("two"), append("three")], [write("new", "text")], [
  append("four"),
]];
const wanted = ["one\n", "one\ntwo\nthree\n", "new\ntext\n", "new\ntext\nfour\n"];

function linesOf(text: string | undefined): string[] {
  return (text ?? "").split("\n").filter((each) => each !== "");
}

/** What the file has after each batch if one change, counted through all batches, did not happen. */
function without(left: number): string[][] {
  let lines: string[] = [];
  let number = 0;
  return story.map((changes) => {
    for (const change of changes) {
      if (number++ === left) continue;
      lines = change.type === "write" ? [...change.lines] : [...lines, change.text];
    }
    return lines;
  });
}

Deno.test("FileDevice: whatever operation fails, a change is made whole or not at all, and the agent is told", async () => {
  const { files: whole, after } = await carryOut(-1, story);
  assertEquals(after, wanted.map((f) => ({ f })));
  const failed = new Set<Operation>();
  for (let failAt = 0; failAt < whole.operations; failAt++) {
    const { files, reasons, after } = await carryOut(failAt, story);
    const [operation] = files.failed;
    assert(operation !== undefined);
    failed.add(operation);
    assertEquals([reasons, files.handles], [[`${operation} was told to fail`], 0]);
    const found = JSON.stringify(after.map(({ f }) => linesOf(f)));
    const possible = Array.from({ length: 5 }, (_, left) => JSON.stringify(without(left)));
    assert(possible.includes(found), `after ${operation}: ${found}`);
    for (const folder of after) {
      assertEquals(Object.keys(folder).filter((name) => name !== "f"), []);
    }
  }
  assertEquals([...failed].sort(), ["makeFolder", "open", "rename", "size", "sync", "write"]);
});

Deno.test("FileDevice: what finds no room before the disk fails, and what comes later does not", async () => {
  const many = Array.from({ length: 30 }, (_, i) => append(`line ${10 + i}`));
  const { reasons, after } = await carryOut(-1, [many, [append("later")]], 100);
  assertEquals(after[0]?.f?.split("\n").length, 13, "twelve lines of eight characters");
  assertEquals(reasons, Array(18).fill("more than 100 characters wait for the disk"));
  assertEquals(after[1]?.f, `${after[0]?.f}later\n`);
  const long = "x".repeat(200);
  assertEquals((await carryOut(-1, [[append(long)]], 100)).after, [{ f: `${long}\n` }]);
});
