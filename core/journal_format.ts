// The bytes of a box's journal and of its snapshots: text that a pager can show, shared by the journal on real
// files and by the simulated disk. A journal is a header line, then groups; a group is what one sync covers:
//
//   ovid journal 1 a07e747b generation 3 sequence 120
//   group 14b1dd23 000000000000120 0000000031
//   kv/acceptor/1 {"ballot":[1,1]}

import type { Append, DurableImage } from "./envelope.ts";
import { type AgentId, isToken } from "./id.ts";

/** What the first line of a journal says. */
export interface JournalHeader {
  /** From 1; the snapshot of the same generation holds the state at the start of this journal. */
  readonly generation: number;
  /** The number of its first group. Groups are counted across generations, so that no two have the same number. */
  readonly sequence: number;
}

/** Where a file is not what was written, and in what way. */
export interface Damage {
  readonly offset: number;
  readonly reason: string;
}

/** What {@linkcode decodeJournal} read. */
export interface JournalContent {
  /** Undefined only if not even the first line is whole; `validBytes` is 0 then. */
  readonly header: JournalHeader | undefined;
  readonly records: readonly Append[];
  /** How much of the file is whole; what lies behind is to be cut. */
  readonly validBytes: number;
  /** Where the last whole group begins; `validBytes` if there is none. */
  readonly lastGroup: number;
  readonly nextSequence: number;
  /** Present if something lies behind `validBytes`, as a crash leaves it. */
  readonly torn?: Damage | undefined;
  readonly corrupt?: undefined;
}

/** A file that no crash can have left. */
export interface Corruption {
  readonly corrupt: Damage;
}

/** The durable state of each agent, encoded by `encodeData`, and the version of the definition that wrote it. */
export type Snapshot = ReadonlyMap<AgentId, { readonly version: number; readonly durable: string }>;

/** What {@linkcode decodeSnapshot} read. */
export interface SnapshotContent {
  readonly generation: number;
  readonly agents: Snapshot;
  readonly corrupt?: undefined;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const groupMagic = encoder.encode("group ");
const groupPattern = /^group ([0-9a-f]{8}) ([0-9]{15}) ([0-9]{10})\n$/;
const groupHeaderBytes = "group 01234567 012345678901234 0123456789\n".length;
const groupChecksumAt = groupMagic.length;
const checksumDigits = 8;
const journalPattern =
  /^ovid journal 1 ([0-9a-f]{8}) generation ([1-9][0-9]{0,14}) sequence ([1-9][0-9]{0,14})\n$/;
const snapshotPattern =
  /^ovid snapshot 1 ([0-9a-f]{8}) generation ([1-9][0-9]{0,14}) agents ([0-9]{1,15})\n$/;
const firstLineBytesMax = 128;
const versionPattern = /^[0-9]{1,15}$/;

// CRC-32C (Castagnoli, reflected), eight bytes a turn: slice k of the table is for a byte with k bytes behind it.
const crcTable = makeCrcTable();

function makeCrcTable(): Int32Array {
  const table = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
    table[byte] = crc;
  }
  for (let i = 256; i < table.length; i++) {
    const shorter = table[i - 256] ?? 0;
    table[i] = (shorter >>> 8) ^ (table[shorter & 0xff] ?? 0);
  }
  return table;
}

function crcOf(slice: number, byte: number): number {
  return crcTable[(slice << 8) | (byte & 0xff)] ?? 0;
}

/** The CRC-32C of `bytes`; with the checksum of what stands `before` them, that of both together. */
export function crc32c(bytes: Uint8Array, before = 0): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let crc = ~before;
  let i = 0;
  for (const end = bytes.length - 7; i < end; i += 8) {
    const low = crc ^ view.getInt32(i, true);
    const high = view.getInt32(i + 4, true);
    crc = crcOf(7, low) ^ crcOf(6, low >>> 8) ^ crcOf(5, low >>> 16) ^ crcOf(4, low >>> 24) ^
      crcOf(3, high) ^ crcOf(2, high >>> 8) ^ crcOf(1, high >>> 16) ^ crcOf(0, high >>> 24);
  }
  for (; i < bytes.length; i++) crc = (crc >>> 8) ^ crcOf(0, crc ^ view.getUint8(i));
  return ~crc >>> 0;
}

