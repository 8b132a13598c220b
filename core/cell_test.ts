// The durable side of an agent: records, snapshots, versions, and what of it a restart sees.

import { assertEquals, assertThrows } from "@std/assert";
import { z } from "zod";
import { Cell } from "./cell.ts";
import { defineAgent } from "./define.ts";
import type { DurableImage } from "./envelope.ts";
import { agentId } from "./id.ts";
import {
  type AgentLine,
  mail,
  makeGrid,
  makeHost,
  puppet,
  type PuppetActs,
  puppetState,
} from "./test_support.ts";

const a = agentId("a");
const lines = { a: { type: "puppet", routes: { one: { a: 1 } } } };
const go = (act = "") => mail("a", "a", { type: "go", act });

function bootFrom(image: DurableImage | undefined, acts: PuppetActs = {}) {
  const host = makeHost(lines, [puppet(acts)]);
  host.boot(0, image === undefined ? new Map() : new Map([[a, image]]));
  return host;
}

Deno.test("cell: an agent starts as new or recovered, by what the disk holds", () => {
  const why = (image: DurableImage | undefined) => {
    const reasons: string[] = [];
    bootFrom(image, { start: (_state, _ctx, reason) => void reasons.push(reason) });
    return reasons.join();
  };
  const snapshot = { version: 1, durable: `{"lines":[]}` };
  assertEquals(why(undefined), "new");
  assertEquals(why({ records: [] }), "new");
  assertEquals(why({ records: [`{"line":"x"}`] }), "recovered");
  assertEquals(why({ snapshot, records: [] }), "recovered");
});

Deno.test("cell: a restart from the records, or from a snapshot and the records since, gives the same state", () => {
  const host = bootFrom(undefined, { go: (_state, ctx, act) => ctx.append({ line: act }) });
  const first = host.step(1, [go("one"), go("two")]).appends.map(({ record }) => record);
  const snapshot = host.snapshot()?.get(a);
  const second = host.step(2, [go("three")]).appends.map(({ record }) => record);
  const { durable } = puppetState(host, "a");
  assertEquals(durable.lines, ["one", "two", "three"]);
  const replayed = bootFrom({ records: [...first, ...second] });
  assertEquals(puppetState(replayed, "a").durable, durable);
  assertEquals(puppetState(bootFrom({ snapshot, records: second }), "a").durable, durable);
  assertEquals(replayed.snapshot(), host.snapshot());
});

Deno.test("cell: an append is seen at once by the handler that made it", () => {
  const seen: (readonly string[])[] = [];
  const host = bootFrom(undefined, {
    go(state, ctx, act) {
      ctx.append({ line: act });
      seen.push([...state.durable.lines]);
    },
  });
  host.step(1, [go("one"), go("two")]);
  assertEquals(seen, [["one"], ["one", "two"]]);
});

Deno.test("cell: a record is written as it was appended, whatever apply() does to it", () => {
  const record = { line: "as it was" };
  const host = bootFrom(undefined, {
    go(_state, ctx) {
      ctx.append(record);
      record.line = "changed";
    },
    apply(durable, line) {
      durable.lines.push(`${line}, applied`);
    },
  });
  assertEquals(host.step(1, [go()]).appends, [{ agent: a, record: `{"line":"as it was"}` }]);
  assertEquals(puppetState(host, "a").durable.lines, ["as it was, applied"]);
});

Deno.test("cell: changing durable state past apply() does not last", () => {
  const host = bootFrom(undefined, {
    go(state) {
      // @ts-expect-error: only apply changes durable state; a plugin in JavaScript may try.
      state.durable = { lines: ["forged"] };
    },
  });
  assertEquals(host.step(1, [go()]).faults.length, 1);
});

