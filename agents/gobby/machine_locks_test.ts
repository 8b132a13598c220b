import { assert, assertEquals } from "@std/assert";
import { Trial } from "./machine_test_support.ts";

Deno.test("gobby: a lock is granted to one, under a token that is asked for to release it", () => {
  const trial = new Trial();
  const [one, other] = [trial.open(), trial.open()];
  const acquire = { kind: "acquire", key: "no such key", mode: "exclusive", waitMs: 0 } as const;
  assertEquals(trial.ask({ ...acquire, session: one }), { kind: "acquired", token: 3 });
  const held = { kind: "refused", why: "held", key: "no such key", session: one } as const;
  const refused = trial.ask({ ...acquire, session: other });
  assertEquals(refused, { ...held, token: 3, mode: "exclusive" });
  const notHeld = { kind: "refused", why: "notHeld", key: "no such key", token: 2 } as const;
  assertEquals(trial.ask({ kind: "release", key: "no such key", token: 2 }), notHeld);
  const released = trial.ask({ kind: "release", key: "no such key", token: 3 });
  assertEquals(released, { kind: "released", revision: 4 });
  assertEquals(
    trial.get("refused", { kind: "release", key: "no such key", token: 3 }).why,
    "notHeld",
  );
  assertEquals(trial.ask({ ...acquire, session: other }), { kind: "acquired", token: 5 });
  assertEquals(trial.valueOf("no such key"), null);
});

Deno.test("gobby: whoever asks again gets the same token, or the same place in the queue", () => {
  const trial = new Trial();
  const [one, two, three] = [trial.open(), trial.open(), trial.open()];
  const token = trial.lock(one, "l");
  assertEquals(trial.lock(one, "l"), token);
  trial.wait(two, "l");
  const ticket = trial.wait(three, "l");
  const revision = trial.state.revision;
  assertEquals(trial.wait(three, "l"), ticket);
  assertEquals(trial.try(three, "l"), { kind: "waiting", ticket, ahead: 1 });
  const other = { kind: "refused", why: "otherMode", key: "l", mode: "exclusive" } as const;
  assertEquals(trial.try(one, "l", "shared"), other);
  assertEquals(trial.try(three, "l", "shared"), other);
  assertEquals(trial.state.revision, revision);
});

Deno.test("gobby: a lock is shared by any number, each under a token of their own", () => {
  const trial = new Trial();
  const [one, two, three] = [trial.open(), trial.open(), trial.open()];
  const tokens = [one, two].map((session) => trial.lock(session, "l", { mode: "shared" }));
  assertEquals(tokens, [4, 5]);
  assertEquals(
    trial.get("refused", {
      kind: "acquire",
      session: three,
      key: "l",
      mode: "exclusive",
      waitMs: 0,
    }).why,
    "held",
  );
  trial.wait(three, "l");
  for (const token of tokens) {
    assertEquals(trial.lockOf("l").waiters, [three]);
    trial.ask({ kind: "release", key: "l", token });
  }
  assertEquals(trial.lockOf("l"), { holders: [three], waiters: [] });
});

Deno.test("gobby: the queue is fair: a shared waiter stays behind an exclusive one", () => {
  const trial = new Trial();
  const [a, b, c, d, e] = Array.from({ length: 5 }, () => trial.open());
  assert(a && b && c && d && e);
  const token = trial.lock(a, "l", { mode: "shared" });
  const ticket = trial.wait(b, "l");
  assertEquals(
    trial.get("refused", {
      kind: "acquire",
      session: c,
      key: "l",
      mode: "shared",
      waitMs: 0,
    }).why,
    "held",
  );
  trial.wait(c, "l", "shared");
  trial.wait(d, "l", "shared");
  trial.wait(e, "l");
  assertEquals(trial.lockOf("l"), { holders: [a], waiters: [b, c, d, e] });
  trial.ask({ kind: "release", key: "l", token });
  assertEquals(trial.lockOf("l"), { holders: [b], waiters: [c, d, e] });
  trial.ask({ kind: "release", key: "l", token: trial.lock(b, "l") });
  assertEquals(trial.lockOf("l"), { holders: [c, d], waiters: [e] });
  const gone = trial.ask({ kind: "cancelWait", key: "l", ticket });
  assertEquals(gone, { kind: "refused", why: "notWaiting", key: "l", ticket });
});

