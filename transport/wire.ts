// Every line that boxes exchange, and nothing but lines: parsing and formatting, without any connection.
// Two dialects are GoOvid's: that of its grids, with agents and mail, and that of the numeric chatroom. Ovid adds
// `hello` and `mail`, which only boxes that have said hello are sent.

import type { AnyMessage } from "../core/agent.ts";
import { type Json, parseJson } from "../core/data.ts";
import type { Envelope } from "../core/envelope.ts";
import { type AgentId, isToken } from "../core/id.ts";
import { portMax } from "../core/text.ts";

/** Which set of lines the boxes of a grid speak. */
export type Dialect = "grid" | "numeric";

/** A line that says something. A box named here is what the line claims, not yet one of the grid's. */
export type Frame =
  | { readonly kind: "ping"; readonly box: string }
  | { readonly kind: "hello"; readonly hello: { readonly [key: string]: Json | undefined } }
  | { readonly kind: "mail"; readonly envelope: Envelope }
  | { readonly kind: "broadcast"; readonly box: string; readonly text: string };

/** A line that says nothing to us: of a kind we do not know, broken, or a web browser's. */
export type NoFrame =
  | { readonly kind: "unknown"; readonly verb: string }
  | { readonly kind: "malformed"; readonly reason: string }
  | { readonly kind: "web"; readonly reason: string };

/**
 * How a broadcast begins on the wire of a grid. GoOvid writes `chatroom`, and reads that as well as `msg chatroom`;
 * both are understood here, whichever this is.
 */
export const broadcastVerb: "chatroom" | "msg chatroom" = "chatroom";

/** The largest agent id and port that GoOvid can read: it parses them as signed numbers of 16 bits. */
export const foreignNumberMax = 32767;

const messageWord = "chatroom";
const webRequest = /^[A-Z]+ \S+ HTTP\/\d/;
const decimal = /^\d{1,5}$/;
// What GoOvid trims: to Go, unlike to JavaScript, U+0085 is white space.
const foreignBlank = /^[\s\u0085]*$/;

/** Whether a line is the first of an HTTP request: whoever sends one must not get to send another line. */
export function isWebRequest(line: string): boolean {
  return webRequest.test(line);
}

/**
 * What a line says.
 *
 * @example
 * ```ts
 * parseFrame("ping 127.0.0.1:5000", "grid"); // { kind: "ping", box: "127.0.0.1:5000" }
 * parseFrame("ping", "grid"); // { kind: "malformed", reason: 'line "ping" has one word' }
 * ```
 */
export function parseFrame(line: string, dialect: Dialect): Frame | NoFrame {
  const blank = line.indexOf(" ");
  if (blank <= 0) return malformed(line, blank < 0 ? "has one word" : "begins with a blank");
  const verb = line.slice(0, blank);
  const rest = line.slice(blank + 1);
  if (verb === "ping") {
    return isToken(rest) ? { kind: "ping", box: rest } : malformed(line, "names no box");
  }
  if (dialect === "numeric") {
    return verb === "msg" ? parseBroadcast(line, rest) : parseOther(line, verb);
  }
  switch (verb) {
    case "msg":
      return rest.startsWith("chatroom ")
        ? parseBroadcast(line, rest.slice(messageWord.length + 1))
        : parseText(line, rest);
    case "mail":
      return parseMail(line, rest);
    case "chatroom":
      return parseBroadcast(line, rest);
    case "hello":
      return parseHello(line, rest);
    default:
      return parseOther(line, verb);
  }
}

/**
 * The line that says `frame`, without a line feed. Line feeds inside a text become blanks.
 *
 * @throws {TypeError} if the dialect has no such line.
 */
