import { assertEquals } from "@std/assert";
import { isCompactionDue } from "./compaction.ts";

Deno.test("isCompactionDue: waits for the floor, and for a journal as long as the snapshot", () => {
  const due = (journalBytes: number, snapshotBytes: number) =>
    isCompactionDue({ journalBytes, snapshotBytes, compactBytes: 100 });
  assertEquals(due(99, 0), false);
  assertEquals(due(100, 0), true);
  assertEquals(due(100, 100), true);
  assertEquals(due(100, 101), false);
  assertEquals(due(5000, 5001), false);
  assertEquals(due(5001, 5001), true);
});
