import { assertEquals, assertThrows } from "@std/assert";
import { z } from "zod";
import { describeIssues, issuePath, type Schema, toJsonSchema, validate } from "./schema.ts";

function schemaOf(verdict: unknown): Schema<unknown> {
  const standard = { version: 1, vendor: "test", validate: () => verdict };
  return { "~standard": standard } as Schema<unknown>;
}

Deno.test("validate() gives the value that the schema made, or its issues", () => {
  assertEquals(validate(z.string().transform(Number), "12"), { ok: true, value: 12 });
  const refused = validate(z.object({ a: z.array(z.int()) }), { a: [1, "b"] });
  assertEquals(refused.ok, false);
  if (!refused.ok) {
    assertEquals(describeIssues(refused.issues, "attrs").split(":")[0], "attrs.a[1]");
  }
});

Deno.test("validate() works with any validator of the Standard Schema family", () => {
  assertEquals(validate(schemaOf({ value: 1 }), 0), { ok: true, value: 1 });
  const issues = [{ message: "no" }];
  assertEquals(validate(schemaOf({ issues }), 0), { ok: false, issues });
});

Deno.test("validate() refuses a schema that answers later", () => {
  assertThrows(
    () => validate(schemaOf(Promise.resolve({ value: 1 })), 0),
    TypeError,
    "Cannot use an asynchronous schema, want one that answers at once",
  );
});

Deno.test("issuePath() writes keys, indices and segments as in code", () => {
  const message = "no";
  assertEquals(issuePath({ message }), "");
  assertEquals(issuePath({ message }, "attrs"), "attrs");
  assertEquals(issuePath({ message, path: ["a", 0, { key: "b" }, { key: 1 }] }), "a[0].b[1]");
  assertEquals(issuePath({ message, path: ["a"] }, "attrs"), "attrs.a");
});

Deno.test("describeIssues() writes all issues on one line", () => {
  const issues = [{ message: "want a", path: ["x"] }, { message: "want b" }];
  assertEquals(describeIssues(issues), "x: want a; want b");
});

Deno.test("toJsonSchema() is undefined where the library cannot tell", () => {
  assertEquals(toJsonSchema(schemaOf({ value: 1 })), undefined);
  assertEquals(toJsonSchema(z.object({ a: z.string() }))?.type, "object");
});
