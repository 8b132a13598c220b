// What comes over a network: lines of boxes, clients and masters, and requests by HTTP.

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { wantedOf } from "../../agents/gobby/gateway_routes.ts";
import { httpLimits, type HttpRequest } from "../../core/devices.ts";
import type { BoxId } from "../../core/id.ts";
import { Membership } from "../../core/membership.ts";
import { parseHead } from "../../box/http_request.ts";
import { RawLines } from "../../master/raw_lines.ts";
import { formatAddress, parseAddress } from "../../transport/address.ts";
import { LineDecoder } from "../../transport/lines.ts";
import { type Dialect, foreignFault, formatFrame, parseFrame } from "../../transport/wire.ts";
import { bytesOf, fuzz, type Reading, refusing, type Subject, textOf } from "./fuzz.ts";

const token = fc.oneof(
  fc.stringMatching(/^[!-~]{1,8}$/),
  fc.constantFrom("chatroom", "1", "32767", "127.0.0.1:5000", "[::1]:5000"),
);
const line = fc.string({ unit: "grapheme" }).map((text) => text.replace(/[\r\n]/g, ""));
const object = fc.dictionary(fc.string({ maxLength: 5 }), fc.jsonValue({ maxDepth: 3 }), {
  noNullPrototype: true,
}).filter((value) => !JSON.stringify(value).includes('"__proto__"'));
const port = fc.nat({ max: 65535 });
const verbs = [
  "ping ",
  "msg ",
  "chatroom ",
  "msg chatroom ",
  "hello ",
  "mail ",
  '"type"',
  "GET / HTTP/1.1",
];

/** A line as it comes out of a decoder. */
function readLine(text: string, dialect: Dialect): Reading {
  const [found = ""] = text.split("\n");
  const frame = parseFrame(found, dialect);
  switch (frame.kind) {
    case "unknown":
      return { refused: `line of verb ${JSON.stringify(frame.verb)} is unknown` };
    case "malformed":
    case "web":
      return { refused: frame.reason };
  }
  foreignFault(frame, dialect);
  // A carriage return inside a text becomes a blank when it is sent on.
  return found.includes("\r")
    ? { taken: formatFrame(frame, dialect) }
    : { taken: frame, printed: formatFrame(frame, dialect) };
}

const ping = token.map((box) => `ping ${box}`);
const frames = {
  "lines between boxes": fc.oneof(
    ping,
    fc.tuple(token, line).map(([box, text]) => `chatroom ${box} ${text}`),
    fc.tuple(token, line).map(([box, text]) => `msg chatroom ${box} ${text}`),
    fc.tuple(token, token, port, line).map((parts) => `msg ${parts.join(" ")}`)
      .filter((text) => !text.startsWith("msg chatroom ")),
  ),
  "hello": object.map((hello) => formatFrame({ kind: "hello", hello }, "grid")),
  "typed mail": fc.tuple(token, token, object, token).map(([from, to, body, type]) =>
    `mail ${from} ${to} ${JSON.stringify({ ...body, type })}`
  ),
};

/** One way to cut bytes into pieces for each of a few sizes. */
function inPieces(bytes: Uint8Array, push: (piece: Uint8Array) => void, size: number): void {
  for (let at = 0; at < bytes.length; at += size) push(bytes.subarray(at, at + size));
}

function readStream(text: string): Reading {
  const bytes = bytesOf(text);
  const all = [bytes.length, 1, 2, 7, 64].map((size) => {
    const decoder = new LineDecoder(40);
    const lines: string[] = [];
    let fault: string | undefined;
    inPieces(bytes, (piece) => {
      const found = decoder.push(piece);
      lines.push(...found.lines);
      fault = found.fault;
    }, Math.max(1, size));
    return { lines, fault };
  });
  const [first] = all;
  // A line that is too long is known before its end, whatever comes behind.
  for (const each of all) assertEquals(each, first);
  assert(first !== undefined);
  assert(first.lines.every((each) => !each.includes("\n") && each.length <= 40));
  if (first.fault !== undefined) return { refused: first.fault };
  const whole = bytes.subarray(0, bytes.lastIndexOf(10) + 1);
  const encoded = first.lines.map((each) => `${each}\n`).join("");
  // But for carriage returns all is there.
  if (!text.includes("\r")) assertEquals(new TextEncoder().encode(encoded), whole);
  return { taken: first.lines };
}

