// What a host does about handlers that throw: they contribute nothing, their agent starts again from its durable
// state, and every other agent goes on.

import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Batch, DurableImage } from "./envelope.ts";
import { faultsMax, faultWindowMs, type Host } from "./host.ts";
import { agentId } from "./id.ts";
import {
  type AgentLines,
  mail,
  makeHost,
  puppet,
  type PuppetActs,
  type PuppetContext,
  puppetState,
} from "./test_support.ts";

const a = agentId("a");
const lines: AgentLines = {
  a: { type: "puppet", routes: { one: { b: 7 } } },
  b: { type: "puppet" },
};
const go = (act = "") => mail("b", "a", { type: "go", act });

function boot(acts: PuppetActs, options: Parameters<typeof makeHost>[2] = {}): Host {
  const host = makeHost(lines, [puppet(acts)], options);
  host.boot(0);
  return host;
}

function image(...texts: string[]): DurableImage {
  return { records: texts.map((line) => JSON.stringify({ line })) };
}

/** Asks for everything that a handler can ask for. */
function askForAll(ctx: PuppetContext): void {
  ctx.append({ line: "lost" });
  ctx.send("one", { type: "text", text: "lost" });
  ctx.output("console", { type: "print", text: "lost" });
  ctx.note("lost");
  ctx.setTimer("tick", 10);
  ctx.stop();
}

Deno.test("host: a handler that throws contributes nothing", () => {
  const host = boot({
    go(_state, ctx, act) {
      if (act === "keep") return ctx.append({ line: "kept" });
      askForAll(ctx);
      throw new Error("oops");
    },
  });
  const batch = host.step(1, [go("keep"), go()]);
  assertEquals(batch.appends, [{ agent: a, record: `{"line":"kept"}` }]);
  assertEquals([batch.sends, batch.outputs, batch.endings], [[], [], []]);
  assertEquals([batch.wakeAt, batch.busy], [undefined, false]);
  assertEquals(puppetState(host, "b").seen, []);
  assertEquals(batch.notes, [{ agent: a, event: "agent.faulted", detail: { why: "oops" } }]);
  assertEquals(batch.faults.map(({ agent, error, then }) => [agent, String(error), then]), [
    [a, "Error: oops", "rebuild"],
  ]);
});

Deno.test("host: a faulted agent takes no mail and no timers until it is revived from its image", () => {
  const reasons: string[] = [];
  const host = boot({
    start: (_state, _ctx, why) => void reasons.push(why),
    go(state, ctx) {
      ctx.append({ line: "lost" });
      assertEquals(state.durable.lines.at(-1), "lost");
      throw new Error("oops");
    },
  });
  host.step(1, [mail("b", "a", { type: "text", port: 1, text: "before" }), go()]);
  assertEquals(host.snapshot(), undefined, "its state holds what was never written");
  const waiting = host.step(2, [mail("b", "a", { type: "text", port: 1, text: "meanwhile" })]);
  assertEquals(waiting.notes.map(({ event }) => event), ["mail.undeliverable"]);
  assertEquals(host.hasEnded(a), false);

  host.revive(3, a, image("written"));
  assertEquals(reasons, ["new", "new", "recovered"]);
  assertEquals(puppetState(host, "a").durable.lines, ["written"]);
  assertEquals(puppetState(host, "a").seen, [], "nothing volatile is left");
  assertEquals(host.snapshot()?.size, 2);
  host.step(4, [mail("b", "a", { type: "text", port: 1, text: "after" })]);
  assertEquals(puppetState(host, "a").seen.length, 1);
});

Deno.test("host: the others go on while one is faulted", () => {
  const host = boot({
    go(_state, ctx) {
      if (ctx.self === "a") throw new Error("oops");
      ctx.reply({ type: "list", list: [] });
    },
  });
  const { faults } = host.step(1, [go(), mail("b", "b", { type: "go" })]);
  assertEquals(faults.length, 1);
  assertEquals(puppetState(host, "b").seen.length, 1);
});

Deno.test("host: an agent that throws five times within ten seconds is stopped for good", () => {
  const host = boot({
    go() {
      throw new Error("oops");
    },
  });
  for (let i = 1; i < faultsMax; i++) {
    assertEquals(host.step(i, [go()]).faults[0]?.then, "rebuild");
    host.revive(i, a, undefined);
  }
  const { faults, notes } = host.step(faultsMax, [go()]);
  assertEquals(faults[0]?.then, "stopped");
  assertEquals(notes[0]?.event, "agent.stopped");
  assert(host.hasEnded(a));
  host.revive(faultsMax, a, image("written"));
  assert(host.hasEnded(a), "it is rebuilt for snapshots, and not started");
  assertEquals(puppetState(host, "a").durable.lines, ["written"]);
  assertEquals(host.step(99, [go()]).notes[0]?.event, "mail.undeliverable");
});

Deno.test("host: faults that lie further apart do not add up", () => {
  const crashAt = (times: number[]) => {
    const host = boot({
      go() {
        throw new Error("oops");
      },
    });
    return times.map((now) => {
      const then = host.step(now, [go()]).faults[0]?.then;
      host.revive(now, a, undefined);
      return then;
    }).at(-1);
  };
  assertEquals(crashAt([0, 1, 2, 3, faultWindowMs]), "stopped");
  assertEquals(crashAt([0, 1, 2, 3, faultWindowMs + 1]), "rebuild");
});

