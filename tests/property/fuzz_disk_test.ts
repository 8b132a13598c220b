// What is read from a disk: journals, snapshots, durable states, histories, and folders with strange names.

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { readEntries } from "../../cli/gobby_snapshot.ts";
import { decodeData, encodeData, parseJson } from "../../core/data.ts";
import { type AgentId, agentId } from "../../core/id.ts";
import {
  decodeJournal,
  decodeSnapshot,
  encodeGroup,
  encodeJournalHeader,
  encodeSnapshot,
} from "../../core/journal_format.ts";
import { historyLines, parseHistory } from "../../sim/history.ts";
import { bytesOf, fuzz, type Reading, refusing, type Subject, textOf } from "./fuzz.ts";

const agent = fc.constantFrom(...["1", "kv/acceptor/1", "group", "ovid"].map(agentId));
const text = fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.stringify(value));
const generation = fc.integer({ min: 1, max: 1000 });
const groups = fc.array(
  fc.array(fc.record({ agent, record: text }), { minLength: 1, maxLength: 4 }),
  { maxLength: 4 },
);

const journal = fc.tuple(generation, generation, groups).map(([generation, sequence, groups]) =>
  textOf(encodeJournalHeader({ generation, sequence })) +
  groups.map((group, index) => textOf(encodeGroup(sequence + index, group))).join("")
);

/** What is torn is taken: the whole groups before it, which must be whole when they are read alone. */
function readJournal(input: string): Reading {
  const content = decodeJournal(bytesOf(input));
  if (content.corrupt !== undefined) {
    const { offset, reason } = content.corrupt;
    assert(offset >= 0 && offset <= input.length);
    return { refused: reason };
  }
  const { header, records, validBytes, lastGroup, torn } = content;
  if (header !== undefined) assertEquals(torn === undefined, validBytes === input.length);
  assert(lastGroup <= validBytes);
  if (torn !== undefined) assert(/found .*, want /.test(torn.reason), torn.reason);
  const taken = { header, records };
  return header === undefined ? { taken } : { taken, printed: input.slice(0, validBytes) };
}

const snapshot = fc.tuple(
  generation,
  fc.uniqueArray(fc.tuple(agent, fc.nat({ max: 99 }), text), { selector: ([agent]) => agent }),
).map(([generation, agents]) =>
  textOf(encodeSnapshot(
    generation,
    new Map(agents.map(([agent, version, durable]) => [agent, { version, durable }])),
  ))
);

function readSnapshot(input: string): Reading {
  const content = decodeSnapshot(bytesOf(input));
  if (content.corrupt !== undefined) return { refused: content.corrupt.reason };
  const { generation, agents } = content;
  return { taken: content, printed: textOf(encodeSnapshot(generation, agents)) };
}

const plain = fc.jsonValue({ maxDepth: 3 }).filter((value) =>
  !JSON.stringify(value).includes('"__proto__"')
);
const data = fc.oneof(
  plain,
  fc.array(fc.tuple(fc.string({ maxLength: 3 }), plain), { maxLength: 3 }).map((all) =>
    new Map(all)
  ),
  fc.array(fc.nat(), { maxLength: 3 }).map((all) => new Set(all)),
  fc.record({ $: fc.bigInt(), bytes: fc.uint8Array({ maxLength: 3 }), none: fc.constant(null) }),
);

const call = fc.record({
  client: fc.stringMatching(/^[a-z]{1,3}$/),
  operation: plain,
  result: fc.option(plain, { nil: undefined }),
  invokeUs: fc.nat({ max: 100 }),
}).map((call) => ({ ...call, returnUs: call.result === undefined ? undefined : 100 }));

const entry = fc.record({
  key: fc.stringMatching(/^[a-z]{1,4}$/),
  value: fc.string({ maxLength: 4 }),
  createRevision: fc.constant(3),
  modifyRevision: fc.constant(4),
  version: fc.constant(2),
  session: fc.constantFrom(null, 7),
  ttlMs: fc.constantFrom(null, 1000),
});

function formatEntries(entries: readonly unknown[]): string {
  const head = { gobby: 1, revision: 9, keys: entries.length };
  return [head, ...entries].map((line) => `${JSON.stringify(line)}\n`).join("");
}

const subjects: readonly Subject[] = [
  {
    name: "journals",
    valid: journal,
    pieces: ["group ", "ovid journal 1 ", " generation ", "0000000031\n"],
    bytes: true,
    refusal: /found .*want .*; group \d+ at byte \d+ is whole/s,
    // Only one that is damaged before a whole group is refused; the tests of the format make many.
    seldomRefuses: true,
    read: readJournal,
  },
  {
    name: "snapshots",
    valid: snapshot,
    pieces: ["ovid snapshot 1 ", " agents 1\n"],
    bytes: true,
    refusal: /^found .*, want /s,
    read: readSnapshot,
  },
  {
    name: "durable states",
    valid: data.map(encodeData),
    pieces: ['"$map"', '"$set"', '"$bytes"', '"$bigint"', '"$undefined"', '"$object"', "[[", "]]"],
    read: (input) =>
      refusing([SyntaxError], () => {
        const taken = decodeData(input);
        return { taken: encodeData(taken), printed: encodeData(taken) };
      }),
  },
  {
    name: "JSON of messages",
    valid: plain.map((value) => JSON.stringify(value)),
    pieces: ['"__proto__":1', "[".repeat(300), '{"a":'.repeat(300)],
    read: (input) =>
      refusing([SyntaxError, TypeError, RangeError], () => {
        const taken = parseJson(input);
        return { taken, printed: JSON.stringify(taken) };
      }),
  },
  {
    name: "histories",
    valid: fc.array(call, { maxLength: 4 }).map((calls) => [...historyLines(calls)].join("")),
    pieces: ['"invokeUs"', '"returnUs"', '"result"', "-1"],
    refusal: /^Cannot read history "h": line \d+ /,
    read: (input) =>
      refusing([SyntaxError], () => {
        const taken = parseHistory(input, "h");
        return { taken, printed: [...historyLines(taken)].join("") };
      }),
  },
  {
    name: "keys of Gobby in a file",
    valid: fc.array(entry, { maxLength: 3 }).map(formatEntries),
    pieces: ['"session"', '"ttlMs"', '"keys"', "0", "-1"],
    refusal: /^Cannot restore "f": (line \d+[: ]|it has \d+ keys, want )/,
    read: (input) =>
      refusing([SyntaxError], () => {
        const taken = readEntries(input, "f");
        return { taken, printed: formatEntries(taken) };
      }),
  },
  {
    name: "ids of agents",
    valid: agent,
    pieces: ["\u3000", "a".repeat(300)],
    refusal: /^Cannot use ".*" as an agent id, want /s,
    read: (input) =>
      refusing([SyntaxError], () => {
        const taken: AgentId = agentId(input);
        return { taken, printed: taken };
      }),
  },
];

fuzz(subjects);
