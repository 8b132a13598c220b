import { assertEquals } from "@std/assert";
import { describeIssues, validate } from "../core/schema.ts";
import { idLengthMax } from "../core/id.ts";
import { virtualIdAttr } from "./ids.ts";

Deno.test("virtualIdAttr takes numbers, as GoOvid's grids have them, and tokens, as the same", () => {
  for (const id of [20, "20"]) {
    assertEquals<unknown>(validate(virtualIdAttr, id), { ok: true, value: "20" });
  }
  for (const id of [0, 65536, "kv/client/1", "é", "a".repeat(idLengthMax)]) {
    assertEquals<unknown>(validate(virtualIdAttr, id), { ok: true, value: String(id) });
  }
});

Deno.test("virtualIdAttr refuses what can be no id, and says what can", () => {
  const refused = [
    -1,
    1.5,
    NaN,
    1e21,
    "",
    "a b",
    "a\n",
    "a".repeat(idLengthMax + 1),
    null,
    [1],
    {},
  ];
  for (const id of refused) {
    const verdict = validate(virtualIdAttr, id);
    assertEquals(
      verdict.ok ? "taken" : describeIssues(verdict.issues),
      "want a whole number from 0 or a word without white space",
      Deno.inspect(id),
    );
  }
});
