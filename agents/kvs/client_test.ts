import { assert, assertEquals, assertGreater, assertThrows } from "@std/assert";
import type { AnyMessage } from "../../core/agent.ts";
import type { Json } from "../../core/data.ts";
import { type Rig, rig } from "../../sim/rig.ts";
import { lateMs, retryMsMax, retryMsMin } from "./call.ts";
import { asksMax, kvsClient, originsMax } from "./client.ts";

const attrs = { myid: 200 };

interface Surroundings {
  readonly replicas?: readonly string[];
  readonly textOnly?: readonly string[];
}

/** A client with a tty, agents 100 and 101 that speak for themselves, and replicas. */
function client({ replicas = ["300"], textOnly = [] }: Surroundings = {}): Rig {
  const routes = {
    "1": { tty: 1 },
    "2": Object.fromEntries(replicas.map((replica) => [replica, 1])),
  };
  return rig(kvsClient, { id: "200", attrs, routes, textOnly, peers: ["100", "101"] });
}

function put(request: number, value: string, session = 1, origin = "100"): AnyMessage {
  return { type: "put", origin, session, request, key: "a", value };
}

function get(request: number, origin = "100"): AnyMessage {
  return { type: "get", origin, session: 1, request, key: "a" };
}

const stored = { kind: "stored" };

function answer({ origin, session, request }: AnyMessage, outcome: Json): AnyMessage {
  return { type: "answer", origin, session, request, outcome };
}

function typeAt(agent: Rig, text: string, from = "tty"): void {
  agent.deliver(from, { type: "text", port: 1, text });
}

function reply(agent: Rig, text: string, from = "300"): void {
  agent.deliver(from, { type: "text", port: 2, text });
}

/** What was sent since the last look: to whom, and its text or the whole message. */
function sent(agent: Rig): [to: string, message: unknown][] {
  return agent.take().sent.map(({ to, message }) => [
    to,
    message.type === "text" ? `${message.port} ${message.text}` : message,
  ]);
}

Deno.test("kvs_client passes requests on as they are, and the answer back to who asked", () => {
  const agent = client();
  agent.deliver("100", put(7, "1"));
  assertEquals(sent(agent), [["300", put(7, "1")]]);
  agent.deliver("300", answer(put(7, "1"), stored));
  assertEquals(sent(agent), [["100", answer(put(7, "1"), stored)]]);
  agent.deliver("100", get(8));
  agent.deliver("300", answer(get(8), { kind: "found", value: "1" }));
  assertEquals(sent(agent), [
    ["300", get(8)],
    ["100", answer(get(8), { kind: "found", value: "1" })],
  ]);
});

Deno.test("kvs_client takes GoOvid's text from a tty, and answers it in text", () => {
  const agent = client();
  const outcomes: [line: string, outcome: Json, text: string][] = [
    ["put a one  two", stored, "ok"],
    ["get a", { kind: "found", value: "one  two" }, "one  two"],
    ["get b", { kind: "absent" }, "No such entry"],
    ["put b 1", { kind: "refused", why: "the store is full" }, "error: the store is full"],
  ];
  let last = 0;
  for (const [line, outcome, text] of outcomes) {
    typeAt(agent, line);
    const [request = get(0)] = agent.take().sent.map(({ message }) => message);
    assertEquals(request.origin, "200");
    assertGreater(Number(request.request), last);
    last = Number(request.request);
    agent.deliver("300", answer(request, outcome));
    assertEquals(sent(agent), [["tty", `1 ${text}`]]);
  }
});

Deno.test("kvs_client says so to a tty whose command no store takes", () => {
  const agent = client();
  for (const line of ["", "put a", "help"]) typeAt(agent, line);
  typeAt(agent, `get ${"k".repeat(257)}`);
  assertEquals(sent(agent), [
    ["tty", "1 Invalid command"],
    ["tty", "1 Invalid command"],
    ["tty", "1 Invalid command"],
    ["tty", "1 error: the key has 257 characters, want at most 256"],
  ]);
  agent.deliver("100", { ...put(1, "v"), key: "a b" });
  const outcome = { kind: "refused", why: "the key is not a word" };
  assertEquals(sent(agent), [["100", answer(put(1, "v"), outcome)]]);
});

Deno.test("kvs_client asks again until it is answered, ever more slowly", () => {
  const agent = client();
  agent.deliver("100", put(1, "1"));
  for (let wait = retryMsMin; wait <= 4 * retryMsMax; wait *= 2) {
    const ms = agent.nextTimerMs ?? 0;
    const least = Math.min(wait, retryMsMax);
    assert(ms >= least && ms < 1.5 * least, `${ms} ms, want ${least} to ${1.5 * least}`);
    agent.take();
    agent.advance(ms);
    assertEquals(sent(agent), [["300", put(1, "1")]]);
  }
  agent.deliver("300", answer(put(1, "1"), stored));
  assertEquals(agent.nextTimerMs, undefined);
});