function readRaw(text: string): Reading {
  const bytes = bytesOf(text);
  return refusing([RangeError], () => {
    const all = [bytes.length, 1, 3].map((size) => {
      const raw = new RawLines(100);
      const lines: string[] = [];
      inPieces(bytes, (piece) => void lines.push(...raw.push(piece)), Math.max(1, size));
      return [...lines, raw.rest()];
    });
    for (const each of all) assertEquals(each, all[0]);
    return { taken: all[0] };
  });
}

const masterLine = fc.oneof(
  fc.constantFrom("get", "alive", "get json", "alive json", "  get  "),
  line.map((text) => `broadcast ${text}x`),
);

function readCommand(text: string): Reading {
  const membership = new Membership({ self: "127.0.0.1:5000" as BoxId });
  const [found = ""] = text.split("\n");
  const { reply, broadcast, crash } = membership.command(found, 0);
  if (reply?.startsWith("error:")) return { refused: reply };
  assert([reply, broadcast, crash].filter((each) => each !== undefined).length === 1);
  if (reply !== undefined) return { taken: reply };
  if (crash === true) return { taken: "crash", printed: "crash" };
  assertEquals<unknown>(membership.messages, [broadcast?.text]);
  return { taken: broadcast, printed: `broadcast ${broadcast?.text}` };
}

const headerValue = fc.stringMatching(/^[!-~]{0,12}$/);
const head = fc.record({
  method: fc.constantFrom("GET", "PUT", "POST", "DELETE"),
  path: fc.stringMatching(/^\/[a-z0-9/]{0,12}(\?[a-z=&]{0,10})?$/),
  length: fc.nat({ max: 1000 }),
  others: fc.array(fc.tuple(fc.stringMatching(/^x-[a-z]{1,6}$/), headerValue), { maxLength: 4 }),
}).map(({ method, path, length, others }) =>
  [
    `${method} ${path} HTTP/1.1`,
    "Host: a",
    `Content-Length: ${length}`,
    ...others.map(([name, value]) => `${name}: ${value}`),
  ].join("\r\n")
);

function readHead(text: string): Reading {
  const found = parseHead(text, httpLimits);
  if ("status" in found) {
    assert(found.status >= 400 && found.status < 500);
    return { refused: found.error };
  }
  assert(found.bodyBytes <= httpLimits.bodyBytes);
  const { method, path, query, headers, bodyBytes, awaitsContinue } = found;
  const printed = [
    `${method} ${path}${query === "" ? "" : `?${query}`} HTTP/1.1`,
    "host: a",
    ...Object.entries({ ...headers, host: "a" }).filter(([name]) => name !== "host").map(
      ([name, value]) => `${name}: ${value}`,
    ),
    `content-length: ${bodyBytes}`,
    ...awaitsContinue ? ["expect: 100-continue"] : [],
  ].join("\r\n");
  return "host" in headers ? { taken: found } : { taken: found, printed };
}

// Method, target and body in lines; the headers of each are those that browsers and curl send.
const request = fc.oneof(
  fc.constantFrom(
    "GET /v1/status\n",
    "GET /v1/keys?prefix=a&limit=5&after=b\n",
    "GET /v1/watch?prefix=a&from=7\n",
    "GET /v1/watch?key=a&only=keys\n",
    'POST /v1/sessions\n{"ttlMs":5000}',
    "POST /v1/sessions/3/keep-alive\n",
    "GET /v1/sessions/3\n",
    'POST /v1/locks/a\n{"session":1}',
    "DELETE /v1/locks/a?token=7\n",
    'POST /v1/ask\n{"kind":"get","key":"a"}',
    'POST /v1/ask\n{"kind":"range","range":{"prefix":"a"},"limit":3}',
  ),
  fc.stringMatching(/^[a-z0-9]{1,9}$/).map((key) => `PUT /v1/keys/${key}\n{"value":"1"}`),
  fc.stringMatching(/^[a-z0-9]{1,9}$/).map((key) => `GET /v1/keys/${encodeURIComponent(key)}\n`),
);

