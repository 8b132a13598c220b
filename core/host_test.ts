import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { z } from "zod";
import { defineAgent } from "./define.ts";
import { agentId } from "./id.ts";
import {
  type AgentLines,
  bootPuppets,
  boxA,
  boxB,
  deviceInput,
  go,
  type HostExtras,
  mail,
  makeHost,
  puppet,
  type PuppetActs,
  puppetState,
  seen,
} from "./test_support.ts";

const routes = { one: { b: 7 }, both: { b: 1, far: 2 }, none: {}, "9": { b: 9 } };
const lines: AgentLines = {
  "0": { type: "puppet" },
  a: { type: "puppet", routes },
  b: { type: "puppet" },
  far: { type: "puppet", box: boxB },
};

const boot = (acts: PuppetActs, options: HostExtras = {}) => bootPuppets(lines, acts, options);

Deno.test("host: starts every agent before any mail, and says why", () => {
  const events: string[] = [];
  const host = makeHost(lines, [puppet({
    start(_state, ctx, why) {
      events.push(`start ${ctx.self} ${why}`);
      assertEquals(ctx.from, ctx.self);
      ctx.send("one", { type: "text", text: "early" });
    },
  })]);
  assertEquals(host.agents, [agentId("0"), agentId("a"), agentId("b")]);
  const batch = host.boot(5);
  assertEquals(events, ["start 0 new", "start a new", "start b new"]);
  assertEquals(seen(host, "b"), [`a {"type":"text","port":7,"text":"early"}`]);
  assertEquals([batch.busy, batch.wakeAt], [false, undefined]);
});

Deno.test("host: refuses a grid whose types or attrs it cannot use", () => {
  assertThrows(
    () => makeHost({ a: { type: "other" } }, [puppet()]),
    TypeError,
    `Cannot make agent a: type "other" is not defined`,
  );
  assertThrows(
    () => makeHost({ a: { type: "puppet", attrs: { size: "big" } } }, [puppet()]),
    TypeError,
    "Cannot make agent a of type puppet: attrs.size: ",
  );
});

Deno.test("host: a route with several agents reaches each, at its own port, near and far", () => {
  const host = boot({
    go: (_state, ctx) => {
      assertEquals(ctx.targets("both"), [agentId("b"), agentId("far")]);
      ctx.send("both", { type: "text", text: " hi\n" });
      ctx.send("both", { type: "list", list: [1] });
    },
  });
  const { sends } = host.step(1, [go()]);
  assertEquals(seen(host, "b"), [
    `a {"type":"text","port":1,"text":"hi"}`,
    `a {"type":"list","list":[1]}`,
  ]);
  const [from, to] = [agentId("a"), agentId("far")];
  assertEquals(sends, [
    { box: boxB, from, to, message: { type: "text", port: 2, text: "hi" } },
    { box: boxB, from, to, message: { type: "list", list: [1] } },
  ]);
  assertEquals(host.counters.sent, 4);
});

Deno.test("host: an unknown destination is noted and counted, and reaches nobody, least of all agent 0", () => {
  const host = boot({
    go(_state, ctx) {
      ctx.send("lost", { type: "text", text: "a" });
      ctx.send("none", { type: "text", text: "a" });
      ctx.sendTo(agentId("ghost"), { type: "text", port: 1, text: "a" });
    },
  });
  const { notes, sends } = host.step(1, [go()]);
  const agent = agentId("a");
  assertEquals(notes, [
    { agent, event: "mail.unrouted", detail: { route: "lost" } },
    { agent, event: "mail.unrouted", detail: { route: "none" } },
    { agent, event: "mail.unknown", detail: { to: "ghost", type: "text" } },
  ]);
  assertEquals(sends, []);
  assertEquals(seen(host, "0"), []);
  assertEquals([host.counters.unknown, host.counters.sent], [3, 0]);
});

