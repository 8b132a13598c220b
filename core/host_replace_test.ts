// Another definition for agents that run: what is durable is kept, all else begins anew, and what cannot be taken
// changes nothing.

import { assertEquals, assertThrows } from "@std/assert";
import { agentId } from "./id.ts";
import { mail, makeHost, puppet, type PuppetActs, puppetState } from "./test_support.ts";

const a = agentId("a");
const b = agentId("b");
const lines = { a: { type: "puppet", routes: { one: { b: 7 } } }, b: { type: "puppet" } };
const go = (to: string, act = "") => mail("b", to, { type: "go", act });

const old: PuppetActs = {
  go(state, ctx, act) {
    if (act === "fail") return ctx.fail("asked to");
    ctx.append({ line: act });
    ctx.setTimer("tick", 10);
    state.list = [1];
  },
};

Deno.test("host: replace() keeps what is durable, and begins all else anew", () => {
  const host = makeHost(lines, [puppet(old)]);
  host.boot(0);
  host.step(1, [go("a", "one")]);
  const told: unknown[] = [];
  const batch = host.replace(
    2,
    [a],
    puppet({
      start(state, ctx, why) {
        told.push(why, [...state.durable.lines], state.list);
        ctx.send("one", { type: "text", text: "new" });
        ctx.setTimer("tock", 5);
      },
      go: (_state, ctx) => ctx.append({ line: "by the new one" }),
      timer: (_state, _ctx, timer) => void told.push(timer),
    }),
  );
  assertEquals(told, ["recovered", ["one"], []]);
  assertEquals(batch.wakeAt, 7, "the timers of the old one are gone");
  assertEquals(puppetState(host, "b").seen, [`a {"type":"text","port":7,"text":"new"}`]);
  host.step(20, [go("a"), go("b", "as before")]);
  assertEquals(told.slice(3), ["tock"]);
  assertEquals(puppetState(host, "a").durable.lines, ["one", "by the new one"]);
  assertEquals(puppetState(host, "b").durable.lines, ["as before"]);
});

Deno.test("host: replace() of a newer version goes through upgrade(), once", () => {
  const host = makeHost(lines, [puppet(old)]);
  host.boot(0);
  host.step(1, [go("a", "one")]);
  const upgrades: unknown[] = [];
  const newer = puppet({
    version: 2,
    upgrade(durable, from) {
      upgrades.push(durable, from);
      return { lines: ["upgraded"] };
    },
  });
  host.replace(2, [a], newer);
  host.replace(3, [a], newer);
  assertEquals(upgrades, [{ lines: ["one"] }, 1]);
  assertEquals(puppetState(host, "a").durable.lines, ["upgraded"]);
  assertEquals(host.snapshot()?.get(a)?.version, 2);
  assertEquals(host.snapshot()?.get(b)?.version, 1);
});

Deno.test("host: replace() changes nothing if one of the agents cannot be taken", () => {
  const host = makeHost(lines, [puppet(old)]);
  host.boot(0);
  host.step(1, [go("a", "one"), go("b", "two")]);
  const refuses = (version: number, acts: PuppetActs) => () =>
    host.replace(2, [a, b], puppet({ ...acts, version }));
  assertThrows(refuses(2, {}), Error, "has version 1, want 2 or an upgrade()");
  const upgrade: PuppetActs["upgrade"] = (durable) => {
    if (JSON.stringify(durable).includes("two")) throw new Error("two is too much");
    return { lines: [] };
  };
  assertThrows(refuses(2, { upgrade }), Error, "two is too much");
  host.step(3, [go("a", "more"), go("b", "more")]);
  assertEquals(puppetState(host, "a").durable.lines, ["one", "more"]);
  assertEquals(puppetState(host, "b").durable.lines, ["two", "more"]);
});

Deno.test("host: replace() starts one that was stopped, and loses no mail that waits", () => {
  const host = makeHost(lines, [puppet(old)], { stepMailMax: 3 });
  host.boot(0);
  host.step(1, [go("a", "fail")]);
  host.revive(2, a, { records: [] });
  assertEquals(host.hasEnded(a), true);
  const batch = host.step(3, [go("b", "1"), go("b", "2"), go("b", "3"), go("b", "4")]);
  assertEquals(batch.busy, true);
  host.replace(4, [a, b], puppet(old));
  assertEquals(host.hasEnded(a), false);
  assertEquals(puppetState(host, "b").durable.lines, ["1", "2", "3", "4"]);
});
