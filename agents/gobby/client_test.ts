import { assert, assertEquals } from "@std/assert";
import type { Json } from "../../core/data.ts";
import type { Rig } from "../../sim/rig.ts";
import { asksMax } from "./client_state.ts";
import {
  acquire,
  ask,
  client,
  done,
  type Fields,
  get,
  nameOf,
  nothing,
  reply,
  seated,
  sent,
  servers,
  session,
  waiting,
  withSession,
} from "../../tests/gobby/client_rig.ts";

Deno.test("gobby_client takes its seat first, and asks one thing at a time", () => {
  const agent = client();
  ask(agent, 1, get);
  ask(agent, 2, get);
  assertEquals(sent(agent, "open", "request").map(({ to, message }) => [to, message.type]), [
    ["s1", "open"],
  ]);
  seated(agent);
  const [first, ...others] = sent(agent, "request");
  assertEquals(others, []);
  assertEquals(first?.message, {
    type: "request",
    client: nameOf(agent),
    seat: 9,
    request: 1,
    operation: get,
  });
  reply(agent, 1, done(nothing));
  assertEquals(sent(agent, "answer", "request").map(({ message }) => message.type), [
    "answer",
    "request",
  ]);
});

Deno.test("gobby_client repeats a request under its number, and looks for another master", () => {
  const agent = client();
  ask(agent, 1, get);
  seated(agent);
  agent.take();
  agent.advance(150);
  const [again] = sent(agent, "request");
  assertEquals([again?.to, again?.message["request"]], ["s1", 1]);
  agent.advance(250);
  assertEquals(sent(agent, "checkMaster").map(({ to }) => to), servers);
  agent.deliver("s2", { type: "master", mine: true, term: 2, master: "s2" });
  const [elsewhere] = sent(agent, "request");
  assertEquals([elsewhere?.to, elsewhere?.message["request"]], ["s2", 1]);
  reply(agent, 1, done(nothing), "s2");
  assertEquals(sent(agent, "answer").length, 1);
  reply(agent, 1, done(nothing), "s1");
  assertEquals(sent(agent, "answer"), []);
});

Deno.test("gobby_client listens to servers alone, and to answers of this life", () => {
  const agent = client();
  ask(agent, 1, get);
  seated(agent);
  agent.take();
  reply(agent, 1, done(nothing), "v");
  const outcome = done(nothing);
  agent.deliver("s1", { type: "reply", client: "c/7", request: 1, term: 1, outcome });
  assertEquals(sent(agent, "answer"), []);
});

Deno.test("gobby_client says of what fails whether it certainly did not happen", () => {
  const agent = client();
  ask(agent, 1, { kind: "dance" });
  ask(agent, 2, get, { deadlineMs: 1000 });
  ask(agent, 3, get, { deadlineMs: 900 });
  seated(agent);
  agent.advance(1000);
  const outcomes = sent(agent, "answer").map(({ message }) => {
    const { kind, certain } = Object(message["outcome"]);
    return [message["id"], kind, certain];
  });
  assertEquals(outcomes, [[1, "failed", true], [3, "failed", true], [2, "failed", false]]);
});

Deno.test("gobby_client lets only so much wait", () => {
  const agent = client();
  for (let id = 0; id < asksMax; id++) ask(agent, id, get);
  assertEquals(sent(agent, "answer"), []);
  ask(agent, asksMax, get);
  assertEquals(sent(agent, "answer").length, 1);
});

Deno.test("gobby_client opens a session for what needs one, and tells of it", () => {
  const agent = client();
  ask(agent, 1, acquire, { session: true });
  seated(agent);
  const [open] = sent(agent, "request");
  assertEquals(open?.message["operation"], {
    kind: "openSession",
    client: "c",
    ttlMs: 3000,
  });
  reply(agent, 1, done(session));
  const after = sent(agent, "request", "session").map(({ message }) => message);
  assertEquals(after[0], { type: "session", state: "safe", session: 5 });
  assertEquals(after[1]?.["operation"], { ...acquire, session: 5 });
});

Deno.test("gobby_client fails what needs a session if there can be none", () => {
  const agent = client();
  ask(agent, 1, acquire, { session: true });
  seated(agent);
  agent.take();
  const refusal = { kind: "refused", why: "limit", limit: "sessions", found: 2, allowed: 1 };
  reply(agent, 1, done(refusal));
  assertEquals(sent(agent, "answer").map(({ message }) => message["outcome"]), [
    { kind: "done", result: refusal },
  ]);
});