Deno.test("kvs_client asks one thing at a time, in order", () => {
  const agent = client();
  agent.deliver("100", put(1, "1"));
  agent.deliver("101", get(1, "101"));
  typeAt(agent, "get b");
  assertEquals(sent(agent), [["300", put(1, "1")]]);
  agent.deliver("300", answer(put(1, "1"), stored));
  assertEquals(sent(agent), [["100", answer(put(1, "1"), stored)], ["300", get(1, "101")]]);
  agent.deliver("300", answer(get(1, "101"), { kind: "absent" }));
  const [, [, message] = []] = sent(agent);
  assertEquals(Object(message).key, "b");
});

Deno.test("kvs_client does not ask twice for who asks twice, and answers again what it answered", () => {
  const agent = client();
  agent.deliver("100", put(1, "1"));
  agent.deliver("101", put(1, "2", 1, "101"));
  agent.take();
  agent.deliver("100", put(1, "1"));
  agent.deliver("101", put(1, "2", 1, "101"));
  assertEquals(sent(agent), []);
  agent.deliver("300", answer(put(1, "1"), stored));
  agent.deliver("300", answer(put(1, "2", 1, "101"), stored));
  agent.take();
  agent.deliver("100", put(1, "1"));
  assertEquals(sent(agent), [["100", answer(put(1, "1"), stored)]]);
});

Deno.test("kvs_client: an older put of an origin is not asked for any more", () => {
  const agent = client();
  for (const request of [put(2, "2", 5), put(1, "1", 6)]) {
    agent.deliver("100", request);
    agent.deliver("300", answer(request, stored));
  }
  agent.take();
  agent.deliver("100", put(3, "3", 5));
  assertEquals(sent(agent), [["100", answer(put(3, "3", 5), { kind: "outlived", session: 6 })]]);
  agent.deliver("100", put(2, "2", 6));
  agent.deliver("300", answer(put(2, "2", 6), stored));
  agent.take();
  agent.deliver("100", put(1, "1", 6));
  assertEquals(sent(agent), []);
});

Deno.test("kvs_client: the first of several replicas wins, and late answers are nothing", () => {
  const agent = client({ replicas: ["300", "301"] });
  agent.deliver("100", get(1));
  assertEquals(sent(agent), [["300", get(1)], ["301", get(1)]]);
  agent.deliver("301", answer(get(1), { kind: "found", value: "1" }));
  assertEquals(sent(agent), [["100", answer(get(1), { kind: "found", value: "1" })]]);
  agent.deliver("100", get(2));
  agent.take();
  agent.deliver("300", answer(get(1), { kind: "absent" }));
  assertEquals(sent(agent), []);
  agent.deliver("300", answer(get(2), { kind: "absent" }));
  assertEquals(sent(agent), [["100", answer(get(2), { kind: "absent" })]]);
});

Deno.test("kvs_client speaks GoOvid's text to a replica that takes nothing else", () => {
  const agent = client({ textOnly: ["300"] });
  agent.deliver("100", put(1, "one  two"));
  assertEquals(sent(agent), [["300", "1 200 put a one  two"]]);
  reply(agent, "putok");
  assertEquals(sent(agent), [["100", answer(put(1, "one  two"), stored)]]);
  agent.deliver("100", get(2));
  reply(agent, "getok one  two");
  agent.deliver("100", get(3));
  reply(agent, "getbad");
  assertEquals(sent(agent).filter(([to]) => to === "100"), [
    ["100", answer(get(2), { kind: "found", value: "one  two" })],
    ["100", answer(get(3), { kind: "absent" })],
  ]);
});

Deno.test("kvs_client speaks to each of several replicas as that one understands", () => {
  const agent = client({ replicas: ["300", "301"], textOnly: ["301"] });
  agent.deliver("100", get(1));
  assertEquals(sent(agent), [["300", get(1)], ["301", "1 200 get a"]]);
  reply(agent, "getok 1", "301");
  assertEquals(sent(agent), [["100", answer(get(1), { kind: "found", value: "1" })]]);
});

Deno.test("kvs_client does not take a late text for the answer to another request", () => {
  const agent = client({ textOnly: ["300"] });
  agent.deliver("100", get(1));
  agent.advance(agent.nextTimerMs ?? 0);
  reply(agent, "getok old");
  agent.take();
  agent.deliver("101", get(1, "101"));
  assertEquals(sent(agent), [], "the second text may still be answered");
  reply(agent, "getok old");
  assertEquals(sent(agent), [["300", "1 200 get a"]]);
  reply(agent, "getok new");
  assertEquals(sent(agent), [["101", answer(get(1, "101"), { kind: "found", value: "new" })]]);
  reply(agent, "getok stray");
  assertEquals(sent(agent), []);
});

