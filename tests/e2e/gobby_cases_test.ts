// The cases that the original of Gobby was tried with, by eye, on real processes and with exact verdicts: one client that
// uses all there is, and clients that increase a number under a lock. The simulator has the same (gobby_cases.ts).

import { assert, assertEquals, assertRejects } from "@std/assert";
import { GobbyClient } from "../../client/gobby.ts";
import { RefusedError } from "../../client/gobby_error.ts";
import {
  type CaseAgent,
  CaseBoxes,
  freeBoxes,
  isShort,
  sideBySide,
  withinMs,
} from "./case_support.ts";
import type { FaultyWay, MailFaults, Toll } from "./faulty_way.ts";

/** How often each client increases the number, which is 1 at first. */
const increments = 50;

const namesOf = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`);

/** Servers of Gobby, each with a replica of the group in its box. */
function gobbyGrid(count: number): Record<string, CaseAgent> {
  const servers = namesOf("s", count);
  const replicas = namesOf("r", count);
  const agents: Record<string, CaseAgent> = {};
  for (const [index, box] of freeBoxes(count).entries()) {
    const [server, group, replica] = [`s${index + 1}`, `g${index + 1}`, `r${index + 1}`];
    const lease = { leaseMs: 1000, maxLeaseMs: 1000 };
    agents[server] = {
      type: "gobby_server",
      box,
      attrs: { servers, group, replica, ...lease },
    };
    agents[group] = { type: "vr_client", box, attrs: { replicas } };
    agents[replica] = { type: "paxos_member", box, attrs: { replicas, machine: "gobby_service" } };
  }
  return agents;
}

interface GobbyFaults {
  /** What becomes of mail between boxes. */
  readonly between?: MailFaults;
  /** Of that to and from clients. */
  readonly outside?: MailFaults;
}

/** Servers that run, and the way to each for clients. */
class Gobby implements AsyncDisposable {
  readonly boxes: CaseBoxes;
  /** What has become of mail to and from clients. */
  readonly toll: Toll = { lost: 0, late: 0 };
  readonly #ways: FaultyWay[] = [];
  readonly #servers: Record<string, string> = {};

  constructor(servers: number, { between, outside }: GobbyFaults = {}) {
    this.boxes = new CaseBoxes(gobbyGrid(servers), between);
    for (const [index, box] of this.boxes.boxes.entries()) {
      this.boxes.start(box, "--new");
      const way = outside === undefined ? undefined : this.boxes.wayTo(box, outside, this.toll);
      this.#servers[`s${index + 1}`] = way === undefined ? box : `127.0.0.1:${way.port}`;
      if (way !== undefined) this.#ways.push(way);
    }
  }

  client(): GobbyClient {
    return new GobbyClient({ servers: this.#servers, sessionTtlMs: 60_000, deadlineMs: withinMs });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const way of this.#ways) await way[Symbol.asyncDispose]();
    await this.boxes[Symbol.asyncDispose]();
  }
}

/** Does each thing once, and looks at each answer. */
async function useAll(servers: number): Promise<void> {
  await using gobby = new Gobby(servers);
  await using client = gobby.client();
  const { revision } = await client.put("a", "1");
  assertEquals((await client.get("a"))?.value, "1");
  // A lock's key need not exist.
  const lock = await client.lock("nowhere", { waitMs: 0 });
  const { revision: fenced } = await client.put("a", "2", { fence: lock });
  assertEquals(fenced > revision, true);
  await lock.release();
  await assertRejects(() => client.put("a", "late", { fence: lock }), RefusedError);
  using watch = client.watch({ kind: "key", key: "a" }, { from: fenced + 1 });
  await client.put("a", "3");
  for await (const event of watch) {
    assertEquals(event.kind === "keyStored" ? event.entry.value : event.kind, "3");
    break;
  }
  assertEquals((await client.get("a"))?.version, 3);
  assertEquals(await client.get("nowhere"), undefined);
}

type Increase = (client: GobbyClient) => Promise<void>;

async function increase(client: GobbyClient): Promise<void> {
  await using lock = await client.lock("counter/lock");
  const before = Number((await client.get("counter"))?.value);
  await client.put("counter", `${before + 1}`, { fence: lock });
}

/** Lets clients increase a number that is 1 so many times each; it must come to what is right, by as many puts. */
async function count(
  gobby: Gobby,
  { clients, each = increments, increaseBy = increase }: {
    clients: number;
    each?: number;
    increaseBy?: Increase;
  },
): Promise<void> {
  await using first = gobby.client();
  await first.put("counter", "1");
  await Promise.all(Array.from({ length: clients }, async () => {
    await using client = gobby.client();
    for (let done = 0; done < each; done++) await increaseBy(client);
  }));
  const entry = await first.get("counter");
  const wanted = 1 + clients * each;
  assertEquals([entry?.value, entry?.version], [`${wanted}`, wanted], "the total and all puts");
}

async function countWith(servers: number, clients: number): Promise<void> {
  await using gobby = new Gobby(servers);
  await count(gobby, { clients });
}

async function countDespite(loss: number, servers: number, clients: number): Promise<void> {
  await using gobby = new Gobby(servers, { between: { loss }, outside: { loss } });
  await count(gobby, { clients });
  assert(gobby.boxes.toll.lost > 0 && gobby.toll.lost > 0, "mail was lost on all ways");
}

/**
 * A fifth of all mail between boxes is late, by more than anybody waits for an answer; of that to and from clients less, or
 * it would take minutes, since what is late of theirs holds up everybody who waits for the lock.
 */
async function countInTime(): Promise<void> {
  const late = { minMs: 1200, maxMs: 2000 };
  const between = { late: { share: 0.2, ...late } };
  await using gobby = new Gobby(3, { between, outside: { late: { share: 0.01, ...late } } });
  await count(gobby, { clients: 3 });
  assert(gobby.boxes.toll.late > 0 && gobby.toll.late > 0, "mail was late on all ways");
}

Deno.test("gobby: clients use all that there is, and count to what is right", async (t) => {
  await sideBySide(t, {
    "3s3c-normal: 3 clients count to 151": () => countWith(3, 3),
    "1s1c: one client uses all that one server has": () => useAll(1),
    "3s1c: one client uses all that three servers have": () => useAll(3),
    "5s10c-normal: 10 clients count to 501": () => countWith(5, 10),
  });
});

Deno.test({
  name: "gobby: clients count to what is right while mail is lost or late",
  ignore: isShort,
  async fn(t) {
    await sideBySide(t, {
      "3s3c-drop: 151 while one in twenty messages is lost each way": () =>
        countDespite(0.05, 3, 3),
      "3s3c-delay: 151 while mail is late by more than a second": countInTime,
      "5s10c-drop: 501 while one in a hundred messages is lost each way": () =>
        countDespite(0.01, 5, 10),
    });
  },
});

Deno.test({
  name: "gobby-3s3c-normal notices a total that is too small",
  ignore: isShort,
  async fn() {
    await using gobby = new Gobby(1);
    let reading = 2;
    const read = Promise.withResolvers<void>();
    // Without a lock both read the same.
    const increaseBy = async (client: GobbyClient) => {
      const before = Number((await client.get("counter"))?.value);
      if (--reading === 0) read.resolve();
      await read.promise;
      await client.put("counter", `${before + 1}`);
    };
    const counted = count(gobby, { clients: 2, each: 1, increaseBy });
    await assertRejects(() => counted, Error, "the total and all puts");
  },
});
