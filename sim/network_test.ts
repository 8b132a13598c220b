import { assert, assertEquals, assertGreater, assertLess, assertThrows } from "@std/assert";
import { agentId } from "../core/id.ts";
import { EventQueue } from "./event_queue.ts";
import { Network, type NetworkOptions, type Packet } from "./network.ts";
import { boxId } from "./plain_grid.ts";
import type { Fate, LinkEvent, Mail } from "./world_event.ts";

const [b1, b2, b3] = [boxId("b1"), boxId("b2"), boxId("b3")];

interface Arrival {
  readonly atUs: number;
  readonly number: unknown;
  readonly fate: Fate;
}

const nobody = { up: false, waits: false, defer() {}, takeMail() {} };

/** A network with nothing around it but a queue. */
class Bench {
  readonly queue = new EventQueue<Packet>();
  readonly events: (Mail | LinkEvent)[] = [];
  readonly network: Network;

  constructor(options: NetworkOptions = {}, seed = 1n) {
    this.network = new Network(seed, {
      addressee: () => nobody,
      timeline: { schedule: (atUs, packet) => this.queue.push(atUs, packet) },
      transcript: { record: (event) => this.events.push(event) },
    }, options);
  }

  send(atUs: number, number: number, from = b1, to = b2): void {
    const envelope = { from: agentId("a"), to: agentId("b"), message: { type: "m", number } };
    this.network.send(atUs, this.network.linksFrom(from).to(to), envelope);
  }

  /** Lets everything arrive that is on its way. */
  arrive(up = true): Arrival[] {
    const arrivals: Arrival[] = [];
    for (let at = this.queue.nextAtUs; at !== undefined; at = this.queue.nextAtUs) {
      const packet = this.queue.pop();
      if (packet === undefined) break;
      this.network.arrive(at, packet, up);
      const { fate, envelope } = packet;
      arrivals.push({ atUs: at, number: envelope.message.number, fate });
    }
    return arrivals;
  }
}

Deno.test("Network: a link is FIFO unless told otherwise, whatever its delays", () => {
  const bench = new Bench({ latency: { minUs: 0, maxUs: 10_000, heavyTail: true } });
  for (let i = 0; i < 1000; i++) bench.send(i * 10, i);
  const arrivals = bench.arrive();
  assertEquals(arrivals.map(({ number }) => number), Array.from({ length: 1000 }, (_, i) => i));
  assertEquals(bench.network.counters.delivered, 1000);
  assertEquals(bench.network.counters.reordered, 0);
});

Deno.test("Network: a share of messages is late, and is overtaken", () => {
  const late = { share: 0.1, minUs: 100_000, maxUs: 200_000 };
  const bench = new Bench({ latency: { minUs: 10, maxUs: 20 }, late });
  for (let number = 0; number < 1000; number++) bench.send(1000 * number, number);
  const delays = bench.arrive().map(({ atUs, number }) => atUs - 1000 * Number(number));
  const longer = delays.filter((delay) => delay > 20);
  assert(longer.every((delay) => delay >= 100_010 && delay <= 200_020));
  assert(longer.length > 50 && longer.length < 150, String(longer.length));
  assertEquals(bench.network.counters.reordered, longer.length);
});

Deno.test("Network: reordering lets messages overtake each other", () => {
  const bench = new Bench({ latency: { minUs: 0, maxUs: 10_000 }, reorder: 0.2 });
  for (let i = 0; i < 1000; i++) bench.send(i * 10, i);
  const numbers = bench.arrive().map(({ number }) => Number(number));
  assertEquals(numbers.length, 1000);
  assertGreater(numbers.filter((number, i) => number < (numbers[i - 1] ?? 0)).length, 50);
  const { reordered } = bench.network.counters;
  assert(reordered > 150 && reordered < 250, String(reordered));
});

Deno.test("Network: loss and duplication bite as often as they were asked to", () => {
  const bench = new Bench({ loss: 0.1, duplicate: 0.2 });
  for (let i = 0; i < 10_000; i++) bench.send(i, i);
  const arrivals = bench.arrive();
  const { counters } = bench.network;
  assert(counters.lost > 900 && counters.lost < 1100, String(counters.lost));
  assert(counters.duplicated > 1900 && counters.duplicated < 2100, String(counters.duplicated));
  assertEquals(arrivals.length, 10_000 + counters.duplicated - counters.lost);
  assertEquals(counters.sent, counters.delivered + counters.lost);
  const lost = bench.events.filter((event) => event.kind === "mail" && event.fate === "lost");
  assertEquals(lost.length, counters.lost);
});