Deno.test("host: a start that always throws ends after five times", () => {
  const host = makeHost({ a: { type: "puppet" } }, [puppet({
    start() {
      throw new Error("oops");
    },
  })]);
  let batch: Batch = host.boot(0);
  let revivals = 0;
  while (batch.faults[0]?.then === "rebuild") {
    revivals++;
    batch = host.revive(0, a, undefined);
  }
  assertEquals([revivals, batch.faults[0]?.then], [faultsMax - 1, "stopped"]);
});

Deno.test("host: ctx.fail() stops the agent at once, and contributes nothing", () => {
  const host = boot({
    go(_state, ctx) {
      askForAll(ctx);
      ctx.fail("no disk");
    },
  });
  const batch = host.step(1, [go()]);
  assertEquals(batch.faults[0]?.then, "stopped");
  assertEquals(batch.appends, []);
  assertEquals(batch.notes, [{ agent: a, event: "agent.stopped", detail: { why: "no disk" } }]);
  assert(host.hasEnded(a));
});

Deno.test("host: an async handler is a fault, and its rejection goes nowhere", () => {
  const go1 = async (_state: unknown, ctx: PuppetContext) => {
    ctx.send("one", { type: "text", text: "lost" });
    await Promise.reject(new Error("later"));
  };
  // The types refuse it; a plugin in JavaScript has none.
  const host = boot({ go: go1 as unknown as NonNullable<PuppetActs["go"]> });
  const { faults } = host.step(1, [go()]);
  assertEquals(
    String(faults[0]?.error),
    "TypeError: A handler returned a promise, want it to finish at once",
  );
  assertEquals(puppetState(host, "b").seen, []);
});

Deno.test("host: a context is dead once its handler has returned", () => {
  let kept: PuppetContext | undefined;
  const host = boot({ go: (_state, ctx) => void (kept = ctx) });
  host.step(1, [go()]);
  const ctx = kept;
  assert(ctx !== undefined);
  const late: (() => unknown)[] = [
    () => ctx.send("one", { type: "text", text: "late" }),
    () => ctx.sendTo(a, { type: "go" }),
    () => ctx.reply({ type: "go" }),
    () => ctx.setTimer("tick", 1),
    () => ctx.clearTimer("tick"),
    () => ctx.append({ line: "late" }),
    () => ctx.output("console", { type: "print", text: "late" }),
    () => ctx.note("late"),
    () => ctx.random(),
    () => ctx.stop(),
  ];
  for (const act of late) {
    assertThrows(act, Error, "Cannot use the context of agent a after its handler has returned");
  }
  const { sends, appends, outputs, notes, wakeAt } = host.step(2, []);
  assertEquals([sends, appends, outputs, notes, wakeAt], [[], [], [], [], undefined]);
});

Deno.test("host: a context is dead even after a handler that threw", () => {
  let kept: PuppetContext | undefined;
  const host = boot({
    go(_state, ctx) {
      kept = ctx;
      throw new Error("oops");
    },
  });
  host.step(1, [go()]);
  assertThrows(() => kept?.note("late"), Error, "after its handler has returned");
});

Deno.test("host: a handler that misuses its context is a fault that says how", () => {
  const misuses: [(ctx: PuppetContext) => void, string][] = [
    // @ts-expect-error: a plugin in JavaScript has no types.
    [(ctx) => ctx.setTimer("tack", 1), `Cannot set timer "tack", want one that timers declares`],
    [(ctx) => ctx.setTimer("tick", -1), "Cannot set timer tick for -1 ms, want 0 to 31536000000"],
    [(ctx) => ctx.setTimer("tick", NaN), "Cannot set timer tick for NaN ms"],
    [(ctx) => ctx.setTimer("tick", 31536000001), "Cannot set timer tick for 31536000001 ms"],
    // @ts-expect-error: likewise.
    [(ctx) => ctx.output("file", {}), `Cannot use device "file", want one that devices declares`],
    // @ts-expect-error: likewise.
    [(ctx) => ctx.append({ line: 1 }), "Cannot append a record: record.line: "],
    [(ctx) => ctx.append({ line: "x".repeat(101) }), "Cannot append a record: record.line: "],
    // @ts-expect-error: likewise.
    [(ctx) => ctx.send("one", { type: "text" }), "Cannot send text without a string in text"],
    // @ts-expect-error: likewise.
    [(ctx) => ctx.send("one", { type: "list", list: new Map() }), "Cannot use a Map as data"],
    // @ts-expect-error: likewise.
    [(ctx) => ctx.note("x", { at: new Date(0) }), "Cannot use a Date as data"],
  ];
  for (const [misuse, words] of misuses) {
    const host = boot({ go: (_state, ctx) => misuse(ctx) });
    const [fault] = host.step(1, [go()]).faults;
    assert(String(fault?.error).includes(words), `${fault?.error}, want ${words}`);
  }
});

Deno.test("host: a broken invariant is a fault where checks are on, and unseen where not", () => {
  const acts: PuppetActs = {
    go: (_state, ctx) => ctx.append({ line: "bad" }),
    check(state) {
      if (state.durable.lines.includes("bad")) throw new Error("bad line");
    },
  };
  const { faults, appends } = boot(acts).step(1, [go()]);
  assertEquals([String(faults[0]?.error), appends], ["Error: bad line", []]);
  assertEquals(boot(acts, { checks: false }).step(1, [go()]).faults, []);
});

Deno.test("host: revive() is only for an agent that waits for it", () => {
  const host = boot({});
  assertThrows(() => host.revive(1, a, undefined), Error, "agent a waits to be rebuilt");
  assertThrows(() => host.revive(1, agentId("ghost"), undefined), Error, "waits to be rebuilt");
});
