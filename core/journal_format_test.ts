import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { Append } from "./envelope.ts";
import { type AgentId, agentId } from "./id.ts";
import {
  type Corruption,
  crc32c,
  decodeJournal,
  decodeSnapshot,
  encodeGroup,
  encodeJournalHeader,
  encodeSnapshot,
  imagesOf,
  type JournalContent,
} from "./journal_format.ts";

const text = new TextEncoder();
const latin = new TextDecoder("latin1");

function join(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** A journal of one group for each list of records, and the offset at which each part ends. */
function journalOf(groups: readonly (readonly Append[])[], sequence = 1) {
  const parts = [encodeJournalHeader({ generation: 1, sequence })];
  groups.forEach((records, i) => parts.push(encodeGroup(sequence + i, records)));
  let end = 0;
  const ends = parts.map((part) => end += part.length);
  return { bytes: join(...parts), ends, records: groups.flat() };
}

function record(agent: string, value: unknown): Append {
  return { agent: agentId(agent), record: JSON.stringify(value) };
}

function whole(decoded: JournalContent | Corruption): JournalContent {
  assert(decoded.corrupt === undefined, decoded.corrupt?.reason);
  return decoded;
}

function corruption(
  decoded: { readonly corrupt?: unknown } & object,
): { offset: number; reason: string } {
  assert("corrupt" in decoded && decoded.corrupt !== undefined, "want corruption");
  return decoded.corrupt as { offset: number; reason: string };
}

const sample = journalOf([
  [record("kv/acceptor/1", { ballot: [1, 1] }), record("2", "text \u{1f600} äöü")],
  [record("2", 3)],
  [record("kv/acceptor/1", { ballot: [2, 1] })],
]);

const ids = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 })
  .filter((id) => /^[^\s\p{Cc}]+$/u.test(id) && id.isWellFormed())
  .map(agentId);
const appends = fc.record({
  agent: fc.oneof(ids, fc.constantFrom(...["1", "group", "ovid"].map(agentId))),
  record: fc.oneof(
    fc.jsonValue().map((value) => JSON.stringify(value)),
    fc.string({ unit: "binary" }).map((value) => JSON.stringify(value)),
  ),
});
const groupLists = fc.array(fc.array(appends, { minLength: 1, maxLength: 6 }), { maxLength: 6 });

Deno.test("crc32c: gives the published values, and chains", () => {
  // The vectors of RFC 3720, appendix B.4, and the usual check value.
  assertEquals(crc32c(text.encode("123456789")), 0xe3069283);
  assertEquals(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assertEquals(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
  assertEquals(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e);
  assertEquals(crc32c(new Uint8Array()), 0);
  assertEquals(crc32c(text.encode("6789"), crc32c(text.encode("12345"))), 0xe3069283);
  // A view that does not start at its buffer's start.
  assertEquals(crc32c(text.encode("xx123456789").subarray(2)), 0xe3069283);
});

Deno.test("crc32c: agrees with its bitwise twin on any bytes", () => {
  const twin = (bytes: Uint8Array) => {
    let crc = 0xffffffff;
    for (const byte of bytes) {
      crc ^= byte;
      for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
    }
    return ~crc >>> 0;
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
    assertEquals(crc32c(bytes), twin(bytes));
  }));
});

Deno.test("journal format: is text that a pager shows", () => {
  const { bytes } = journalOf([[record("kv/acceptor/1", { ballot: [1, 1] })]], 120);
  assertEquals(
    new TextDecoder().decode(bytes),
    "ovid journal 1 6f638e79 generation 1 sequence 120\n" +
      "group 14b1dd23 000000000000120 0000000031\n" +
      'kv/acceptor/1 {"ballot":[1,1]}\n',
  );
});

