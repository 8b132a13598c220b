// A journal's folder with files of any names and contents: a box opens it, and then finds the same again, or refuses to
// and says why, and then has changed nothing.

import { assert, assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { openJournal } from "../../box/journal.ts";
import { LossyFiles } from "../../box/lossy_files.ts";
import { OvidError } from "../../core/error.ts";
import { agentId } from "../../core/id.ts";
import { encodeGroup, encodeJournalHeader, encodeSnapshot } from "../../core/journal_format.ts";
import { seededRandom } from "../../core/random.ts";
import { bytesOf, cases, inputsOf, textOf } from "./fuzz.ts";

const one = agentId("1");
const generation = fc.integer({ min: 1, max: 4 });

/** A journal whose groups begin with the number 1, 3 or 5, as those of a chain of whole ones do. */
const journal = fc.tuple(generation, fc.nat({ max: 2 })).map(([generation, groups]) => {
  const sequence = 2 * generation - 1;
  const head = textOf(encodeJournalHeader({ generation, sequence }));
  const all = Array.from(
    { length: groups },
    (_, i) => textOf(encodeGroup(sequence + i, [{ agent: one, record: `${sequence + i}` }])),
  );
  return { generation, text: head + all.join("") };
});
const snapshot = generation.map((generation) => ({
  generation,
  text: textOf(encodeSnapshot(generation, new Map([[one, { version: 1, durable: "[]" }]]))),
}));

const name = fc.oneof(
  fc.tuple(fc.constantFrom("journal", "snapshot"), generation, fc.constantFrom("", ".tmp")).map(
    ([kind, number, end]) => `${kind}-${number}${end}`,
  ),
  fc.constantFrom("journal-0", "journal-01", "snapshot-", "journal-999999999999999", "lock", "x"),
);

const files = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: journal.map((each) => [`journal-${each.generation}`, each.text] as const),
    },
    {
      weight: 2,
      arbitrary: snapshot.map((each) => [`snapshot-${each.generation}`, each.text] as const),
    },
    {
      weight: 2,
      arbitrary: fc.tuple(
        name,
        inputsOf({
          ...{ name: "", bytes: true, read: () => ({ taken: 0 }) },
          valid: fc.oneof(journal, snapshot).map(({ text }) => text),
        }),
      ),
    },
  ),
  { maxLength: 5 },
);

async function open(folder: LossyFiles) {
  const { journal, images } = await openJournal("folder", { files: folder });
  await journal.close();
  return images;
}

Deno.test("fuzz: folders of journals", async () => {
  let opened = 0;
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(files, async (all) => {
      const folder = new LossyFiles(seededRandom(1n));
      for (const [name, text] of all) folder.put(name, bytesOf(text));
      const before = folder.names().map((each) => [each, textOf(folder.peek(each))]);
      let images;
      try {
        images = await open(folder);
      } catch (error) {
        assert(error instanceof OvidError && error.code === "journal.corrupt", String(error));
        assertMatch(error.message, /^Cannot read .*(found|want) /s);
        assertEquals(folder.names().map((each) => [each, textOf(folder.peek(each))]), before);
        assertEquals(folder.handles, 0);
        refused++;
        return;
      }
      opened++;
      assertEquals(folder.handles, 0);
      assertEquals(await open(folder.crash("kill", seededRandom(2n))), images);
    }),
    { numRuns: cases },
  );
  assert(opened > 0 && refused > 0, `${opened} opened, ${refused} refused`);
});
