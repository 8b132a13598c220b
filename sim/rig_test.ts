import { assertEquals, assertGreaterOrEqual, assertLessOrEqual, assertThrows } from "@std/assert";
import { z } from "zod";
import { defineAgent } from "../core/define.ts";
import { text } from "../core/text.ts";
import { rig } from "./rig.ts";

const counter = defineAgent({
  type: "counter",
  version: 1,
  doc: "Counts, and tells the board now and then.",
  attrs: z.object({ step: z.int().default(1) }),
  protocol: {
    add: z.object({ amount: z.int() }),
    total: z.object({ value: z.int() }),
    quit: z.object({ how: z.string() }),
    text,
  },
  routes: ["board"],
  record: z.object({ amount: z.int() }),
  timers: ["report", "jitter"],
  devices: ["terminal", "file"],
  durable: () => ({ value: 0 }),
  apply(durable, { amount }) {
    durable.value += amount;
  },
  init: () => ({ reports: 0 }),
  start(state, ctx, why) {
    ctx.note("up", { why, value: state.durable.value });
    ctx.setTimer("report", 100);
  },
  on: {
    add({ durable }, { amount }, ctx) {
      ctx.append({ amount: amount * ctx.attrs.step });
      if (amount < 0) throw new RangeError("It only goes up");
      ctx.reply({ type: "total", value: durable.value });
    },
    quit(_state, { how }, ctx) {
      if (how === "fail") ctx.fail("it was asked to");
      if (how === "self") {
        ctx.sendTo(ctx.self, { type: "add", amount: 5 });
      } else ctx.stop();
    },
  },
  onTimer: {
    report(state, ctx) {
      state.reports++;
      ctx.send("board", { type: "total", value: state.durable.value });
      ctx.setTimer("report", 100);
      ctx.setTimer("jitter", [10, 20]);
    },
    jitter() {},
  },
  onDevice: {
    terminal(_state, event, ctx) {
      if (event.type === "eof") return ctx.stop();
      ctx.output("terminal", { type: "print", text: event.text.toUpperCase() });
      ctx.output("terminal", { type: "prompt", text: "> " });
      ctx.output("file", { type: "append", path: "log", text: event.text });
    },
  },
  check({ durable }) {
    if (durable.value > 1000) throw new Error("It is more than it can bear");
  },
});

const peers = ["alice"];

Deno.test("Rig.deliver(): shows what was sent and appended, once", () => {
  const agent = rig(counter, { peers });
  agent.take();
  agent.deliver("alice", { type: "add", amount: 2 });
  const total = { to: "alice", message: { type: "total", value: 2 } };
  assertEquals(agent.sent, [total]);
  assertEquals(agent.appended, [{ amount: 2 }]);
  assertEquals(agent.take().sent, [total]);
  assertEquals([agent.sent, agent.appended], [[], []]);
  assertEquals(agent.state, { durable: { value: 2 }, reports: 0 });
});

Deno.test("rig(): takes attrs and an id of its own", () => {
  const agent = rig(counter, { id: "c", attrs: { step: 10 }, peers });
  agent.deliver("alice", { type: "add", amount: 2 });
  assertEquals(agent.sent[0]?.message, { type: "total", value: 20 });
  assertEquals(agent.id, "c");
  assertThrows(() => rig(counter, { attrs: { step: "x" } }), TypeError, "attrs.step");
});

Deno.test("Rig.deliver(): refuses kindly what the agent does not take", () => {
  const agent = rig(counter, { peers });
  const refusals: [string, Record<string, number | string> & { type: string }, string][] = [
    ["bob", { type: "add", amount: 1 }, 'mail from "bob": the rig knows alice'],
    [
      "alice",
      { type: "total", value: 1 },
      'Cannot deliver "total" to counter, want one of add, quit',
    ],
    ["alice", { type: "add", amount: "x" }, 'Cannot deliver "add" to counter: amount: '],
  ];
  for (const [from, message, words] of refusals) {
    assertThrows(() => agent.deliver(from, message), Error, words);
  }
  agent.deliver("alice", { type: "quit", how: "peace" });
  const add = { type: "add", amount: 1 } as const;
  assertThrows(() => agent.deliver("alice", add), TypeError, "it has ended");
  assertEquals([agent.stopped, agent.sent], [true, []]);
});

Deno.test("Rig.deliver(): throws what the handler threw, of which nothing else is left", () => {
  const agent = rig(counter, { peers });
  agent.deliver("alice", { type: "add", amount: 3 });
  agent.take();
  assertThrows(
    () => agent.deliver("alice", { type: "add", amount: -1 }),
    RangeError,
    "only goes up",
  );
  assertEquals([agent.sent, agent.appended], [[], []]);
  agent.deliver("alice", { type: "add", amount: 1 });
  assertEquals(agent.sent[0]?.message, { type: "total", value: 4 });
  assertThrows(() => agent.deliver("alice", { type: "add", amount: 999 }), Error, "bear");
  assertThrows(() => agent.deliver("alice", { type: "quit", how: "fail" }), Error, "asked to");
  assertEquals(agent.stopped, true);
});