Deno.test("gobby: who gives up in front of the queue lets those behind go on", () => {
  const trial = new Trial();
  const [a, b, c] = [trial.open(), trial.open(), trial.open()];
  trial.lock(a, "l", { mode: "shared" });
  const ticket = trial.wait(b, "l");
  trial.wait(c, "l", "shared");
  const revision = trial.state.revision + 1;
  const cancelled = trial.ask({ kind: "cancelWait", key: "l", ticket });
  assertEquals(cancelled, { kind: "waitCancelled", revision });
  assertEquals(trial.lockOf("l"), { holders: [a, c], waiters: [] });
  const events = trial.state.history.events.slice(-2);
  assertEquals(events.map(({ kind }) => kind), ["waitEnded", "lockGranted"]);
});

Deno.test("gobby: an acquire is taken back by its session, whatever has come of it", () => {
  const trial = new Trial();
  const [a, b, c] = [trial.open(), trial.open(), trial.open()];
  trial.lock(a, "l");
  trial.wait(b, "l");
  trial.wait(c, "l");
  const withdraw = (session: number) => trial.ask({ kind: "withdraw", session, key: "l" });
  assertEquals(withdraw(b).kind, "waitCancelled");
  assertEquals(withdraw(b), { kind: "refused", why: "notClaimed", key: "l", session: b });
  assertEquals(withdraw(a).kind, "released");
  assertEquals(trial.lockOf("l"), { holders: [c], waiters: [] });
  assertEquals(withdraw(99), { kind: "refused", why: "unknownSession", session: 99 });
});

Deno.test("gobby: the session of one who waits ends, and the queue closes up", () => {
  const trial = new Trial();
  const [a, b, c] = [trial.open(), trial.open(), trial.open()];
  trial.lock(a, "l", { mode: "shared" });
  trial.wait(b, "l");
  trial.wait(c, "l", "shared");
  trial.expire(b);
  assertEquals(trial.lockOf("l"), { holders: [a, c], waiters: [] });
});

Deno.test("gobby: a lock-delay keeps the lock closed until the master ends that very delay", () => {
  const trial = new Trial();
  const [a, b, c] = [trial.open(), trial.open(), trial.open()];
  const token = trial.lock(a, "l", { lockDelayMs: 500 });
  trial.wait(b, "l");
  trial.expire(a);
  assertEquals(trial.lockOf("l"), { holders: [], waiters: [b] });
  const delay = { token, delayMs: 500 };
  assertEquals(trial.get("lock", { kind: "getLock", key: "l" }).delay, delay);
  assertEquals(trial.try(c, "l"), { kind: "refused", why: "delayed", key: "l", ...delay });
  const notDelayed = { kind: "refused", why: "notDelayed", key: "l" } as const;
  const end = { kind: "endLockDelay", key: "l" } as const;
  assertEquals(trial.ask({ ...end, token: token + 1 }), { ...notDelayed, token: token + 1 });
  assertEquals(trial.get("lockDelayEnded", { ...end, token }).kind, "lockDelayEnded");
  assertEquals(trial.lockOf("l"), { holders: [b], waiters: [] });
  assertEquals(trial.ask({ ...end, token }), { ...notDelayed, token });
});

Deno.test("gobby: there is no lock-delay after a release, after a session closed, or if none was asked for", () => {
  const trial = new Trial();
  const [a, b, c] = [trial.open(), trial.open(), trial.open()];
  trial.ask({ kind: "release", key: "l", token: trial.lock(a, "l", { lockDelayMs: 500 }) });
  trial.lock(b, "l", { lockDelayMs: 500 });
  trial.ask({ kind: "closeSession", session: b });
  trial.lock(a, "l");
  trial.expire(a);
  assertEquals(trial.try(c, "l").kind, "acquired");
});

Deno.test("gobby: of shared holders that expire, the last one's delay counts, and is no shorter", () => {
  const trial = new Trial();
  const [a, b, c] = [trial.open(), trial.open(), trial.open()];
  const first = trial.lock(a, "l", { mode: "shared", lockDelayMs: 500 });
  const token = trial.lock(b, "l", { mode: "shared", lockDelayMs: 100 });
  trial.lock(c, "l", { mode: "shared" });
  trial.expire(a);
  trial.expire(b);
  const end = { kind: "endLockDelay", key: "l" } as const;
  assertEquals(trial.get("refused", { ...end, token: first }).why, "notDelayed");
  const { delay } = trial.get("lock", { kind: "getLock", key: "l" });
  assertEquals(delay, { token, delayMs: 500 });
  assertEquals(trial.lockOf("l").holders, [c]);
  trial.get("lockDelayEnded", { ...end, token });
  assertEquals(trial.try(trial.open(), "l", "shared").kind, "acquired");
});

