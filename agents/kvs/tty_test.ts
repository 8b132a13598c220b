import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import type { AnyMessage } from "../../core/agent.ts";
import type { Json } from "../../core/data.ts";
import { type Rig, rig } from "../../sim/rig.ts";
import { lateMs, retryMsMax, retryMsMin } from "./call.ts";
import { kvsTty, waitingLengthMax } from "./tty.ts";

const routes = { "1": { "200": 1 } };

function typed(seed = 1n): Rig {
  return rig(kvsTty, { id: "100", routes, seed });
}

/** A tty whose client takes text only, as GoOvid's. */
function textual(): Rig {
  return rig(kvsTty, { id: "100", routes, textOnly: ["200"] });
}

/** The last request that was sent since the last `take`. */
function request(agent: Rig): AnyMessage {
  const last = agent.sent.at(-1);
  assertEquals(last?.to, "200");
  assert(last !== undefined);
  return last.message;
}

function answer({ origin, session, request }: AnyMessage, outcome: Json): AnyMessage {
  return { type: "answer", origin, session, request, outcome };
}

const stored = { kind: "stored" };

/** Answers the last request. */
function settle(agent: Rig, outcome: Json): void {
  agent.deliver("200", answer(request(agent), outcome));
}

function reply(agent: Rig, text: string): void {
  agent.deliver("200", { type: "text", port: 1, text });
}

/** The texts that were sent and the lines that were printed since the last look. */
function looked(agent: Rig): { asked: unknown[]; printed: string[] } {
  const { sent, printed } = agent.take();
  return { asked: sent.map(({ message }) => message.text), printed };
}

Deno.test("kvs_tty asks by a request of its own, and prints the answer", () => {
  const agent = typed();
  assertEquals(agent.take().prompts, ["> "]);
  agent.line("put  a one  two ");
  const put = request(agent);
  assertEquals([put.type, put.key, put.value, put.origin], ["put", "a", "one  two", "100"]);
  assertEquals([agent.sent.length, agent.take().prompts], [1, []]);
  agent.deliver("200", answer(put, stored));
  const { printed, prompts } = agent.take();
  assertEquals([printed, prompts], [["ok"], ["> "]]);
  agent.line("get a");
  const get = request(agent);
  assertEquals([get.type, get.key, get.session], ["get", "a", put.session ?? 0]);
  assertGreater(Number(get.request), Number(put.request));
});

Deno.test("kvs_tty prints every outcome in words", () => {
  const agent = typed();
  const outcomes = [
    { kind: "found", value: "one  two" },
    { kind: "absent" },
    { kind: "refused", why: "the store is full" },
  ];
  for (const outcome of outcomes) {
    agent.line("get a");
    settle(agent, outcome);
  }
  assertEquals(agent.printed, ["one  two", "No such entry", "error: the store is full"]);
});

Deno.test("kvs_tty says Invalid command to all else, and asks nobody", () => {
  const agent = typed();
  const lines = ["", "put", "put a", "get", "get a b", "PUT a 1", "help"];
  for (const line of lines) agent.line(line);
  const { printed, sent, prompts } = agent.take();
  assertEquals(printed, lines.map(() => "Invalid command"));
  assertEquals([sent.length, prompts.length], [0, lines.length + 1]);
});

Deno.test("kvs_tty refuses by itself what no store takes", () => {
  const agent = typed();
  agent.line(`get ${"k".repeat(257)}`);
  assertEquals(agent.printed, ["error: the key has 257 characters, want at most 256"]);
  assertEquals(agent.sent, []);
});

Deno.test("kvs_tty has one request under way, and takes further lines in order", () => {
  const agent = typed();
  for (const line of ["put a 1", "huh", "get a", "get b"]) agent.line(line);
  assertEquals([agent.sent.length, agent.printed.length], [1, 0]);
  settle(agent, stored);
  assertEquals(agent.printed, ["ok", "Invalid command"]);
  assertEquals(request(agent).key, "a");
  settle(agent, { kind: "found", value: "1" });
  settle(agent, { kind: "absent" });
  assertEquals(agent.printed, ["ok", "Invalid command", "1", "No such entry"]);
  assertEquals(agent.sent.length, 3);
});

Deno.test("kvs_tty ends at the end of input, once everything is answered", () => {
  const idle = typed();
  idle.eof();
  assert(idle.stopped);
  const agent = typed();
  agent.line("put a 1");
  agent.line("get a");
  agent.eof();
  assert(!agent.stopped);
  settle(agent, stored);
  assert(!agent.stopped);
  settle(agent, { kind: "found", value: "1" });
  assert(agent.stopped);
  assertEquals(agent.printed, ["ok", "1"]);
  assertEquals(agent.nextTimerMs, undefined);
});

Deno.test("kvs_tty asks the same again until it is answered, ever more slowly", () => {
  const agent = typed();
  agent.line("put a 1");
  const first = request(agent);
  for (let wait = retryMsMin; wait <= 4 * retryMsMax; wait *= 2) {
    const ms = agent.nextTimerMs ?? 0;
    const least = Math.min(wait, retryMsMax);
    assert(ms >= least && ms < 1.5 * least, `${ms} ms, want ${least} to ${1.5 * least}`);
    agent.take();
    agent.advance(ms);
    assertEquals(agent.sent, [{ to: "200", message: first }]);
  }
  settle(agent, stored);
  agent.take();
  agent.advance(10 * retryMsMax);
  assertEquals(agent.take().sent, []);
});

