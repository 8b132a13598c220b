import { assertEquals } from "@std/assert";
import type { GobbyEvent } from "../../agents/gobby/machine_event.ts";
import type { GobbyResult } from "../../agents/gobby/machine_result.ts";
import { checkLinearizable } from "../linearizable.ts";
import { GobbyLocks, lockModel, type LockOperation } from "./gobby_locks.ts";

/** A history of one lock, and whether it is linearizable. */
class Told {
  readonly #locks = new GobbyLocks();
  #clients = 0;

  told(operation: LockOperation, result: GobbyResult, invokeUs: number, returnUs: number): this {
    this.#locks.told({ client: `c${++this.#clients}`, operation, result, invokeUs, returnUs });
    return this;
  }

  acquired(token: number, invokeUs: number, returnUs: number, mode = "exclusive"): this {
    const operation = { kind: "acquire", key: "l", mode, waitMs: 0 } as const;
    return this.told(operation, { kind: "acquired", token }, invokeUs, returnUs);
  }

  released(token: number, invokeUs: number, returnUs: number): this {
    const operation = { kind: "release", key: "l", token } as const;
    return this.told(operation, { kind: "released", revision: token + 1 }, invokeUs, returnUs);
  }

  holders(tokens: readonly number[], invokeUs: number, returnUs: number): this {
    const holders = tokens.map((token) => ({ session: 1, token, mode: "shared" as const }));
    const result = {
      ...{ kind: "lock" as const, revision: 9, holders, waiters: [] },
      ...{ holderCount: holders.length, waiterCount: 0, delay: null },
    };
    return this.told({ kind: "getLock", key: "l" }, result, invokeUs, returnUs);
  }

  granted(token: number, sinceUs: number, atUs: number): this {
    const mode = "exclusive" as const;
    const lock = { key: "l", session: 1, token, mode, ticket: null };
    return this.#happened({ kind: "lockGranted", revision: token, ...lock }, sinceUs, atUs);
  }

  expired(token: number, sinceUs: number, atUs: number): this {
    const lock = { key: "l", session: 1, token, how: "expired" as const };
    return this.#happened({ kind: "lockReleased", revision: token + 1, ...lock }, sinceUs, atUs);
  }

  #happened(event: GobbyEvent, sinceUs: number, atUs: number): this {
    this.#locks.happened({ event, sinceUs, atUs });
    return this;
  }

  get verdict(): string {
    return checkLinearizable(this.#locks.calls(), lockModel).kind;
  }
}

const fine = "linearizable";
const wrong = "not linearizable";

Deno.test("GobbyLocks takes what nobody was told for what happened between two looks", () => {
  const first = () => new Told().acquired(2, 10, 20).granted(2, 12, 13);
  assertEquals(first().acquired(5, 30, 60).granted(5, 50, 51).verdict, wrong);
  assertEquals(first().acquired(5, 30, 60).granted(5, 50, 51).expired(2, 40, 45).verdict, fine);
  assertEquals(first().acquired(5, 30, 60).granted(5, 50, 51).expired(2, 61, 62).verdict, wrong);
  // A grant that its holder never heard of is in others' way.
  assertEquals(first().expired(2, 21, 22).granted(4, 25, 26).acquired(6, 30, 40).verdict, wrong);
});

Deno.test("GobbyLocks: a lock is held once, or shared, and its tokens grow", () => {
  assertEquals(new Told().acquired(2, 10, 20).acquired(3, 15, 30).verdict, wrong);
  const shared = () => new Told().acquired(2, 10, 20, "shared").acquired(3, 15, 30, "shared");
  assertEquals(shared().holders([2, 3], 31, 32).verdict, fine);
  assertEquals(shared().holders([2], 31, 32).verdict, wrong);
  assertEquals(shared().acquired(4, 15, 40).verdict, wrong);
  const smaller = new Told().acquired(3, 10, 20).released(3, 21, 22).acquired(2, 30, 40);
  assertEquals(smaller.verdict, wrong);
});

Deno.test("GobbyLocks: who asks again is told of the same grant, and who is late of none", () => {
  const again = () => new Told().granted(2, 5, 6).acquired(2, 10, 20);
  assertEquals(again().verdict, fine);
  assertEquals(again().expired(2, 7, 8).verdict, wrong);
  const refused = {
    kind: "refused",
    why: "held",
    key: "l",
    session: 1,
    mode: "exclusive",
  } as const;
  const attempt = { kind: "acquire", key: "l", mode: "exclusive", waitMs: 0 } as const;
  assertEquals(again().told(attempt, { ...refused, token: 2 }, 21, 22).verdict, fine);
  assertEquals(again().told(attempt, { ...refused, token: 3 }, 21, 22).verdict, wrong);
  const late = { kind: "release", key: "l", token: 2 } as const;
  const notHeld = { kind: "refused", why: "notHeld", key: "l", token: 2 } as const;
  assertEquals(again().told(late, notHeld, 21, 22).verdict, wrong);
  assertEquals(again().released(2, 20, 21).told(late, notHeld, 21, 22).verdict, fine);
});