Deno.test("Rig.deliver(): mail to itself is delivered as well", () => {
  const agent = rig(counter, { peers });
  agent.deliver("alice", { type: "quit", how: "self" });
  assertEquals(agent.state.durable, { value: 5 });
});

Deno.test("Rig.advance(): fires timers in order, each at its time", () => {
  const agent = rig(counter, { routes: { board: ["wall", "screen"] } });
  agent.advance(99.9);
  assertEquals(agent.sent, []);
  agent.advance(0.1);
  assertEquals(agent.take().sent.map(({ to }) => to), ["wall", "screen"]);
  const jitter = agent.nextTimerMs ?? 0;
  assertGreaterOrEqual(jitter, 10);
  assertLessOrEqual(jitter, 20);
  agent.advance(350);
  assertEquals(agent.state.reports, 4);
  assertEquals(agent.now, 450);
  assertThrows(() => agent.advance(-1), RangeError, "want 0 or more");
});

Deno.test("Rig.restart(): keeps what is durable and nothing else", () => {
  const agent = rig(counter, { peers, routes: { board: ["wall"] } });
  agent.deliver("alice", { type: "add", amount: 2 });
  agent.advance(150);
  agent.take();
  agent.restart();
  assertEquals(agent.state, { durable: { value: 2 }, reports: 0 });
  assertEquals(agent.take().notes.map(({ detail }) => detail), [{ why: "recovered", value: 2 }]);
  agent.advance(99);
  assertEquals(agent.sent, []);
  agent.advance(1);
  assertEquals(agent.sent.length, 1);
});

Deno.test("Rig.restart(): finds out an apply() that cannot be trusted", () => {
  let calls = 0;
  const forgetful = defineAgent({
    type: "forgetful",
    version: 1,
    doc: "Counts by something that no record holds.",
    attrs: z.object({}),
    protocol: { add: z.object({}) },
    record: z.object({}),
    durable: () => ({ value: 0 }),
    apply(durable) {
      durable.value = ++calls;
    },
    init: () => ({}),
    on: { add: (_state, _message, ctx) => ctx.append({}) },
  });
  const agent = rig(forgetful, { peers });
  agent.deliver("alice", { type: "add" });
  assertThrows(
    () => agent.restart(),
    Error,
    'Cannot trust apply() of forgetful: its records give {"value":2}, while it runs on {"value":1}',
  );
});

Deno.test("Rig.line(): reaches the terminal, and what comes back is kept apart", () => {
  const agent = rig(counter);
  agent.line("hello");
  const { printed, prompts, written } = agent.take();
  assertEquals(printed, ["HELLO"]);
  assertEquals(prompts, ["> "]);
  assertEquals(written, [{ path: "log", text: "hello" }]);
  assertThrows(
    () =>
      agent.event({ device: "file", event: { type: "failed", path: "log", reason: "it is full" } }),
    TypeError,
    "does not listen to device file",
  );
  agent.eof();
  assertEquals(agent.stopped, true);
  assertThrows(() => agent.line("more"), TypeError, "it has ended");
});

Deno.test("rig(): a peer may take nothing but text", () => {
  const asker = defineAgent({
    type: "asker",
    version: 1,
    doc: "Says in which way it can be heard.",
    attrs: z.object({}),
    protocol: { ask: z.object({ what: z.string() }), text },
    routes: ["all"],
    init: () => ({}),
    start(_state, ctx) {
      for (const agent of ctx.targets("all")) {
        if (ctx.accepts(agent, "ask")) ctx.sendTo(agent, { type: "ask", what: "time" });
        else ctx.sendTo(agent, { type: "text", port: 10, text: "ask" });
      }
    },
    on: { text: () => {} },
  });
  const agent = rig(asker, { routes: { all: { new: 1, old: 10 } }, textOnly: ["old"] });
  assertEquals(agent.sent, [
    { to: "new", message: { type: "ask", what: "time" } },
    { to: "old", message: { type: "text", port: 10, text: "ask" } },
  ]);
});

Deno.test("rig(): equal seeds give equal luck", () => {
  const jitterOf = (seed: bigint) => {
    const agent = rig(counter, { routes: { board: ["wall"] }, seed });
    agent.advance(100);
    return agent.nextTimerMs;
  };
  assertEquals(jitterOf(1n), jitterOf(1n));
  assertEquals(new Set([1n, 2n, 3n].map(jitterOf)).size, 3);
});