export function formatFrame(frame: Frame, dialect: Dialect): string {
  switch (frame.kind) {
    case "ping":
      return `ping ${frame.box}`;
    case "broadcast":
      return `${dialect === "numeric" ? "msg" : broadcastVerb} ${frame.box} ${flat(frame.text)}`;
  }
  if (dialect === "numeric") {
    throw new TypeError(
      `Cannot write a ${frame.kind} in the numeric dialect, want a ping or a broadcast`,
    );
  }
  if (frame.kind === "hello") {
    // Blanks of any kind would make three words of it, and white space in JSON stands inside strings only.
    const blank = (found: string) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`;
    return `hello ${JSON.stringify(frame.hello).replace(/\s/g, blank)}`;
  }
  const { from, to, message } = frame.envelope;
  // From an agent named "chatroom" a `msg` would read as a broadcast.
  return isText(message) && from !== messageWord
    ? `msg ${from} ${to} ${message.port} ${flat(message.text)}`
    : `mail ${from} ${to} ${JSON.stringify(message)}`;
}

/**
 * Why `frame` must not be sent to a box that has not said hello; undefined if it may be. What GoOvid cannot read
 * does not bounce off it but ends its process.
 */
export function foreignFault(frame: Frame, dialect: Dialect): string | undefined {
  if (frame.kind === "ping") return undefined;
  if (frame.kind === "broadcast") {
    return foreignBlank.test(frame.text) ? "the text is empty" : undefined;
  }
  if (dialect === "numeric") return `the numeric dialect has no ${frame.kind}`;
  if (frame.kind === "hello") return undefined;
  const { from, to, message } = frame.envelope;
  if (!isText(message)) return `a message of type "${message.type}", and the peer takes only text`;
  if (!isForeignNumber(from)) {
    return `the sender is "${from}", want a number to ${foreignNumberMax}`;
  }
  if (!isForeignNumber(to)) return `the receiver is "${to}", want a number to ${foreignNumberMax}`;
  if (message.port > foreignNumberMax) {
    return `the port is ${message.port}, want a number to ${foreignNumberMax}`;
  }
  return foreignBlank.test(message.text) ? "the text is empty" : undefined;
}

function isForeignNumber(text: string): boolean {
  return decimal.test(text) && Number(text) <= foreignNumberMax;
}

function isText(
  message: AnyMessage,
): message is { readonly type: "text"; readonly port: number; readonly text: string } {
  return message.type === "text" && typeof message.text === "string" &&
    typeof message.port === "number" && Number.isInteger(message.port) && message.port >= 0 &&
    message.port <= portMax;
}

function flat(text: string): string {
  return text.includes("\n") || text.includes("\r") ? text.replace(/[\r\n]+/g, " ") : text;
}

function malformed(line: string, reason: string): NoFrame {
  const shown = line.length > 60 ? `${line.slice(0, 57)}...` : line;
  return { kind: "malformed", reason: `line ${JSON.stringify(shown)} ${reason}` };
}

function parseOther(line: string, verb: string): NoFrame {
  return isWebRequest(line)
    ? { kind: "web", reason: "a web request, and this is no web server" }
    : { kind: "unknown", verb };
}

function parseBroadcast(line: string, rest: string): Frame | NoFrame {
  const blank = rest.indexOf(" ");
  const box = blank < 0 ? rest : rest.slice(0, blank);
  if (!isToken(box)) return malformed(line, "names no box");
  return { kind: "broadcast", box, text: blank < 0 ? "" : rest.slice(blank + 1) };
}

function parseText(line: string, rest: string): Frame | NoFrame {
  const first = rest.indexOf(" ");
  const second = rest.indexOf(" ", first + 1);
  if (first < 0 || second < 0) return malformed(line, "has less than four words");
  const third = rest.indexOf(" ", second + 1);
  const port = rest.slice(second + 1, third < 0 ? undefined : third);
  if (!decimal.test(port) || Number(port) > portMax) {
    return malformed(line, `has no port, want a number to ${portMax}`);
  }
  const text = third < 0 ? "" : rest.slice(third + 1);
  return mailFrame(line, rest.slice(0, first), rest.slice(first + 1, second), {
    type: "text",
    port: Number(port),
    text,
  });
}

function parseMail(line: string, rest: string): Frame | NoFrame {
  const first = rest.indexOf(" ");
  const second = rest.indexOf(" ", first + 1);
  if (first < 0 || second < 0) return malformed(line, "has less than four words");
  const message = parseObject(rest.slice(second + 1));
  if (message === undefined || typeof message.type !== "string") {
    return malformed(line, "carries no message, want a JSON object with a type");
  }
  return mailFrame(
    line,
    rest.slice(0, first),
    rest.slice(first + 1, second),
    message as AnyMessage,
  );
}

function mailFrame(line: string, from: string, to: string, message: AnyMessage): Frame | NoFrame {
  if (!isToken(from) || !isToken(to)) return malformed(line, "names no agent");
  return { kind: "mail", envelope: { from: from as AgentId, to: to as AgentId, message } };
}

function parseHello(line: string, rest: string): Frame | NoFrame {
  const hello = parseObject(rest);
  return hello === undefined ? malformed(line, "carries no JSON object") : { kind: "hello", hello };
}

// JSON.parse takes any depth, and a property that replaces the prototype; `parseJson` refuses both, and makes 0 of -0.
function parseObject(text: string): { [key: string]: Json } | undefined {
  try {
    const value: unknown = parseJson(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    return value as { [key: string]: Json };
  } catch {
    return undefined;
  }
}