Deno.test("kvs_client asks the other replicas while one of them may still answer late", () => {
  const agent = client({ replicas: ["300", "301"], textOnly: ["300", "301"] });
  agent.deliver("100", get(1));
  reply(agent, "getbad", "301");
  agent.take();
  agent.deliver("100", get(2));
  assertEquals(sent(agent), [["301", "1 200 get a"]]);
  reply(agent, "getok late", "300");
  assertEquals(sent(agent), [["300", "1 200 get a"]]);
  agent.advance(lateMs);
  reply(agent, "getok 2", "300");
  assertEquals(sent(agent).at(-1), ["100", answer(get(2), { kind: "found", value: "2" })]);
});

Deno.test("kvs_client ignores a text that answers something else, and goes on asking", () => {
  const agent = client({ textOnly: ["300"] });
  agent.deliver("100", put(1, "1"));
  agent.take();
  for (const text of ["getok 1", "", "what"]) {
    reply(agent, text);
    agent.advance(agent.nextTimerMs ?? 0);
  }
  assertEquals(sent(agent), Array(3).fill(["300", "1 200 put a 1"]));
  reply(agent, "putok");
  assertEquals(sent(agent), [["100", answer(put(1, "1"), stored)]]);
});

Deno.test("kvs_client notes text at another port", () => {
  const agent = client();
  agent.deliver("100", { type: "text", port: 3, text: "get a" });
  assertEquals(agent.notes.map(({ event, detail }) => [event, detail]), [
    ["kvs.port", { from: "100", port: 3 }],
  ]);
});

Deno.test("kvs_client has a session of its own at each start, for what came as text", () => {
  const agent = client();
  typeAt(agent, "put a 1");
  const before = Number(agent.sent[0]?.message.session);
  agent.restart();
  agent.take();
  typeAt(agent, "put a 2");
  assertGreater(Number(agent.sent[0]?.message.session), before);
});

Deno.test("kvs_client outbids a session that the store knows and its disk does not", () => {
  const agent = client();
  typeAt(agent, "put a 1");
  const [{ message } = { message: get(0) }] = agent.take().sent;
  const known = Number(message.session) * 9;
  agent.deliver("300", answer(message, { kind: "outlived", session: known }));
  const [{ message: again } = { message: get(0) }] = agent.take().sent;
  assertGreater(Number(again.session), known);
  assertEquals(again.value, "1");
  agent.deliver("300", answer(again, stored));
  assertEquals(sent(agent), [["tty", "1 ok"]]);
});

Deno.test("kvs_client hands it on when another's session is outlived", () => {
  const agent = client();
  agent.deliver("100", put(1, "1"));
  agent.deliver("300", answer(put(1, "1"), { kind: "outlived", session: 9 }));
  agent.take();
  agent.deliver("100", put(1, "1"));
  assertEquals(sent(agent), [["300", put(1, "1")]], "it was not executed, so it is not remembered");
});

Deno.test("kvs_client lets so many requests wait, and drops the rest", () => {
  const agent = client();
  for (let i = 1; i <= asksMax; i++) agent.deliver("100", get(i));
  assertEquals(agent.take().notes, []);
  agent.deliver("100", get(asksMax + 1));
  assertEquals(agent.take().notes.map(({ event }) => event), ["kvs.overflow"]);
  agent.deliver("300", answer(get(1), { kind: "absent" }));
  agent.deliver("100", get(asksMax + 1));
  assertEquals(agent.take().notes, []);
});

Deno.test("kvs_client remembers the last put of so many origins", () => {
  const agent = client();
  const ask = (origin: string) => agent.deliver("100", put(1, "1", 1, origin));
  for (let i = 0; i <= originsMax; i++) {
    ask(`o${i}`);
    agent.deliver("300", answer(put(1, "1", 1, `o${i}`), stored));
  }
  agent.take();
  ask("o1");
  assertEquals(sent(agent).map(([to]) => to), ["100"], "answered from memory");
  ask("o0");
  assertEquals(sent(agent).map(([to]) => to), ["300"], "the oldest was forgotten");
});

Deno.test("kvs_client wants to know its own name", () => {
  assertThrows(() => rig(kvsClient, {}), TypeError, "attrs.myid: want a whole number from 0");
  rig(kvsClient, { attrs: { myid: "kv/client" } });
});
