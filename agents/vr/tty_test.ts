import { assertEquals } from "@std/assert";
import { rig } from "../../sim/rig.ts";
import { parseOperation, vrTty } from "./tty.ts";

function terminal() {
  return rig(vrTty, { routes: { client: ["c"] }, peers: ["c"] });
}

const stored = (id: number) => ({
  type: "result",
  id,
  outcome: { kind: "applied", result: { kind: "stored" } },
});

Deno.test("parseOperation() reads GET, SET, DEL and CAS, and nothing else", () => {
  assertEquals(parseOperation("GET a"), { kind: "get", key: "a" });
  assertEquals(parseOperation("set a  two words "), { kind: "put", key: "a", value: "two words" });
  assertEquals(parseOperation("DEL a"), { kind: "delete", key: "a" });
  assertEquals(parseOperation("CAS a 1 2"), { kind: "cas", key: "a", expected: "1", value: "2" });
  for (
    const line of [
      "",
      "GET",
      "GET a b",
      "SET a",
      "DEL",
      "DEL a b",
      "CAS a 1",
      "CAS a 1 2 3",
      "PUT a 1",
    ]
  ) {
    assertEquals(parseOperation(line), undefined, line);
  }
});

Deno.test("vr_tty asks one command at a time, prints results as JSON, and stops after the last", () => {
  const tty = terminal();
  tty.line("SET a 1");
  tty.line("SET b 2");
  tty.line("what");
  tty.eof();
  assertEquals(tty.sent.length, 1);
  tty.deliver("c", stored(1));
  assertEquals([tty.sent.length, tty.stopped], [2, false]);
  tty.deliver("c", stored(1));
  assertEquals(tty.stopped, false, "an answer to an earlier call is none to this one");
  tty.deliver("c", stored(2));
  assertEquals(tty.printed.filter((line) => line.startsWith("{")), [
    '{"kind":"stored"}',
    '{"kind":"stored"}',
    '{"kind":"failed","certain":true,"why":"want GET KEY, SET KEY VALUE, DEL KEY or CAS KEY OLD NEW"}',
  ]);
  assertEquals(tty.stopped, true);
});

Deno.test("vr_tty goes on when its client forgets a call", () => {
  const tty = terminal();
  tty.line("SET a 1");
  tty.line("SET b 2");
  tty.advance(15_000);
  assertEquals(tty.sent.length, 2);
  assertEquals(tty.printed.filter((line) => line.startsWith("{")), [
    '{"kind":"failed","certain":false,"why":"the client did not answer"}',
  ]);
});