Deno.test("host: mail for an agent of no box here is noted and counted", () => {
  const host = boot({});
  for (const to of ["ghost", "far"]) {
    assertEquals(host.step(1, [mail("b", to, { type: "go" })]).notes, [
      { agent: undefined, event: "mail.unknown", detail: { from: "b", to, type: "go" } },
    ]);
  }
  assertEquals(host.counters.unknown, 2);
});

Deno.test("host: stamps the sender, and a reply goes back to it", () => {
  const host = boot({
    go(_state, ctx, act) {
      if (ctx.self === "a") ctx.sendTo(agentId("0"), { type: "go", act });
      else ctx.reply({ type: "list", list: [act.length] });
    },
  });
  host.step(1, [mail("b", "a", { type: "go", act: "abc", from: "0" })]);
  assertEquals(seen(host, "a"), [`0 {"type":"list","list":[3]}`]);
  assertEquals(seen(host, "b"), []);
});

Deno.test("host: refuses mail of a type that the agent does not take, or against its schema", () => {
  const host = boot({});
  const agent = agentId("a");
  const { notes, faults } = host.step(1, [
    mail("b", "a", { type: "shout" }),
    mail("b", "a", { type: "toString" }),
    mail("b", "a", { type: "list", list: ["1"] }),
    mail("b", "a", { type: "text", port: 1 }),
  ]);
  const want = ["text", "list", "go"];
  assertEquals(notes.slice(0, 2), [
    { agent, event: "mail.refused", detail: { from: "b", type: "shout", want } },
    { agent, event: "mail.refused", detail: { from: "b", type: "toString", want } },
  ]);
  assertEquals(notes.slice(2).map(({ event }) => event), ["mail.invalid", "mail.invalid"]);
  assertEquals(notes[3]?.detail, { from: "b", type: "text", why: "text: want a string" });
  assertEquals(faults, []);
  assertEquals(seen(host, "a"), []);
  assertEquals([host.counters.refused, host.counters.delivered], [4, 0]);
});

Deno.test("host: refuses a message on which the schema itself fails", () => {
  const taker = defineAgent({
    type: "puppet",
    version: 1,
    doc: "Takes a list.",
    attrs: z.object({}),
    protocol: { list: z.object({ list: z.array(z.int()).min(1) }) },
    init: () => ({}),
    on: { list() {} },
  });
  const host = makeHost({ a: { type: "puppet" } }, [taker]);
  host.boot(0);
  // Zod compares the length with a number before it knows that there is no list.
  const hostile = { type: "list", list: { length: { toString: 1 } } };
  const { notes, faults } = host.step(1, [mail("b", "a", hostile)]);
  assertEquals(notes.map(({ event }) => event), ["mail.invalid"]);
  assertEquals(faults, []);
  assertEquals(host.counters.refused, 1);
});

Deno.test("host: what a sender changes after sending does not reach the receiver", () => {
  const list = [1];
  const host = boot({
    go(_state, ctx) {
      ctx.send("both", { type: "list", list });
      list.push(2);
      ctx.append({ line: "x" });
    },
  });
  const { sends } = host.step(1, [go()]);
  assertEquals(puppetState(host, "b").list, [1]);
  assertEquals(sends[0]?.message, { type: "list", list: [1] });
});

Deno.test("host: receivers behind one route share nothing", () => {
  const host = makeHost(
    { ...lines, a: { type: "puppet", routes: { both: { "0": 1, b: 1 } } } },
    [puppet({ go: (_state, ctx) => ctx.send("both", { type: "list", list: [1] }) })],
  );
  host.boot(0);
  host.step(1, [go()]);
  assertEquals(puppetState(host, "0").list, puppetState(host, "b").list);
  assert(puppetState(host, "0").list !== puppetState(host, "b").list);
});