Deno.test("decodeJournal: gives back any records, one group after another", () => {
  fc.assert(fc.property(groupLists, fc.integer({ min: 1, max: 1e14 }), (groups, sequence) => {
    const { bytes, ends, records } = journalOf(groups, sequence);
    const decoded = whole(decodeJournal(bytes));
    assertEquals(decoded.records, records);
    assertEquals(decoded.header, { generation: 1, sequence });
    assertEquals(decoded.validBytes, bytes.length);
    assertEquals(decoded.lastGroup, ends.at(groups.length === 0 ? -1 : -2));
    assertEquals(decoded.nextSequence, sequence + groups.length);
    assertEquals(decoded.torn, undefined);
    // No record can end a line early: as many line feeds as lines.
    const lineFeeds = bytes.filter((byte) => byte === 0x0a).length;
    assertEquals(lineFeeds, 1 + groups.length + records.length);
  }));
});

Deno.test("decodeJournal: cuts a file that ends at any byte back to its whole groups", () => {
  for (let length = 0; length < sample.bytes.length; length++) {
    const decoded = whole(decodeJournal(sample.bytes.subarray(0, length)));
    const validBytes = sample.ends.findLast((end) => end <= length) ?? 0;
    assertEquals(decoded.validBytes, validBytes, `at ${length} bytes`);
    assertEquals(
      decoded.torn?.offset,
      validBytes === length && length > 0 ? undefined : validBytes,
    );
    assertEquals(decoded.records, sample.records.slice(0, decoded.records.length));
    assertEquals(decoded.header === undefined, validBytes === 0);
  }
});

Deno.test("decodeJournal: any prefix of any file gives a prefix of the records", () => {
  fc.assert(fc.property(groupLists, fc.double({ min: 0, max: 1, noNaN: true }), (groups, part) => {
    const { bytes, ends, records } = journalOf(groups);
    const length = Math.floor(part * bytes.length);
    const decoded = whole(decodeJournal(bytes.subarray(0, length)));
    const groupsWhole = ends.filter((end) => end <= length).length - 1;
    assertEquals(decoded.records.length, groups.slice(0, Math.max(0, groupsWhole)).flat().length);
    assertEquals(decoded.records, records.slice(0, decoded.records.length));
  }));
});

Deno.test("decodeJournal: takes zeroes, garbage and half a group behind the last group for a torn tail", () => {
  const tails = [
    new Uint8Array(1),
    new Uint8Array(5000),
    text.encode("group "),
    text.encode("no journal at all\n"),
    Uint8Array.from({ length: 300 }, (_, i) => (i * 7919) & 0xff),
    encodeGroup(4, [record("1", "cut")]).subarray(0, -1),
    join(encodeGroup(4, [record("1", "holes")]).fill(0, 50, 54), new Uint8Array(99)),
  ];
  for (const tail of tails) {
    const decoded = whole(decodeJournal(join(sample.bytes, tail)));
    assertEquals(decoded.records, sample.records);
    assertEquals(decoded.validBytes, sample.bytes.length);
    assertEquals(decoded.nextSequence, 4);
    assertEquals(decoded.torn?.offset, sample.bytes.length);
  }
});

Deno.test("decodeJournal: takes an old block behind the last group for a torn tail, a newer one for corruption", () => {
  const old = encodeGroup(3, [record("1", "from a file that was removed")]);
  assertEquals(whole(decodeJournal(join(sample.bytes, old))).torn, {
    offset: sample.bytes.length,
    reason: "found group 3, want group 4",
  });
  const ahead = encodeGroup(5, [record("1", "whose predecessor is lost")]);
  assertEquals(corruption(decodeJournal(join(sample.bytes, ahead))), {
    offset: sample.bytes.length,
    reason: `found group 5, want group 4; group 5 at byte ${sample.bytes.length} is whole, ` +
      "so this is no torn tail",
  });
});

