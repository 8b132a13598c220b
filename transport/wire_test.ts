import { assert, assertEquals, assertFalse, assertMatch, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { AnyMessage } from "../core/agent.ts";
import { agentId, isToken } from "../core/id.ts";
import {
  type Dialect,
  foreignFault,
  formatFrame,
  type Frame,
  isWebRequest,
  parseFrame,
} from "./wire.ts";

function mail(from: string, to: string, message: AnyMessage): Frame {
  return { kind: "mail", envelope: { from: agentId(from), to: agentId(to), message } };
}

function text(from: string, to: string, port: number, text: string): Frame {
  return mail(from, to, { type: "text", port, text });
}

const token = fc.oneof(
  fc.stringMatching(/^[!-~]{1,12}$/),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 }).filter(isToken),
  fc.constantFrom("chatroom", "msg", "ping", "1", "127.0.0.1:5000"),
);
const line = fc.string({ unit: "grapheme" }).map((found) => found.replace(/[\r\n]/g, ""));
const json = fc.json({ maxDepth: 4 }).map((found) => JSON.parse(found));
const object = fc.dictionary(fc.string({ unit: "grapheme" }), json, { noNullPrototype: true })
  .map((found) => JSON.parse(JSON.stringify(found)))
  .filter((found) => !JSON.stringify(found).includes("__proto__"));
const ping = token.map((box): Frame => ({ kind: "ping", box }));
const broadcast = fc.record({ box: token, text: line })
  .map(({ box, text }): Frame => ({ kind: "broadcast", box, text }));
const gridFrame: fc.Arbitrary<Frame> = fc.oneof(
  ping,
  broadcast,
  object.map((hello): Frame => ({ kind: "hello", hello })),
  fc.tuple(token, token, fc.integer({ min: 0, max: 65535 }), line).map((parts) => text(...parts)),
  fc.tuple(token, token, object, fc.string())
    .map(([from, to, body, type]) =>
      mail(from, to, { ...body, type: type === "text" ? "t" : type })
    ),
);
const dialect = fc.constantFrom<Dialect>("grid", "numeric");

Deno.test("wire: what is formatted is parsed to the same frame", () => {
  fc.assert(
    fc.property(gridFrame, (frame) => {
      assertEquals(parseFrame(formatFrame(frame, "grid"), "grid"), frame);
    }),
    { numRuns: 2000 },
  );
  fc.assert(fc.property(fc.oneof(ping, broadcast), (frame) => {
    assertEquals(parseFrame(formatFrame(frame, "numeric"), "numeric"), frame);
  }));
});

Deno.test("wire: no frame makes two lines, or one with less than two words", () => {
  const anyText = fc.string({ unit: fc.constantFrom("a", "\n", "\r", " ", "’") });
  const frames = fc.oneof(
    gridFrame,
    fc.tuple(token, anyText).map(([box, text]): Frame => ({ kind: "broadcast", box, text })),
    fc.tuple(token, token, anyText).map(([from, to, found]) => text(from, to, 1, found)),
  );
  fc.assert(fc.property(frames, (frame) => {
    const formatted = formatFrame(frame, "grid");
    assertFalse(/[\r\n]/.test(formatted));
    assert(formatted.trim().split(" ").length >= 2, formatted);
  }));
});

