import { assert, assertEquals, assertRejects } from "@std/assert";
import { gobbyServer } from "../agents/gobby/server.ts";
import { vrClient } from "../agents/vr/client.ts";
import { makeVrReplica } from "../agents/vr/replica.ts";
import { eventually, Grounds, type Watched } from "../box/test_support.ts";
import type { BoxId } from "../core/id.ts";
import { MemoryNetwork } from "../transport/memory.ts";
import { GobbyClient } from "./gobby.ts";
import { CompactedError, RefusedError, SessionError } from "./gobby_error.ts";
import { OperationError } from "./group_client.ts";

const box = "box-s1" as BoxId;

/** A Gobby of one server, in this process. */
class Place implements AsyncDisposable {
  readonly network = new MemoryNetwork();
  readonly #grounds = new Grounds(
    {
      s1: {
        type: "gobby_server",
        box,
        attrs: { servers: ["s1"], group: "g1", replica: "r1", leaseMs: 300, maxLeaseMs: 300 },
      },
      g1: { type: "vr_client", box, attrs: { replicas: ["r1"] } },
      r1: {
        type: "vr_replica",
        box,
        attrs: { replicas: ["r1"], machine: "gobby_service", bootstrap: true },
      },
    },
    [gobbyServer, vrClient, makeVrReplica()],
    this.network,
  );
  #running: Watched | undefined;

  async start(): Promise<this> {
    this.#running = await this.#grounds.start(box);
    return this;
  }

  async stop(): Promise<void> {
    await this.#running?.box.close();
    this.#running = undefined;
  }

  client(options: { sessionTtlMs?: number; deadlineMs?: number } = {}): GobbyClient {
    return new GobbyClient({ servers: { s1: box }, transport: this.network, ...options });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

Deno.test("GobbyClient puts, gets, swaps, deletes and lists keys", async () => {
  await using place = await new Place().start();
  await using gobby = place.client();
  assertEquals(await gobby.get("a"), undefined);
  const first = await gobby.put("a", "1");
  const entry = await gobby.get("a");
  assertEquals([entry?.value, entry?.modifyRevision], ["1", first.revision]);
  assertEquals(await gobby.cas("a", first.revision + 1, "2"), undefined);
  const second = await gobby.cas("a", first.revision, "2");
  assertEquals(second?.version, 2);
  const refused = await assertRejects(() => gobby.put("a", "3", { ifRevision: 0 }), RefusedError);
  assertEquals([refused.certain, refused.refusal.why], [true, "revisionDiffers"]);
  for (const key of ["b/1", "b/2", "b/3"]) await gobby.put(key, key);
  const listed = await Array.fromAsync(gobby.prefix("b/", { limit: 2 }), ({ key }) => key);
  assertEquals(listed, ["b/1", "b/2", "b/3"]);
  const page = await gobby.range({ from: "a", to: "b/3" });
  assertEquals(page.entries.map(({ key }) => key), ["a", "b/1", "b/2"]);
  assertEquals([await gobby.delete("a"), await gobby.delete("a")], [true, false]);
  assertEquals((await gobby.deleteRange({ prefix: "b/" })).count, 3);
});

Deno.test("GobbyClient reads what may be old, and is told how old", async () => {
  await using place = await new Place().start();
  await using gobby = place.client();
  await gobby.put("a", "1");
  const { entry, revision, ageMs } = await gobby.get("a", { stale: true });
  assertEquals([entry?.value, entry?.modifyRevision], ["1", revision]);
  assert(ageMs >= 0);
  const page = await gobby.range({ prefix: "" }, { stale: true, maxAgeMs: 60_000 });
  assertEquals(page.entries.map(({ key }) => key), ["a"]);
  assert(page.ageMs <= 60_000);
  // Nothing is so young: it is read as any other key is.
  assertEquals((await gobby.get("b", { stale: true, maxAgeMs: 0 })).entry, undefined);
});

Deno.test("GobbyClient.transaction() does one thing or the other", async () => {
  await using place = await new Place().start();
  await using gobby = place.client();
  const move = () =>
    gobby.transaction({
      if: [{ target: "version", key: "a", is: "equal", number: 0 }],
      then: [{ kind: "put", key: "a", value: "1" }, { kind: "put", key: "b", value: "2" }],
      else: [{ kind: "get", key: "b" }],
    });
  assertEquals((await move()).succeeded, true);
  const second = await move();
  assertEquals([second.succeeded, second.results[0]?.kind], [false, "entry"]);
});

Deno.test("GobbyClient.lock() goes from one to the next, and fences the one before", async () => {
  await using place = await new Place().start();
  await using one = place.client();
  await using two = place.client();
  const first = await one.lock("l");
  const held = await assertRejects(() => two.lock("l", { waitMs: 0 }), RefusedError);
  assertEquals(held.refusal.why, "held");
  const late = await assertRejects(() => two.lock("l", { waitMs: 50 }), OperationError);
  assertEquals(late.certain, true);
  await assertRejects(() => one.lock("l"), TypeError, "twice");
  const waiting = two.lock("l");
  await one.put("k", "1", { fence: first });
  await first.release();
  await first.release();
  const second = await waiting;
  assert(second.token > first.token, "later tokens are larger");
  const fenced = await assertRejects(() => one.put("k", "2", { fence: first }), RefusedError);
  assertEquals(fenced.refusal.why, "fenced");
  await two.put("k", "3", { fence: second });
  await second[Symbol.asyncDispose]();
  await using third = await one.lock("l");
  assert(third.token > second.token);
});

Deno.test("GobbyClient.lock() that gives up holds nothing, and close() frees all", async () => {
  await using place = await new Place().start();
  const one = place.client();
  await using two = place.client();
  await one.lock("l");
  const abort = new AbortController();
  const waiting = assertRejects(() => two.lock("l", { signal: abort.signal }), Error, "enough");
  using watch = two.watch({ kind: "key", key: "l" }, { from: 1 });
  for await (const { kind } of watch) if (kind === "waitBegun") break;
  abort.abort(new Error("enough"));
  await waiting;
  // It may ask again at once, and has no place in the queue any more.
  const refused = await assertRejects(() => two.lock("l", { waitMs: 0 }), RefusedError);
  assertEquals(refused.refusal.why, "held");
  await one.close();
  await using three = place.client();
  await using _lock = await three.lock("l", { waitMs: 5000 });
});

Deno.test("GobbySession.signal aborts in doubt, and another tells when it is safe again", async () => {
  await using place = await new Place().start();
  await using gobby = place.client({ sessionTtlMs: 3000 });
  const lock = await gobby.lock("l");
  const session = await gobby.session();
  assertEquals([session.state, session.number], ["safe", lock.session.number]);
  await place.stop();
  await new Promise((resolve) => lock.signal.addEventListener("abort", resolve));
  assert(lock.signal.reason instanceof SessionError);
  assertEquals([lock.signal.reason.state, session.state], ["jeopardy", "jeopardy"]);
  await place.start();
  const again = await gobby.session();
  assertEquals([again.number, again.signal.aborted], [session.number, false]);
  assertEquals([again.state, session.signal.aborted], ["safe", true]);
  await lock.release();
});

Deno.test("GobbySession is lost if no server comes back, and another is opened for what comes next", async () => {
  await using place = await new Place().start();
  await using gobby = place.client({ sessionTtlMs: 300 });
  const lock = await gobby.lock("l");
  await place.stop();
  await eventually("the end of the session", () => lock.session.state === "lost");
  await lock.release();
  await place.start();
  await using second = await gobby.lock("l");
  assert(second.token > lock.token);
});

Deno.test("GobbyWatch gives every event once, goes on from its revision, and says what is gone", async () => {
  await using place = await new Place().start();
  await using gobby = place.client();
  const target = { kind: "prefix", prefix: "w/", only: "keys" } as const;
  using watch = gobby.watch(target);
  await watch.started();
  for (let count = 0; count < 10; count++) await gobby.put(`w/${count}`, "x");
  const seen: string[] = [];
  const take = async (from: AsyncIterable<{ readonly kind: string }>, most: number) => {
    for await (const event of from) {
      if ("entry" in event) seen.push(JSON.stringify(event.entry).slice(8, 11));
      if (seen.length === most) return;
    }
  };
  await take(watch, 4);
  const { revision } = watch;
  assert(revision !== undefined);
  await take(gobby.watch(target, { from: revision }), 10);
  assertEquals(seen, Array.from({ length: 10 }, (_, count) => `w/${count}`));
  const once = gobby.watch(target, { from: 1, oneShot: true });
  assertEquals((await Array.fromAsync(once)).length, 1);
  const abort = new AbortController();
  const aborted = assertRejects(
    () => Array.fromAsync(gobby.watch(target, { signal: abort.signal })),
    Error,
    "enough",
  );
  abort.abort(new Error("enough"));
  await aborted;
});

Deno.test("GobbyWatch is suspended while its program is slow, and gives all the same everything in order", async () => {
  await using place = await new Place().start();
  await using gobby = place.client();
  using watch = gobby.watch({ kind: "prefix", prefix: "w/" });
  const first = await watch.started();
  const [rounds, keys] = [60, 100];
  for (let round = 0; round < rounds; round++) {
    const puts = Array.from({ length: keys }, (_, count) => `w/${count}`);
    await gobby.transaction({
      then: puts.map((key) => ({ kind: "put", key, value: `${round}` })),
    });
  }
  assertEquals(watch.revision, first, "nothing was taken");
  let seen = 0;
  for await (const event of watch) {
    assert(event.kind === "keyStored");
    const { key, value } = event.entry;
    assertEquals([value, key], [`${Math.floor(seen / keys)}`, `w/${seen % keys}`]);
    if (++seen === rounds * keys) break;
  }
});

Deno.test("GobbyWatch throws with the oldest revision there is", async () => {
  await using place = await new Place().start();
  await using gobby = place.client();
  const { revision } = await gobby.put("a", "1");
  await gobby.put("a", "2");
  await gobby.compact(revision + 1);
  const error = await assertRejects(
    () => Array.fromAsync(gobby.watch({ kind: "all" }, { from: 1 })),
    CompactedError,
  );
  assertEquals([error.oldest, error.from], [revision + 1, 1]);
});

Deno.test("GobbyClient.elect(), semaphore() and barrier() are the recipes", async () => {
  await using place = await new Place().start();
  const clients = [place.client(), place.client(), place.client()] as const;
  const [one, two, three] = clients;
  const leader = await one.elect("e", { value: "first" });
  assertEquals((await two.get("e"))?.value, "first");
  const next = two.elect("e", { value: "second" });
  await leader.release();
  await using second = await next;
  assertEquals([(await one.get("e"))?.value, second.key], ["second", "e"]);

  const places = await Promise.all([one.semaphore("s", 2), two.semaphore("s", 2)]);
  const third = three.semaphore("s", 2);
  await eventuallyCount(one, "s/", 3);
  let entered = false;
  const entering = third.then(() => entered = true);
  await one.status();
  assertEquals(entered, false);
  await places[0].release();
  await entering;

  const passing = [one.barrier("b", 3), two.barrier("b", 3)];
  await eventuallyCount(three, "b/", 2);
  assertEquals(await three.get("b"), undefined);
  await Promise.all([...passing, three.barrier("b", 3)]);
  for (const client of clients) await client.close();
});

async function eventuallyCount(client: GobbyClient, prefix: string, wanted: number) {
  using watch = client.watch({ kind: "prefix", prefix });
  await watch.started();
  const changes = watch[Symbol.asyncIterator]();
  while ((await client.range({ prefix })).count < wanted) await changes.next();
}

Deno.test("GobbyClient says whether what failed may have happened", async () => {
  await using place = new Place();
  await using gobby = place.client({ deadlineMs: 200 });
  const unsent = await assertRejects(() => gobby.put("a", "1"), OperationError);
  assertEquals(unsent.certain, true);
  const abort = new AbortController();
  const asking = assertRejects(() => gobby.get("a", { signal: abort.signal }), Error, "enough");
  abort.abort(new Error("enough"));
  await asking;
  await place.start();
  await eventuallyServed(gobby);
  await place.stop();
  const lost = await assertRejects(() => gobby.put("a", "2"), OperationError);
  assertEquals(lost.certain, false);
  await gobby.close();
  await assertRejects(() => gobby.get("a"), OperationError, "closed");
});

async function eventuallyServed(gobby: GobbyClient): Promise<void> {
  await gobby.put("a", "1", { deadlineMs: 5000 });
}
