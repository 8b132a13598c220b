// The language of chatroom scripts, as the masters before Ovid read it: what a line asks for, and for a line that
// asks for nothing, what those masters did about it. Pure: nothing happens here.

import { quote } from "../core/config/wording.ts";

/**
 * How a script names its servers: by numbers (`0 start 3 10000`), or by the addresses of boxes
 * (`127.0.0.1:5000 start 10000`, or without the port, which lets the master pick a free one).
 */
export type Dialect = "numeric" | "box";

/** Something that a script asks for. */
export type Command =
  | { readonly kind: "exit" }
  | { readonly kind: "sleep"; readonly ms: number }
  | StartCommand
  | AskCommand
  /** `text` is what the server gets, the word `broadcast` included; it does not answer. */
  | { readonly kind: "broadcast"; readonly box: string; readonly text: string }
  | { readonly kind: "crash"; readonly box: string };

/** Starts a server. */
export interface StartCommand {
  readonly kind: "start";
  readonly box: string;
  /** How many servers there may be; in the numeric dialect alone. */
  readonly count?: number;
  /** Where the server takes commands; undefined for any free port. */
  readonly port?: number;
}

/** Sends `text` to a server, which answers with one line. */
export interface AskCommand {
  readonly kind: "ask";
  readonly box: string;
  readonly verb: "get" | "alive";
  readonly text: string;
}

/** A line that asks for nothing that can be done. */
export interface Malformed {
  readonly kind: "malformed";
  /** What the original printed on standard output; undefined where it had no words for it. */
  readonly said?: string;
  /** What the original did; where it crashed, at once or later, Ovid goes on and remembers the error. */
  readonly original: "went on" | "exited" | "crashed";
  /** What is wrong, for standard error. */
  readonly error: string;
}

/** What {@linkcode parseLine} makes of a line; undefined for a blank one. */
export type ParsedLine = Command | Malformed | undefined;

// White space as Python 2 has it in byte strings: a no-break space is text.
const blanks = /[ \t\n\v\f\r]+/;
const edges = /^[ \t\n\v\f\r]+|[ \t\n\v\f\r]+$/g;
const integerForm = /^[+-]?\d+$/;
const floatForm = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const verbs: readonly string[] = ["start", "get", "alive", "broadcast", "crash"];

/** The longest sleep that a timer can measure, about 24 days. */
export const sleepMsMax: number = 2 ** 31 - 1;

/** `text` without white space around it, by the original's idea of white space. */
export function strip(text: string): string {
  return text.replace(edges, "");
}

/** The words of `text`. */
export function wordsOf(text: string): string[] {
  return strip(text).split(blanks);
}

/**
 * Reads a line of a script.
 *
 * @example
 * ```ts
 * parseLine("0 start 3 10000", "numeric"); // { kind: "start", box: "0", count: 3, port: 10000 }
 * parseLine("0 broadcast I'm here  now", "numeric"); // { ..., text: "broadcast I'm here  now" }
 * parseLine("hello", "box"); // { kind: "malformed", said: "Invalid command: hello", ... }
 * ```
 */
export function parseLine(text: string, dialect: Dialect): ParsedLine {
  const line = strip(text);
  if (line === "") return undefined;
  if (line === "exit") return { kind: "exit" };
  const words = wordsOf(line);
  const [first = "", verb] = words;
  if (verb === undefined) {
    return invalidCommand(line, dialect, dialect === "numeric" ? "exited" : "went on");
  }
  const rest = strip(line.slice(first.length));
  // The original looked for `sleep` before it looked for a server's number.
  if (first === "sleep") return parseSleep(rest);
  if (dialect === "numeric" && !integerForm.test(first)) {
    return {
      kind: "malformed",
      said: `Invalid pid: ${first}`,
      original: "exited",
      error: `Cannot use ${quote(first)} as a server, want a number` +
        (first.includes(":") ? "; boxes with addresses need the grid that they are in" : ""),
    };
  }
  if (!verbs.includes(verb)) return invalidCommand(line, dialect, "went on");
  // Exactly, as in the original: two servers whose numbers are very large are two.
  const box = dialect === "numeric" ? String(BigInt(first.replace("+", ""))) : first;
  if (box.startsWith("-") && dialect === "numeric") {
    return failed(`Cannot use ${quote(first)} as a server, want 0 or higher`);
  }
  switch (verb) {
    case "start":
      return dialect === "numeric" ? parseNumericStart(box, words) : parseBoxStart(box, words);
    case "get":
    case "alive":
      return { kind: "ask", box, verb, text: rest };
    case "broadcast":
      return { kind: "broadcast", box, text: rest };
    default:
      return { kind: "crash", box };
  }
}

