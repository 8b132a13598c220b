// What the built-in agents say to each other and write down is looked at by quick checks; a schema of which not all is
// known would be left to zod, and nothing but time would tell.

import { assertEquals } from "@std/assert";
import { builtIns } from "../../agents/registry.ts";
import { quickCheck } from "../../core/quick_check.ts";

const left = quickCheck({
  "~standard": { version: 1, vendor: "", validate: () => ({ value: 1 }) },
});

Deno.test("quickCheck() knows all messages and records of the built-in agents but text", () => {
  const unknown: string[] = [];
  let known = 0;
  for (const [type, { protocol, record }] of builtIns) {
    const schemas = record === undefined ? protocol : { ...protocol, record };
    for (const [name, schema] of Object.entries(schemas)) {
      if (quickCheck(schema) !== left) known++;
      else if (name !== "text") unknown.push(`${type} ${name}`);
    }
  }
  assertEquals(unknown, []);
  assertEquals(known > 100, true, `${known} are known`);
});
