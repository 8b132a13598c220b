// Boxes in one process, on a network in memory.

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { z } from "zod";
import { defineAgent } from "../core/define.ts";
import { agentId } from "../core/id.ts";
import { boxA, boxB } from "../core/test_support.ts";
import { text } from "../core/text.ts";
import { MemoryNetwork } from "../transport/memory.ts";
import { eventually, Grounds } from "./test_support.ts";

const echo = defineAgent({
  type: "echo",
  version: 1,
  doc: "Passes lines of its terminal on, and prints what comes back.",
  attrs: z.object({}),
  protocol: { text, shout: z.object({ words: z.string() }) },
  routes: ["peer"],
  devices: ["terminal"],
  init: () => ({ lines: 0 }),
  on: {
    text(_state, message, ctx) {
      ctx.output("terminal", {
        type: "print",
        text: `${ctx.from}@${message.port}: ${message.text}`,
      });
    },
    shout(_state, message, ctx) {
      ctx.output("terminal", { type: "print", text: `${ctx.from} shouts ${message.words}` });
    },
  },
  onDevice: {
    terminal(state, event, ctx) {
      if (event.type === "eof") return ctx.stop();
      state.lines++;
      if (event.text === "throw") throw new Error("as asked");
      if (event.text === "fail") ctx.fail("as asked");
      if (event.text.startsWith("!")) ctx.send("peer", { type: "shout", words: event.text });
      else ctx.send("peer", { type: "text", text: event.text });
    },
  },
});

const a = agentId("a");
const b = agentId("b");

function grounds(): Grounds {
  const lines = {
    a: { type: "echo", box: boxA, routes: { peer: { b: 7 } } },
    b: { type: "echo", box: boxB, routes: { peer: { a: 8 } } },
  };
  return new Grounds(lines, [echo], new MemoryNetwork());
}

const line = (text: string) => ({ device: "terminal", event: { type: "line", text } } as const);
const eof = { device: "terminal", event: { type: "eof" } } as const;

Deno.test("Box carries text and typed mail between agents of two boxes", async () => {
  const place = grounds();
  await using first = await place.start(boxA);
  await using second = await place.start(boxB);
  await Promise.all([first.box.linked, second.box.linked]);
  first.box.deviceEvent(a, line("  hello  there "));
  first.box.deviceEvent(a, line("!now"));
  second.box.deviceEvent(b, line("back"));
  await eventually("both lines", () => second.printed() === "a@7: hello  there\na shouts !now\n");
  await eventually("the answer", () => first.printed() === "b@8: back\n");
  assertEquals(first.box.alive, [boxA, boxB]);
});

Deno.test("Box drops mail that names an agent of another box as its sender", async () => {
  const network = new MemoryNetwork();
  const lines = {
    a: { type: "echo", box: boxA },
    b: { type: "echo", box: boxB },
  };
  await using first = await new Grounds(lines, [echo], network).start(boxA);
  const forger = new Grounds(
    {
      ...lines,
      b: { type: "echo", box: boxA },
      forged: { type: "echo", box: boxB, routes: { peer: { a: 1 } } },
    },
    [echo],
    network,
  );
  await using second = await forger.start(boxB);
  await Promise.all([first.box.linked, second.box.linked]);
  second.box.deviceEvent(agentId("forged"), line("let me in"));
  await eventually(
    "a warning",
    () => first.logged().some((entry) => entry.includes("dropped mail from forged")),
  );
  assertEquals(first.printed(), "");
});

Deno.test("Box serves the chatroom: alive, broadcast, get, and the crash of a peer", async () => {
  const place = grounds();
  await using first = await place.start(boxA);
  const second = await place.start(boxB);
  await Promise.all([first.box.linked, second.box.linked]);
  assertEquals(first.box.command("alive").reply, `alive ${boxA},${boxB}`);
  first.box.command("broadcast one, two");
  assertEquals(first.box.command("get").reply, "messages one, two");
  await eventually(
    "the broadcast",
    () => second.box.command("get json").reply === 'messages ["one, two"]',
  );
  second.box.command("crash");
  assertEquals(await second.box.ended, { why: "crash" });
  await second.box.close();
  await eventually("its absence", () => first.box.command("alive").reply === `alive ${boxA}`);
});

