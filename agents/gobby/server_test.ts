import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { AnyMessage } from "../../core/agent.ts";
import type { Json } from "../../core/data.ts";
import {
  type Fields,
  grantLease,
  keepAlive,
  openSeat,
  outcomeOf,
  put,
  request,
  Setting,
  times,
  withSession,
} from "../../tests/gobby/server_rig.ts";
import { gobbyService } from "./service.ts";

Deno.test("gobby_server begins its term and reads what it must time before it serves", () => {
  const setting = new Setting();
  setting.from("c1", { type: "checkMaster" });
  const [first] = setting.sent();
  assertEquals(first?.message, { type: "master", mine: false, term: 0, master: null });
  assertEquals(setting.operation, { kind: "beginTerm", master: "s1" });
  setting.carryOut();
  assertEquals(setting.operation, { kind: "deadlines", term: 1, skip: 0 });
  setting.from("c1", openSeat);
  assertEquals(setting.types(), ["master"]);
  setting.carryOut();
  setting.from("c1", { type: "checkMaster" });
  const [second] = setting.sent();
  assertEquals(second?.message, { type: "master", mine: true, term: 1, master: "s1" });
});

Deno.test("gobby_server tells those who have looked for the master when it is that, and only once", () => {
  const setting = new Setting();
  setting.from("c1", { type: "checkMaster" }).from("c2", openSeat).sent();
  setting.serve();
  const told = setting.sent().filter(({ message }) => message["mine"] === true);
  assertEquals(told.map(({ to }) => to), ["c1", "c2"]);
  setting.from("c1", openSeat).serve();
  assertEquals(setting.types(), ["reply"]);
});

Deno.test("gobby_server gathers calls while a batch is under way, and answers each", () => {
  const setting = new Setting().serve().from("c1", openSeat);
  setting.from("c2", { type: "open", client: "d" }).serve().sent();
  setting.from("c1", request(1, put("a", "1")));
  setting.from("c2", request(1, put("b", "1"), "d"));
  setting.from("c1", request(1, put("a", "1")));
  const calls = setting.operation["calls"];
  assert(Array.isArray(calls) && calls.length === 1);
  setting.carryOut();
  assertEquals(outcomeOf(setting.sent()[0]), {
    kind: "done",
    result: { kind: "stored", revision: 2, version: 1 },
    repeated: false,
  });
  setting.serve();
  assertEquals(setting.sent().map(({ to }) => to), ["c2"]);
});

Deno.test("gobby_server asks again for what the group has failed to answer", () => {
  const setting = new Setting().serve().from("c1", openSeat).serve();
  setting.sent();
  setting.from("c1", request(1, put("a", "1")));
  const before = setting.operation;
  // It was carried out, and nobody was told.
  gobbyService.apply(setting.state, { ...before });
  setting.tell({ kind: "failed", certain: false, why: "no answer" });
  assertEquals(setting.operation, before);
  setting.serve();
  assertEquals(outcomeOf(setting.sent()[0]), {
    kind: "done",
    result: { kind: "stored", revision: 2, version: 1 },
    repeated: true,
  });
});

Deno.test("gobby_server asks again when its question or the answer was lost on the way", () => {
  const setting = new Setting().serve().from("c1", openSeat).serve();
  setting.sent();
  setting.from("c1", request(1, put("a", "1")));
  const before = setting.operation;
  const id = setting.asked?.["id"];
  setting.server.advance(11_999);
  assertEquals(setting.asked?.["id"], id);
  setting.server.advance(1);
  assertNotEquals(setting.asked?.["id"], id);
  assertEquals(setting.operation, before);
  setting.carryOut();
  assertEquals(setting.types(), ["reply"]);
});

Deno.test("gobby_server lets another one try when the group fails again and again", () => {
  const setting = new Setting().serve().from("c1", openSeat);
  setting.tell({ kind: "failed", certain: false, why: "no answer" });
  setting.tell({ kind: "failed", certain: false, why: "no answer" });
  assertEquals(setting.types(), ["master"]);
  setting.from("c1", openSeat);
  assertEquals(setting.sent()[0]?.message, {
    type: "master",
    mine: false,
    term: 1,
    master: null,
  });
});