function hex(checksum: number): string {
  return checksum.toString(16).padStart(checksumDigits, "0");
}

/** `head` and `body`, with the checksum of all behind it put in at `checksumAt`, where `head` has zeroes. */
function seal(head: string, body: Uint8Array, checksumAt: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(head.length + body.length);
  encoder.encodeInto(head, bytes);
  bytes.set(body, head.length);
  const checked = bytes.subarray(checksumAt + checksumDigits + 1);
  encoder.encodeInto(hex(crc32c(checked)), bytes.subarray(checksumAt));
  return bytes;
}

/** The first line of a journal. */
export function encodeJournalHeader(header: JournalHeader): Uint8Array<ArrayBuffer> {
  const { generation, sequence } = header;
  const magic = "ovid journal 1 ";
  const head = `${magic}00000000 generation ${generation} sequence ${sequence}\n`;
  return seal(head, new Uint8Array(), magic.length);
}

function checkLine(agent: AgentId, text: string): void {
  if (!isToken(agent) || !agent.isWellFormed()) {
    throw new TypeError(
      `Cannot write a record of agent ${JSON.stringify(agent)}, want an id without white space`,
    );
  }
  if (text.includes("\n") || !text.isWellFormed()) {
    throw new TypeError(
      `Cannot write a record of agent "${agent}": it holds a line feed or half a character, want one line`,
    );
  }
}

/**
 * Records as the lines of a group's body.
 *
 * @throws {TypeError} if a record is not one line of text.
 */
export function encodeRecords(records: readonly Append[]): string {
  let lines = "";
  for (const { agent, record } of records) {
    checkLine(agent, record);
    lines += `${agent} ${record}\n`;
  }
  return lines;
}

/** A group whose body is `lines`, which {@linkcode encodeRecords} made. */
export function encodeGroupLines(sequence: number, lines: string): Uint8Array<ArrayBuffer> {
  if (lines === "") throw new RangeError("Cannot write an empty group, want a record at least");
  const body = encoder.encode(lines);
  const number = String(sequence).padStart(15, "0");
  const length = String(body.length).padStart(10, "0");
  return seal(`group 00000000 ${number} ${length}\n`, body, groupChecksumAt);
}

/**
 * A group: what one sync covers.
 *
 * @throws {TypeError} if a record is not one line of text.
 * @throws {RangeError} if there is no record.
 *
 * @example
 * ```ts ignore
 * const bytes = encodeGroup(120, [{ agent: agentId("kv/acceptor/1"), record: '{"ballot":[1,1]}' }]);
 * ```
 */
export function encodeGroup(sequence: number, records: readonly Append[]): Uint8Array<ArrayBuffer> {
  return encodeGroupLines(sequence, encodeRecords(records));
}

interface Group {
  readonly offset: number;
  readonly sequence: number;
  readonly end: number;
}

/** Up to `length` bytes as text of one character a byte, for patterns and messages. */
function latin1(bytes: Uint8Array, offset: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(offset, offset + length));
}

function quote(bytes: Uint8Array, offset: number): string {
  return JSON.stringify(latin1(bytes, offset, groupHeaderBytes));
}

/** The whole group at `offset`, or what is wrong with it. */
function readGroup(bytes: Uint8Array, offset: number): Group | string {
  const head = groupPattern.exec(latin1(bytes, offset, groupHeaderBytes));
  if (head === null) return `found ${quote(bytes, offset)}, want the header of a group`;
  const [, checksum, number, length] = head;
  const sequence = Number(number);
  const start = offset + groupHeaderBytes;
  const end = start + Number(length);
  if (end > bytes.length) {
    return `found ${bytes.length - start} bytes of group ${sequence}, want ${Number(length)}`;
  }
  const checked = bytes.subarray(offset + groupChecksumAt + checksumDigits + 1, end);
  const found = hex(crc32c(checked));
  if (found !== checksum) return `found checksum ${found} of group ${sequence}, want ${checksum}`;
  return { offset, sequence, end };
}

