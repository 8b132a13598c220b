import { assertEquals } from "@std/assert";
import { Trial } from "./machine_test_support.ts";

Deno.test("gobby: put stores with revisions and a version, get finds it, delete takes it away", () => {
  const trial = new Trial();
  assertEquals(trial.ask({ kind: "get", key: "a" }), { kind: "entry", revision: 0, entry: null });
  const put = { kind: "put", key: "a", value: "1" } as const;
  assertEquals(trial.ask(put), { kind: "stored", revision: 1, version: 1 });
  assertEquals(trial.put("b", ""), 2);
  assertEquals(trial.ask({ ...put, value: "2" }), { kind: "stored", revision: 3, version: 2 });
  const entry = { key: "a", value: "2", createRevision: 1, modifyRevision: 3, version: 2 };
  assertEquals(trial.ask({ kind: "get", key: "a" }), {
    kind: "entry",
    revision: 3,
    entry: { ...entry, session: null, ttlMs: null },
  });
  const gone = { kind: "deleted", revision: 4, count: 1, more: false } as const;
  assertEquals(trial.ask({ kind: "delete", key: "a" }), gone);
  assertEquals(trial.ask({ kind: "delete", key: "a" }), { ...gone, count: 0 });
  assertEquals(trial.ask(put), { kind: "stored", revision: 5, version: 1 });
});

Deno.test("gobby: a put can wait for a revision, and 0 is that of a key that does not exist", () => {
  const trial = new Trial();
  const put = { kind: "put", key: "a", value: "1" } as const;
  const refused = { kind: "refused", why: "revisionDiffers", key: "a" } as const;
  assertEquals(trial.ask({ ...put, ifRevision: 1 }), { ...refused, wanted: 1, found: 0 });
  assertEquals(trial.get("stored", { ...put, ifRevision: 0 }).revision, 1);
  assertEquals(trial.ask({ ...put, ifRevision: 0 }), { ...refused, wanted: 0, found: 1 });
  assertEquals(trial.get("stored", { ...put, ifRevision: 1 }).revision, 2);
  const remove = { kind: "delete", key: "a" } as const;
  assertEquals(trial.ask({ ...remove, ifRevision: 1 }), { ...refused, wanted: 1, found: 2 });
  assertEquals(trial.get("deleted", { ...remove, ifRevision: 2 }).count, 1);
  assertEquals(trial.get("deleted", { ...remove, ifRevision: 0 }).count, 0);
});

Deno.test("gobby: a write under a token is carried out only while the lock is held under it", () => {
  const trial = new Trial();
  const [old, young] = [trial.open(), trial.open()];
  const token = trial.lock(old, "lock");
  const write = { kind: "put", key: "a", value: "old", fence: { lock: "lock", token } } as const;
  assertEquals(trial.get("stored", write).version, 1);
  trial.wait(young, "lock");
  trial.expire(old);
  assertEquals(trial.lockOf("lock").holders, [young]);
  const fenced = { kind: "refused", why: "fenced", lock: "lock", token } as const;
  assertEquals(trial.ask(write), fenced);
  assertEquals(trial.ask({ kind: "delete", key: "a", fence: write.fence }), fenced);
  const range = { prefix: "" };
  assertEquals(trial.ask({ kind: "deleteRange", range, limit: 9, fence: write.fence }), fenced);
  const empty = { kind: "transaction" as const, if: [], then: [], else: [] };
  assertEquals(trial.ask({ ...empty, fence: write.fence }), fenced);
  assertEquals(trial.valueOf("a"), "old");
  const now = { lock: "lock", token: trial.lock(young, "lock") };
  assertEquals(trial.get("stored", { ...write, fence: now }).version, 2);
  const elsewhere = { ...now, lock: "another" };
  assertEquals(trial.get("refused", { ...write, fence: elsewhere }).why, "fenced");
});

Deno.test("gobby: range gives pages in order, with or without values", () => {
  const trial = new Trial();
  for (const key of ["b", "a/2", "a/10", "a", "a/1", "c"]) trial.put(key, key);
  const folder = { kind: "range", range: { prefix: "a/" }, limit: 2 } as const;
  const first = trial.get("entries", folder);
  assertEquals(first.entries.map(({ key, value }) => `${key}=${value}`), ["a/1=a/1", "a/10=a/10"]);
  assertEquals([first.count, first.more, first.revision], [3, true, 6]);
  const second = trial.get("entries", { ...folder, after: "a/10" });
  assertEquals(second.entries.map(({ key }) => key), ["a/2"]);
  assertEquals([second.count, second.more], [3, false]);
  const range = { from: "a/2", to: "c" };
  assertEquals(trial.ask({ kind: "range", range, limit: 5, keysOnly: true }), {
    kind: "keys",
    revision: 6,
    keys: ["a/2", "b"],
    count: 2,
    more: false,
  });
  const open = { kind: "range", range: { from: "b", to: null }, limit: 5 } as const;
  assertEquals(trial.get("entries", open).entries.length, 2);
});

