// How long Gobby is without service after its master was killed, in virtual time: a bound on every kill, and which part
// of it each step has.

import { assert, assertEquals } from "@std/assert";
import { serviceLimits } from "../../agents/gobby/service.ts";
import type { Json } from "../../core/data.ts";
import { boxOf, gobbyAgents, gobbyGrid } from "../../sim/scenarios/gobby_grid.ts";
import { World } from "../../sim/world.ts";

const isShort = Deno.env.has("OVID_SHORT");
const kills = isShort ? 8 : 60;

const leaseMs = 1000;
/**
 * Besides the lease: a turn of another one that was asked first and could not get it, or half an attempt; then two round
 * trips for the lease, three for the term, with their syncs, and one for the client. A round of the lease may take 200.
 */
const extraMs = 100;

const attrs = { servers: 3, clients: 2, server: { leaseMs, maxLeaseMs: leaseMs } };

/** A Gobby in virtual time, and two who use it. */
class Setting {
  readonly world: World;
  /** The server that began to serve last. */
  master = "";
  readonly #answers = new Map<string, Json>();
  readonly #noted = new Map<string, number>();
  #asked = 0;

  constructor(engine: string, seed: number) {
    this.world = new World({
      grid: gobbyGrid({ ...attrs, engine, isFirst: true }),
      laterGrid: gobbyGrid({ ...attrs, engine, isFirst: false }),
      definitions: gobbyAgents({}, serviceLimits),
      seed: BigInt(seed),
    });
    this.world.observe((event) => {
      if (event.kind === "note") {
        const { event: name, agent } = event.note;
        this.#noted.set(name, this.world.now);
        if (name === "gobby.serves") this.master = agent ?? "";
      } else if (event.kind === "output") {
        const { output } = event.output.output;
        if (output.type !== "print") return;
        const { type, id, outcome } = JSON.parse(output.text);
        if (type === "answer") this.#answers.set(`${event.output.agent} ${id}`, outcome);
      }
    });
    this.world.start();
  }

  /** Asks for something, and gives the name under which its answer will be known. */
  ask(user: string, operation: { readonly [field: string]: Json }, session = false): string {
    const id = ++this.#asked;
    this.world.line(
      user,
      JSON.stringify({ type: "ask", id, operation, session, deadlineMs: 60_000 }),
    );
    return `${user} ${id}`;
  }

  /** Waits for an answer, and gives how long that took. */
  wait(name: string): number {
    const since = this.world.now;
    this.world.runUntil(() => this.#answers.has(name), { what: name });
    return this.world.now - since;
  }

  result(name: string): { readonly kind?: string; readonly token?: number } {
    return Object(Reflect.get(Object(this.#answers.get(name)), "result"));
  }

  /** When something was last noted. */
  notedAt(name: string): number {
    return this.#noted.get(name) ?? NaN;
  }
}

const acquire = { kind: "acquire", key: "l", mode: "exclusive", waitMs: 60_000 };
const put = { kind: "put", key: "k", value: "v" };

/** Kills the master while one holds a lock that another waits for. How long each part took. */
function kill(engine: string, seed: number) {
  const setting = new Setting(engine, seed);
  const { world } = setting;
  const first = setting.ask("c1", acquire, true);
  setting.wait(first);
  const second = setting.ask("c2", acquire, true);
  // At any moment between two renewals of the lease, and between two refreshes of the client that waits.
  world.runFor(1500 + 37 * seed);
  const killedAt = world.now;
  world.crash(boxOf(setting.master), "written");
  const putMs = setting.wait(setting.ask("c1", put));
  const since = (name: string) => setting.notedAt(name) - killedAt;
  const parts = {
    lease: since("lease.acquired"),
    term: since("gobby.term_begun") - since("lease.acquired"),
    deadlines: since("gobby.serves") - since("gobby.term_begun"),
    client: putMs - since("gobby.serves"),
  };
  const { token = 0 } = setting.result(first);
  setting.wait(setting.ask("c1", { kind: "release", key: "l", token }));
  setting.wait(second);
  assertEquals(setting.result(second).kind, "acquired");
  return { putMs, lockMs: world.now - killedAt, parts };
}

for (const engine of ["vr_replica", "paxos_member"]) {
  Deno.test(`without its master, Gobby on ${engine} is without service for the lease and ${extraMs} ms at most`, () => {
    const all = Array.from({ length: kills }, (_, index) => kill(engine, index + 1));
    for (const [index, { putMs, lockMs, parts }] of all.entries()) {
      const what = `seed ${index + 1}: ${putMs} ms, ${JSON.stringify(parts)}`;
      assert(putMs <= leaseMs + extraMs, what);
      // The grant of a lock takes two requests more.
      assert(lockMs <= leaseMs + extraMs + 50, `${what}, the lock after ${lockMs} ms`);
      // Nobody has waited for the end of a back-off.
      assert(parts.client <= 50, what);
    }
    const median = all.map(({ putMs }) => putMs).sort((a, b) => a - b)[all.length >> 1] ?? Infinity;
    assert(median <= leaseMs, `the median is ${median} ms`);
  });
}
