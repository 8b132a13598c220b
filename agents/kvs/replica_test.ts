import { assert, assertEquals, assertThrows } from "@std/assert";
import type { AnyMessage } from "../../core/agent.ts";
import type { Json } from "../../core/data.ts";
import { type Rig, rig } from "../../sim/rig.ts";
import { keyLengthMax, valueLengthMax } from "./command.ts";
import { kvsReplica, originsMax, storeLengthMax } from "./replica.ts";

function replica(attrs: { [name: string]: Json } = {}): Rig {
  return rig(kvsReplica, { id: "300", attrs, routes: { "200": { "200": 2 } }, peers: ["201"] });
}

function put(request: number, value: string, { session = 1, origin = "100", key = "a" } = {}) {
  return { type: "put", origin, session, request, key, value };
}

function get(request: number, key = "a"): AnyMessage {
  return { type: "get", origin: "100", session: 1, request, key };
}

/** The outcomes of the answers since the last look. */
function outcomes(agent: Rig): unknown[] {
  return agent.take().sent.map(({ message }) => message.outcome);
}

/** What GoOvid's client gets for a text, all on port 2. */
function ask(agent: Rig, text: string): unknown[] {
  agent.deliver("200", { type: "text", port: 1, text });
  return agent.take().sent.map(({ to, message }) => {
    assertEquals([to, message.port], ["200", 2]);
    return message.text;
  });
}

Deno.test("kvs_replica answers whoever asks, with the mark of the request", () => {
  const agent = replica();
  agent.deliver("201", put(7, "one  two"));
  agent.deliver("201", get(8));
  const mark = { origin: "100", session: 1 };
  assertEquals(agent.take().sent, [
    { to: "201", message: { type: "answer", ...mark, request: 7, outcome: { kind: "stored" } } },
    {
      to: "201",
      message: {
        type: "answer",
        ...mark,
        request: 8,
        outcome: { kind: "found", value: "one  two" },
      },
    },
  ]);
  agent.deliver("201", get(9, "b"));
  assertEquals(outcomes(agent), [{ kind: "absent" }]);
});

Deno.test("kvs_replica speaks GoOvid's text along the route of the client's name", () => {
  const agent = replica();
  assertEquals(ask(agent, "200 put a one  two"), ["putok"]);
  assertEquals(ask(agent, "200 get a"), ["getok one  two"]);
  assertEquals(ask(agent, "200 get b"), ["getbad"]);
});

Deno.test("kvs_replica keeps everything through a crash", () => {
  const agent = replica();
  ask(agent, "200 put a 1");
  agent.deliver("200", put(1, "2", { key: "b" }));
  agent.take();
  agent.restart();
  assertEquals(ask(agent, "200 get a"), ["getok 1"]);
  assertEquals(ask(agent, "200 get b"), ["getok 2"]);
});

Deno.test("kvs_replica executes a put once, however often it comes, before a crash or after", () => {
  const agent = replica();
  agent.deliver("200", put(1, "1"));
  agent.deliver("201", put(1, "2", { origin: "101" }));
  agent.take();
  agent.deliver("200", put(1, "1"));
  agent.restart();
  agent.deliver("201", put(1, "1"));
  assertEquals(outcomes(agent), [{ kind: "stored" }, { kind: "stored" }]);
  assertEquals(agent.appended, []);
  assertEquals(ask(agent, "200 get a"), ["getok 2"]);
});

Deno.test("kvs_replica does not execute an older put of the same session, nor answer it", () => {
  const agent = replica();
  agent.deliver("200", put(2, "2"));
  agent.take();
  agent.deliver("200", put(1, "1"));
  assertEquals(outcomes(agent), []);
  assertEquals(ask(agent, "200 get a"), ["getok 2"]);
});

Deno.test("kvs_replica takes a younger session from its first request, and tells an older one", () => {
  const agent = replica();
  agent.deliver("200", put(9, "1", { session: 5 }));
  agent.deliver("200", put(1, "2", { session: 6 }));
  agent.deliver("200", put(10, "3", { session: 5 }));
  assertEquals(outcomes(agent), [
    { kind: "stored" },
    { kind: "stored" },
    { kind: "outlived", session: 6 },
  ]);
  assertEquals(ask(agent, "200 get a"), ["getok 2"]);
});

Deno.test("kvs_replica knows origins apart, whoever passes their requests on", () => {
  const agent = replica();
  agent.deliver("200", put(1, "1", { origin: "100" }));
  agent.deliver("200", put(1, "2", { origin: "101" }));
  assertEquals(agent.take().appended.length, 2);
  assertEquals(ask(agent, "200 get a"), ["getok 2"]);
});