Deno.test("gobby_client counts its session from when the answered keep-alive was sent", () => {
  const agent = withSession();
  agent.advance(1000);
  const [first] = sent(agent, "keepAlive");
  assertEquals([first?.to, first?.message["session"]], ["s1", 5]);
  agent.advance(900);
  const { client, session, number } = first?.message ?? { client: "", session: 0, number: 0 };
  const kept = { type: "keptAlive", client, session, number, term: 1, ended: false };
  agent.deliver("s1", kept);
  agent.take();
  // It was sent at 1000, so that it is in doubt at 3000, and over at 4000.
  agent.advance(1099);
  assertEquals(sent(agent, "session"), []);
  agent.advance(1);
  assertEquals(sent(agent, "session").map(({ message }) => message["state"]), ["jeopardy"]);
  agent.advance(999);
  assertEquals(sent(agent, "session"), []);
  agent.advance(1);
  assertEquals(sent(agent, "session").map(({ message }) => message["state"]), ["lost"]);
});

Deno.test("gobby_client allows for wrong clocks, and is safe again when it is answered", () => {
  const agent = withSession({ clockDriftPpm: 100_000 });
  // 3000 ms at a server may be 3000 * 0.9 / 1.1 ms here.
  agent.advance(1635);
  agent.take();
  agent.advance(1);
  const { sent: effects } = agent.take();
  assertEquals(effects.filter(({ message }) => message.type === "session").length, 1);
  agent.deliver("s2", { type: "master", mine: true, term: 2, master: "s2" });
  const [again] = sent(agent, "keepAlive");
  assert(again !== undefined);
  const { client = "", number = 0 } = again.message;
  agent.deliver("s2", { type: "keptAlive", client, session: 5, number, term: 2, ended: false });
  assertEquals(sent(agent, "session").map(({ message }) => message["state"]), ["safe"]);
});

Deno.test("gobby_client knows at once when the master says that the session has ended", () => {
  const agent = withSession();
  const kept = { type: "keptAlive", client: nameOf(agent), session: 5, number: 1, term: 1 };
  agent.deliver("s1", { ...kept, ended: true });
  assertEquals(sent(agent, "session").map(({ message }) => message["state"]), ["lost"]);
});

/** The lock is granted under token 12. */
function grant(agent: Rig): void {
  const granted = { kind: "lockGranted", key: "l", session: 5, mode: "exclusive", ticket: 7 };
  agent.deliver("s1", {
    type: "news",
    client: nameOf(agent),
    watch: 1,
    term: 1,
    from: 8,
    next: 13,
    events: [{ ...granted, revision: 12, token: 12 }],
  });
}

Deno.test("gobby_client waits for a lock by watching it, and gives the token", () => {
  const agent = waiting();
  const [follow] = sent(agent, "follow");
  assertEquals([follow?.message["next"], follow?.message["target"]], [
    8,
    { kind: "key", key: "l", only: "locks" },
  ]);
  grant(agent);
  const after = sent(agent, "answer", "unfollow").map(({ message }) => message);
  assertEquals(after.map(({ type }) => type), ["unfollow", "answer"]);
  assertEquals(after[1]?.["outcome"], { kind: "done", result: { kind: "acquired", token: 12 } });
});

Deno.test("gobby_client takes back a lock that nobody waits for any more, in one message", () => {
  const agent = waiting({ deadlineMs: 800 });
  agent.take();
  agent.advance(800);
  const after = sent(agent, "answer", "request").map(({ message }) => message);
  assertEquals(Object(after[0]?.["outcome"]).certain, false);
  assertEquals(after[1]?.["operation"], { kind: "withdraw", session: 5, key: "l" });
  // Whatever comes of it meanwhile it takes back as well.
  grant(agent);
  reply(agent, 4, done({ kind: "released", revision: 13 }));
  assertEquals(sent(agent, "answer", "request"), []);
});

Deno.test("gobby_client takes back what is cancelled: queued, under way, and awaited", () => {
  const agent = withSession();
  ask(agent, 2, acquire, { session: true });
  ask(agent, 3, get);
  ask(agent, 4, get);
  agent.take();
  agent.deliver("u", { type: "cancel", id: 3 });
  assertEquals(outcomes(agent), [[3, true]]);
  // Of the acquire nobody knows; what is asked next comes after it has been taken back.
  agent.deliver("u", { type: "cancel", id: 2 });
  const [failure, request] = sent(agent, "answer", "request").map(({ message }) => message);
  assertEquals([failure?.["id"], Object(failure?.["outcome"]).certain], [2, false]);
  assertEquals(request?.["operation"], { kind: "withdraw", session: 5, key: "l" });
  reply(agent, Number(request?.["request"]), done({ kind: "waitCancelled", revision: 9 }));
  assertEquals(sent(agent, "request").map(({ message }) => message["operation"]), [get]);
  // A read that is under way goes on, and so does what somebody else has asked.
  agent.deliver("u", { type: "cancel", id: 4 });
  agent.deliver("v", { type: "cancel", id: 4 });
  assertEquals(outcomes(agent), []);
});

