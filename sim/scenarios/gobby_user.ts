// Somebody who uses Gobby in the scenarios: increases counters under locks, puts and gets, watches, and says of each
// answer what it must agree with.

import type { GobbyResult } from "../../agents/gobby/machine_result.ts";
import type { GobbyEvent } from "../../agents/gobby/machine_event.ts";
import type { EventTarget } from "../../agents/gobby/machine_operation.ts";
import type { AskOutcome } from "../../agents/gobby/protocol.ts";
import type { Json } from "../../core/data.ts";
import { type Random, randomInteger } from "../../core/random.ts";
import type { History } from "../history.ts";
import type { Count } from "../injector.ts";
import { equalJson } from "../linearizable_model.ts";
import type { World } from "../world.ts";
import { Actor, type Move, type News, type Script } from "./gobby_actor.ts";
import type { GobbyJudge } from "./gobby_judge.ts";
import type { GobbyLocks, LockOperation } from "./gobby_locks.ts";
import type { GobbyLog } from "./gobby_log.ts";
import { drawCall, inModel } from "./gobby_store.ts";

type Steps<T> = Generator<Move, T, AskOutcome | undefined>;

/** What a {@linkcode GobbyUser} works with. */
export interface GobbyUserOptions {
  readonly world: World;
  readonly name: string;
  readonly box: string;
  readonly random: Random;
  readonly history: History;
  readonly log: GobbyLog;
  readonly judge: GobbyJudge;
  readonly count: Count;
  readonly violated: (what: string) => never;
  readonly locks: number;
  readonly keys: number;
  /** How often it does something while there are faults. */
  readonly turns: number;
  readonly think: () => number;
  /** Where it notes down what it is told of locks, if that is judged. */
  readonly locking?: GobbyLocks;
  /** Whether it does nothing but increase counters. */
  readonly onlyCounts: boolean;
}

/** How long somebody waits for a lock who has all the time. */
const patientMs = 600_000;

interface Watching {
  readonly id: number;
  readonly target: EventTarget;
  /** Whether it is for one revision alone. */
  readonly oneShot: boolean;
  /** The first revision whose events it has not heard; undefined until it is told where it begins. */
  next: number | undefined;
  /** How often it was told events. */
  told: number;
}

/** See the top of this file. */
export class GobbyUser {
  readonly actor: Actor;
  /** How many of its increments were answered, and how many may have happened or not. */
  incremented = 0;
  unsure = 0;
  /** How many were under way, or of unknown outcome, when the box crashed. */
  lostWrites = 0;
  committed = 0;
  readonly #options: GobbyUserOptions;
  #turns: number;
  #wanted = 0;
  #lives = 0;
  #values = 0;
  #watches = 0;
  #watching: Watching | undefined;
  #isWriting = false;
  /** The call of the history that is under way. */
  #call: number | undefined;

  constructor(options: GobbyUserOptions) {
    this.#options = options;
    this.#turns = options.turns;
    const { world, name: agent, box } = options;
    this.actor = new Actor({
      world,
      agent,
      box,
      script: () => this.#live(),
      heard: (news) => this.#hear(news),
      crashed: () => {
        this.#lives++;
        if (this.#isWriting) this.lostWrites++;
        this.#isWriting = false;
        this.#watching = undefined;
        this.#call = undefined;
      },
    });
  }

  /** Whether there is nothing left that it wants. */
  get done(): boolean {
    return this.actor.done && this.#wanted <= 0;
  }

  /** So many increments are wanted now that the faults are over. */
  want(increments: number): void {
    this.#wanted = increments;
    this.actor.wake();
  }

  /** Whether it has heard all that it watches. */
  get caughtUp(): boolean {
    const watching = this.#watching;
    const { world, box, log } = this.#options;
    if (watching === undefined || !world.isUp(box)) return true;
    if (watching.next === undefined) return false;
    return log.of(watching.target, watching.next, Infinity).length === 0;
  }

  *#live(): Script {
    const { random, think, onlyCounts, locks } = this.#options;
    while (this.#turns > 0 || this.#wanted > 0) {
      yield { pauseMs: think() };
      const turn = randomInteger(random, 0, 9);
      if (this.#turns > 0) this.#turns--;
      if (onlyCounts || this.#wanted > 0 || turn < 4) {
        const number = randomInteger(random, 1, locks);
        if (yield* this.#increment(`lock${number}`, `counter${number}`)) this.#wanted--;
      } else if (turn < 7) yield* this.#callStore();
      else if (turn === 7) this.#watch();
      else if (turn === 8) yield* this.#read();
      else yield* this.#passing();
    }
  }

  /** Locks, reads, adds one, writes under the token, releases. Gives whether the write was answered. */
  *#increment(lock: string, counter: string): Steps<boolean> {
    const { random, judge, box, count, onlyCounts } = this.#options;
    const isTry = !onlyCounts && random() < 0.2;
    const acquire = {
      kind: "acquire" as const,
      key: lock,
      mode: "exclusive",
      waitMs: isTry ? 0 : onlyCounts ? patientMs : randomInteger(random, 100, 3000),
      lockDelayMs: !onlyCounts && random() < 0.1 ? 50 : 0,
    };
    const acquired = yield* this.#askLock(acquire, true);
    if (acquired?.kind !== "acquired") {
      count(`lock ${acquired === undefined ? "failed" : acquired.kind}`);
      return false;
    }
    this.committed++;
    const { token } = acquired;
    judge.granted(box, lock, token);
    const wrote = yield* this.#write(lock, counter, token);
    if (!onlyCounts && random() < 0.05) yield { pauseMs: randomInteger(random, 0, 500) };
    judge.releases(lock, token);
    yield* this.#askLock({ kind: "release", key: lock, token });
    return wrote;
  }

  /** Asks something of a lock, and notes down what it is told. */
  *#askLock(operation: LockOperation, session = false): Steps<GobbyResult | undefined> {
    const { name: client, locking, world } = this.#options;
    const invokeUs = Math.round(1000 * world.now);
    const result = resultOf(yield { ask: { ...operation }, session });
    if (result === undefined) return undefined;
    locking?.told({ client, operation, result, invokeUs, returnUs: Math.round(1000 * world.now) });
    return result;
  }

