import { assertEquals, assertNotEquals } from "@std/assert";
import { agentId } from "../core/id.ts";
import { HashWords } from "./hash_words.ts";
import { boxId } from "./plain_grid.ts";
import { RunningHash } from "./running_hash.ts";
import { formatEvent, formatMs, hashEvent, type Mail, type WorldEvent } from "./world_event.ts";

const [a, b] = [agentId("a"), agentId("b")];
const [b1, b2] = [boxId("b1"), boxId("b2")];
const here = { atUs: 12_345, box: b1 };
const envelope = { from: a, to: b, message: { type: "put", key: "k" } };
const mail: Mail = {
  kind: "mail",
  from: b1,
  to: b2,
  envelope,
  sentAtUs: 12_000,
  atUs: 12_345,
  fate: "delivered",
};

/** Events of every kind, each unlike the others in something, with their lines. */
const events: readonly (readonly [WorldEvent, string])[] = [
  [mail, 'a -> b  put {"key":"k"} (sent 12.000)'],
  [{ ...mail, sentAtUs: 12_001 }, 'a -> b  put {"key":"k"} (sent 12.001)'],
  [{ ...mail, envelope: { ...envelope, to: a } }, 'a -> a  put {"key":"k"} (sent 12.000)'],
  [{ ...mail, envelope: { ...envelope, from: b } }, 'b -> b  put {"key":"k"} (sent 12.000)'],
  [{ ...mail, fate: "lost" }, 'a x  b  put {"key":"k"} (lost)'],
  [{ ...mail, fate: "cut" }, 'a x  b  put {"key":"k"} (cut)'],
  [{ kind: "start", ...here, records: 3, tornBytes: 0 }, "b1 starts with 3 records"],
  [
    { kind: "start", ...here, records: 3, tornBytes: 9 },
    "b1 starts with 3 records, 9 bytes of a torn tail cut",
  ],
  [{ kind: "start", ...here, records: 4, tornBytes: 0 }, "b1 starts with 4 records"],
  [{ kind: "crash", ...here, why: "killed" }, "b1 crashes: killed"],
  [{ kind: "crash", ...here, why: "its disk is full" }, "b1 crashes: its disk is full"],
  [{ kind: "pause", ...here }, "b1 stands still"],
  [{ kind: "resume", ...here }, "b1 goes on"],
  [{ kind: "wake", ...here }, "b1 wakes"],
  [{ kind: "wake", ...here, box: b2 }, "b2 wakes"],
  [{ kind: "append", ...here, append: { agent: a, record: "[1]" } }, "a !  append [1]"],
  [{ kind: "append", ...here, append: { agent: b, record: "[1]" } }, "b !  append [1]"],
  [{ kind: "append", ...here, append: { agent: a, record: "[2]" } }, "a !  append [2]"],
  [{ kind: "sync", ...here, records: 2, compacted: false }, "b1 synced 2 records"],
  [{ kind: "sync", ...here, records: 3, compacted: false }, "b1 synced 3 records"],
  [{ kind: "sync", ...here, records: 2, compacted: true }, "b1 synced 2 records in a snapshot"],
  [
    { kind: "input", ...here, agent: a, event: { device: "terminal", event: { type: "eof" } } },
    "a <  eof",
  ],
  [
    {
      kind: "output",
      ...here,
      output: { agent: a, output: { device: "console", output: { type: "print", text: "x" } } },
    },
    'a >  print "x"',
  ],
  [{ kind: "note", ...here, note: { agent: a, event: "n" } }, "a *  n"],
  [{ kind: "note", ...here, note: { agent: a, event: "m" } }, "a *  m"],
  [{ kind: "note", ...here, note: { agent: a, event: "n", detail: [1] } }, "a *  n [1]"],
  [{ kind: "note", ...here, note: { agent: undefined, event: "n" } }, "b1 *  n"],
  [
    { kind: "fault", ...here, fault: { agent: a, error: new Error("e"), then: "rebuild" } },
    "a FAULT, to be rebuilt: e",
  ],
  [
    { kind: "fault", ...here, fault: { agent: a, error: "e", then: "stopped" } },
    "a FAULT, stopped: e",
  ],
  [{ kind: "end", ...here, agent: a }, "a ends"],
  [{ kind: "end", ...here, agent: b }, "b ends"],
  [{ kind: "cut", atUs: 12_345, from: b1, to: b2 }, "b1 -> b2  is cut"],
  [{ kind: "cut", atUs: 12_345, from: b2, to: b1 }, "b2 -> b1  is cut"],
  [{ kind: "heal", atUs: 12_345, from: b1, to: b2 }, "b1 -> b2  is whole again"],
  [
    { kind: "clog", atUs: 12_345, from: b1, to: b2, intervalUs: 5 },
    "b1 -> b2  is clogged, 5 us a message",
  ],
  [{ kind: "clog", atUs: 12_345, from: b1, to: b2, intervalUs: 0 }, "b1 -> b2  is free again"],
  [{ kind: "slow", ...here, stepUs: 7 }, "b1 takes 7 us a step"],
  [{ kind: "slow", ...here, stepUs: 0 }, "b1 is quick again"],
  [
    { kind: "clock", ...here, jumpUs: 3, driftPpm: -4 },
    "b1 clock: forward by 3 us, 4 ppm too slow",
  ],
  [{ kind: "disk", ...here, bytesMax: "lost" }, "b1 disk: lost, an empty one in its place"],
  [{ kind: "disk", ...here, bytesMax: 9 }, "b1 disk: has room for 9 bytes of journal"],
];

function hashOf(event: WorldEvent): string {
  const hash = new RunningHash();
  hashEvent(hash, event);
  return hash.digest();
}

Deno.test("formatEvent(): tells each kind of event in a line", () => {
  for (const [event, line] of events) assertEquals(formatEvent(event), `      12.345  ${line}`);
});

Deno.test("hashEvent(): events that read differently have different hashes", () => {
  assertEquals(new Set(events.map(([event]) => hashOf(event))).size, events.length);
  for (const [event] of events) {
    assertEquals(hashOf(event), hashOf({ ...event }));
    assertNotEquals(hashOf(event), hashOf({ ...event, atUs: 12_346 }), formatEvent(event));
  }
});

Deno.test("hashEvent(): tells times apart that need more than one word, and who writes to whom", () => {
  const hour = 2 ** 32;
  const hashes = [
    mail,
    { ...mail, atUs: hour + mail.atUs },
    { ...mail, atUs: hour + mail.atUs, sentAtUs: hour + mail.sentAtUs },
    { ...mail, atUs: hour + mail.atUs, sentAtUs: hour + mail.sentAtUs + 1 },
    { ...mail, atUs: 2 * hour + mail.atUs, sentAtUs: 2 * hour + mail.sentAtUs },
    { ...mail, envelope: { ...envelope, from: b, to: a } },
    { ...mail, envelope: { ...envelope, from: b, to: b } },
  ].map(hashOf);
  assertEquals(new Set(hashes).size, hashes.length);
  // What the network knows of both agents is what the hash would make of them.
  const ends = new HashWords().ends(a, b);
  assertEquals(hashOf({ ...mail, ends }), hashOf(mail));
});

Deno.test("formatMs(): writes microseconds as milliseconds", () => {
  const formatted = [0, 1, 999, 1000, 1_234_567, 2 ** 52].map(formatMs);
  assertEquals(formatted, ["0.000", "0.001", "0.999", "1.000", "1234.567", "4503599627370.496"]);
});
