// A group in a simulated world, for the tests beside this file: replicas, spares and clients, each on a box of its
// own, and observers that see every step. It has no tests of its own.

import { assert, assertEquals } from "@std/assert";
import type { AgentDefinition } from "../../core/define.ts";
import { encodeData, type Json } from "../../core/data.ts";
import { vrClient } from "./client.ts";
import type { CallOutcome } from "./protocol.ts";
import { makeVrReplica, vrReplica } from "./replica.ts";
import { administrator, asker } from "./sim_agents_test.ts";
import { type VrRules, vrRules } from "./rules.ts";
import { entryAt, opNumber, type ReplicaState } from "./state.ts";
import { type PlainAgent, plainGrid } from "../../sim/plain_grid.ts";
import { World } from "../../sim/world.ts";
import type { WorldOptions } from "../../sim/world_options.ts";

/** What a simulated group is made of. */
export interface GroupOptions extends Omit<WorldOptions, "grid" | "definitions"> {
  readonly replicas: number;
  readonly spares?: number;
  readonly clients?: number;
  /** How many operations each client is asked for. */
  readonly operations?: number;
  readonly machine?: "kv" | "counter";
  readonly attrs?: { readonly [name: string]: Json };
  readonly replica?: AgentDefinition;
  readonly client?: AgentDefinition;
  /** How likely the first client, the second and so on is to read a counter; default 0.3. */
  readonly reads?: readonly number[];
  /** The longest that a client waits between an answer and the next operation; default 20. */
  readonly thinkMs?: number;
}

/** One operation of an asker: when it was asked for, and when and how it was answered. */
export interface Asked {
  readonly client: string;
  readonly operation: Json;
  readonly askedMs: number;
  answeredMs: number;
  outcome:
    | { readonly kind: string; readonly certain?: boolean; readonly result?: Json }
    | undefined;
}

/** A group under observation. */
export class SimulatedGroup {
  readonly world: World;
  readonly replicas: readonly string[];
  readonly spares: readonly string[];
  readonly clients: number;
  readonly calls: Asked[] = [];
  readonly notes = new Map<string, number>();
  done = 0;
  /** The committed log, as the first replica to commit each entry had it. */
  readonly committed: string[] = [];
  readonly #open = new Map<string, Asked>();
  readonly #seen = new Map<string, number>();
  readonly #unsynced = new Map<string, number>();
  readonly #primaries = new Map<string, string>();

  constructor(options: GroupOptions) {
    const { replicas, spares = 0, clients = 2, operations = 10, machine = "counter" } = options;
    const ids = Array.from({ length: replicas + spares }, (_, index) => `r${index}`);
    this.replicas = ids.slice(0, replicas);
    this.spares = ids.slice(replicas);
    this.clients = clients;
    const agents: { [id: string]: PlainAgent } = {};
    for (const id of ids) {
      const attrs = { replicas: this.replicas, machine, ...options.attrs };
      const bootstrap = this.replicas.includes(id);
      agents[id] = { type: "vr_replica", box: `b${id}`, attrs: { ...attrs, bootstrap } };
    }
    const { reads = [0.3] } = options;
    for (let index = 0; index < clients; index++) {
      const box = `bc${index}`;
      agents[`c${index}`] = { type: "vr_client", box, attrs: { replicas: ids } };
      const asks = {
        client: `c${index}`,
        machine,
        count: operations,
        keys: 3,
        reads: reads[index % reads.length] ?? 0.3,
        thinkMs: options.thinkMs ?? 20,
      };
      agents[`a${index}`] = { type: "asker", box, attrs: asks };
    }
    const attrs = { replicas: ids, deadlineMs: 60_000 };
    agents["ac"] = { type: "vr_client", box: "badmin", attrs };
    agents["admin"] = { type: "administrator", box: "badmin", attrs: { client: "ac" } };
    const definitions = [
      options.replica ?? vrReplica,
      options.client ?? vrClient,
      asker,
      administrator,
    ];
    const grid = plainGrid(agents);
    this.world = new World({ ...options, grid, definitions });
    this.world.observe((event) => {
      if (event.kind === "note") {
        this.#note(event.note.agent ?? "", event.note.event, event.note.detail);
      }
      if (event.kind === "crash") {
        this.#seen.delete(event.box.slice(1));
        this.#unsynced.delete(event.box.slice(1));
      }
      if (event.kind === "append") this.#count(event.box.slice(1), 1);
      if (event.kind === "sync") this.#count(event.box.slice(1), -event.records);
    });
  }