function readRequest(text: string): Reading {
  const [, method = "", target = "", body = ""] = /^(\S*) ?([^\n]*)\n?(.*)$/s.exec(text) ?? [];
  const [path = "", ...query] = target.split("?");
  const asked: HttpRequest = {
    ...{ id: 1, method, path, query: query.join("?"), body },
    headers: { "content-type": "application/json" },
  };
  const wanted = wantedOf(asked);
  if (wanted.kind === "fault") {
    assert(wanted.fault.status >= 400 && wanted.fault.status < 500);
    return { refused: wanted.fault.error };
  }
  if (wanted.kind === "watch" || wanted.absent !== undefined) return { taken: wanted };
  return { taken: wanted, printed: `POST /v1/ask\n${JSON.stringify(wanted.operation)}` };
}

const subjects: readonly Subject[] = [
  ...Object.entries(frames).map(([name, valid]): Subject => ({
    ...{ name, valid, pieces: verbs },
    refusal: /^line "|^line of verb|^a web request/,
    read: (text) => readLine(text, "grid"),
  })),
  {
    name: "lines of the numeric chatroom",
    valid: fc.oneof(ping, fc.tuple(token, line).map(([box, text]) => `msg ${box} ${text}`)),
    pieces: verbs,
    refusal: /^line "|^line of verb|^a web request/,
    read: (text) => readLine(text, "numeric"),
  },
  {
    name: "streams of lines, cut anywhere",
    valid: fc.array(fc.stringMatching(/^[a-z ]{0,12}$/), { maxLength: 9 }).map((all) =>
      all.map((each) => `${each}\n`).join("")
    ),
    pieces: ["\n", "\r\n", textOf(new TextEncoder().encode("é😀")), "\xc3", "\xed\xa0\x80"],
    bytes: true,
    refusal: /^a line is /,
    read: readStream,
  },
  {
    name: "lines of servers in any language",
    valid: fc.array(fc.stringMatching(/^[a-z ]{0,12}$/), { maxLength: 9 }).map((all) =>
      all.join("\n")
    ),
    bytes: true,
    refusal: /longer than 100 bytes/,
    seldomRefuses: true,
    read: readRaw,
  },
  {
    name: "addresses to dial",
    valid: fc.tuple(fc.constantFrom("127.0.0.1", "localhost", "[::1]", "[fe80::1:2]"), port).map(
      ([host, port]) => `${host}:${port}`,
    ),
    refusal: /^Cannot use address ".*", want /s,
    read: (text) =>
      refusing([SyntaxError], () => {
        const taken = parseAddress(text);
        return { taken, printed: formatAddress(taken) };
      }),
  },
  {
    name: "commands of a master",
    valid: masterLine,
    pieces: ["get", "alive", "broadcast ", "crash", "json"],
    refusal: /^error: .*, want /s,
    read: readCommand,
  },
  {
    name: "heads of HTTP requests",
    valid: head,
    pieces: ["\r\n", "Content-Length: ", "Transfer-Encoding: chunked", "Host: b", "HTTP/1.0"],
    bytes: true,
    read: readHead,
  },
  {
    name: "requests of Gobby by HTTP",
    valid: request,
    pieces: [
      "%",
      "%ff",
      "?",
      "&",
      "=",
      '"kind"',
      '"expireKey"',
      "/v1/",
      "/v1/keys/",
      "limit=",
      "..",
      "{}",
    ],
    read: readRequest,
  },
];

fuzz(subjects);