Deno.test("decodeJournal: finds every flipped bit, and calls it corruption unless it is in the last group", () => {
  const [header = 0, , second = 0] = sample.ends;
  for (let offset = 0; offset < sample.bytes.length; offset++) {
    for (let bit = 0; bit < 8; bit++) {
      const bytes = sample.bytes.slice();
      bytes[offset] = (bytes[offset] ?? 0) ^ (1 << bit);
      const decoded = decodeJournal(bytes);
      if (offset < second) {
        const end = sample.ends.find((end) => offset < end) ?? 0;
        const start = sample.ends[sample.ends.indexOf(end) - 1] ?? 0;
        assertEquals(corruption(decoded).offset, start, `bit ${bit} of byte ${offset}`);
      } else {
        const { torn, records } = whole(decoded);
        assertEquals(torn?.offset, second, `bit ${bit} of byte ${offset}`);
        assertEquals(records, sample.records.slice(0, -1));
      }
    }
  }
  assert(header > 0);
});

Deno.test("decodeJournal: no change of any bytes of any file makes a record that was never written", () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), {
    minLength: 1,
    maxLength: 8,
  });
  let refused = 0;
  fc.assert(fc.property(groupLists, changes, (groups, changes) => {
    const { bytes, records } = journalOf(groups);
    const before = bytes.slice();
    for (const [offset, byte] of changes) bytes[offset % bytes.length] = byte;
    const same = bytes.every((byte, i) => byte === before[i]);
    const decoded = decodeJournal(bytes);
    if (decoded.corrupt !== undefined) {
      refused += 1;
      return;
    }
    assertEquals(decoded.records, records.slice(0, decoded.records.length));
    assertEquals(decoded.torn === undefined, same);
  }));
  assert(refused > 0);
});

Deno.test("decodeJournal: names offset, found and wanted", () => {
  const [start = 0, end = 0] = sample.ends;
  const bytes = sample.bytes.slice();
  bytes[end - 3] = 0x58;
  const { offset, reason } = corruption(decodeJournal(bytes));
  assertEquals(offset, start);
  assertStringIncludes(reason, "of group 1, want ");
  assertStringIncludes(reason, `; group 2 at byte ${end} is whole, so this is no torn tail`);
  assertEquals(
    whole(decodeJournal(text.encode("ovid journal 2 whatever\n"))).torn?.reason,
    "found version 2, want 1",
  );
  assertEquals(
    whole(decodeJournal(text.encode("hello\n"))).torn?.reason,
    'found "hello\\n", want "ovid journal 1" and the rest of a first line',
  );
});

Deno.test("decodeJournal: refuses a group that is whole but holds no records of ours", () => {
  // Built by hand, since the encoder refuses to write it; the last group, which damage would only tear.
  const [start = 0] = sample.ends;
  for (
    const body of ["no-space\n", " {}\n", "1 {}", "a\tb {}\n", "1 \xff\n", "\xef\xbb\xbf1 {}\n"]
  ) {
    const bytes = join(
      sample.bytes.subarray(0, start),
      text.encode(`group 00000000 000000000000001 ${String(body.length).padStart(10, "0")}\n`),
      Uint8Array.from(body, (character) => character.charCodeAt(0)),
    );
    const checksum = crc32c(bytes.subarray(start + 15)).toString(16).padStart(8, "0");
    bytes.set(text.encode(checksum), start + 6);
    assertEquals(corruption(decodeJournal(bytes)).offset, start, body);
  }
});

Deno.test("encodeGroup: refuses what would not read back", () => {
  const agent = agentId("1");
  assertThrows(() => encodeGroup(1, []), RangeError, "want a record at least");
  assertThrows(() => encodeGroup(1, [{ agent, record: "1\n2" }]), TypeError, "want one line");
  assertThrows(() => encodeGroup(1, [{ agent, record: '"\ud800"' }]), TypeError, "want one line");
  for (const bad of ["", "a b", "a\nb", "\ud800", "x".repeat(257)]) {
    assertThrows(() => encodeGroup(1, [{ agent: bad as AgentId, record: "1" }]), TypeError);
  }
  assertEquals(whole(decodeJournal(journalOf([[{ agent, record: "" }]]).bytes)).records, [
    { agent, record: "" },
  ]);
});

