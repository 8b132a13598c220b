import { assertEquals } from "@std/assert";
import { validate } from "../../core/schema.ts";
import { gobby, isRead } from "./machine.ts";
import { gobbyOperation } from "./machine_operation.ts";
import { Trial } from "./machine_test_support.ts";

Deno.test("gobby: operations are what they say, and nothing else", () => {
  const isValid = (operation: unknown) => validate(gobby.operation, operation).ok;
  const put = { kind: "put", key: "a", value: "" };
  assertEquals(isValid(put), true);
  assertEquals(isValid({ ...put, key: "" }), false);
  assertEquals(isValid({ ...put, value: 1 }), false);
  assertEquals(isValid({ ...put, ttl: 1 }), false);
  assertEquals(isValid({ ...put, ttlMs: 1.5 }), false);
  assertEquals(isValid({ ...put, ifRevision: -1 }), false);
  assertEquals(isValid({ ...put, session: null }), false);
  assertEquals(isValid({ kind: "range", range: { prefix: "" }, limit: 1 }), true);
  assertEquals(isValid({ kind: "range", range: { prefix: "" }, limit: 0 }), false);
  assertEquals(isValid({ kind: "range", range: { prefix: "", from: "" }, limit: 1 }), false);
  assertEquals(isValid({ kind: "acquire", session: 1, key: "a", mode: "both", waitMs: 0 }), false);
  assertEquals(isValid({ kind: "watch", key: "a" }), false);
  // What is too long or too many passes here, so that its client is told which limit stood against it.
  assertEquals(isValid({ ...put, key: "k".repeat(5000), ttlMs: 2 ** 50 }), true);
});

Deno.test("gobby: isRead() names what changes no state", () => {
  const write = { kind: "put", key: "a", value: "" } as const;
  const read = { kind: "get", key: "a" } as const;
  const transaction = { kind: "transaction" as const, if: [], then: [], else: [] };
  assertEquals([isRead(write), isRead(read)], [false, true]);
  assertEquals(isRead({ ...transaction, then: [read] }), true);
  assertEquals(isRead({ ...transaction, else: [write] }), false);
  const kinds = gobbyOperation.options.map(({ shape }) => shape.kind.value);
  assertEquals(kinds.length, new Set(kinds).size);
});

Deno.test("docs/gobby.md shows what the machine answers", async () => {
  const page = await Deno.readTextFile(new URL("../../docs/gobby.md", import.meta.url));
  const lines = page.split("\n");
  const asked = lines.filter((line) => line.startsWith("> {")).map((line) => line.slice(2));
  const answered = lines.filter((line) => line.startsWith("< {")).map((line) => line.slice(2));
  const trial = new Trial();
  const results = asked.map((line) => trial.ask(gobbyOperation.parse(JSON.parse(line))));
  assertEquals(results.map((result) => JSON.stringify(result)), answered);
  assertEquals(asked.length, 5);
});