Deno.test("kvs_tty ignores answers to anything but the request under way", () => {
  const agent = typed();
  agent.line("get a");
  const old = request(agent);
  settle(agent, { kind: "absent" });
  agent.line("get b");
  const { origin = "", session = 0, request: number = 0 } = request(agent);
  agent.take();
  agent.deliver("200", answer(old, { kind: "found", value: "late" }));
  const others = [
    { origin: "101", session, request: number },
    { origin, session: Number(session) + 1, request: number },
    { origin, session, request: Number(number) + 1 },
  ];
  for (const mark of others) {
    agent.deliver("200", { type: "answer", ...mark, outcome: { kind: "found", value: "wrong" } });
  }
  assertEquals(agent.take().printed, []);
  agent.deliver(
    "200",
    answer({ type: "get", origin, session, request: number }, { kind: "absent" }),
  );
  agent.deliver(
    "200",
    answer({ type: "get", origin, session, request: number }, { kind: "absent" }),
  );
  assertEquals(agent.take().printed, ["No such entry"]);
});

Deno.test("kvs_tty has a session of its own at each start, durable before it asks", () => {
  const agent = typed();
  agent.line("put a 1");
  const before = request(agent);
  agent.restart();
  agent.line("put a 2");
  assertGreater(Number(request(agent).session), Number(before.session));
  assertEquals(agent.appended.length, 2);
});

Deno.test("kvs_tty: a disk that was lost does not bring an old session back", () => {
  const sessions = [1n, 2n, 3n].map((seed) => {
    const agent = typed(seed);
    agent.line("put a 1");
    return request(agent).session;
  });
  assertEquals(new Set(sessions).size, 3);
});

Deno.test("kvs_tty outbids a session that the store knows and its disk does not", () => {
  const agent = typed();
  agent.line("put a 1");
  const before = request(agent);
  const known = Number(before.session) * 9;
  settle(agent, { kind: "outlived", session: known });
  const after = request(agent);
  assertGreater(Number(after.session), known);
  assertEquals([after.type, after.key, after.value], ["put", "a", "1"]);
  assertEquals(agent.take().printed, []);
  agent.restart();
  agent.line("get a");
  assertGreater(Number(request(agent).session), Number(after.session));
});

Deno.test("kvs_tty speaks GoOvid's text to a client that takes nothing else", () => {
  const agent = textual();
  agent.line("put a one  two");
  assertEquals(agent.take().sent, [
    { to: "200", message: { type: "text", port: 1, text: "put a one  two" } },
  ]);
  reply(agent, "ok");
  agent.line("get a");
  assertEquals(looked(agent), { asked: ["get a"], printed: ["ok"] });
  reply(agent, "one  two");
  agent.line("get b");
  agent.eof();
  assert(!agent.stopped);
  reply(agent, "No such entry");
  assert(agent.stopped);
  assertEquals(looked(agent), { asked: ["get b"], printed: ["one  two", "No such entry"] });
});

Deno.test("kvs_tty does not take a late text for the answer to its next request", () => {
  const agent = textual();
  agent.line("get a");
  agent.advance(agent.nextTimerMs ?? 0);
  assertEquals(looked(agent), { asked: ["get a", "get a"], printed: [] });
  reply(agent, "1");
  agent.line("get b");
  assertEquals(looked(agent), { asked: [], printed: ["1"] }, "the second may still be answered");
  reply(agent, "1");
  assertEquals(looked(agent), { asked: ["get b"], printed: [] }, "now nothing is late any more");
  reply(agent, "2");
  reply(agent, "3");
  assertEquals(looked(agent), { asked: [], printed: ["2"] }, "a text that answers nothing");
});

Deno.test("kvs_tty takes a text that stays unanswered for lost, and goes on", () => {
  const agent = textual();
  agent.line("get a");
  agent.advance(agent.nextTimerMs ?? 0);
  const sentAt = agent.now;
  reply(agent, "1");
  agent.take();
  agent.line("get b");
  while (agent.sent.length === 0) agent.advance(agent.nextTimerMs ?? 0);
  assert(agent.now - sentAt >= lateMs);
  assertLess(agent.now - sentAt, 3 * lateMs);
  reply(agent, "2");
  assertEquals(looked(agent), { asked: ["get b"], printed: ["2"] });
});

Deno.test("kvs_tty drops what is too much to wait, with a word", () => {
  const agent = typed();
  agent.line("get a");
  const mebibyte = `put a ${"v".repeat(1024 * 1024 - 22)}`;
  for (let i = 0; i < waitingLengthMax / (mebibyte.length + 16); i++) agent.line(mebibyte);
  assertEquals(agent.printed, []);
  agent.line("");
  assertEquals(agent.printed, [`error: too many commands are waiting, dropped ""`]);
  settle(agent, { kind: "absent" });
  // The value of each is too long, so that all have had their turn now.
  assertEquals(agent.take().printed.length, 2 + waitingLengthMax / (mebibyte.length + 16));
  agent.line("get a");
  settle(agent, { kind: "absent" });
  assertEquals(agent.printed, ["No such entry"]);
});

Deno.test("kvs_tty says what is missing when nobody stands behind its route", () => {
  const agent = rig(kvsTty, { id: "100" });
  agent.line("get a");
  assertEquals(agent.notes.map(({ event, detail }) => [event, detail]), [
    ["kvs.unrouted", { route: "1" }],
  ]);
});
