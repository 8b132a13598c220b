import { assertEquals } from "@std/assert";
import { importSchemas } from "./zod_in_two.ts";

Deno.test("importSchemas() leads the import of a source elsewhere, and none in its texts", () => {
  const head = `// A \`comment\`.\n\nimport {\n  a,\n  type B,\n} from "./a.ts";\n`;
  const text = 'export const text = `\nimport { z } from "zod";\n`;\n';
  assertEquals(importSchemas(`${head}${text}`), `${head}${text}`);
  assertEquals(
    importSchemas(`${head}import { z } from "zod";\nimport { c } from "./c.ts";\n\n${text}`),
    `${head}import * as z from "zod-schemas";\nimport { c } from "./c.ts";\n\n${text}`,
  );
});