/**
 * The dialect of a whole script; undefined if none of its lines tells. Lines that start servers tell most: in a
 * script with a mistake, others may name what is no server.
 */
export function recogniseDialect(text: string): Dialect | undefined {
  const lines = text.split("\n").map(wordsOf).filter(([first = "", verb = ""]) =>
    first !== "sleep" && verbs.includes(verb)
  );
  const starts = lines.filter(([, verb]) => verb === "start");
  for (const [first = ""] of [...starts, ...lines]) {
    if (integerForm.test(first)) return "numeric";
    if (first.includes(":")) return "box";
  }
  return starts.length > 0 ? "box" : undefined;
}

function parseSleep(rest: string): Command | Malformed {
  const ms = Number(rest);
  if (!floatForm.test(rest) || !(ms >= 0 && ms <= sleepMsMax)) {
    return failed(`Cannot sleep for ${quote(rest)}, want milliseconds from 0 to ${sleepMsMax}`);
  }
  return { kind: "sleep", ms };
}

function parseNumericStart(box: string, words: readonly string[]): StartCommand | Malformed {
  const [, , countText, portText] = words;
  if (countText === undefined || portText === undefined) {
    return failed(`Cannot read ${quote(words.join(" "))}, want ID start N PORT`);
  }
  const port = parsePort(portText);
  if (typeof port !== "number") return port;
  const count = Number(countText);
  if (!/^\+?\d{1,9}$/.test(countText) || count < 1) {
    return failed(`Cannot start server ${box} of ${quote(countText)}, want a number of servers`);
  }
  // The original let such a server start, and its peers died of it.
  if (Number(box) >= count) {
    return failed(`Cannot start server ${box} of ${count}, want a server from 0 to ${count - 1}`);
  }
  return { kind: "start", box, count, port };
}

function parseBoxStart(box: string, [, , portText]: readonly string[]): StartCommand | Malformed {
  if (portText === undefined) return { kind: "start", box };
  const port = parsePort(portText);
  return typeof port === "number" ? { kind: "start", box, port } : port;
}

// Which of the possible ports a server takes is the server's own matter.
function parsePort(text: string): number | Malformed {
  if (!integerForm.test(text)) {
    return {
      kind: "malformed",
      said: `Invalid port: ${text}`,
      original: "exited",
      error: `Cannot use ${quote(text)} as a port, want a number`,
    };
  }
  const port = Number(text);
  return port >= 1 && port <= 65535
    ? port
    : failed(`Cannot use ${quote(text)} as a port, want 1 to 65535`);
}

function invalidCommand(
  line: string,
  dialect: Dialect,
  original: Malformed["original"],
): Malformed {
  const [name, start] = dialect === "numeric"
    ? ["ID", "ID start N PORT"]
    : ["BOX", "BOX start [PORT]"];
  return {
    kind: "malformed",
    said: `Invalid command: ${line}`,
    original,
    error: `Cannot read ${quote(line)}, want ${start}, ${name} get, ${name} alive, ` +
      `${name} broadcast TEXT, ${name} crash, sleep MS or exit`,
  };
}

function failed(error: string): Malformed {
  return { kind: "malformed", original: "crashed", error };
}
