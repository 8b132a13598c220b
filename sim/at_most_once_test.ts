import { assertEquals } from "@std/assert";
import type { Json } from "../core/data.ts";
import { excessText, findExcess, timesAskedIn } from "./at_most_once.ts";

function put(value: string) {
  const operation = { kind: "put", key: "x", value };
  return { client: "c1", operation, result: undefined, invokeUs: 0, returnUs: undefined };
}

function valueOf(operation: Json): string | undefined {
  const value: unknown = Reflect.get(Object(operation), "value");
  return typeof value === "string" ? value : undefined;
}

Deno.test("findExcess() finds nothing where all was executed once, or not at all", () => {
  assertEquals(findExcess([]), undefined);
  assertEquals(findExcess(["a", "b"]), undefined);
});

Deno.test("findExcess() finds what was executed twice, and where", () => {
  assertEquals(findExcess(["a", "b", "c", "b"]), { operation: "b", places: [1, 3] });
});

Deno.test("findExcess() allows as many executions as were asked for, and none of what was not", () => {
  const asked = timesAskedIn([put("1"), put("1"), put("2")], valueOf);
  assertEquals(findExcess(["1", "2", "1"], asked), undefined);
  assertEquals(findExcess(["1", "1", "1"], asked), { operation: "1", places: [0, 1, 2] });
  assertEquals(findExcess(["1", "3"], asked), { operation: "3", places: [1] });
});

Deno.test("timesAskedIn() does not count operations that it has no name for", () => {
  const get = { ...put("1"), operation: { kind: "get", key: "x" } };
  const asked = timesAskedIn([get, put("1")], valueOf);
  assertEquals([asked("1"), asked("get")], [1, 0]);
});

Deno.test("excessText() says how often and as which of all", () => {
  assertEquals(
    excessText({ operation: "the put of a", places: [1, 3] }),
    "the put of a was executed twice, as 2 and 4 of all",
  );
  assertEquals(
    excessText({ operation: "b", places: [0, 1, 2] }),
    "b was executed 3 times, as 1 and 2 and 3 of all",
  );
  assertEquals(excessText({ operation: "c", places: [0] }), "c was executed once, as 1 of all");
});
