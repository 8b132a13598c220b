import { assertEquals, assertRejects } from "@std/assert";
import { makeVrReplica } from "../agents/vr/replica.ts";
import { Grounds, type Watched } from "../box/test_support.ts";
import type { BoxId } from "../core/id.ts";
import { MemoryNetwork } from "../transport/memory.ts";
import { GroupClient, OperationError } from "./group_client.ts";
import { KvClient } from "./kv.ts";

const names = ["r0", "r1", "r2"];
const boxOf = (name: string) => `box-${name}` as BoxId;

class Group implements AsyncDisposable {
  readonly network = new MemoryNetwork();
  readonly #grounds: Grounds;
  readonly #running = new Map<string, Watched>();

  constructor() {
    const attrs = { replicas: names, machine: "kv", bootstrap: true };
    const lines = Object.fromEntries(
      names.map((name) => [name, { type: "vr_replica", box: boxOf(name), attrs }]),
    );
    this.#grounds = new Grounds(lines, [makeVrReplica()], this.network);
  }

  async start(...which: string[]): Promise<this> {
    for (const name of which) this.#running.set(name, await this.#grounds.start(boxOf(name)));
    return this;
  }

  async stop(name: string): Promise<void> {
    await this.#running.get(name)?.box.close();
    this.#running.delete(name);
  }

  client(deadlineMs = 10_000): GroupClient {
    const replicas = Object.fromEntries(names.map((name) => [name, boxOf(name)]));
    return new GroupClient({ replicas, deadlineMs, transport: this.network });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { box } of this.#running.values()) await box.close();
  }
}

Deno.test("GroupClient.invoke() carries out operations, several clients at a time", async () => {
  await using group = await new Group().start(...names);
  await using first = group.client();
  await using second = group.client();
  const [one, two] = [new KvClient(first), new KvClient(second)];
  await Promise.all([one.put("a", "1"), two.put("b", "2")]);
  assertEquals([await two.get("a"), await one.get("b"), await one.get("c")], ["1", "2", undefined]);
  assertEquals(await one.compareAndSwap("a", "0", "3"), false);
  assertEquals(await one.compareAndSwap("a", "1", "3"), true);
  assertEquals([await two.delete("a"), await two.delete("a")], [true, false]);
});

Deno.test("GroupClient.invoke() follows the primary when it ends, and when it comes back", async () => {
  await using group = await new Group().start(...names);
  await using client = group.client();
  const store = new KvClient(client);
  await store.put("a", "1");
  for (const name of names) {
    await group.stop(name);
    await store.put("a", `without ${name}`);
    await group.start(name);
    assertEquals(await store.get("a"), `without ${name}`);
  }
});

Deno.test("GroupClient.invoke() says whether what failed may have happened", async () => {
  await using group = await new Group().start(...names);
  await using client = group.client(300);
  const store = new KvClient(client);
  await store.put("a", "1");
  const refused = await assertRejects(() => client.invoke({ kind: "sing" }), OperationError);
  assertEquals(refused.certain, true);
  await group.stop("r0");
  await group.stop("r1");
  const lost = await assertRejects(() => store.put("a", "2"), OperationError);
  assertEquals(lost.certain, false);
  await using late = group.client(300);
  const unsent = await assertRejects(() => new KvClient(late).put("a", "3"), OperationError);
  assertEquals(unsent.certain, true);
});

Deno.test("GroupClient.invoke() gives up when its signal aborts, and when it is closed", async () => {
  await using group = await new Group().start("r0");
  const client = group.client();
  const store = new KvClient(client);
  const abort = new AbortController();
  const waiting = assertRejects(() => store.get("a", { signal: abort.signal }), Error, "enough");
  abort.abort(new Error("enough"));
  await waiting;
  const closing = assertRejects(() => store.get("a"), OperationError, "closed");
  await client.close();
  await closing;
  await assertRejects(() => store.get("a"), OperationError, "closed");
});