Deno.test("host: ctx.accepts() knows what agents take, here and on other boxes", () => {
  const answers: boolean[] = [];
  const acts: PuppetActs = {
    go(_state, ctx) {
      for (const to of ["b", "far", "ghost", "odd"].map(agentId)) {
        for (const type of ["text", "list", "shout"] as const) {
          answers.push(ctx.accepts(to, type));
        }
      }
    },
  };
  const all = { ...lines, odd: { type: "odd", box: boxB } };
  const ask = (takesTyped: boolean) => {
    answers.length = 0;
    const host = makeHost(all, [puppet(acts)], { takesTyped: () => takesTyped });
    host.boot(0);
    host.step(1, [go()]);
    return answers;
  };
  // In threes: an agent of this box, one of another, nobody, and one whose type this box does not know.
  const nobody = [false, false, false];
  assertEquals(ask(true), [true, true, false, true, true, false, ...nobody, true, true, true]);
  assertEquals(ask(false), [true, true, false, true, false, false, ...nobody, true, false, false]);
});

Deno.test("host: loss 0 loses nothing and loss 1 everything, mail within the box included", () => {
  const acts: PuppetActs = {
    go: (_state, ctx) => {
      for (let i = 0; i < 100; i++) ctx.send("both", { type: "text", text: "x" });
    },
  };
  const none = boot(acts, { loss: 0 });
  assertEquals(none.step(1, [go()]).sends.length, 100);
  assertEquals(seen(none, "b").length, 100);
  const all = boot(acts, { loss: 1 });
  const { sends, notes } = all.step(1, [go()]);
  assertEquals([sends.length, seen(all, "b").length], [0, 0]);
  assertEquals([all.counters.lost, all.counters.sent], [200, 200]);
  assertEquals(notes[1], {
    agent: agentId("a"),
    event: "mail.lost",
    detail: { to: "far", type: "text" },
  });
});

Deno.test("host: losses follow from the seed, and hit about as often as they should", () => {
  const lose = (seed: bigint) => {
    const host = boot({
      go: (_state, ctx) => {
        for (let i = 0; i < 1000; i++) ctx.send("one", { type: "text", text: String(i) });
      },
    }, { loss: 0.3, seed });
    host.step(1, [go()]);
    return seen(host, "b");
  };
  assertEquals(lose(1n), lose(1n));
  assertNotEquals(lose(1n), lose(2n));
  assert(Math.abs(lose(1n).length - 700) < 75, "five standard deviations");
});

Deno.test("host: an agent's random numbers depend on the seed and the agent, not on the others", () => {
  const draw = (seed: bigint, agent: string, before: string[] = []) => {
    let drawn: number[] = [];
    const host = boot({
      go(_state, ctx) {
        drawn = [ctx.random(), ctx.random()];
      },
    }, { seed });
    for (const to of [...before, agent]) host.step(1, [mail("far", to, { type: "go" })]);
    return drawn;
  };
  assertEquals(draw(1n, "a"), draw(1n, "a", ["b", "0", "b"]));
  assertNotEquals(draw(1n, "a"), draw(1n, "b"));
  assertNotEquals(draw(1n, "a"), draw(2n, "a"));
});

Deno.test("host: a step delivers so much local mail, then its driver gets its turn", () => {
  // Two agents that never stop talking.
  const host = boot({
    go: (_state, ctx) => ctx.sendTo(agentId(ctx.self === "a" ? "b" : "a"), { type: "go" }),
  }, { stepMailMax: 10 });
  const batch = host.step(1, [go()]);
  assertEquals([batch.busy, host.counters.delivered], [true, 10]);
  assertEquals(host.step(1, []).busy, true);
  assertEquals(host.counters.delivered, 20);
});

Deno.test("host: a step is not busy when exactly all could be delivered", () => {
  const host = boot({}, { stepMailMax: 3 });
  assertEquals(host.step(1, [go(), go(), go()]).busy, false);
  assertEquals(host.step(1, [go(), go(), go(), go()]).busy, true);
  assertEquals(host.step(1, []).busy, false);
  assertEquals(host.counters.delivered, 7);
});