Deno.test("Network: a probability of 1 or 0 leaves nothing to chance", () => {
  const always = new Bench({ loss: 1 });
  for (let i = 0; i < 100; i++) always.send(i, i);
  assertEquals(always.arrive(), []);
  const never = new Bench({ loss: 0, duplicate: 0 });
  for (let i = 0; i < 100; i++) never.send(i, i);
  assertEquals(never.arrive().length, 100);
});

Deno.test("Network: a duplicate is a copy of its own", () => {
  const bench = new Bench({ duplicate: 1 });
  bench.send(0, 7);
  const [first, second] = [bench.queue.pop(), bench.queue.pop()];
  assertEquals(first?.envelope, second?.envelope);
  assert(first?.envelope.message !== second?.envelope.message);
});

Deno.test("Network: latency keeps to its range", () => {
  const bench = new Bench({ latency: { minUs: 50, maxUs: 60 } });
  for (let i = 0; i < 100; i++) bench.send(i * 100, i);
  for (const { atUs, number } of bench.arrive()) {
    const latency = atUs - Number(number) * 100;
    assert(latency >= 50 && latency <= 60);
  }
});

Deno.test("Network.cut(): stops one direction, at the sending and at the arrival", () => {
  const bench = new Bench();
  bench.send(0, 1);
  bench.network.cut(10, b1, b2);
  bench.send(20, 2);
  bench.send(20, 3, b2, b1);
  const fates = bench.arrive().map(({ number, fate }) => [number, fate]);
  // The second one was lost at once and never arrives.
  assertEquals(fates.toSorted(), [[1, "cut"], [3, "delivered"]]);
  assertEquals(bench.network.counters.cut, 2);
  bench.network.heal(30, b1, b2);
  bench.send(2000, 4);
  assertEquals(bench.arrive().map(({ fate }) => fate), ["delivered"]);
});

Deno.test("Network.cut(): is recorded once, and so is its end", () => {
  const bench = new Bench();
  bench.network.heal(0, b1, b2);
  for (const atUs of [1, 2]) bench.network.cut(atUs, b1, b2);
  for (const atUs of [3, 4]) bench.network.heal(atUs, b1, b2);
  assertEquals(bench.events, [
    { kind: "cut", atUs: 1, from: b1, to: b2 },
    { kind: "heal", atUs: 3, from: b1, to: b2 },
  ]);
});

Deno.test("Network.arrive(): mail for a box that is down is lost", () => {
  const bench = new Bench();
  bench.send(0, 1);
  assertEquals(bench.arrive(false).map(({ fate }) => fate), ["down"]);
  assertEquals(bench.network.counters.down, 1);
});

Deno.test("Network.takeBack(): a crash takes the last few messages of each link, or none, or all", () => {
  const seen = new Set<number>();
  for (let seed = 0n; seed < 100n; seed++) {
    const bench = new Bench({}, seed);
    for (let i = 0; i < 4; i++) bench.send(i, i);
    bench.send(0, 9, b3, b2);
    bench.network.takeBack(5, b1, bench.queue.pending());
    const arrivals = bench.arrive();
    const taken = arrivals.filter(({ fate }) => fate === "unsent").map(({ number }) =>
      Number(number)
    );
    const kept = arrivals.filter(({ fate }) => fate === "delivered").map(({ number }) => number);
    assertEquals(taken.toSorted(), [0, 1, 2, 3].slice(4 - taken.length));
    assert(kept.includes(9), "another box's mail is safe");
    assertEquals(bench.network.counters.unsent, taken.length);
    seen.add(taken.length);
  }
  assertEquals([...seen].toSorted(), [0, 1, 2, 3, 4]);
});

Deno.test("Network: what happens on one link does not depend on the traffic of another", () => {
  const arrivals = (others: number) => {
    const bench = new Bench({ loss: 0.5 });
    for (let i = 0; i < 100; i++) {
      bench.send(i, i);
      for (let k = 0; k < others; k++) bench.send(i, 1000, b1, b3);
    }
    return bench.arrive().filter(({ number }) => number !== 1000);
  };
  assertEquals(arrivals(0), arrivals(3));
  assertLess(arrivals(0).length, 100);
});

Deno.test("Network: refuses options out of range", () => {
  for (
    const [options, name] of [
      [{ loss: 1.5 }, "network.loss"],
      [{ duplicate: -1 }, "network.duplicate"],
      [{ reorder: NaN }, "network.reorder"],
      [{ late: { share: 2, minUs: 0, maxUs: 0 } }, "network.late.share"],
      [{ late: { share: 0, minUs: 2, maxUs: 1 } }, "network.late"],
      [{ latency: { minUs: 2, maxUs: 1 } }, "network.latency"],
    ] as const
  ) assertThrows(() => new Bench(options), RangeError, name);
});