Deno.test("Box.agentEnd() resolves at the end of a terminal's agent, not before its output is out", async () => {
  const place = grounds();
  await using first = await place.start(boxA);
  let ended = false;
  const end = first.box.agentEnd(a).then(() => ended = true);
  first.box.deviceEvent(a, line("x"));
  await new Promise<void>((resolve) => setImmediate(resolve));
  assertEquals(ended, false);
  first.box.deviceEvent(a, eof);
  await end;
  await first.box.agentEnd(a);
});

Deno.test("Box outlives agents that throw and agents that give up, and says so", async () => {
  const place = grounds();
  await using first = await place.start(boxA);
  await using second = await place.start(boxB);
  await Promise.all([first.box.linked, second.box.linked]);
  first.box.deviceEvent(a, line("throw"));
  await eventually(
    "a word of it",
    () => first.logged().some((entry) => entry.includes("starts again")),
  );
  first.box.deviceEvent(a, line("still here"));
  await eventually("its mail", () => second.printed() === "a@7: still here\n");
  first.box.deviceEvent(a, line("fail"));
  await first.box.agentEnd(a);
  assert(first.logged().some((entry) => entry.includes("was stopped")));
  assertEquals(first.box.alive, [boxA, boxB]);
});

Deno.test("Box.addGuest() lets a program send to agents of the box, and hear their answers", async () => {
  const adder = defineAgent({
    type: "adder",
    version: 1,
    doc: "Adds, durably.",
    attrs: z.object({}),
    protocol: { add: z.object({ amount: z.int() }), total: z.object({ value: z.int() }) },
    record: z.object({ amount: z.int() }),
    durable: () => ({ total: 0 }),
    apply: (durable, record) => void (durable.total += record.amount),
    init: () => ({}),
    on: {
      add(state, message, ctx) {
        ctx.append({ amount: message.amount });
        ctx.reply({ type: "total", value: state.durable.total });
      },
    },
  });
  const place = new Grounds({ a: { type: "adder" } }, [adder], new MemoryNetwork());
  await using first = await place.start(boxA);
  const heard: unknown[] = [];
  const guest = first.box.addGuest(
    agentId("program"),
    (from, message) => heard.push([from, message]),
  );
  guest.send(a, { type: "add", amount: 2 });
  guest.send(a, { type: "add", amount: 3 });
  await eventually("both answers", () => heard.length === 2);
  assertEquals(heard, [["a", { type: "total", value: 2 }], ["a", { type: "total", value: 5 }]]);
  assertThrows(() => first.box.addGuest(a, () => {}), RangeError, "Cannot be a guest as a");
  assertThrows(() => guest.send(b, { type: "add", amount: 1 }), RangeError, "Cannot send to b");
  guest.leave();
  guest.send(a, { type: "add", amount: 4 });
  await first.box.settle();
  assertEquals(heard.length, 2);
});

Deno.test("Box repeats the end of input to an agent that starts again after it", async () => {
  const patient = defineAgent({
    type: "patient",
    version: 1,
    doc: "Ends when its input has ended, but throws once meanwhile.",
    attrs: z.object({}),
    protocol: {},
    timers: ["throw"],
    devices: ["terminal"],
    record: z.object({}),
    durable: () => ({ starts: 0 }),
    apply: (durable) => void durable.starts++,
    init: () => ({}),
    start: (_state, ctx) => ctx.append({}),
    on: {},
    onTimer: {
      throw() {
        throw new Error("once");
      },
    },
    onDevice: {
      terminal(state, event, ctx) {
        if (event.type !== "eof") return;
        if (state.durable.starts > 1) ctx.stop();
        else ctx.setTimer("throw", 1);
      },
    },
  });
  const place = new Grounds({ a: { type: "patient" } }, [patient], new MemoryNetwork());
  await using first = await place.start(boxA);
  first.box.deviceEvent(a, eof);
  await first.box.agentEnd(a);
});

Deno.test("Box.start() fails if its address is taken, and leaves nothing open", async () => {
  const place = grounds();
  await using _first = await place.start(boxA);
  let message = "";
  try {
    await place.start(boxA);
  } catch (error) {
    message = String(error);
  }
  assertStringIncludes(message, boxA);
});

Deno.test("Box collects garbage after many connections", async () => {
  const network = new MemoryNetwork();
  let collections = 0;
  const place = new Grounds({ a: { type: "echo", box: boxA } }, [echo], network);
  await using _box = await place.start(boxA, {
    collector: { collect: () => collections++, collectAll: () => {} },
  });
  for (let i = 0; i < 600; i++) {
    (await network.dial(boxA, new AbortController().signal)).close();
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  await eventually("a collection", () => collections === 1);
});