/** The next whole group at or behind `from` whose number is at least `sequence`. */
function findGroup(bytes: Uint8Array, from: number, sequence: number): Group | undefined {
  const first = groupMagic[0] ?? 0;
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (!groupMagic.every((byte, i) => bytes[at + i] === byte)) continue;
    const group = readGroup(bytes, at);
    // A smaller number is an old block that the file system gave back, and proves nothing.
    if (typeof group !== "string" && group.sequence >= sequence) return group;
  }
  return undefined;
}

/** Gives `take` the agent and the rest of each line of `body`, until something is wrong with one. */
function readLines(
  body: Uint8Array,
  take: (agent: AgentId, rest: string) => string | void,
): string | undefined {
  let text: string;
  try {
    text = decoder.decode(body);
  } catch {
    return "found bytes that are not UTF-8, want text";
  }
  const agents = new Map<string, AgentId>();
  for (let start = 0; start < text.length;) {
    const space = text.indexOf(" ", start);
    const end = text.indexOf("\n", start);
    const name = text.slice(start, space);
    if (space < 0 || end < space || !isToken(name)) {
      return `found ${JSON.stringify(text.slice(start, start + 80))}, want an agent and its record`;
    }
    const agent = agents.get(name) ?? name as AgentId;
    agents.set(name, agent);
    const reason = take(agent, text.slice(space + 1, end));
    if (reason !== undefined) return reason;
    start = end + 1;
  }
  return undefined;
}

interface FirstLine {
  readonly generation: number;
  readonly second: number;
  readonly end: number;
}

/** The first line of a file, or what is wrong with it. A snapshot's covers the whole file by its checksum. */
function readFirstLine(bytes: Uint8Array, kind: "journal" | "snapshot"): FirstLine | string {
  const end = bytes.subarray(0, firstLineBytesMax).indexOf(0x0a) + 1;
  const pattern = kind === "journal" ? journalPattern : snapshotPattern;
  const match = pattern.exec(latin1(bytes, 0, end));
  if (match === null) {
    const version = /^ovid [a-z]+ ([0-9]+) /.exec(latin1(bytes, 0, firstLineBytesMax))?.[1] ?? "1";
    if (version !== "1") return `found version ${version}, want 1`;
    return `found ${quote(bytes, 0)}, want "ovid ${kind} 1" and the rest of a first line`;
  }
  const checkedFrom = `ovid ${kind} 1 `.length + checksumDigits + 1;
  const checkedTo = kind === "journal" ? end : bytes.length;
  const found = hex(crc32c(bytes.subarray(checkedFrom, checkedTo)));
  const [, checksum, generation, second] = match;
  if (found !== checksum) return `found checksum ${found}, want ${checksum}`;
  return { generation: Number(generation), second: Number(second), end };
}

/** What to say of a bad group, or first line, at `offset`, where group `sequence` should be. */
function judge(
  bytes: Uint8Array,
  offset: number,
  sequence: number,
  reason: string,
): Damage | Corruption {
  const later = findGroup(bytes, offset, sequence);
  if (later === undefined) return { offset, reason };
  const proof = `group ${later.sequence} at byte ${later.offset} is whole, so this is no torn tail`;
  return { corrupt: { offset, reason: `${reason}; ${proof}` } };
}

/**
 * The records of a journal. What is bad is a torn tail if no whole group lies behind it, and corruption if one does:
 * a group is written only after the one before it was synced, so that a later group proves that it was whole once.
 */
