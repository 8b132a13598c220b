import { assertEquals } from "@std/assert";
import type { Entry } from "../../agents/vr/protocol.ts";
import { counter } from "../../agents/machine/counter.ts";
import { findExecutedTwice } from "./vr_executed.ts";

const open: Entry = { client: "c", session: 0, request: 1, view: 0, command: { kind: "open" } };

function add(request: number, session = 1, view = 0): Entry {
  const command = { kind: "apply", operation: { kind: "add", amount: 1 } } as const;
  return { client: "c", session, request, view, command };
}

Deno.test("findExecutedTwice() finds nothing in a log that holds each request once", () => {
  assertEquals(findExecutedTwice([open, add(1), add(2)], { total: 2 }, counter), undefined);
});

Deno.test("findExecutedTwice() tells a request that is in the log twice from one that was executed twice", () => {
  const log = [open, add(1), add(2), add(1, 1, 3), add(2, 1, 3)];
  assertEquals(findExecutedTwice(log, { total: 2 }, counter), undefined);
  assertEquals(
    findExecutedTwice(log, { total: 4 }, counter),
    "request 1 of c in session 1 was executed twice, as 1 and 3 of all",
  );
});

Deno.test("findExecutedTwice() allows what is refused as often as it comes", () => {
  assertEquals(findExecutedTwice([add(1, 7), add(1, 7)], { total: 0 }, counter), undefined);
});