/** Which answers came since the last look, and whether what failed is certain. */
function outcomes(agent: Rig): Json[][] {
  return sent(agent, "answer").map(({ message }) => [
    Number(message["id"]),
    Object(message["outcome"]).certain,
  ]);
}

Deno.test("gobby_client fails what waits with a session that is lost", () => {
  const agent = waiting();
  agent.advance(3000);
  const [failure] = sent(agent, "answer");
  assertEquals(failure?.message["outcome"], {
    kind: "failed",
    certain: false,
    why: "the session is over",
  });
});

function watch(agent: Rig, more: Fields = {}): void {
  agent.deliver("u", { type: "watch", id: 3, target: { kind: "all" }, ...more });
}

function news(agent: Rig, from: number, next: number, ...revisions: number[]): void {
  const events = revisions.map((revision) => ({
    kind: "sessionEnded",
    session: 1,
    how: "closed",
    revision,
  }));
  agent.deliver("s1", {
    type: "news",
    client: nameOf(agent),
    watch: 1,
    term: 1,
    from,
    next,
    events: events.map((event) => ({ ...event })),
  });
}

/** The revisions of the events that the user was told of since the last look. */
function told(agent: Rig): Json[][] {
  return sent(agent, "events").map(({ message }) => {
    const { events } = message;
    assert(Array.isArray(events));
    return events.map((event) => Object(event).revision);
  });
}

Deno.test("gobby_client tells each event of a watch once, in order, none left out", () => {
  const agent = client();
  watch(agent);
  agent.deliver("s1", { type: "following", client: nameOf(agent), watch: 1, term: 1, next: 4 });
  assertEquals(sent(agent, "watching").map(({ message }) => message["from"]), [4]);
  news(agent, 4, 6, 4, 5);
  news(agent, 4, 6, 4, 5);
  news(agent, 4, 8, 4, 5, 7);
  assertEquals(told(agent), [[4, 5], [7]]);
  news(agent, 9, 10, 9);
  const [again] = sent(agent, "follow");
  assertEquals([again?.message["next"], again?.message["again"]], [8, true]);
  news(agent, 8, 10, 8, 9);
  assertEquals(told(agent), [[8, 9]]);
});

Deno.test("gobby_client goes on with its watches at the next master", () => {
  const agent = client();
  watch(agent, { from: 2 });
  news(agent, 2, 5, 4);
  agent.take();
  agent.deliver("s2", { type: "master", mine: true, term: 2, master: "s2" });
  const [follow] = sent(agent, "follow");
  assertEquals([follow?.to, follow?.message["next"]], ["s2", 5]);
});

Deno.test("gobby_client tells why a watch is over, and watches no more", () => {
  const agent = client();
  watch(agent, { from: 2 });
  agent.take();
  const ended = { type: "followEnded", client: nameOf(agent), watch: 1, term: 1 };
  agent.deliver("s1", { ...ended, end: { why: "compacted", oldest: 2 } });
  assertEquals(sent(agent, "watchEnded"), []);
  agent.deliver("s1", { ...ended, end: { why: "compacted", oldest: 3 } });
  const [end] = sent(agent, "watchEnded");
  assertEquals(end?.message, {
    type: "watchEnded",
    id: 3,
    end: { why: "compacted", oldest: 3 },
  });
  agent.advance(3000);
  assertEquals(sent(agent, "follow"), []);
});

Deno.test("gobby_client ends a watch for one event with that event", () => {
  const agent = client();
  watch(agent, { from: 2, oneShot: true });
  agent.take();
  news(agent, 2, 5, 4);
  const types = agent.take().sent.filter(({ to }) => to === "u").map(({ message }) => message.type);
  assertEquals(types, ["events", "watchEnded"]);
});

Deno.test("gobby_client closes its session in peace, and opens another one when it must", () => {
  const agent = withSession();
  ask(agent, 2, { kind: "closeSession" }, { session: true });
  const [close] = sent(agent, "request");
  assertEquals(close?.message["operation"], { kind: "closeSession", session: 5 });
  reply(agent, Number(close?.message["request"]), done({ kind: "sessionEnded", revision: 6 }));
  assertEquals(sent(agent, "answer", "session").map(({ message }) => message.type), [
    "answer",
    "session",
  ]);
  ask(agent, 3, acquire, { session: true });
  const [open] = sent(agent, "request");
  assertEquals(Object(open?.message["operation"]).kind, "openSession");
});
