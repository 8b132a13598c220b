// Judges in true time, which nobody in the grid knows: who answers as the master, who believes to have a session or a
// lock, and whether what a fenced store is told comes from the right one.

import type { ClientState } from "../../agents/gobby/client_state.ts";
import { sessionName } from "../../agents/gobby/server_clock.ts";
import type { ServerState } from "../../agents/gobby/server_state.ts";
import { agentId } from "../../core/id.ts";
import type { Count } from "../injector.ts";
import type { World } from "../world.ts";
import type { WorldEvent } from "../world_event.ts";
import type { Happened } from "./gobby_log.ts";

/** What a {@linkcode GobbyJudge} works with. */
export interface GobbyJudgeOptions {
  readonly world: World;
  readonly servers: ReadonlySet<string>;
  /** The gobby_clients by their boxes. */
  readonly clients: ReadonlyMap<string, string>;
  /** By how much any clock may be too fast or too slow, in millionths. */
  readonly driftPpm: number;
  readonly count: Count;
  readonly violated: (what: string) => never;
}

/** A lock that somebody believes to hold. */
interface Hold {
  readonly box: string;
  readonly lock: string;
  readonly token: number;
  readonly session: number;
}

/** A server that has spoken as the master of a term. */
interface Spoken {
  readonly server: string;
  readonly term: number;
}

/** Something that lasts so long, by any master's clock. */
interface Lasting {
  readonly sinceUs: number;
  readonly ms: number;
}

/** A store beside Gobby that knows nothing of it but tokens. */
interface FencedStore {
  highest: number;
  value: number;
  accepted: number;
}

/** See the top of this file. */
export class GobbyJudge {
  readonly #options: GobbyJudgeOptions;
  /** How often each server has spoken as the master in this life of its box, and who was the latest to. */
  readonly #answers = new Map<string, number>();
  #latest: Spoken | undefined;
  readonly #masters = new Map<number, string>();
  /** By session, until when its client has counted on it, in true microseconds. */
  readonly #believed = new Map<number, number>();
  readonly #holds = new Map<string, Hold>();
  readonly #expired = new Set<string>();
  readonly #stores = new Map<string, FencedStore>();
  readonly #counters = new Map<string, { readonly count: number; readonly token: number }>();
  /** By session and by key, how long it lasts, and since when at least. */
  readonly #sessions = new Map<number, Lasting>();
  readonly #keys = new Map<string, Lasting>();
  /** That of the latest master. */
  #term = 0;
  #master: string | undefined;
  readonly #watchedAt = new Map<string, string>();

  constructor(options: GobbyJudgeOptions) {
    this.#options = options;
    options.world.observe((event) => this.#see(event));
  }

  /** The client on a box; undefined while it is down. */
  client(box: string): ClientState | undefined {
    const { world, clients } = this.#options;
    const inspected = world.inspect(clients.get(box) ?? "");
    return inspected?.status === "running" ? inspected.state as ClientState : undefined;
  }

  /** Somebody was told to have a lock. */
  granted(box: string, lock: string, token: number): void {
    const session = this.client(box)?.session.number ?? 0;
    const other = this.#holds.get(lock);
    if (other !== undefined && other.token !== token && this.#believes(other)) {
      this.#options.violated(
        `${box} gets ${lock} by ${token} while ${other.box} holds it by ${other.token}`,
      );
    }
    this.#holds.set(lock, { box, lock, token, session });
  }