Deno.test("parseFrame: never throws, whatever the line", () => {
  const verbs = fc.constantFrom(
    "ping ",
    "msg ",
    "mail ",
    "hello ",
    "chatroom ",
    "msg chatroom ",
    "",
  );
  fc.assert(
    fc.property(verbs, fc.string({ unit: "binary" }), dialect, (verb, rest, spoken) => {
      assertMatch(parseFrame(verb + rest, spoken).kind, /^[a-z]+$/);
    }),
    { numRuns: 3000 },
  );
  const deep = `mail a b {"type":"t","x":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
  assertEquals(parseFrame(deep, "grid").kind, "malformed");
  assertEquals(parseFrame('mail a b {"type":"t","__proto__":{}}', "grid").kind, "malformed");
});

Deno.test("parseFrame: reads GoOvid's lines", () => {
  assertEquals(parseFrame("ping 127.0.0.1:5000", "grid"), { kind: "ping", box: "127.0.0.1:5000" });
  assertEquals(parseFrame("msg 100 200 1 put a  1", "grid"), text("100", "200", 1, "put a  1"));
  const spoken: Frame = { kind: "broadcast", box: "127.0.0.1:5000", text: "I’m here!" };
  assertEquals(parseFrame("chatroom 127.0.0.1:5000 I’m here!", "grid"), spoken);
  assertEquals(parseFrame("msg chatroom 127.0.0.1:5000 I’m here!", "grid"), spoken);
  assertEquals(parseFrame("ping 3", "numeric"), { kind: "ping", box: "3" });
  assertEquals(parseFrame("msg 3 a b", "numeric"), { kind: "broadcast", box: "3", text: "a b" });
});

Deno.test("parseFrame: a text may be empty, and ports end at 65535", () => {
  assertEquals(parseFrame("msg a b 65535", "grid"), text("a", "b", 65535, ""));
  assertEquals(parseFrame("msg a b 0 ", "grid"), text("a", "b", 0, ""));
  assertEquals(parseFrame("chatroom a", "grid"), { kind: "broadcast", box: "a", text: "" });
  for (const port of ["65536", "-1", "1.5", "1e3", "", "x", "000001"]) {
    assertEquals(parseFrame(`msg a b ${port} hi`, "grid").kind, "malformed", port);
  }
});

Deno.test("parseFrame: says what is wrong with a line", () => {
  const reason = (found: string, spoken: Dialect = "grid") => {
    const frame = parseFrame(found, spoken);
    return frame.kind === "malformed" ? frame.reason : frame.kind;
  };
  assertEquals(reason(""), 'line "" has one word');
  assertEquals(reason("ping"), 'line "ping" has one word');
  assertEquals(reason(" ping a"), 'line " ping a" begins with a blank');
  assertEquals(reason("ping a b"), 'line "ping a b" names no box');
  assertEquals(reason("msg a b"), 'line "msg a b" has less than four words');
  assertEquals(reason("msg  b 1 x"), 'line "msg  b 1 x" names no agent');
  assertEquals(reason("chatroom  x"), 'line "chatroom  x" names no box');
  assertEquals(reason("hello 1"), 'line "hello 1" carries no JSON object');
  assertEquals(
    reason("mail a b {}"),
    'line "mail a b {}" carries no message, want a JSON object with a type',
  );
  assertMatch(reason(`ping ${"x".repeat(500)}`), /^line "ping x{52}\.\.\." names no box$/);
});

Deno.test("parseFrame: what it does not know is unknown, in each dialect", () => {
  assertEquals(parseFrame("later version", "grid"), { kind: "unknown", verb: "later" });
  assertEquals(parseFrame("chatroom a b", "numeric"), { kind: "unknown", verb: "chatroom" });
  assertEquals(parseFrame("hello {}", "numeric"), { kind: "unknown", verb: "hello" });
});

Deno.test("isWebRequest: knows the first line of a request, and nothing else", () => {
  for (
    const found of [
      "GET / HTTP/1.1",
      "POST /crash HTTP/1.0",
      "PRI * HTTP/2.0",
      "OPTIONS * HTTP/1.1",
    ]
  ) {
    assert(isWebRequest(found), found);
    assertEquals(parseFrame(found, "grid").kind, "web");
    assertEquals(parseFrame(found, "numeric").kind, "web");
  }
  for (const found of ["get", "GET", "GET /", "msg 1 2 3 GET / HTTP/1.1", "Host: x"]) {
    assertFalse(isWebRequest(found), found);
  }
});

Deno.test("formatFrame: writes GoOvid's lines", () => {
  assertEquals(formatFrame(text("100", "200", 1, "put a 1"), "grid"), "msg 100 200 1 put a 1");
  assertEquals(formatFrame({ kind: "broadcast", box: "b", text: "hi" }, "grid"), "chatroom b hi");
  assertEquals(formatFrame({ kind: "broadcast", box: "3", text: "hi" }, "numeric"), "msg 3 hi");
  assertEquals(formatFrame({ kind: "ping", box: "b" }, "grid"), "ping b");
});

Deno.test("formatFrame: a hello is two words, whatever it says", () => {
  const hello = { name: "a b\u00a0c", "k \n": ["\u2028"] };
  const formatted = formatFrame({ kind: "hello", hello }, "grid");
  assertEquals(formatted.split(/\s/).length, 2);
  assertEquals(parseFrame(formatted, "grid"), { kind: "hello", hello });
});

Deno.test("formatFrame: mail of an agent named chatroom is no broadcast", () => {
  const frame = text("chatroom", "b", 1, "hi");
  assertEquals(formatFrame(frame, "grid"), 'mail chatroom b {"type":"text","port":1,"text":"hi"}');
});

Deno.test("formatFrame: the numeric dialect has no mail", () => {
  assertThrows(
    () => formatFrame(text("1", "2", 1, "x"), "numeric"),
    TypeError,
    "Cannot write a mail",
  );
});

Deno.test("foreignFault: lets through exactly what GoOvid survives", () => {
  const fine = [
    text("0", "32767", 32767, "x"),
    text("1", "2", 0, " x "),
    { kind: "ping", box: "b" },
    { kind: "hello", hello: {} },
    { kind: "broadcast", box: "b", text: "x" },
  ] as const;
  for (const frame of fine) assertEquals(foreignFault(frame, "grid"), undefined);
  const bad: readonly [Frame, RegExp][] = [
    [text("32768", "2", 1, "x"), /^the sender is "32768", want a number to 32767$/],
    [text("1", "kv", 1, "x"), /^the receiver is "kv"/],
    [text("-1", "2", 1, "x"), /^the sender/],
    [text("1", "2", 32768, "x"), /^the port is 32768/],
    [text("1", "2", 1, " \t\u00a0\u0085"), /^the text is empty$/],
    [mail("1", "2", { type: "put" }), /^a message of type "put"/],
    [{ kind: "broadcast", box: "b", text: " " }, /^the text is empty$/],
  ];
  for (const [frame, reason] of bad) assertMatch(foreignFault(frame, "grid") ?? "nothing", reason);
  assertMatch(foreignFault(text("1", "2", 1, "x"), "numeric") ?? "", /no mail/);
});