Deno.test("cell: an older version's snapshot is read by upgrade()", () => {
  const upgrades: unknown[] = [];
  const host = bootFrom({
    snapshot: { version: 1, durable: `{"$map":[["x",1]]}` },
    records: [`{"line":"since"}`],
  }, {
    version: 3,
    upgrade(durable, from) {
      upgrades.push(durable, from);
      return { lines: ["upgraded"] };
    },
  });
  assertEquals(upgrades, [new Map([["x", 1]]), 1]);
  assertEquals(puppetState(host, "a").durable.lines, ["upgraded", "since"]);
  assertEquals(host.snapshot()?.get(a)?.version, 3);
});

Deno.test("cell: a snapshot of another version without an upgrade, or of a newer one, is refused", () => {
  const snapshot = { version: 2, durable: `{"lines":[]}` };
  const refused = (acts: PuppetActs) => () => bootFrom({ snapshot, records: [] }, acts);
  assertThrows(
    refused({ version: 3 }),
    Error,
    "Cannot start agent a: its durable state has version 2, want 3 or an upgrade()",
  );
  assertThrows(
    refused({ version: 1, upgrade: () => ({ lines: [] }) }),
    Error,
    "Cannot start agent a: its durable state has version 2, want 1 or older",
  );
});

Deno.test("cell: a record that does not apply is refused, and named", () => {
  const apply = (durable: { lines: string[] }, line: string) => {
    if (line === "bad") throw new RangeError("no room");
    durable.lines.push(line);
  };
  assertThrows(
    () => bootFrom({ records: [`{"line":"good"}`, `{"line":"bad"}`] }, { apply }),
    Error,
    "Cannot start agent a: record 1 of its journal does not apply: no room",
  );
  assertThrows(() => bootFrom({ records: ["{"] }), Error, "record 0 of its journal does not apply");
});

Deno.test("cell: apply() that throws live is a fault, and nothing is appended", () => {
  const host = bootFrom(undefined, {
    go: (_state, ctx) => ctx.append({ line: "bad" }),
    apply() {
      throw new RangeError("no room");
    },
  });
  const { appends, faults } = host.step(1, [go()]);
  assertEquals([appends, String(faults[0]?.error)], [[], "RangeError: no room"]);
});

Deno.test("cell: an agent without durable state is in no snapshot, and cannot append", () => {
  const bare = defineAgent({
    type: "bare",
    version: 1,
    doc: "Holds nothing.",
    attrs: z.object({}),
    protocol: { go: z.object({}) },
    init: () => ({}),
    on: {
      go(_state, _message, ctx) {
        // @ts-expect-error: nothing to append to; a plugin in JavaScript may try.
        ctx.append({ line: "x" });
      },
    },
  });
  const host = makeHost({ a: { type: "bare" }, p: { type: "puppet" } }, [bare, puppet()]);
  host.boot(0);
  assertEquals([...host.snapshot()?.keys() ?? []], [agentId("p")]);
  assertEquals(
    String(host.step(1, [mail("p", "a", { type: "go" })]).faults[0]?.error),
    "TypeError: Cannot append: agent type bare declares no record",
  );
});

Deno.test("cell: attrs are what the schema made of them, and frozen to the bottom", () => {
  const definition = defineAgent({
    type: "listing",
    version: 1,
    doc: "Has attrs.",
    attrs: z.object({ list: z.array(z.object({ n: z.string().transform(Number) })) }),
    protocol: {},
    init: () => ({}),
    on: {},
  });
  const line: AgentLine = { type: "listing", attrs: { list: [{ n: "12" }] } };
  const entry = makeGrid({ a: line }).agents.get(a);
  if (entry === undefined) throw new Error("no agent a");
  const attrs = new Cell(entry, definition, 1n).attrs as { list: { n: number }[] };
  assertEquals(attrs, { list: [{ n: 12 }] });
  assertThrows(() => attrs.list.push({ n: 1 }), TypeError);
  assertThrows(() => Object.assign(attrs.list[0] ?? {}, { n: 1 }), TypeError);
});