  *#write(lock: string, counter: string, token: number): Steps<boolean> {
    const { random, judge, count, onlyCounts } = this.#options;
    // Beside Gobby as well, in a store that knows nothing but tokens.
    const beside = judge.read(lock, token);
    const got = resultOf(yield { ask: { kind: "get", key: counter } });
    if (got?.kind !== "entry") return false;
    // Now and then for so long that the session is over.
    if (!onlyCounts && random() < 0.3) {
      yield { pauseMs: randomInteger(random, 0, random() < 0.5 ? 2000 : 20) };
    }
    if (beside !== undefined) judge.write(lock, token, beside + 1);
    const before = Number(got.entry?.value.split(" ")[0] ?? 1);
    this.#isWriting = true;
    const put = yield {
      ask: {
        kind: "put",
        key: counter,
        value: `${before + 1} ${token}`,
        fence: { lock, token },
      },
    };
    const result = resultOf(put);
    if (result?.kind === "refused" && result.why === "fenced") count("fenced write refused");
    const wrote = result === undefined && !isCertain(put)
      ? yield* this.#hasWritten(counter, before, token)
      : result?.kind === "stored";
    this.#isWriting = false;
    if (!wrote) return false;
    this.incremented++;
    this.committed++;
    return true;
  }

  /**
   * Whether a write over `before` has happened of which nothing was heard: what is there names the token. It may still
   * be on its way when a read does not see it; but once a later write of this client is done, it happens no more.
   */
  *#hasWritten(counter: string, before: number, token: number): Steps<boolean> {
    const { name, count } = this.#options;
    count("write of unknown outcome");
    for (let tries = 0; tries < 3; tries++) {
      const settled = { kind: "put", key: `settled.${name}`, value: String(token) };
      if (resultOf(yield { ask: settled })?.kind !== "stored") continue;
      const got = resultOf(yield { ask: { kind: "get", key: counter } });
      if (got?.kind !== "entry") continue;
      const [found = 1, by = 0] = (got.entry?.value ?? "1").split(" ").map(Number);
      if (by === token) return true;
      if (found === before) return false;
      // The lock was lost, and others have written since.
      break;
    }
    this.unsure++;
    return false;
  }

  /** Something on a plain key, as a history that must be one of a plain store. */
  *#callStore(): Steps<void> {
    const { random, name, keys, history, world } = this.#options;
    const nowUs = () => Math.round(1000 * world.now);
    const key = `key${randomInteger(random, 1, keys)}`;
    const value = `${name}.${++this.#values}`;
    const [operation, ask] = drawCall(random, key, value);
    const call = this.#call = history.invoke(`${name}.${this.#lives}`, operation, nowUs());
    const outcome = yield { ask };
    if (call !== this.#call) return;
    this.#call = undefined;
    const result = resultOf(outcome);
    if (result !== undefined) {
      this.committed++;
      history.answer(call, inModel(result), nowUs());
      return;
    }
    // Whatever may still happen is nobody's whom a later call of this user follows.
    this.#lives++;
    if (isCertain(outcome)) history.fail(call);
  }

  /** Reads on for a while, some of what may be old. */
  *#read(): Steps<void> {
    const { random, keys, locks } = this.#options;
    const isOld = random();
    for (let reads = randomInteger(random, 1, 20); reads > 0; reads--) {
      const key = random() < 0.5
        ? `counter${randomInteger(random, 1, locks)}`
        : `key${randomInteger(random, 1, keys)}`;
      // As old as it may be, but for some who want to know better.
      const maxAgeMs = random() < 0.8 ? 1_000_000 : randomInteger(random, 0, 200);
      const how = random() < isOld ? { maxAgeMs } : {};
      if (resultOf(yield { ask: { kind: "get", key }, ...how }) !== undefined) this.committed++;
      if (random() < 0.5) yield { pauseMs: randomInteger(random, 0, 30) };
    }
  }

  /** Keys that end by themselves. */
  *#passing(): Steps<void> {
    const { random, name } = this.#options;
    const value = `${name}.${++this.#values}`;
    const ttlMs = randomInteger(random, 1, 300);
    const turn = random();
    if (turn < 0.4) return yield* this.#share();
    if (turn < 0.45) {
      // So that whoever watches from before comes too late.
      yield { ask: { kind: "compact", revision: this.#options.log.revision } };
    } else if (turn < 0.7) yield { ask: { kind: "put", key: `passing.${name}`, value, ttlMs } };
    else yield { ask: { kind: "put", key: `alive.${name}`, value }, session: true };
  }

  /** Holds a lock that others may hold as well, and that counts nothing. */
  *#share(): Steps<void> {
    const { random } = this.#options;
    const mode = random() < 0.7 ? "shared" : "exclusive";
    const waitMs = randomInteger(random, 0, 300);
    const key = "shared";
    const acquired = yield* this.#askLock({ kind: "acquire", key, mode, waitMs }, true);
    if (random() < 0.5) yield* this.#askLock({ kind: "getLock", key });
    if (acquired?.kind !== "acquired") return;
    yield { pauseMs: randomInteger(random, 0, 300) };
    if (random() < 0.1) yield { ask: { kind: "closeSession" }, session: true };
    else yield* this.#askLock({ kind: "release", key, token: acquired.token });
  }

  /** Begins to watch, or stops. */
  #watch(): void {
    const { random, log } = this.#options;
    const before = this.#watching;
    if (before !== undefined) {
      this.actor.say({ type: "unwatch", id: before.id });
      this.#watching = undefined;
      if (random() < 0.5) return;
    }
    const from = random() < 0.4 ? randomInteger(random, 1, log.revision + 1) : undefined;
    const kind = randomInteger(random, 0, 9);
    const target: EventTarget = kind < 4
      ? { kind: "all" }
      : kind < 6
      ? { kind: "key", key: "counter1", only: "keys" }
      : kind < 7
      ? { kind: "session", session: randomInteger(random, 1, log.revision + 1) }
      : { kind: "prefix", prefix: kind < 9 ? "lock" : "counter" };
    this.#startWatch({ target, oneShot: random() < 0.3 }, from);
  }

  #startWatch(
    { target, oneShot }: Pick<Watching, "target" | "oneShot">,
    from: number | undefined,
  ): void {
    const id = ++this.#watches;
    this.#watching = { id, target, oneShot, next: from, told: 0 };
    this.actor.say({ type: "watch", id, target: { ...target }, from, oneShot });
  }

  #hear(news: News): void {
    const { violated, count, log, name } = this.#options;
    const watching = this.#watching;
    if (news.type === "session") return count(`session ${news.state}`);
    if (watching === undefined || news.id !== watching.id) return;
    if (news.type === "watching") {
      if (watching.next !== undefined && watching.next !== news.from) {
        violated(`${name} watches from ${news.from}, but wants it from ${watching.next}`);
      }
      watching.next = news.from;
    } else if (news.type === "events") {
      const { next } = watching;
      if (next === undefined) return violated(`${name} is told events of it knows not when`);
      const expected = log.of(watching.target, next, news.next);
      if (!equalJson(asJson(expected), asJson(news.events))) {
        violated(
          `${name} is told of revisions ${next} to ${news.next} ${JSON.stringify(news.events)}, ` +
            `but what happened is ${JSON.stringify(expected)}`,
        );
      }
      count("events watched", news.events.length);
      watching.next = news.next;
      watching.told++;
      if (watching.oneShot) this.#judgeOneShot(watching, news.events);
    } else if (news.end.why === "told" && watching.oneShot && watching.told === 1) {
      count("one-shot watch told");
      this.#watching = undefined;
    } else if (news.end.why === "compacted") {
      count("compacted watch");
      const { oldest } = news.end;
      if (oldest <= (watching.next ?? 0)) violated(`${name} could have gone on from ${oldest}`);
      this.#startWatch(watching, oldest);
    } else violated(`the watch of ${name} ends: ${news.end.why}`);
  }

  /** A watch for one revision is told that one, and nothing else. */
  #judgeOneShot({ told }: Watching, events: readonly GobbyEvent[]): void {
    const { violated, name } = this.#options;
    const revisions = new Set(events.map(({ revision }) => revision));
    if (told === 1 && revisions.size === 1) return;
    violated(
      `a watch of ${name} for one revision is told ${revisions.size} of them, time ${told} that ` +
        `it is told anything`,
    );
  }
}

function resultOf(outcome: AskOutcome | undefined): GobbyResult | undefined {
  return outcome?.kind === "done" ? outcome.result : undefined;
}

function isCertain(outcome: AskOutcome | undefined): boolean {
  return outcome?.kind === "failed" && outcome.certain;
}

// What has come as JSON is JSON.
const asJson = (value: unknown): Json => JSON.parse(JSON.stringify(value)) as Json;
