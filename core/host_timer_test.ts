import { assert, assertEquals } from "@std/assert";
import { timerMsMax } from "./context.ts";
import type { Host } from "./host.ts";
import { mail, makeHost, puppet, type PuppetActs, type PuppetContext } from "./test_support.ts";

const lines = { a: { type: "puppet" }, b: { type: "puppet" } };

/** A host whose agents do as `go` says, and what its timers did: `<agent> <timer> <key> <now>`. */
function bench(go: PuppetActs["go"], again?: (ctx: PuppetContext) => void): [Host, string[]] {
  const fired: string[] = [];
  const host = makeHost(lines, [puppet({
    ...go === undefined ? {} : { go },
    timer(_state, ctx, timer, key) {
      assertEquals(ctx.from, ctx.self);
      fired.push([ctx.self, timer, key ?? "-", ctx.now].join(" "));
      again?.(ctx);
    },
  })]);
  host.boot(0);
  return [host, fired];
}

const go = (act = "", to = "a") => mail("b", to, { type: "go", act });

Deno.test("host: timers fire by due time, those of the same time as they were armed", () => {
  const [host, fired] = bench((_state, ctx) => {
    ctx.setTimer("tick", 20);
    ctx.setTimer("tock", 10, "k");
    ctx.setTimer("tick", 10, "l");
  });
  assertEquals(host.step(100, [go("", "b"), go("", "a")]).wakeAt, 110);
  assertEquals(host.step(109.9, []).wakeAt, 110);
  assertEquals(fired, []);
  assertEquals(host.step(110, []).wakeAt, 120);
  assertEquals(fired, ["b tock k 110", "b tick l 110", "a tock k 110", "a tick l 110"]);
  assertEquals(host.step(500, []).wakeAt, undefined);
  assertEquals(fired.slice(4), ["b tick - 500", "a tick - 500"]);
});

Deno.test("host: a timer that is set again is replaced, one that is cleared does not fire", () => {
  const [host, fired] = bench((_state, ctx, act) => {
    if (act === "clear") ctx.clearTimer("tick", "k");
    else ctx.setTimer("tick", Number(act), "k");
  });
  host.step(1, [go("10"), go("50")]);
  assertEquals(host.step(11, []).wakeAt, 51);
  host.step(51, []);
  assertEquals(fired, ["a tick k 51"]);
  assertEquals(host.step(60, [go("10"), go("clear")]).wakeAt, undefined);
  host.step(99, []);
  assertEquals(fired.length, 1);
});

Deno.test("host: a timer of 0 ms that re-arms itself fires once a step", () => {
  const [host, fired] = bench(
    (_state, ctx) => ctx.setTimer("tick", 0),
    (ctx) => ctx.setTimer("tick", 0),
  );
  assertEquals(host.step(1, [go()]).wakeAt, 1);
  assertEquals(fired.length, 0);
  assertEquals(host.step(1, []).wakeAt, 1);
  assertEquals(fired.length, 1);
  host.step(1, []);
  assertEquals(fired.length, 2);
});

Deno.test("host: timers count against what a step may do, and the rest is due at once", () => {
  const fired: string[] = [];
  const host = makeHost(lines, [puppet({
    go: (_state, ctx) => {
      for (let i = 0; i < 5; i++) ctx.setTimer("tick", 1, String(i));
    },
    timer: (_state, _ctx, _timer, key) => void fired.push(key ?? ""),
  })], { stepMailMax: 3 });
  host.boot(0);
  host.step(0, [go()]);
  assertEquals(host.step(5, []).wakeAt, 1);
  assertEquals(fired, ["0", "1", "2"]);
  assertEquals(host.step(5, []).wakeAt, undefined);
  assertEquals(fired.length, 5);
});

Deno.test("host: a delay between two ends is drawn from the agent's own seed", () => {
  const arm = (ms: number | readonly [number, number]) => {
    const [host] = bench((_state, ctx) => ctx.setTimer("tick", ms));
    return host.step(0, [go()]).wakeAt ?? NaN;
  };
  const drawn = arm([100, 200]);
  assert(drawn >= 100 && drawn < 200);
  assertEquals(arm([100, 200]), drawn);
  assertEquals(arm([50, 50]), 50);
});

Deno.test("host: a timer may be set for up to a year", () => {
  const [host] = bench((_state, ctx) => ctx.setTimer("tick", timerMsMax));
  assertEquals(host.step(7, [go()]).wakeAt, 7 + timerMsMax);
});