export function decodeJournal(bytes: Uint8Array): JournalContent | Corruption {
  const first = readFirstLine(bytes, "journal");
  if (typeof first === "string") {
    const torn = judge(bytes, 0, 1, first);
    if ("corrupt" in torn) return torn;
    return { header: undefined, records: [], validBytes: 0, lastGroup: 0, nextSequence: 1, torn };
  }
  const header = { generation: first.generation, sequence: first.second };
  const records: Append[] = [];
  let validBytes = first.end;
  let lastGroup = first.end;
  let nextSequence = header.sequence;
  while (validBytes < bytes.length) {
    const group = readGroup(bytes, validBytes);
    if (typeof group === "string" || group.sequence !== nextSequence) {
      const reason = typeof group === "string"
        ? group
        : `found group ${group.sequence}, want group ${nextSequence}`;
      const torn = judge(bytes, validBytes, nextSequence, reason);
      if ("corrupt" in torn) return torn;
      return { header, records, validBytes, lastGroup, nextSequence, torn };
    }
    const body = bytes.subarray(validBytes + groupHeaderBytes, group.end);
    const reason = readLines(body, (agent, record) => void records.push({ agent, record }));
    // The checksum is right: it was written like this, so that it is no tail to cut.
    if (reason !== undefined) return { corrupt: { offset: validBytes, reason } };
    lastGroup = validBytes;
    validBytes = group.end;
    nextSequence += 1;
  }
  return { header, records, validBytes, lastGroup, nextSequence };
}

/**
 * A snapshot: a first line with a checksum over all, then a line for each agent.
 *
 * @throws {TypeError} if a durable state is not one line of text, or a version is not a whole number.
 */
export function encodeSnapshot(generation: number, agents: Snapshot): Uint8Array<ArrayBuffer> {
  let lines = "";
  for (const [agent, { version, durable }] of agents) {
    checkLine(agent, durable);
    if (!versionPattern.test(String(version))) {
      throw new TypeError(
        `Cannot write a snapshot of agent "${agent}": its version is ${version}, want a whole number`,
      );
    }
    lines += `${agent} ${version} ${durable}\n`;
  }
  const magic = "ovid snapshot 1 ";
  const head = `${magic}00000000 generation ${generation} agents ${agents.size}\n`;
  return seal(head, encoder.encode(lines), magic.length);
}

/** The snapshot in `bytes`. It is named only once it was synced, so that whatever is wrong is corruption. */
export function decodeSnapshot(bytes: Uint8Array): SnapshotContent | Corruption {
  const first = readFirstLine(bytes, "snapshot");
  if (typeof first === "string") return { corrupt: { offset: 0, reason: first } };
  const agents = new Map<AgentId, { version: number; durable: string }>();
  const reason = readLines(bytes.subarray(first.end), (agent, rest) => {
    const space = rest.indexOf(" ");
    const version = rest.slice(0, Math.max(0, space));
    if (!versionPattern.test(version)) {
      return `found ${JSON.stringify(rest.slice(0, 80))}, want a version and a durable state`;
    }
    agents.set(agent, { version: Number(version), durable: rest.slice(space + 1) });
  });
  if (reason !== undefined) return { corrupt: { offset: first.end, reason } };
  if (agents.size !== first.second) {
    const counts = `found ${agents.size} agents, want ${first.second}`;
    return { corrupt: { offset: first.end, reason: counts } };
  }
  return { generation: first.generation, agents };
}

/** What a journal holds of each agent: its part of the snapshot, and its records since, in order. */
export function imagesOf(agents: Snapshot, records: Iterable<Append>): Map<AgentId, DurableImage> {
  const images = new Map<AgentId, { snapshot?: DurableImage["snapshot"]; records: string[] }>();
  for (const [agent, snapshot] of agents) images.set(agent, { snapshot, records: [] });
  for (const { agent, record } of records) {
    const image = images.get(agent);
    if (image === undefined) images.set(agent, { records: [record] });
    else image.records.push(record);
  }
  return images;
}