  /** From now on an empty disk is one that was lost. */
  founded(): void {
    for (const entry of this.world.grid.agents.values()) {
      if (entry.type !== "vr_replica") continue;
      (entry.attrs as { bootstrap?: boolean }).bootstrap = false;
    }
  }

  replica(id: string): ReplicaState | undefined {
    const inspected = this.world.inspect(id);
    return inspected?.status === "running" ? inspected.state as ReplicaState : undefined;
  }

  /** The op-number of a replica that runs. */
  opNumber(id: string): number {
    const state = this.replica(id);
    if (state === undefined) throw new Error(`${id} is down`);
    return opNumber(state.durable);
  }

  /** Lets the next event happen, and looks at all replicas. */
  step(): boolean {
    if (!this.world.step()) return false;
    this.look();
    return true;
  }

  runFor(ms: number): void {
    const end = this.world.now + ms;
    while (this.world.now < end && this.step());
  }

  runUntil(reached: () => boolean, withinMs: number, what: string): void {
    const end = this.world.now + withinMs;
    while (!reached()) {
      if (this.world.now > end || !this.step()) {
        throw new Error(
          `Waited for ${what} in vain\n${this.describe()}\n${
            this.world.transcript.lines(60).join("\n")
          }`,
        );
      }
    }
  }

  /** Has `admin` ask for something, and waits for what comes of it. */
  ask(text: string, withinMs = 20_000): CallOutcome {
    const { length } = this.world.printed("admin");
    this.world.line("admin", text);
    this.runUntil(
      () => this.world.printed("admin").length > length,
      withinMs,
      `an answer to ${text}`,
    );
    return JSON.parse(this.world.printed("admin").at(-1) ?? "");
  }

  /** The replica that takes itself for the primary, in the latest view. */
  primary(): string | undefined {
    let best: { id: string; epoch: number; view: number } | undefined;
    for (const id of [...this.replicas, ...this.spares]) {
      const state = this.replica(id);
      if (state?.status !== "normal") continue;
      const { replicas, epoch } = state.durable;
      if (replicas[state.view % replicas.length]?.agent !== id) continue;
      if (
        best === undefined || epoch > best.epoch || (epoch === best.epoch && state.view > best.view)
      ) {
        best = { id, epoch, view: state.view };
      }
    }
    return best?.id;
  }

  look(): void {
    for (const id of [...this.replicas, ...this.spares]) {
      const state = this.replica(id);
      if (state !== undefined) this.#lookAt(id, state);
    }
  }