Deno.test("kvs_replica writes each put to its log, once, for people to read", () => {
  const agent = replica({ log: "tmp/300.log" });
  for (const line of ["put a one two", "get a"]) {
    agent.deliver("200", { type: "text", port: 1, text: `200 ${line}` });
  }
  agent.deliver("201", put(1, "2"));
  agent.deliver("201", put(1, "2"));
  assertEquals(agent.take().written, [
    { path: "tmp/300.log", text: "200 put a one two" },
    { path: "tmp/300.log", text: "201 put a 2" },
  ]);
  const other = replica();
  other.deliver("200", put(1, "1"));
  assertEquals(other.take().written, []);
});

Deno.test("kvs_replica goes on without its log", () => {
  const agent = replica({ log: "tmp/300.log" });
  agent.event({ device: "file", event: { type: "failed", path: "tmp/300.log", reason: "full" } });
  assertEquals(agent.notes.map(({ event, detail }) => [event, detail]), [
    ["kvs.log_failed", { path: "tmp/300.log", reason: "full" }],
  ]);
  assertEquals(ask(agent, "200 put a 1"), ["putok"]);
});

Deno.test("kvs_replica's log stays below its box's folder", () => {
  for (const log of ["300.log", "tmp/300.log", "a..b/c", "..a"]) replica({ log });
  for (const log of ["/etc/300.log", "..", "../300.log", "a/../../b", "\\a", "C:\\a", "a\\.."]) {
    assertThrows(() => replica({ log }), TypeError, "want a relative path without ..");
  }
  assertThrows(() => replica({ log: "" }), TypeError, "attrs.log");
  assertThrows(() => replica({ logs: "a" }), TypeError, "logs");
});

Deno.test("kvs_replica refuses keys and values beyond their limits, with a reason", () => {
  const agent = replica();
  const [key, value] = ["k".repeat(keyLengthMax), "v".repeat(valueLengthMax)];
  agent.deliver("200", put(1, value, { key }));
  agent.deliver("200", put(2, `${value}v`));
  agent.deliver("200", put(3, "v", { key: `${key}k` }));
  agent.deliver("200", put(4, "v", { key: "a b" }));
  assertEquals(outcomes(agent), [
    { kind: "stored" },
    { kind: "refused", why: "the value has 65537 characters, want at most 65536" },
    { kind: "refused", why: "the key has 257 characters, want at most 256" },
    { kind: "refused", why: "the key is not a word" },
  ]);
  assertEquals(ask(agent, `200 put a ${value}v`), [
    "error: the value has 65537 characters, want at most 65536",
  ]);
});

Deno.test("kvs_replica: the store has a limit, and overwriting counts what changes", () => {
  const agent = replica();
  const value = "v".repeat(valueLengthMax - 8);
  const count = storeLengthMax / valueLengthMax;
  for (let i = 0; i < count; i++) {
    agent.deliver("200", put(i + 1, value, { key: String(i).padStart(8, "0") }));
  }
  agent.deliver("200", put(count + 1, "v", { key: "k" }));
  assertEquals(outcomes(agent).at(-1), {
    kind: "refused",
    why: `the store is full, it has ${storeLengthMax} characters`,
  });
  const key = "00000000";
  agent.deliver("200", put(count + 2, `${value}v`, { key }));
  agent.deliver("200", put(count + 3, value.slice(2), { key }));
  agent.deliver("200", put(count + 4, "v", { key: "k" }));
  agent.deliver("200", put(count + 5, "vv", { key: "k" }));
  const kinds = agent.take().sent.map(({ message: { outcome } }) => JSON.stringify(outcome));
  assertEquals(kinds.map((text) => text.includes("stored")), [false, true, true, false]);
});

Deno.test("kvs_replica remembers a limited number of origins", () => {
  const agent = replica();
  for (let i = 0; i < originsMax; i++) agent.deliver("200", put(1, "v", { origin: `o${i}` }));
  agent.take();
  agent.deliver("200", put(1, "v", { origin: "one too many" }));
  agent.deliver("200", put(2, "v", { origin: "o0" }));
  assertEquals(outcomes(agent), [
    { kind: "refused", why: `there are ${originsMax} clients already` },
    { kind: "stored" },
  ]);
});

Deno.test("kvs_replica notes what it does not understand, and answers nobody", () => {
  const agent = replica();
  for (const text of ["", "200", "200 put a", "200 del a", "put a 1"]) {
    assertEquals(ask(agent, text), []);
  }
  assertEquals(ask(agent, "999 get a"), [], "there is no route to that client");
  assert(agent.appended.length === 0);
});
