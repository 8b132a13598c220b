import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { join, toFileUrl } from "@std/path";
import { agentId } from "../core/id.ts";
import { OvidError } from "../core/error.ts";
import { lockData } from "./data_lock.ts";
import { openJournal } from "./journal.ts";

function test(claim: string, act: (folder: string) => Promise<void> | void): void {
  Deno.test(claim, async () => {
    const folder = await Deno.makeTempDir();
    try {
      await act(folder);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

test("lockData: gives a folder to one at a time, and says who has it", (folder) => {
  const lock = lockData(folder);
  assertEquals(Deno.readTextFileSync(join(folder, "lock")), `${Deno.pid}\n`);
  const error = assertThrows(() => lockData(folder), OvidError);
  assertEquals(error.code, "journal.locked");
  const use = `Cannot use data folder "${folder}": it is in use by`;
  assertEquals(error.message, `${use} this process already`);
  // Before the holder has written its id, or where that says nothing.
  Deno.writeTextFileSync(join(folder, "lock"), "");
  assertEquals(assertThrows(() => lockData(folder), OvidError).message, `${use} another process`);
  lock.release();
  lockData(folder).release();
});

test("lockData: says which file where there can be no lock", (folder) => {
  const path = join(folder, "missing", "lock");
  assertThrows(() => lockData(join(folder, "missing")), Error, `Cannot lock "${path}": `);
});

test("lockData: leaves nothing open where its file cannot be opened, emptied or written", (folder) => {
  // A device that takes no bytes: what a full disk does.
  if (Deno.build.os !== "linux") return;
  const path = join(folder, "lock");
  const open = () => [...Deno.readDirSync("/proc/self/fd")].length;
  const before = open();
  Deno.symlinkSync("/dev/full", path);
  assertThrows(() => lockData(folder), Error, `Cannot lock "${path}": `);
  Deno.removeSync(path);
  Deno.mkdirSync(path);
  assertThrows(() => lockData(folder), Error, `Cannot lock "${path}": `);
  Deno.removeSync(path);
  assertEquals(open(), before);
  lockData(folder).release();
});

test("openJournal: refuses a folder that is open already, and lets go of it when closed", async (folder) => {
  const agent = agentId("1");
  const { journal } = await openJournal(folder);
  await assertRejects(() => openJournal(folder), OvidError, "it is in use by this process already");
  journal.append([{ agent, record: "1" }]);
  await journal.close();
  const { journal: second, images } = await openJournal(folder);
  assertEquals(images.get(agent)?.records, ["1"]);
  await second.close();
});

test("openJournal: a folder is another process's until that one is killed", async (folder) => {
  const agent = agentId("1");
  const script = `
    import { openJournal } from ${JSON.stringify(import.meta.resolve("./journal.ts"))};
    const { journal } = await openJournal(${JSON.stringify(folder)});
    journal.append([{ agent: "1", record: "1" }]);
    await journal.commit();
    journal.append([{ agent: "1", record: "2" }]);
    console.log("committed");
    setInterval(() => {}, 1000);
  `;
  const path = join(folder, "child.ts");
  await Deno.writeTextFile(path, script);
  const config = new URL(import.meta.resolve("../deno.json")).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-lock", "--no-check", "--config", config, toFileUrl(path).href],
    stdout: "piped",
  }).spawn();
  // Its end closes the pipe, so that the read below cannot wait for ever.
  const deadline = setTimeout(() => child.kill("SIGKILL"), 20_000);
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  try {
    assertEquals((await reader.read()).value, "committed\n");
    const error = await assertRejects(() => openJournal(folder), OvidError);
    assertEquals(
      error.message,
      `Cannot use data folder "${folder}": it is in use by another process (pid ${child.pid})`,
    );
  } finally {
    clearTimeout(deadline);
    child.kill("SIGKILL");
    await child.status;
    await reader.cancel();
  }
  const { journal, images } = await openJournal(folder);
  assertEquals(images.get(agent)?.records, ["1"]);
  await journal.close();
});