  /** Somebody lets a lock go. */
  releases(lock: string, token: number): void {
    if (this.#holds.get(lock)?.token === token) this.#holds.delete(lock);
  }

  /** Reads from the fenced store of a lock. */
  read(lock: string, token: number): number | undefined {
    const store = this.#storeOf(lock);
    if (!this.#mayUse(store, lock, token)) return undefined;
    return store.value;
  }

  /** Writes to it. */
  write(lock: string, token: number, value: number): void {
    const store = this.#storeOf(lock);
    if (!this.#mayUse(store, lock, token)) return;
    store.value = value;
    store.accepted++;
  }

  #mayUse(store: FencedStore, lock: string, token: number): boolean {
    if (token >= store.highest) {
      store.highest = token;
      return true;
    }
    this.#options.count("fenced write refused");
    const hold = this.#holds.get(lock);
    if (hold?.token === token && this.#believes(hold)) {
      this.#options.violated(
        `the store of ${lock} refuses token ${token}, which holds the lock, since ${store.highest}`,
      );
    }
    return false;
  }

  #storeOf(lock: string): FencedStore {
    let store = this.#stores.get(lock);
    if (store === undefined) this.#stores.set(lock, store = { highest: 0, value: 0, accepted: 0 });
    return store;
  }

  /** Whether somebody still counts on a lock, by the own clock. */
  #believes({ box, session }: Hold): boolean {
    const { world } = this.#options;
    if (!world.isUp(box)) return false;
    const known = this.client(box)?.session;
    return known?.number === session &&
      world.clock(box).now(Math.round(1000 * world.now)) < known.until;
  }

  /** Something was carried out. */
  happened({ event, sinceUs, atUs }: Happened): void {
    const { count, violated } = this.#options;
    switch (event.kind) {
      case "sessionOpened":
        this.#sessions.set(event.session, { sinceUs, ms: event.ttlMs });
        return;
      case "sessionEnded": {
        const until = this.#believed.get(event.session) ?? 0;
        if (event.how === "expired" && until > atUs) {
          violated(`session ${event.session} expires ${until - atUs} us before its client knows`);
        }
        if (event.how !== "expired") return;
        this.#requireTime(`session ${event.session}`, this.#sessions.get(event.session), atUs);
        return this.#requireNoPromise(event.session, atUs);
      }
      case "sessionRenewed":
        this.#sessions.set(event.session, { sinceUs, ms: event.ttlMs });
        return count("session renewed by the log");
      case "termBegun":
        this.#term = event.term;
        // Each has its full time again.
        for (const [session, { ms }] of this.#sessions) {
          this.#sessions.set(session, { sinceUs, ms });
        }
        for (const [key, { ms }] of this.#keys) this.#keys.set(key, { sinceUs, ms });
        return;
      case "keyDeleted":
        if (event.how !== "expired") return;
        return this.#requireTime(`key ${event.key}`, this.#keys.get(event.key), atUs);
      case "lockGranted": {
        const { key, ticket } = event;
        if (this.#expired.delete(key) && ticket !== null) count("wait granted after an expiry");
        return;
      }
      case "lockReleased":
        this.#expired.delete(event.key);
        if (event.how !== "expired") return;
        count("session expired with a lock");
        this.#expired.add(event.key);
        return;
      case "keyStored": {
        const { key, value, ttlMs } = event.entry;
        if (ttlMs !== null) this.#keys.set(key, { sinceUs, ms: ttlMs });
        return this.#judgeCounter(key, value);
      }
    }
  }

  /** Nothing ends before its time, however fast the master's clock is. */
  #requireTime(what: string, lasting: Lasting | undefined, atUs: number): void {
    const { violated, driftPpm } = this.#options;
    if (lasting === undefined) return violated(`${what} expires, and was never there`);
    const leastUs = lasting.sinceUs + 1e9 * lasting.ms / (1e6 + driftPpm);
    if (atUs < leastUs) violated(`${what} expires ${leastUs - atUs} us too early`);
  }

  /** A master gives a session more time only if what it has asked for before cannot end it. */
  #requireNoPromise(session: number, atUs: number): void {
    const { world, servers, violated } = this.#options;
    for (const server of servers) {
      const inspected = world.inspect(server);
      if (inspected?.status !== "running") continue;
      const { phase, term, clock } = inspected.state as ServerState;
      const timed = clock.timed.get(sessionName(session));
      if (phase !== "serving" || term !== this.#term || timed === undefined) continue;
      const box = world.grid.agents.get(agentId(server))?.box ?? "";
      const leftUs = world.clock(box).reaches(timed.at) - atUs;
      if (leftUs > 0) violated(`session ${session} expires ${leftUs} us before ${server} has said`);
    }
  }

  #judgeCounter(key: string, value: string): void {
    if (!key.startsWith("counter")) return;
    const { violated } = this.#options;
    const before = this.#counters.get(key) ?? { count: 1, token: 0 };
    const [count = 0, token = 0] = value.split(" ").map(Number);
    if (count !== before.count + 1) violated(`${key} goes from ${before.count} to ${count}`);
    if (token < before.token) {
      violated(`${key} is written under token ${token} after ${before.token}`);
    }
    this.#counters.set(key, { count, token });
  }

  /** How often a counter was increased. */
  increments(key: string): number {
    return (this.#counters.get(key)?.count ?? 1) - 1;
  }

  #see(event: WorldEvent): void {
    for (const server of this.#options.servers) this.#listen(server);
    if (event.kind === "note") {
      const { event: name, agent, detail } = event.note;
      if (name === "gobby.serves") {
        if (this.#master !== undefined && this.#master !== agent) {
          this.#options.count("master changed");
        }
        this.#master = agent;
      } else if (name.startsWith("gobby.watch_")) this.#seeWatch(name, agent ?? "", detail);
    }
    if (!("box" in event) || !this.#options.clients.has(event.box)) return;
    this.#believe(event.box, event.kind === "crash" ? event.atUs : undefined);
  }

  #seeWatch(name: string, agent: string, detail: unknown): void {
    const watch = String(Reflect.get(Object(detail), "name"));
    const before = this.#watchedAt.get(watch);
    this.#watchedAt.set(watch, agent);
    if (name !== "gobby.watch_resumed") return;
    if (before !== undefined && before !== agent) {
      this.#options.count("watch resumed at another master");
    }
  }

  /** What a client counts on it counts on until it is up no more. */
  #believe(box: string, crashedUs: number | undefined): void {
    const session = this.client(box)?.session;
    if (crashedUs !== undefined) {
      // Whatever it counted on, nobody does any more.
      for (const [number, until] of this.#believed) {
        if (this.#boxOf.get(number) === box && until > crashedUs) {
          this.#believed.set(number, crashedUs);
        }
      }
      return;
    }
    if (session === undefined || session.number === 0) return;
    this.#boxOf.set(session.number, box);
    this.#believed.set(session.number, this.#options.world.clock(box).reaches(session.until));
  }

  readonly #boxOf = new Map<number, string>();

  /**
   * Who speaks as the master, by what servers themselves have counted: their mail leaves later, when their box has
   * synced what came before.
   */
  #listen(server: string): void {
    const { world, violated } = this.#options;
    const inspected = world.inspect(server);
    if (inspected?.status !== "running") {
      this.#answers.delete(server);
      return;
    }
    const { answers, term } = inspected.state as ServerState;
    const before = this.#answers.get(server) ?? 0;
    this.#answers.set(server, answers);
    if (answers <= before) return;
    const latest = this.#latest;
    if (latest !== undefined && term < latest.term) {
      violated(
        `${server} speaks as the master of term ${term} after ${latest.server} did in ` +
          `term ${latest.term}`,
      );
    }
    const known = this.#masters.get(term) ?? server;
    if (known !== server) violated(`${known} and ${server} are both masters of term ${term}`);
    this.#masters.set(term, server);
    this.#latest = { server, term };
  }

  /** Judges what can be judged only in the end. */
  conclude(): void {
    const { violated } = this.#options;
    for (const [lock, { value, accepted }] of this.#stores) {
      if (value !== accepted) violated(`the store of ${lock} is ${value} after ${accepted} writes`);
    }
  }
}
