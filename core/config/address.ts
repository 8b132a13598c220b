// The addresses of boxes. A box is known to all others by its canonical address, so every spelling of one address
// must give the same text, and nothing that is not an address may pass for one.

import type { BoxId } from "../id.ts";
import { quote } from "./wording.ts";

const textLengthMax = 256;

/** A box, or what is wanted instead of the text. */
export type ReadBox =
  | { readonly box: BoxId; readonly wanted?: undefined }
  | { readonly box?: undefined; readonly wanted: string };

const wantAddress = "an IP address and a port such as 127.0.0.1:5000 or [::1]:5000";

/** The box that `text` spells, as {@linkcode parseBox} has it, or what is wanted in its place. */
export function readBox(text: string): ReadBox {
  if (text.length > textLengthMax) return { wanted: wantAddress };
  const parts = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d+)$/.exec(text);
  if (parts === null) {
    const bare = readIpv6(text) !== undefined;
    return { wanted: bare ? `${wantAddress}, brackets around an IPv6 address` : wantAddress };
  }
  const [, six, four = "", portDigits = ""] = parts;
  if (six?.includes("%")) return { wanted: `${wantAddress}, without a zone` };
  const host = six === undefined ? readIpv4(four) : readIpv6(six);
  if (host === undefined) {
    const name = six === undefined && /[a-z]/i.test(four);
    return { wanted: name ? `${wantAddress}, not a host name` : wantAddress };
  }
  // A box's address is where others dial it, and its name: "any address" is neither.
  if (host.every((part) => part === 0)) return { wanted: "an address that other boxes can dial" };
  const port = Number(portDigits);
  if (port < 1 || port > 65535) return { wanted: "a port from 1 to 65535" };
  return { box: `${writeHost(host)}:${port}` as BoxId };
}

/**
 * The box that `text` spells, in its canonical form. Parts of an IPv4 address and ports are decimal, whatever
 * zeroes they begin with. IPv6 stands in brackets; its canonical form is that of RFC 5952, except that an
 * IPv4-mapped address is the IPv4 address that it maps: both reach the same listener, so they are one box.
 *
 * @example
 * ```ts
 * import { parseBox } from "ovid";
 *
 * parseBox("127.0.00.001:05000"); // 127.0.0.1:5000
 * parseBox("[0:0:0:0:0:0:0:1]:5000"); // [::1]:5000
 * ```
 *
 * @throws {SyntaxError} if it is anything else, such as a host name.
 */
export function parseBox(text: string): BoxId {
  const { box, wanted } = readBox(text);
  if (box === undefined) {
    throw new SyntaxError(`Cannot use ${quote(text)} as the address of a box, want ${wanted}`);
  }
  return box;
}

/** Whether only programs on the same machine can reach the box. */
export function isLoopback(box: BoxId): boolean {
  return /^127\.\d+\.\d+\.\d+:/.test(box) || box.startsWith("[::1]:");
}

/** The four bytes of an IPv4 address; undefined if `text` is none. */
function readIpv4(text: string): number[] | undefined {
  if (!/^\d+(\.\d+){3}$/.test(text)) return undefined;
  const bytes = text.split(".").map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : undefined;
}

/** The eight groups of an IPv6 address, or the four bytes of a mapped one; undefined if `text` is none. */
function readIpv6(text: string): number[] | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half, index) => readGroups(half, index === halves.length - 1));
  if (head === undefined) return undefined;
  let groups = head;
  if (halves.length === 2) {
    if (tail === undefined) return undefined;
    // Two colons stand for one group of zeroes at least.
    const missing = 8 - head.length - tail.length;
    if (missing < 1) return undefined;
    groups = [...head, ...Array<number>(missing).fill(0), ...tail];
  }
  if (groups.length !== 8) return undefined;
  const [high = 0, low = 0] = groups.slice(6);
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  return mapped ? [high >> 8, high & 255, low >> 8, low & 255] : groups;
}

/** The groups between colons; the last may be an IPv4 address, worth two, if it also ends the whole address. */
function readGroups(text: string, last: boolean): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    if (/^[0-9a-f]{1,4}$/i.test(part)) {
      groups.push(parseInt(part, 16));
      continue;
    }
    const bytes = last && index === parts.length - 1 ? readIpv4(part) : undefined;
    if (bytes === undefined) return undefined;
    const [a = 0, b = 0, c = 0, d = 0] = bytes;
    groups.push(a << 8 | b, c << 8 | d);
  }
  return groups;
}

function writeHost(host: readonly number[]): string {
  if (host.length === 4) return host.join(".");
  // RFC 5952, section 4.2: the longest run of two or more zero groups is left out, the first of equals.
  let longest = { start: 0, length: 0 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (host[start + length] === 0) length++;
    if (length > longest.length) longest = { start, length };
  }
  const hex = (groups: readonly number[]) => groups.map((group) => group.toString(16)).join(":");
  return longest.length < 2
    ? `[${hex(host)}]`
    : `[${hex(host.slice(0, longest.start))}::${hex(host.slice(longest.start + longest.length))}]`;
}
