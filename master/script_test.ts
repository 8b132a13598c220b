import { assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import {
  type Dialect,
  type Malformed,
  parseLine,
  recogniseDialect,
  sleepMsMax,
  strip,
} from "./script.ts";

function malformed(line: string, dialect: Dialect): Malformed {
  const parsed = parseLine(line, dialect);
  if (parsed?.kind !== "malformed") throw new Error(`${line} was read: ${JSON.stringify(parsed)}`);
  return parsed;
}

Deno.test("parseLine: reads each command of the numeric dialect", () => {
  assertEquals(parseLine("0 start 3 10000", "numeric"), {
    kind: "start",
    box: "0",
    count: 3,
    port: 10000,
  });
  assertEquals(parseLine("0 get", "numeric"), { kind: "ask", box: "0", verb: "get", text: "get" });
  assertEquals(parseLine("12 alive", "numeric"), {
    kind: "ask",
    box: "12",
    verb: "alive",
    text: "alive",
  });
  assertEquals(parseLine("2 crash", "numeric"), { kind: "crash", box: "2" });
  assertEquals(parseLine("sleep 1000", "numeric"), { kind: "sleep", ms: 1000 });
  assertEquals(parseLine("exit", "numeric"), { kind: "exit" });
});

Deno.test("parseLine: reads a box with a port, and one that leaves the port open", () => {
  const box = "127.0.0.1:5000";
  assertEquals(parseLine(`${box} start 10000`, "box"), { kind: "start", box, port: 10000 });
  assertEquals(parseLine(`${box} start`, "box"), { kind: "start", box });
  assertEquals(parseLine("127.0.0.1:05000 get", "box"), {
    kind: "ask",
    box: "127.0.0.1:05000",
    verb: "get",
    text: "get",
  });
  assertEquals(parseLine(`sleep .5`, "box"), { kind: "sleep", ms: 0.5 });
});

Deno.test("parseLine: trims a line, passes over blank ones, and keeps the blanks inside", () => {
  assertEquals(parseLine(" \t\r\n", "numeric"), undefined);
  assertEquals(parseLine("\t exit \r", "box"), { kind: "exit" });
  assertEquals(parseLine("  0 \t broadcast I'm here  now \r", "numeric"), {
    kind: "broadcast",
    box: "0",
    text: "broadcast I'm here  now",
  });
  assertEquals(parseLine("0  get   json", "numeric"), {
    kind: "ask",
    box: "0",
    verb: "get",
    text: "get   json",
  });
});

Deno.test("parseLine: takes a no-break space for text, as the original did", () => {
  assertEquals(parseLine("0 broadcast a\u00a0", "numeric"), {
    kind: "broadcast",
    box: "0",
    text: "broadcast a\u00a0",
  });
});

Deno.test("parseLine: reads numbers as Python's int() and float() do", () => {
  for (const id of ["5", "+5", "05"]) {
    assertEquals(parseLine(`${id} crash`, "numeric"), { kind: "crash", box: "5" });
  }
  for (const [text, ms] of Object.entries({ "1e3": 1000, "5.": 5, "+.5": 0.5, "0": 0 })) {
    assertEquals(parseLine(`sleep ${text}`, "numeric"), { kind: "sleep", ms });
  }
  for (const id of ["1_000", "0x1", "1.0", "1e3", "--1", "five"]) {
    assertEquals(malformed(`${id} get`, "numeric").said, `Invalid pid: ${id}`);
  }
});

Deno.test("parseLine: keeps servers apart whose numbers are very large", () => {
  for (const box of ["9007199254740993", "1000000000000000000000"]) {
    assertEquals(parseLine(`${box} crash`, "numeric"), { kind: "crash", box });
  }
  assertEquals(parseLine("+007 crash", "numeric"), { kind: "crash", box: "7" });
});

Deno.test("parseLine: a single word is an invalid command, which ends the numeric dialect alone", () => {
  for (const word of ["hello", "0", "sleep", "127.0.0.1:5000", "exit!"]) {
    const numeric = malformed(` ${word} `, "numeric");
    assertEquals([numeric.said, numeric.original], [`Invalid command: ${word}`, "exited"]);
    const box = malformed(word, "box");
    assertEquals([box.said, box.original], [`Invalid command: ${word}`, "went on"]);
  }
});

Deno.test("parseLine: an unknown verb is an invalid command, and nothing ends", () => {
  for (
    const [line, dialect] of [
      ["0 stop", "numeric"],
      ["-1 stop", "numeric"],
      ["b stop  now", "box"],
      ["exit now", "box"],
    ] as const
  ) {
    const { said, original } = malformed(line, dialect);
    assertEquals([said, original], [`Invalid command: ${line}`, "went on"]);
  }
});

Deno.test("parseLine: a server that is no number, or a port that is none, ended the original", () => {
  for (const first of ["a", "exit", "127.0.0.1:5000"]) {
    const { said, original } = malformed(`${first} alive`, "numeric");
    assertEquals([said, original], [`Invalid pid: ${first}`, "exited"]);
  }
  for (const [line, dialect] of [["0 start 3 x1", "numeric"], ["b start x1", "box"]] as const) {
    const { said, original } = malformed(line, dialect);
    assertEquals([said, original], ["Invalid port: x1", "exited"]);
  }
});

Deno.test("parseLine: an address in the numeric dialect is told that it needs a grid", () => {
  assertMatch(malformed("127.0.0.1:5000 start 10000", "numeric").error, /need the grid/);
});

Deno.test("parseLine: what crashed the original has no words on standard output (C6, C7, C9)", () => {
  const lines: readonly (readonly [string, Dialect, RegExp])[] = [
    ["0 start", "numeric", /want ID start N PORT$/],
    ["0 start 3", "numeric", /want ID start N PORT$/],
    ["0 start x 10000", "numeric", /"x", want a number of servers$/],
    ["0 start 0 10000", "numeric", /"0", want a number of servers$/],
    ["0 start 3 0", "numeric", /want 1 to 65535$/],
    ["0 start 3 65536", "numeric", /want 1 to 65535$/],
    ["b start -1", "box", /want 1 to 65535$/],
    ["-1 get", "numeric", /want 0 or higher$/],
    ["-1 start 3 10000", "numeric", /want 0 or higher$/],
    ["3 start 3 10000", "numeric", /server 3 of 3, want a server from 0 to 2$/],
    ["sleep abc", "numeric", /"abc", want milliseconds/],
    ["sleep -1", "box", /"-1", want milliseconds/],
    ["sleep 1 2", "box", /want milliseconds/],
    ["sleep nan", "box", /want milliseconds/],
    ["sleep inf", "box", /want milliseconds/],
    [`sleep ${sleepMsMax + 1}`, "box", /want milliseconds/],
  ];
  for (const [line, dialect, error] of lines) {
    const parsed = malformed(line, dialect);
    assertEquals([parsed.said, parsed.original], [undefined, "crashed"], line);
    assertMatch(parsed.error, error);
  }
});

Deno.test("parseLine: takes what stands at the edge of each limit", () => {
  assertEquals(parseLine("2 start 3 1", "numeric")?.kind, "start");
  assertEquals(parseLine("0 start 1 65535 more", "numeric")?.kind, "start");
  assertEquals(parseLine(`sleep ${sleepMsMax}`, "numeric")?.kind, "sleep");
});

Deno.test("parseLine: never throws, and a line without words is the only one it passes over", () => {
  const dialects = fc.constantFrom<Dialect>("numeric", "box");
  const word = fc.constantFrom("0", "-1", "start", "get", "sleep", "broadcast", "exit", "x:1", "9");
  const line = fc.oneof(fc.string(), fc.array(word, { maxLength: 5 }).map((all) => all.join(" ")));
  fc.assert(fc.property(line, dialects, (text, dialect) => {
    assertEquals(parseLine(text, dialect) === undefined, strip(text) === "");
  }));
});

Deno.test("recogniseDialect: goes by the servers that are started", () => {
  assertEquals(recogniseDialect("0 start 3 10000\n0 get\nexit"), "numeric");
  assertEquals(recogniseDialect("\n127.0.0.1:5000 start 10000"), "box");
  assertEquals(recogniseDialect("[::1]:5000 start"), "box");
  assertEquals(recogniseDialect("alpha start"), "box");
  assertEquals(recogniseDialect("127.0.0.1:5000 get\n0 start 3 10000"), "numeric");
  assertEquals(recogniseDialect("abc start 3 10000\n0 start 3 10000"), "numeric");
});

Deno.test("recogniseDialect: without a start goes by any command, and else does not guess", () => {
  assertEquals(recogniseDialect("0 get"), "numeric");
  assertEquals(recogniseDialect("127.0.0.1:5000 crash"), "box");
  for (const text of ["", "exit", "sleep 10\nexit", "hello world", "sleep start", "x get"]) {
    assertEquals(recogniseDialect(text), undefined, text);
  }
});