Deno.test("gobby_server rests when the group says that it was deposed, and begins anew later", () => {
  const setting = new Setting().serve().from("c1", openSeat);
  gobbyService.apply(setting.state, { kind: "beginTerm", master: "s2" });
  setting.carryOut();
  assertEquals(setting.types(), ["master"]);
  assertEquals(setting.asked, undefined);
  setting.server.advance(3100);
  assertEquals(setting.operation, { kind: "beginTerm", master: "s1" });
});

Deno.test("gobby_server says nothing as the master once its lease is over", () => {
  const setting = new Setting(["s1", "s2"]);
  grantLease(setting);
  setting.serve().from("c1", openSeat).from("c1", { type: "checkMaster" });
  const toClients = () => setting.sent().filter(({ to }) => to === "c1");
  assertEquals(toClients().map(({ message }) => message["mine"]), [true]);
  const id = setting.asked?.["id"];
  // Nobody renews it.
  setting.server.advance(times.leaseMs);
  assertEquals(toClients().map(({ message }) => message["mine"]), [false]);
  const result = gobbyService.apply(setting.state, { ...setting.operation });
  setting.server.deliver("group", { type: "result", id, outcome: { kind: "applied", result } });
  setting.from("c1", keepAlive);
  assertEquals(toClients().map(({ message }) => message.type), ["master"]);
});

Deno.test("gobby_server refuses what is the master's, or too long", () => {
  const setting = withSession();
  const expire = { kind: "expireSession", session: 2, renewal: 0, term: 1 };
  setting.from("c1", request(2, expire));
  assertEquals(outcomeOf(setting.sent()[0]), {
    kind: "refused",
    why: "expireSession is for the master alone",
  });
  setting.from("c1", request(3, put("a", "x".repeat(90_000))));
  assertEquals(outcomeOf(setting.sent()[0]), {
    kind: "refused",
    why: "the operation has 90035 characters, want at most 90000",
  });
  assertEquals(setting.asked, undefined);
});

Deno.test("gobby_server keeps a session alive by itself, and ends it when its time is over", () => {
  const setting = withSession();
  setting.server.advance(200);
  setting.from("c1", keepAlive);
  assertEquals(setting.sent()[0]?.message, {
    type: "keptAlive",
    client: "c",
    session: 2,
    number: 7,
    term: 1,
    ended: false,
  });
  assertEquals(setting.asked, undefined);
  setting.server.advance(299);
  assertEquals(setting.asked, undefined);
  setting.server.advance(1);
  const operation = { kind: "expireSession", session: 2, renewal: 0, term: 1 };
  assertEquals(setting.operation["calls"], [{ kind: "own", operation }]);
  setting.serve().from("c1", keepAlive);
  assertEquals(setting.sent()[0]?.message["ended"], true);
});

Deno.test("gobby_server renews by the log a session whose expiry it has asked for", () => {
  const setting = withSession();
  setting.server.advance(300);
  setting.from("c1", keepAlive);
  assertEquals(setting.sent(), []);
  // Nobody knows whether the expiry is carried out; the renewal is what decides.
  setting.tell({ kind: "failed", certain: false, why: "no answer" });
  const calls = setting.operation["calls"];
  assert(Array.isArray(calls));
  assertEquals(calls[0], { kind: "own", operation: { kind: "renewSession", session: 2 } });
  setting.serve();
  assertEquals(setting.sent()[0]?.message["ended"], false);
  setting.server.advance(299);
  assertEquals(setting.asked, undefined);
  setting.server.advance(1);
  const operation = { kind: "expireSession", session: 2, renewal: 1, term: 1 };
  assertEquals(setting.operation["calls"], [{ kind: "own", operation }]);
});

Deno.test("gobby_server lets a key live that was put anew when its time was over", () => {
  const setting = withSession();
  const passing = (ttlMs: number) => ({ ...put("a", "1"), ttlMs });
  setting.from("c1", request(2, passing(100))).serve();
  // It is under way when the first one's time is over.
  setting.from("c1", request(3, passing(150)));
  assert(setting.asked !== undefined);
  setting.server.advance(100);
  setting.carryOut();
  assertEquals(setting.asked, undefined);
  setting.server.advance(149);
  assertEquals(setting.asked, undefined);
  setting.server.advance(1);
  const operation = { kind: "expireKey", key: "a", modifyRevision: 4 };
  assertEquals(setting.operation["calls"], [{ kind: "own", operation }]);
});

