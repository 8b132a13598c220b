import { assertEquals } from "@std/assert";
import { Trial } from "./machine_test_support.ts";

Deno.test("gobby: a session has the number of the revision that opened it, and no other has it", () => {
  const trial = new Trial();
  trial.put("a", "");
  const opened = trial.ask({ kind: "openSession", client: "c1", ttlMs: 5000 });
  const session = { kind: "session", session: 2, client: "c1", ttlMs: 5000 } as const;
  assertEquals(opened, { ...session, revision: 2, renewal: 0, keys: 0, locks: 0 });
  trial.put("mine", "", 2);
  trial.lock(2, "l");
  const seen = trial.ask({ kind: "getSession", session: 2 });
  assertEquals(seen, { ...session, revision: 4, renewal: 0, keys: 1, locks: 1 });
  trial.ask({ kind: "closeSession", session: 2 });
  const unknown = { kind: "refused", why: "unknownSession", session: 2 } as const;
  assertEquals(trial.ask({ kind: "getSession", session: 2 }), unknown);
  assertEquals(trial.ask({ kind: "renewSession", session: 2 }), unknown);
  assertEquals(trial.ask({ kind: "closeSession", session: 2 }), unknown);
  assertEquals(trial.ask({ kind: "put", key: "mine", value: "", session: 2 }), unknown);
  assertEquals(trial.try(2, "l"), unknown);
  assertEquals(trial.open("c1"), 6);
});

Deno.test("gobby: what hangs on a session ends with it, at one revision", () => {
  const trial = new Trial();
  const [dying, living] = [trial.open(), trial.open()];
  trial.put("a/1", "", dying);
  trial.put("a/2", "", dying);
  trial.put("b", "", living);
  trial.lock(dying, "l");
  trial.lock(living, "m");
  trial.wait(dying, "m");
  trial.wait(living, "l");
  const ended = trial.expire(dying);
  const revision = trial.state.revision - 1;
  assertEquals(ended, { kind: "sessionEnded", revision });
  assertEquals([trial.valueOf("a/1"), trial.valueOf("a/2"), trial.valueOf("b")], [null, null, ""]);
  assertEquals(trial.lockOf("l"), { holders: [living], waiters: [] });
  assertEquals(trial.lockOf("m"), { holders: [living], waiters: [] });
  const target = { kind: "all" } as const;
  const { events } = trial.get("events", { kind: "events", target, from: revision, limit: 20 });
  assertEquals(events.map((event) => `${event.revision - revision} ${event.kind}`), [
    "0 keyDeleted",
    "0 keyDeleted",
    "0 lockReleased",
    "0 waitEnded",
    "0 sessionEnded",
    "1 lockGranted",
  ]);
});

Deno.test("gobby: an ephemeral key that somebody else puts is theirs, or permanent", () => {
  const trial = new Trial();
  const [first, second] = [trial.open(), trial.open()];
  for (const key of ["taken", "kept", "lost"]) trial.put(key, "", first);
  trial.put("taken", "", second);
  trial.put("kept", "");
  trial.ask({ kind: "closeSession", session: first });
  assertEquals(["taken", "kept", "lost"].map((key) => trial.valueOf(key)), ["", "", null]);
  trial.expire(second);
  assertEquals(["taken", "kept"].map((key) => trial.valueOf(key)), [null, ""]);
});

Deno.test("gobby: an expiry that was decided before a renewal does nothing", () => {
  const trial = new Trial();
  const session = trial.open();
  trial.put("mine", "", session);
  assertEquals(trial.get("session", { kind: "renewSession", session }).renewal, 1);
  const renewed = { kind: "refused", why: "renewed", session, renewal: 1 } as const;
  assertEquals(trial.expire(session, 0), renewed);
  assertEquals(trial.expire(session, 2), renewed);
  assertEquals(trial.valueOf("mine"), "");
  assertEquals(trial.expire(session, 1).kind, "sessionEnded");
  assertEquals(trial.valueOf("mine"), null);
});

Deno.test("gobby: an expiry that an earlier master decided does nothing", () => {
  const trial = new Trial();
  const session = trial.open();
  const begun = trial.ask({ kind: "beginTerm", master: "b1", after: 0 });
  assertEquals(begun, { kind: "termBegun", revision: 2, term: 1 });
  const expire = { kind: "expireSession", session, renewal: 0 } as const;
  assertEquals(trial.get("termBegun", { kind: "beginTerm", master: "b2", after: 1 }).term, 2);
  const stale = { kind: "refused", why: "staleTerm", term: 2, master: "b2" } as const;
  assertEquals(trial.ask({ ...expire, term: 1 }), stale);
  assertEquals(trial.ask({ ...expire, term: 3 }), stale);
  assertEquals(trial.ask({ kind: "beginTerm", master: "b1", after: 1 }), stale);
  assertEquals(trial.get("sessionEnded", { ...expire, term: 2 }).kind, "sessionEnded");
  assertEquals(trial.get("status", { kind: "status" }).master, "b2");
});

Deno.test("gobby: sessions, their times and their keys have limits, from both sides", () => {
  const trial = new Trial({ sessions: 2, keysOfSession: 2, sessionTtlMs: 1000, clientLength: 3 });
  const open = (ttlMs: number, client = "") => {
    const result = trial.ask({ kind: "openSession", client, ttlMs });
    return result.kind === "refused" && result.why === "limit" ? result.limit : result.kind;
  };
  assertEquals(open(99), "sessionTtlMsMin");
  assertEquals(open(1001), "sessionTtlMs");
  assertEquals(open(1000, "long"), "clientLength");
  assertEquals([open(100), open(1000), open(500)], ["session", "session", "sessions"]);
  const put = (key: string, session: number) => {
    const result = trial.ask({ kind: "put", key, value: "", session });
    return result.kind === "refused" && result.why === "limit" ? result.limit : result.kind;
  };
  assertEquals([put("a", 1), put("b", 1), put("c", 1)], ["stored", "stored", "keysOfSession"]);
  assertEquals([put("a", 1), put("b", 2), put("c", 1)], ["stored", "stored", "stored"]);
  trial.expire(1);
  assertEquals(open(500), "session");
});