Deno.test("host: what is too much for its queue is dropped and counted", () => {
  const host = boot({}, { queueMax: 3 });
  const text = (i: number) => mail("b", "a", { type: "text", port: 1, text: String(i) });
  host.step(1, [1, 2, 3].map(text));
  assertEquals(host.counters.overflowed, 0);
  host.step(1, [4, 5, 6, 7, 8].map(text));
  assertEquals(host.counters.overflowed, 2);
  assertEquals(seen(host, "a").length, 6);
});

Deno.test("host: keeps the order of a long queue", () => {
  const host = boot({}, { stepMailMax: 5000 });
  const inputs = Array.from(
    { length: 12_000 },
    (_, i) => mail("b", "a", { type: "text", port: 1, text: String(i) }),
  );
  host.step(1, inputs);
  while (host.step(1, []).busy);
  const texts = seen(host, "a").map((line) => JSON.parse(line.slice(2)).text);
  assertEquals(texts, Array.from({ length: 12_000 }, (_, i) => String(i)));
});

Deno.test("host: ctx.now is one value for a whole step, and time never goes back", () => {
  const times: number[] = [];
  const host = boot({ go: (_state, ctx) => void times.push(ctx.now) });
  host.step(5, [go(), go()]);
  host.step(5, [go()]);
  assertEquals(times, [5, 5, 5]);
  assertThrows(() => host.step(4, []), Error, "the clock of 127.0.0.1:5000 went from 5 to 4");
});

Deno.test("host: a device's event reaches the agent, and one that it does not handle nobody", () => {
  const typed: string[] = [];
  const host = boot({ line: (_state, _ctx, line) => void typed.push(line) });
  host.step(1, [
    deviceInput("a", { device: "terminal", event: { type: "line", text: "hi" } }),
    deviceInput("a", { device: "file", event: { type: "failed", path: "p", reason: "r" } }),
    deviceInput("ghost", { device: "terminal", event: { type: "eof" } }),
    deviceInput("a", { device: "terminal", event: { type: "eof" } }),
  ]);
  assertEquals(typed, ["hi", "(eof)"]);
});

Deno.test("host: outputs and notes stand in the batch as they were, and in order", () => {
  const host = boot({
    go(_state, ctx) {
      const detail = { list: [1] };
      ctx.output("console", { type: "print", text: "one" });
      ctx.note("seen", detail);
      detail.list.push(2);
      ctx.note("bare");
      ctx.output("terminal", { type: "prompt", text: "> " });
    },
  });
  const agent = agentId("a");
  const { outputs, notes } = host.step(1, [go()]);
  assertEquals(outputs, [
    { agent, output: { device: "console", output: { type: "print", text: "one" } } },
    { agent, output: { device: "terminal", output: { type: "prompt", text: "> " } } },
  ]);
  assertEquals(notes, [{ agent, event: "seen", detail: { list: [1] } }, { agent, event: "bare" }]);
  assertEquals(host.step(1, []).outputs, [], "a batch is handed over once");
});

Deno.test("host: an agent that stops ends in peace; what it asked for in that step is done", () => {
  const host = boot({
    go(_state, ctx) {
      ctx.setTimer("tick", 10);
      ctx.stop();
      ctx.send("one", { type: "text", text: "bye" });
    },
  });
  const batch = host.step(1, [go()]);
  assertEquals(batch.endings, [agentId("a")]);
  assertEquals([batch.wakeAt, batch.faults.length], [undefined, 0]);
  assertEquals(seen(host, "b").length, 1);
  assert(host.hasEnded(agentId("a")));
  assertEquals(host.hasEnded(agentId("b")), false);
  assertEquals(host.step(2, [go()]).notes, [
    { agent: agentId("a"), event: "mail.undeliverable", detail: { from: "b", type: "go" } },
  ]);
  assertEquals(host.counters.refused, 1);
});

Deno.test("host: box and inspect() say what there is", () => {
  const host = boot({});
  assertEquals(host.box, boxA);
  assertEquals(host.inspect(agentId("a"))?.status, "running");
  assertEquals(host.inspect(agentId("ghost")), undefined);
  assertEquals(host.hasEnded(agentId("ghost")), false);
});
