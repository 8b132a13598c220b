// A group in a simulated world, for the stories beside this file: members, spares and clients, each on a box of its own.
// It has no tests of its own.

import type { Json } from "../../core/data.ts";
import { encodeData } from "../../core/data.ts";
import { type PlainAgent, plainGrid } from "../../sim/plain_grid.ts";
import { PaxosWatch } from "../../sim/scenarios/paxos_watch.ts";
import { World } from "../../sim/world.ts";
import { vrClient } from "../vr/client.ts";
import type { CallOutcome } from "../vr/protocol.ts";
import { administrator, asker } from "../vr/sim_agents_test.ts";
import { makePaxosMember } from "./member.ts";
import { type PaxosRules, paxosRules } from "./rules.ts";
import type { PaxosState } from "./state.ts";

/** What a simulated group is made of. */
export interface GroupOptions {
  readonly members?: number;
  readonly spares?: number;
  /** Clients that add to a counter, and how often each does. */
  readonly clients?: number;
  readonly operations?: number;
  readonly thinkMs?: number;
  readonly machine?: "kv" | "counter";
  /** How long a message takes; default half a millisecond. */
  readonly latencyUs?: number;
  readonly attrs?: { readonly [name: string]: Json };
  readonly rules?: Partial<PaxosRules>;
}

/** A group under observation, without chance: every message takes as long, and every sync a tenth of a millisecond. */
export class SimulatedGroup {
  readonly world: World;
  readonly ids: readonly string[];
  readonly watch: PaxosWatch;
  readonly notes = new Map<string, number>();
  /** The totals that clients were answered, in the order of the answers. */
  readonly totals: number[] = [];
  done = 0;

  constructor(options: GroupOptions = {}) {
    const { members = 3, spares = 0, clients = 0, operations = 10, machine = "kv" } = options;
    this.ids = Array.from({ length: members + spares }, (_, index) => `r${index}`);
    const { latencyUs = 500 } = options;
    const founders = this.ids.slice(0, members);
    const agents: { [id: string]: PlainAgent } = {};
    for (const id of this.ids) {
      const bootstrap = founders.includes(id);
      const attrs = { replicas: founders, machine, bootstrap, ...options.attrs };
      agents[id] = { type: "paxos_member", box: `b${id}`, attrs };
    }
    for (let index = 0; index < clients; index++) {
      const box = `bc${index}`;
      agents[`c${index}`] = { type: "vr_client", box, attrs: { replicas: [...this.ids] } };
      const asks = { client: `c${index}`, machine, count: operations, keys: 3, reads: 0 };
      agents[`a${index}`] = {
        type: "asker",
        box,
        attrs: { ...asks, thinkMs: options.thinkMs ?? 5 },
      };
    }
    const attrs = { replicas: [...this.ids], deadlineMs: 60_000 };
    agents["ac"] = { type: "vr_client", box: "badmin", attrs };
    agents["admin"] = { type: "administrator", box: "badmin", attrs: { client: "ac" } };
    const member = makePaxosMember({ rules: { ...paxosRules, ...options.rules } });
    this.world = new World({
      grid: plainGrid(agents),
      definitions: [member, vrClient, asker, administrator],
      seed: 1n,
      network: { latency: { minUs: latencyUs, maxUs: latencyUs } },
      disk: { sync: { minUs: 100, maxUs: 100 } },
    });
    const boxes = new Map(this.ids.map((id) => [id, `b${id}`]));
    this.watch = new PaxosWatch(this.world, boxes, () => {}, (what) => {
      throw new Error(what);
    });
    this.world.observe((event) => {
      if (event.kind !== "note") return;
      const { event: name, detail } = event.note;
      this.notes.set(name, (this.notes.get(name) ?? 0) + 1);
      if (name === "done") this.done++;
      if (name === "answered") this.#take(detail as { outcome: CallOutcome });
    });
    this.world.start();
    this.runFor(5);
  }

  #take({ outcome }: { outcome: CallOutcome }): void {
    if (outcome.kind !== "applied") throw new Error(JSON.stringify(outcome));
    this.totals.push((outcome.result as { total: number }).total);
  }

  /** From now on an empty disk is one that was lost. */
  founded(): void {
    for (const entry of this.world.grid.agents.values()) {
      if (entry.type !== "paxos_member") continue;
      (entry.attrs as { bootstrap?: boolean }).bootstrap = false;
    }
  }

  /** The state of a member that runs. */
  member(id: string): PaxosState {
    const state = this.watch.member(id);
    if (state === undefined) throw new Error(`${id} is down`);
    return state;
  }

  /** The slot up to which a member knows all decisions. */
  decided(id: string): number {
    return this.member(id).decided;
  }

  /** Who leads, in the latest ballot. */
  leader(): string | undefined {
    const up = this.ids.filter((id) => this.watch.member(id) !== undefined);
    return up.filter((id) => {
      const { leader } = this.member(id);
      return leader !== undefined && leader.scout === undefined;
    }).sort((a, b) => this.member(a).ballot.round - this.member(b).ballot.round).at(-1);
  }

  runFor(ms: number): void {
    const end = this.world.now + ms;
    while (this.world.now < end && this.world.step());
  }

  runUntil(reached: () => boolean, withinMs: number, what: string): void {
    const end = this.world.now + withinMs;
    while (!reached()) {
      if (this.world.now <= end && this.world.step()) continue;
      throw new Error(`Waited for ${what} in vain\n${this.world.transcript.lines(60).join("\n")}`);
    }
  }

  /** Has `admin` ask for something, and waits for what comes of it. */
  ask(text: string, withinMs = 20_000): CallOutcome {
    const { length } = this.world.printed("admin");
    this.world.line("admin", text);
    const isAnswered = () => this.world.printed("admin").length > length;
    this.runUntil(isAnswered, withinMs, `an answer to ${text}`);
    return JSON.parse(this.world.printed("admin").at(-1) ?? "");
  }

  /** Cuts a box off from these others, both ways. */
  cut(box: string, others: readonly string[]): void {
    for (const other of others) this.world.cut(box, other);
  }

  /** Waits until these know the same and have the same state. */
  agree(ids: readonly string[] = this.watch.members()): void {
    this.runUntil(() => this.watch.agree(ids), 5000, "agreement");
    const texts = new Set(ids.map((id) => encodeData(this.member(id).application)));
    if (texts.size > 1) throw new Error("the same decisions have led to different states");
  }
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