const snapshots = fc.uniqueArray(
  fc.tuple(ids, fc.nat(), fc.jsonValue().map((value) => JSON.stringify(value))),
  { selector: ([id]) => id, maxLength: 8 },
).map((parts) => new Map(parts.map(([id, version, durable]) => [id, { version, durable }])));

Deno.test("decodeSnapshot: gives back any snapshot, in order", () => {
  fc.assert(fc.property(snapshots, fc.integer({ min: 1, max: 1e14 }), (agents, generation) => {
    const decoded = decodeSnapshot(encodeSnapshot(generation, agents));
    assert(decoded.corrupt === undefined);
    assertEquals(decoded.generation, generation);
    assertEquals([...decoded.agents], [...agents]);
  }));
});

Deno.test("decodeSnapshot: refuses every prefix, every flipped bit, and bytes behind the end", () => {
  const bytes = encodeSnapshot(
    7,
    new Map([[agentId("1"), { version: 1, durable: "[]" }], [agentId("2"), {
      version: 3,
      durable: '"\u{1f600}"',
    }]]),
  );
  assertEquals(decodeSnapshot(bytes).corrupt, undefined);
  for (let length = 0; length < bytes.length; length++) {
    corruption(decodeSnapshot(bytes.subarray(0, length)));
  }
  for (let at = 0; at < 8 * bytes.length; at++) {
    const flipped = bytes.slice();
    flipped[at >> 3] = (flipped[at >> 3] ?? 0) ^ (1 << (at & 7));
    corruption(decodeSnapshot(flipped));
  }
  corruption(decodeSnapshot(join(bytes, text.encode("\n"))));
  assertEquals(latin.decode(bytes.subarray(0, 16)), "ovid snapshot 1 ");
});

Deno.test("decodeSnapshot: refuses lines that are whole but not ours", () => {
  for (
    const [body, words] of [
      ["1 1 []\n1 2 []\n", "found 1 agents, want 2"],
      ["1 1 []\n", "found 1 agents, want 2"],
      ["1 1 []\n2 x []\n", "want a version and a durable state"],
      ["1 1 []\n2 []\n", "want a version and a durable state"],
      ["1 1 []\nno-space\n", "want an agent and its record"],
    ] as const
  ) {
    const bytes = text.encode(`ovid snapshot 1 00000000 generation 1 agents 2\n${body}`);
    const checksum = crc32c(bytes.subarray(25)).toString(16).padStart(8, "0");
    bytes.set(text.encode(checksum), 16);
    assertStringIncludes(corruption(decodeSnapshot(bytes)).reason, words);
  }
});

Deno.test("encodeSnapshot: refuses what would not read back", () => {
  const of = (version: number, durable: string) => () =>
    encodeSnapshot(1, new Map([[agentId("1"), { version, durable }]]));
  assertThrows(of(1, "1\n2"), TypeError, "want one line");
  assertThrows(of(1.5, "1"), TypeError, "its version is 1.5, want a whole number");
  assertThrows(of(-1, "1"), TypeError, "want a whole number");
  assertThrows(of(1e15, "1"), TypeError, "want a whole number");
  assertEquals(decodeSnapshot(of(1e15 - 1, "1")()).corrupt, undefined);
});

Deno.test("imagesOf: puts each agent's records behind its part of the snapshot", () => {
  const [one, two, three] = ["1", "2", "3"].map(agentId) as [AgentId, AgentId, AgentId];
  const images = imagesOf(
    new Map([[one, { version: 1, durable: "5" }], [three, { version: 2, durable: "6" }]]),
    [
      { agent: two, record: "a" },
      { agent: one, record: "b" },
      { agent: two, record: "c" },
    ],
  );
  assertEquals(images.get(one), { snapshot: { version: 1, durable: "5" }, records: ["b"] });
  assertEquals(images.get(two), { records: ["a", "c"] });
  assertEquals(images.get(three), { snapshot: { version: 2, durable: "6" }, records: [] });
});
