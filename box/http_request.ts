// How the head of an HTTP request is read: HTTP/1.1 with a length, in one way only. What could be read in two ways is
// refused, since a browser or a proxy might have read it in the other one.

import { httpHeaders, type HttpLimits } from "../core/devices.ts";

/** The head of a request. */
export interface RequestHead {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: { readonly [name: string]: string };
  readonly bodyBytes: number;
  /** Whether whoever asks waits for a word before it sends the body. */
  readonly awaitsContinue: boolean;
}

/** Why a request is refused before any agent sees it. */
export interface RequestFault {
  readonly status: number;
  readonly error: string;
}

const headersMax = 100;
const requestLine = /^([A-Z]{1,16}) (\/[\x21\x22\x24-\x7e]*) HTTP\/1\.1$/;
const headerLine = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[\t ]*([\t\x20-\x7e\x80-\xff]*)$/;

/** Reads a head, each byte of which is a character of `text`; the empty line at its end is left out. */
export function parseHead(
  text: string,
  { bodyBytes: bodyBytesMax }: Pick<HttpLimits, "bodyBytes">,
): RequestHead | RequestFault {
  const [first = "", ...lines] = text.split("\r\n");
  const [, method, target] = requestLine.exec(first) ?? [];
  if (method === undefined || target === undefined) {
    return bad(`The request begins with ${JSON.stringify(first.slice(0, 80))}, want HTTP/1.1`);
  }
  const all = readHeaders(lines);
  if (!(all instanceof Map)) return all;
  if (!all.has("host")) return bad("There is no Host, want one");
  if (all.has("transfer-encoding")) {
    return { status: 411, error: "There is a Transfer-Encoding, want a Content-Length" };
  }
  const length = all.get("content-length") ?? "0";
  if (!/^\d{1,15}$/.test(length)) return bad("Content-Length is not a whole number");
  if (Number(length) > bodyBytesMax) {
    return { status: 413, error: `The body has ${length} bytes, want at most ${bodyBytesMax}` };
  }
  const question = target.indexOf("?");
  return {
    method,
    path: question < 0 ? target : target.slice(0, question),
    query: question < 0 ? "" : target.slice(question + 1),
    headers: Object.fromEntries([...all].filter(([name]) => httpHeaders.includes(name))),
    bodyBytes: Number(length),
    awaitsContinue: all.get("expect")?.toLowerCase() === "100-continue",
  };
}

function readHeaders(lines: readonly string[]): Map<string, string> | RequestFault {
  if (lines.length > headersMax) {
    return { status: 431, error: `There are ${lines.length} headers, want at most ${headersMax}` };
  }
  const all = new Map<string, string>();
  for (const line of lines) {
    const [, spelled, value] = headerLine.exec(line) ?? [];
    if (spelled === undefined || value === undefined) {
      return bad("There is a line that is no header");
    }
    const name = spelled.toLowerCase();
    // Of two, each reader takes the one it likes.
    const once = ["content-length", "transfer-encoding", ...httpHeaders];
    if (all.has(name) && once.includes(name)) return bad(`The header ${name} comes twice`);
    all.set(name, value.trimEnd());
  }
  return all;
}

function bad(error: string): RequestFault {
  return { status: 400, error };
}
