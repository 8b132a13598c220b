import { assertEquals, assertRejects } from "@std/assert";
import { agentId } from "../core/id.ts";
import { journalContract } from "./journal_contract.ts";
import { memoryJournal, MemoryStore } from "./memory_journal.ts";

journalContract("memory journal", () => {
  const store = new MemoryStore();
  return Promise.resolve({
    open: () => Promise.resolve(memoryJournal(store)),
    clear: () => Promise.resolve(),
  });
});

Deno.test("memoryJournal: a store that is opened again has lost what was not committed", async () => {
  const store = new MemoryStore();
  const agent = agentId("1");
  const { journal } = memoryJournal(store);
  journal.append([{ agent, record: "1" }]);
  await journal.commit();
  journal.append([{ agent, record: "2" }]);
  const late = journal.commit();
  const second = memoryJournal(store);
  assertEquals(second.images.get(agent)?.records, ["1"]);
  // The journal before is that of a box that crashed: it cannot write any more.
  await assertRejects(() => late, Error, "its store was opened again");
  await assertRejects(() => journal.compact(new Map()), Error, "its store was opened again");
  assertEquals((await second.journal.read(agent)).records, ["1"]);
});

Deno.test("memoryJournal: two journals without a store know nothing of each other", async () => {
  const agent = agentId("1");
  const one = memoryJournal();
  one.journal.append([{ agent, record: "1" }]);
  await one.journal.commit();
  assertEquals(memoryJournal().images.size, 0);
});
