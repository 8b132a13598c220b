// What the journal costs beside the disk: group commits of 64 records of 100 bytes, and the same bytes written and
// synced in the same groups by hand. Run with `deno bench -A box/journal_bench.ts`; the ratio is what matters.

import { join } from "@std/path";
import { agentId } from "../core/id.ts";
import { encodeGroup } from "../core/journal_format.ts";
import { openJournal } from "./journal.ts";

const records = Array.from({ length: 64 }, (_, slot) => ({
  agent: agentId("kv/acceptor/1"),
  record: JSON.stringify({ slot: 1000 + slot, value: "x".repeat(76) }),
}));
const bytes = encodeGroup(1, records);

const folder = await Deno.makeTempDir();
const { journal } = await openJournal(join(folder, "data"));
const file = await Deno.open(join(folder, "bare"), { write: true, create: true });
globalThis.addEventListener("unload", () => {
  file.close();
  Deno.removeSync(folder, { recursive: true });
});

Deno.bench({
  name: "bare write and syncData",
  group: "group commit, 64 records of 100 bytes",
  baseline: true,
  n: 2000,
  async fn() {
    await file.write(bytes);
    await file.syncData();
  },
});

Deno.bench({
  name: "journal append and commit",
  group: "group commit, 64 records of 100 bytes",
  n: 2000,
  async fn() {
    journal.append(records);
    await journal.commit();
  },
});

Deno.bench("encodeGroup, 64 records of 100 bytes", () => {
  encodeGroup(1, records);
});