  #count(id: string, records: number): void {
    this.#unsynced.set(id, (this.#unsynced.get(id) ?? 0) + records);
  }

  #lookAt(id: string, state: ReplicaState): void {
    const { durable } = state;
    // A group of one is a quorum by itself: what it commits in memory, a crash may take back before anybody knows.
    const alone = durable.replicas.length === 1 || durable.old.length === 1;
    if (alone && (this.#unsynced.get(id) ?? 0) > 0) return;
    const seen = this.#seen.get(id) ?? durable.base;
    for (let op = Math.max(seen, durable.base) + 1; op <= state.commit; op++) {
      const entry = JSON.stringify(entryAt(durable, op));
      const known = this.committed[op];
      if (known === undefined) this.committed[op] = entry;
      else if (known !== entry) {
        throw new Error(`${id} commits ${entry} as operation ${op}, another had ${known}`);
      }
    }
    this.#seen.set(id, state.commit);
    if (state.status !== "normal") return;
    const primary = durable.replicas[state.view % durable.replicas.length]?.agent;
    if (primary !== id) return;
    const key = `${durable.epoch} ${state.view}`;
    const known = this.#primaries.get(key);
    if (known === undefined) this.#primaries.set(key, id);
    else assertEquals(known, id, `two primaries in view ${key}`);
  }

  #note(agent: string, event: string, detail: Json | undefined): void {
    this.notes.set(event, (this.notes.get(event) ?? 0) + 1);
    const { now } = this.world;
    if (event === "asked") {
      const { operation } = detail as { operation: Json };
      const call: Asked = {
        client: agent,
        operation,
        askedMs: now,
        answeredMs: Infinity,
        outcome: undefined,
      };
      this.calls.push(call);
      this.#open.set(agent, call);
    }
    if (event === "answered") {
      const call = this.#open.get(agent);
      const { outcome } = detail as { outcome: Asked["outcome"] };
      if (call !== undefined) Object.assign(call, { answeredMs: now, outcome });
    }
    if (event === "done") this.done++;
  }

  describe(): string {
    return [...this.replicas, ...this.spares].map((id) => {
      const state = this.replica(id);
      if (state === undefined) return `${id} down`;
      const { durable } = state;
      return `${id} ${state.status} epoch=${durable.epoch} view=${state.view} lastNormal=${durable.lastNormal} ` +
        `op=${
          opNumber(durable)
        } commit=${state.commit} base=${durable.base} complete=${durable.complete} ` +
        `members=${durable.replicas.map(({ agent }) => agent)} transfer=${
          JSON.stringify(state.transfer)?.slice(0, 200)
        }`;
    }).join("\n");
  }

  /** All that are in the configuration have executed the same, and agree on what came of it. */
  converged(): boolean {
    const states = this.members().map((id) => this.replica(id));
    const [first] = states;
    return first !== undefined &&
      states.every((state) =>
        state !== undefined && state.status === "normal" &&
        state.commit === opNumber(state.durable) &&
        state.commit === first.commit && state.durable.epoch === first.durable.epoch
      );
  }

  /** The configuration of the latest epoch, without those that have lost the disk since it was made. */
  members(): readonly string[] {
    let latest: ReplicaState | undefined;
    for (const id of [...this.replicas, ...this.spares]) {
      const state = this.replica(id);
      if (state === undefined) continue;
      if (latest === undefined || state.durable.epoch > latest.durable.epoch) latest = state;
    }
    return latest?.durable.replicas.filter(({ agent, incarnation }) =>
      (this.replica(agent)?.durable.incarnation ?? incarnation) === incarnation
    ).map(({ agent }) => agent) ?? [];
  }

  /** Throws unless all members have the same application. */
  checkAgreement(): void {
    const states = this.members().map((id) => encodeData(this.replica(id)?.application));
    for (const state of states) assertEquals(state, states[0]);
  }

  /** Throws unless the answers of a counter can be explained by one order that real time allows. */
  checkCounter(): void {
    const totalOf = (call: Asked) => (call.outcome?.result as { total: number }).total;
    const answered = this.calls.filter(({ outcome }) => outcome?.kind === "applied");
    const isAdd = (call: Asked) => (call.operation as { kind: string }).kind === "add";
    const byTotal = new Map<number, Asked>();
    for (const call of answered.filter(isAdd)) {
      const other = byTotal.get(totalOf(call));
      assert(other === undefined, `${JSON.stringify(call)} and ${JSON.stringify(other)} agree`);
      byTotal.set(totalOf(call), call);
    }
    const possible = this.calls.filter((call) =>
      isAdd(call) && !(call.outcome?.kind === "failed" && call.outcome.certain)
    );
    for (const call of answered) {
      const total = totalOf(call);
      const before = answered.filter((other) => other.answeredMs < call.askedMs);
      const least = Math.max(0, ...before.map(totalOf)) + (isAdd(call) ? 1 : 0);
      assert(
        total >= least,
        `${JSON.stringify(call)} misses what was answered before, want ${least} or more`,
      );
      const most = possible.filter((other) => other.askedMs <= call.answeredMs).length;
      assert(total <= most, `${JSON.stringify(call)} counts more than ${most} additions`);
    }
  }
}

/** A group without chance: every message takes half a millisecond, every sync a tenth. */
export function groupOf(
  options: Partial<GroupOptions> & { readonly rules?: Partial<VrRules> } = {},
): SimulatedGroup {
  const { rules, ...rest } = options;
  const group = new SimulatedGroup({
    replicas: 3,
    clients: 0,
    machine: "kv",
    seed: 1n,
    network: { latency: { minUs: 500, maxUs: 500 } },
    disk: { sync: { minUs: 100, maxUs: 100 } },
    ...rules === undefined ? {} : { replica: makeVrReplica({ rules: { ...vrRules, ...rules } }) },
    ...rest,
  });
  group.world.start();
  group.runFor(1);
  return group;
}

/** The text that has `admin` put something. */
export const put = (key: string, value: string) => JSON.stringify({ kind: "put", key, value });
/** The text that has `admin` get something. */
export const get = (key: string) => JSON.stringify({ kind: "get", key });
/** What comes of a put. */
export const stored = { kind: "applied", result: { kind: "stored" } } as const;
/** What comes of a get. */
export const found = (value: string | null) =>
  ({ kind: "applied", result: { kind: "value", value } }) as const;

/** How many messages of each type have been delivered between replicas since now. */
export function countMail(group: SimulatedGroup): Map<string, number> {
  const counts = new Map<string, number>();
  group.world.observe((event) => {
    if (event.kind !== "mail" || event.fate !== "delivered") return;
    const { type } = event.envelope.message;
    counts.set(type, (counts.get(type) ?? 0) + 1);
  });
  return counts;
}