Deno.test("gobby: tokens grow over all locks, and those granted at once differ", () => {
  const trial = new Trial();
  const sessions = Array.from({ length: 5 }, () => trial.open());
  const [holder = 0, ...others] = sessions;
  trial.lock(holder, "l");
  trial.lock(holder, "m");
  for (const session of others) trial.wait(session, "l", "shared");
  for (const session of others) trial.wait(session, "m", "shared");
  trial.expire(holder);
  const tokens = trial.state.history.events
    .flatMap((event) => event.kind === "lockGranted" ? event.token : []);
  assertEquals(tokens.length, 10);
  assertEquals(tokens, [...new Set(tokens)].sort((a, b) => a - b));
});

Deno.test("gobby: locks, claims, queues and times have limits, from both sides", () => {
  const limits = { keyLength: 3, locks: 3, locksOfSession: 2, claims: 6, waitersOfLock: 2 };
  const trial = new Trial({ ...limits, waitMs: 9, lockDelayMs: 9 });
  const [a, b, c, d] = [trial.open(), trial.open(), trial.open(), trial.open()];
  const acquire = (session: number, key: string, waitMs = 9, lockDelayMs = 9) => {
    const operation = { kind: "acquire", session, key, waitMs, lockDelayMs } as const;
    const result = trial.ask({ ...operation, mode: "exclusive" });
    return result.kind === "refused" && result.why === "limit" ? result.limit : result.kind;
  };
  assertEquals(acquire(a, "long"), "keyLength");
  assertEquals(acquire(a, "x", 10), "waitMs");
  assertEquals(acquire(a, "x", 9, 10), "lockDelayMs");
  assertEquals([acquire(a, "x"), acquire(a, "y"), acquire(a, "z")], [
    "acquired",
    "acquired",
    "locksOfSession",
  ]);
  assertEquals([acquire(b, "x"), acquire(c, "x"), acquire(d, "x")], [
    "waiting",
    "waiting",
    "waitersOfLock",
  ]);
  assertEquals([acquire(b, "z"), acquire(c, "w")], ["acquired", "locks"]);
  assertEquals([acquire(c, "y"), acquire(d, "y")], ["waiting", "claims"]);
  trial.ask({ kind: "closeSession", session: c });
  assertEquals(acquire(d, "y"), "waiting");
});

Deno.test("gobby: a lock that is closed counts as one, and is forgotten once its delay ends", () => {
  const trial = new Trial({ locks: 1 });
  const session = trial.open();
  const token = trial.lock(session, "l", { lockDelayMs: 9 });
  trial.expire(session);
  const other = trial.open();
  const refused = trial.try(other, "m");
  assert(refused.kind === "refused" && refused.why === "limit" && refused.limit === "locks");
  trial.ask({ kind: "endLockDelay", key: "l", token });
  assertEquals(trial.get("status", { kind: "status" }).locks, 0);
  assertEquals(trial.try(other, "m").kind, "acquired");
});

Deno.test("gobby: getLock tells the first holders and waiters, and how many there are", () => {
  const trial = new Trial({ answers: 2 });
  const sessions = Array.from({ length: 7 }, () => trial.open());
  const [a = 0, b = 0, c = 0, ...others] = sessions;
  for (const session of [a, b, c]) trial.lock(session, "l", { mode: "shared" });
  for (const session of others) trial.wait(session, "l");
  const { holders, waiters, holderCount, waiterCount } = trial.get("lock", {
    kind: "getLock",
    key: "l",
  });
  assertEquals([holders.length, waiters.length, holderCount, waiterCount], [2, 2, 3, 4]);
  assertEquals(trial.get("lock", { kind: "getLock", key: "free" }), {
    kind: "lock",
    revision: 14,
    holders: [],
    waiters: [],
    holderCount: 0,
    waiterCount: 0,
    delay: null,
  });
});