function follow(next: number | null, more: Fields = {}): AnyMessage {
  const target = { kind: "key", key: "a" };
  return {
    type: "follow",
    client: "c",
    watch: 1,
    target,
    next,
    oneShot: false,
    again: false,
    ...more,
  };
}

/** From where to where the news goes that was sent to clients since the last look, and how many events it has. */
function news(
  setting: Setting,
): (readonly [from: Json | undefined, next: Json | undefined, events: number])[] {
  return setting.sent().filter(({ message }) => message.type === "news").map(({ message }) => {
    const { from, next, events } = message;
    return [from, next, Array.isArray(events) ? events.length : -1] as const;
  });
}

/** Puts a value by a second client. */
function change(setting: Setting, number: number, key = "a"): void {
  setting.from("c2", request(number, put(key, String(number)), "d")).serve();
}

function watched(first: AnyMessage): Setting {
  const setting = new Setting().serve().from("c1", openSeat);
  setting.from("c2", { type: "open", client: "d" }).serve().from("c1", first);
  return setting;
}

Deno.test("gobby_server tells a watch what it is for, from where it began", () => {
  const setting = watched(follow(null));
  assertEquals(setting.sent().at(-1)?.message, {
    type: "following",
    client: "c",
    watch: 1,
    term: 1,
    next: 2,
  });
  change(setting, 1);
  change(setting, 2, "b");
  assertEquals(news(setting), [[2, 3, 1]]);
  setting.from("c1", follow(3));
  change(setting, 3);
  assertEquals(news(setting), [[3, 5, 1]]);
});

Deno.test("gobby_server sends again what a watch says it has not got, and not what it has", () => {
  const setting = watched(follow(null));
  change(setting, 1);
  change(setting, 2);
  assertEquals(news(setting), [[2, 3, 1], [3, 4, 1]]);
  setting.from("c1", follow(3, { again: true })).serve();
  assertEquals(news(setting), [[3, 4, 1]]);
  setting.from("c1", follow(4, { again: true })).serve();
  assertEquals(news(setting), []);
});

Deno.test("gobby_server serves a watch of the past from the history, or says that it is forgotten", () => {
  const setting = watched(follow(null));
  change(setting, 1);
  change(setting, 2);
  setting.sent();
  setting.from("c1", follow(2, { watch: 2 })).serve();
  assertEquals(news(setting), [[2, 4, 2]]);
  setting.from("c2", request(3, { kind: "compact", revision: 3 }, "d")).serve().sent();
  setting.from("c1", follow(2, { watch: 3 })).serve();
  assertEquals(setting.sent().map(({ message }) => message["end"]), [
    { why: "compacted", oldest: 3 },
  ]);
});

Deno.test("gobby_server stops telling a watch that does not say what has arrived", () => {
  const setting = watched(follow(null));
  for (let number = 1; number <= 12; number++) change(setting, number);
  assertEquals(news(setting).length, 8);
  setting.from("c1", follow(10)).serve();
  assertEquals(news(setting), [[10, 14, 4]]);
});

Deno.test("gobby_server tells a watch for one event one, and again if that was lost", () => {
  const setting = watched(follow(null, { oneShot: true }));
  change(setting, 1);
  change(setting, 2);
  assertEquals(news(setting), [[2, 3, 1]]);
  setting.from("c1", follow(2, { oneShot: true, again: true })).serve();
  assertEquals(news(setting), [[2, 3, 1]]);
});

Deno.test("gobby_server reads what it has missed before it tells anybody more", () => {
  const setting = watched(follow(null));
  setting.sent();
  setting.from("c2", request(1, put("a", "1"), "d"));
  gobbyService.apply(setting.state, { ...setting.operation });
  setting.tell({ kind: "failed", certain: false, why: "no answer" });
  setting.carryOut();
  assertEquals(setting.operation["kind"], "events");
  setting.serve();
  change(setting, 2);
  assertEquals(news(setting), [[2, 3, 1], [3, 4, 1]]);
});
