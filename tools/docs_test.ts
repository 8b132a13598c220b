import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { findUndocumented } from "./docs.ts";

Deno.test("findUndocumented() names each export without a doc comment, where it is declared", async () => {
  const root = await Deno.realPath(await Deno.makeTempDir());
  try {
    await Deno.writeTextFile(join(root, "mod.ts"), 'export * from "./a.ts";\n');
    const documented = "/** Says so. */\nexport const a = 1;\n";
    const overloaded =
      "/** Says so. */\nexport function b(x: 1): 1;\nexport function b(x: number): number { return x; }\n";
    await Deno.writeTextFile(join(root, "a.ts"), `${documented}${overloaded}const c = 1;\n`);
    assertEquals(await findUndocumented(root, "mod.ts"), []);
    await Deno.writeTextFile(join(root, "a.ts"), `${documented}export interface D {\n  d: 1;\n}\n`);
    assertEquals(await findUndocumented(root, "mod.ts"), [
      'a.ts:3: export "D" of mod.ts has no doc comment',
    ]);
    await assertRejects(() => findUndocumented(root, "none.ts"), Error, "Cannot read docs");
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
