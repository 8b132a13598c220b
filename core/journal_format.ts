// The bytes of a box's journal and of its snapshots: text that a pager can show. Shared by the journal on real
// files and by the simulated disk. A journal is a header line and groups; a group is what one sync covers:
//
//   ovid journal 1 5e4b1d09 generation 3 sequence 120
//   group 0b6c9d5f 000000000000120 0000000042
//   kv/acceptor/1 {"ballot":[1,1],"accepted":[]}

import type { Append, DurableImage } from "./envelope.ts";
import { type AgentId, isToken } from "./id.ts";

/** The version of the format, in the first line of each file. */
export const journalVersion = 1;

/** What the first line of a journal says: its generation, and the sequence number of its first group. */
export interface JournalHeader {
  readonly generation: number;
  /** Counts on from the generation before, so that a lost end of a journal and a stale block are seen. */
  readonly sequence: number;
}

/** Where a file is not what was written, and how. */
export interface Damage {
  readonly offset: number;
  readonly reason: string;
}

/** What {@linkcode decodeJournal} read. */
export interface JournalContent {
  /** Undefined only if the tail that is torn begins with the first line; `validBytes` is 0 then. */
  readonly header: JournalHeader | undefined;
  readonly records: readonly Append[];
  /** How much of the file is whole; what lies behind is to be cut. */
  readonly validBytes: number;
  /** Where the last whole group begins; `validBytes` if there is none. */
  readonly lastGroup: number;
  readonly nextSequence: number;
  readonly torn?: Damage | undefined;
  readonly corrupt?: undefined;
}

/** A file that no crash could have left. */
export interface Corruption {
  readonly corrupt: Damage;
}

/** The durable state of each agent, encoded by `encodeData`, with the version of the agent's definition. */
export type Snapshot = ReadonlyMap<AgentId, { readonly version: number; readonly durable: string }>;

/** What {@linkcode decodeSnapshot} read. */
export interface SnapshotContent {
  readonly generation: number;
  readonly agents: Snapshot;
  readonly corrupt?: undefined;
}

const encoder = new TextEncoder();
const groupMagic = encoder.encode("group ");
const groupPattern = /^group ([0-9a-f]{8}) ([0-9]{15}) ([0-9]{10})\n$/;
const checksumDigits = 8;
const groupHeaderBytes = groupMagic.length + checksumDigits + 1 + 15 + 1 + 10 + 1;
/** The first byte of a group that its checksum covers: all behind the checksum itself. */
const groupCheckedFrom = groupMagic.length + checksumDigits + 1;
const fileHeaderBytesMax = 128;
const lineFeed = 0x0a;

// CRC-32C, Castagnoli, reflected. Eight tables, so that a turn of the loop takes eight bytes ("slicing by 8").
const crcTables = crcTablesOf(0x82f63b78);

function crcTablesOf(polynomial: number): readonly Int32Array[] {
  const tables = Array.from({ length: 8 }, () => new Int32Array(256));
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? polynomial : 0);
    for (const table of tables) {
      table[byte] = crc;
      crc = (crc >>> 8) ^ shiftByte(crc & 0xff, polynomial);
    }
  }
  return tables;
}

function shiftByte(byte: number, polynomial: number): number {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? polynomial : 0);
  return crc;
}

/** The CRC-32C of `bytes`; given the checksum of what stands before them, that of both together. */
export function crc32c(bytes: Uint8Array, before = 0): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = crcTables as [
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
  ];
  // Out of range cannot happen below; the `| 0` says so to the compiler of types, and costs nothing.
  const at = (table: Int32Array, index: number) => table[index & 0xff] as number;
  let crc = ~before;
  let i = 0;
  for (const end = bytes.length - 7; i < end; i += 8) {
    const low = crc ^ word(bytes, i);
    const high = word(bytes, i + 4);
    crc = at(t7, low) ^ at(t6, low >>> 8) ^ at(t5, low >>> 16) ^ at(t4, low >>> 24) ^
      at(t3, high) ^ at(t2, high >>> 8) ^ at(t1, high >>> 16) ^ at(t0, high >>> 24);
  }
  for (; i < bytes.length; i++) crc = (crc >>> 8) ^ at(t0, crc ^ (bytes[i] as number));
  return ~crc >>> 0;
}

function word(bytes: Uint8Array, i: number): number {
  return (bytes[i] as number) | ((bytes[i + 1] as number) << 8) |
    ((bytes[i + 2] as number) << 16) | ((bytes[i + 3] as number) << 24);
}