Deno.test("gobby: a page ends before it is too long, but has one entry at least", () => {
  const trial = new Trial({ answerLength: 60, answers: 3 });
  for (const key of ["a", "b", "c"]) trial.put(key, "v".repeat(key === "c" ? 100 : 10));
  const range = { kind: "range", range: { prefix: "" }, limit: 3 } as const;
  const page = trial.get("entries", range);
  assertEquals([page.entries.length, page.count, page.more], [2, 3, true]);
  assertEquals(trial.get("entries", { ...range, after: "b" }).entries.length, 1);
  assertEquals(trial.get("keys", { ...range, keysOnly: true }).keys.length, 3);
  const refused = {
    kind: "refused",
    why: "limit",
    limit: "answers",
    found: 4,
    allowed: 3,
  } as const;
  assertEquals(trial.ask({ ...range, limit: 4 }), refused);
});

Deno.test("gobby: deleteRange takes the first keys of a range, at one revision", () => {
  const trial = new Trial();
  for (const key of ["a/1", "a/2", "a/3", "b"]) trial.put(key, "");
  const remove = { kind: "deleteRange", range: { prefix: "a/" }, limit: 2 } as const;
  assertEquals(trial.ask(remove), { kind: "deleted", revision: 5, count: 2, more: true });
  assertEquals(trial.ask(remove), { kind: "deleted", revision: 6, count: 1, more: false });
  assertEquals(trial.ask(remove), { kind: "deleted", revision: 6, count: 0, more: false });
  assertEquals(trial.valueOf("b"), "");
});

Deno.test("gobby: a key with a time ends when the master says so, unless it was put again", () => {
  const trial = new Trial();
  const put = { kind: "put", key: "a", value: "1", ttlMs: 50 } as const;
  const seen = trial.get("stored", put).revision;
  const again = trial.get("stored", put).revision;
  const expire = { kind: "expireKey", key: "a" } as const;
  const differs = { kind: "refused", why: "revisionDiffers", key: "a", wanted: seen } as const;
  const refused = trial.ask({ ...expire, modifyRevision: seen });
  assertEquals(refused, { ...differs, found: again });
  assertEquals(trial.ask({ ...expire, modifyRevision: again }), {
    kind: "keyExpired",
    revision: 3,
  });
  assertEquals(trial.valueOf("a"), null);
  const permanent = trial.put("a", "2");
  assertEquals(trial.get("refused", { ...expire, modifyRevision: permanent }).kind, "refused");
  assertEquals(trial.valueOf("a"), "2");
});

Deno.test("gobby: lengths and counts of keys have their limits, from both sides", () => {
  const trial = new Trial({ keyLength: 3, valueLength: 4, keys: 3, storeLength: 60, keyTtlMs: 9 });
  const put = (key: string, value: string, ttlMs?: number) => {
    const result = trial.ask({ kind: "put", key, value, ...ttlMs === undefined ? {} : { ttlMs } });
    if (result.kind !== "refused" || result.why !== "limit") return result.kind;
    return `${result.limit}: ${result.found}, not ${result.allowed}`;
  };
  assertEquals(put("abc", "1234"), "stored");
  assertEquals(put("abcd", ""), "keyLength: 4, not 3");
  assertEquals(put("a", "12345"), "valueLength: 5, not 4");
  assertEquals(put("abc", "", 0), "keyTtlMsMin: 0, not 1");
  assertEquals(put("abc", "", 10), "keyTtlMs: 10, not 9");
  assertEquals(put("abc", "1234", 9), "stored");
  assertEquals(put("b", ""), "stored");
  assertEquals(put("c", "1234"), "storeLength: 61, not 60");
  assertEquals(put("c", "123"), "stored");
  assertEquals(put("d", ""), "keys: 4, not 3");
  assertEquals(put("abc", "1"), "stored");
  assertEquals(trial.state.revision, 5);
  trial.ask({ kind: "delete", key: "b" });
  assertEquals(put("d", ""), "stored");
});

Deno.test("gobby: keys with odd names are keys like any other", () => {
  const trial = new Trial();
  for (const key of ["__proto__", "constructor", "\ud83d", "\u0000", " "]) {
    trial.put(key, key);
    assertEquals(trial.valueOf(key), key);
  }
  assertEquals(trial.get("status", { kind: "status" }).keys, 5);
});
