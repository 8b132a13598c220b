// Looks at every replica of a group after every event that concerns it, and knows what the paper promises: one log,
// of which all replicas have committed a prefix, and which no new primary lacks; one primary in a view.

import type { AnyMachine } from "../../agents/machine/machine.ts";
import { type Entry, entrySchema } from "../../agents/vr/protocol.ts";
import { vrRules } from "../../agents/vr/rules.ts";
import { entryAt, opNumber, type ReplicaState } from "../../agents/vr/state.ts";
import { findExecutedTwice } from "./vr_executed.ts";
import { VrPromises } from "./vr_promises.ts";
import { encodeData } from "../../core/data.ts";
import type { Count } from "../injector.ts";
import type { World } from "../world.ts";
import type { WorldEvent } from "../world_event.ts";

interface Committed {
  readonly entry: string;
  readonly epoch: number;
  readonly view: number;
}

interface Seen {
  commit: number;
  /** Records that a crash could still take. */
  unsynced: number;
  isPrimary: boolean;
  /** Whether it is to be the primary of the view that it is changing to. */
  isElected: boolean;
}

/** See the top of this file. */
export class VrWatch {
  /** By op-number, as the first replica to commit each entry had it. */
  readonly #committed: (Committed | undefined)[] = [];
  readonly #primaries = new Map<string, string>();
  readonly #seen = new Map<string, Seen>();
  readonly #agentOf: ReadonlyMap<string, string>;
  readonly #world: World;
  readonly #count: Count;
  /** The latest view that any primary has begun. */
  #latest = { epoch: 0, view: 0 };
  readonly #promises: VrPromises;
  readonly #violated: (what: string) => never;

  /** @param boxes The box of each replica. */
  constructor(
    world: World,
    boxes: ReadonlyMap<string, string>,
    count: Count,
    violated: (what: string) => never,
  ) {
    this.#world = world;
    this.#agentOf = new Map([...boxes].map(([agent, box]) => [box, agent]));
    this.#count = count;
    this.#violated = violated;
    this.#promises = new VrPromises((agent) => this.replica(agent), violated);
    world.observe((event) => this.#see(event));
  }

  /** The state of a replica that runs. */
  replica(agent: string): ReplicaState | undefined {
    const inspected = this.#world.inspect(agent);
    return inspected?.status === "running" ? inspected.state as ReplicaState : undefined;
  }

  /** All replicas and spares. */
  get agents(): readonly string[] {
    return [...this.#agentOf.values()];
  }

  /** How many operations have been committed anywhere. */
  get committedOps(): number {
    return this.#committed.length;
  }

  #see(event: WorldEvent): void {
    if (event.kind === "mail") this.#promises.hear(event);
    else if (event.kind === "disk" && event.bytesMax === "lost") {
      this.#promises.forget(this.#agentOf.get(event.box) ?? "", event.atUs);
    }
    const box = event.kind === "mail" ? event.to : "box" in event ? event.box : undefined;
    const agent = box === undefined ? undefined : this.#agentOf.get(box);
    if (agent === undefined) return;
    const seen = this.#seen.get(agent);
    if (event.kind === "crash") {
      if (seen?.isPrimary) this.#count("crash.primary");
      if (seen?.isElected) this.#count("crash.elected primary in a view change");
      this.#seen.delete(agent);
      return;
    }
    // The notes of a step come before what it appends, whose count would be too low.
    if (event.kind === "note") {
      if (event.note.event === "vr.lease_read") this.#judgeRead(agent);
      return;
    }
    if (seen !== undefined && event.kind === "append") seen.unsynced++;
    if (seen !== undefined && event.kind === "sync") seen.unsynced -= event.records;
    const state = this.replica(agent);
    if (state !== undefined) this.#look(agent, state);
  }

  /** Looks at all replicas as they are now. */
  look(): void {
    for (const agent of this.agents) {
      const state = this.replica(agent);
      if (state !== undefined) this.#look(agent, state);
    }
  }

  #look(agent: string, state: ReplicaState): void {
    const { durable } = state;
    let seen = this.#seen.get(agent);
    if (seen === undefined) {
      seen = { commit: durable.base, unsynced: 0, isPrimary: false, isElected: false };
      this.#seen.set(agent, seen);
    }
    const chosen = vrRules.primaryOf(durable.replicas, state.view) === agent;
    seen.isElected = chosen && state.status === "viewChange";
    seen.isPrimary = chosen && state.status === "normal";
    // A group of one is a quorum by itself: what it commits in memory, a crash may take before anybody knows.
    const alone = durable.replicas.length === 1 || durable.old.length === 1;
    if (alone && seen.unsynced > 0) return;
    this.#compareLog(agent, state, seen);
    if (seen.isPrimary) this.#judgePrimary(agent, state);
  }

  #compareLog(agent: string, state: ReplicaState, seen: Seen): void {
    const { durable, commit, view } = state;
    for (let op = Math.max(seen.commit, durable.base) + 1; op <= commit; op++) {
      const entry = JSON.stringify(entryAt(durable, op));
      const known = this.#committed[op];
      if (known === undefined) this.#committed[op] = { entry, epoch: durable.epoch, view };
      else if (known.entry !== entry) {
        this.#violated(`${agent} commits ${entry} as op ${op}, which was ${known.entry}`);
      }
    }
    seen.commit = Math.max(seen.commit, commit);
  }

  #judgePrimary(agent: string, { durable, view }: ReplicaState): void {
    const key = `epoch ${durable.epoch} view ${view}`;
    const known = this.#primaries.get(key);
    if (known === agent) return;
    if (known !== undefined) this.#violated(`${agent} and ${known} are both primary in ${key}`);
    this.#primaries.set(key, agent);
    const latest = this.#latest;
    if (durable.epoch > latest.epoch || (durable.epoch === latest.epoch && view > latest.view)) {
      this.#latest = { epoch: durable.epoch, view };
    }
    // Section 4.2: what was committed in an earlier view is in the log of every later one.
    for (let op = this.#committed.length - 1; op > durable.base; op--) {
      const known = this.#committed[op];
      if (known === undefined) continue;
      const isEarlier = known.epoch < durable.epoch ||
        (known.epoch === durable.epoch && known.view < view);
      if (isEarlier && JSON.stringify(entryAt(durable, op)) !== known.entry) {
        this.#violated(`${agent} begins ${key} without op ${op}, ${known.entry}`);
      }
    }
  }

  /** Section 6.3: while a primary may read alone, no later view begins. In true time, which no replica knows. */
  #judgeRead(agent: string): void {
    const state = this.replica(agent);
    if (state === undefined) return;
    const { durable: { epoch }, view } = state;
    const latest = this.#latest;
    if (latest.epoch > epoch || (latest.epoch === epoch && latest.view > view)) {
      this.#violated(
        `${agent} answers a read alone in epoch ${epoch} view ${view}, but epoch ${latest.epoch} ` +
          `view ${latest.view} has begun`,
      );
    }
  }

  /** The configuration of the latest epoch that anybody up knows, without those that have lost the disk since. */
  members(): readonly string[] {
    let latest: ReplicaState | undefined;
    for (const agent of this.agents) {
      const state = this.replica(agent);
      if (state !== undefined && state.durable.epoch >= (latest?.durable.epoch ?? 0)) {
        latest = state;
      }
    }
    return latest?.durable.replicas.filter(({ agent, incarnation }) =>
      (this.replica(agent)?.durable.incarnation ?? incarnation) === incarnation
    ).map(({ agent }) => agent) ?? [];
  }

  /** Whether these replicas take part, and have executed the same. */
  agree(agents: readonly string[]): boolean {
    const states = agents.map((agent) => this.replica(agent));
    const [first] = states;
    return first !== undefined &&
      states.every((state) =>
        state !== undefined && state.status === "normal" &&
        state.commit === opNumber(state.durable) && state.commit === first.commit &&
        state.durable.epoch === first.durable.epoch
      );
  }

  /** Fails unless these replicas have the same replicated state. */
  requireEqual(agents: readonly string[]): void {
    const [first, ...others] = agents.map((agent) => encodeData(this.replica(agent)?.application));
    const index = others.findIndex((state) => state !== first);
    if (index >= 0) {
      this.#violated(
        `${agents[0]} and ${
          agents[index + 1]
        } have executed the same log, and have different states`,
      );
    }
  }

  /** Fails if one of these replicas has executed a request twice. Says whether that could be judged. */
  requireOnce(agents: readonly string[], machine: AnyMachine): boolean {
    const [agent = ""] = agents;
    const replica = this.replica(agent);
    if (replica?.application === undefined) return false;
    const log: Entry[] = [];
    for (let op = 1; op <= replica.commit; op++) {
      const known = this.#committed[op];
      // Nobody was seen when this was committed.
      if (known === undefined) return false;
      log.push(entrySchema.parse(JSON.parse(known.entry)));
    }
    const twice = findExecutedTwice(log, replica.application.state, machine);
    if (twice !== undefined) this.#violated(`on ${agent}, ${twice}`);
    return true;
  }

  /**
   * Whether the group can do without the disk of an agent: a majority has all of the log, and no reconfiguration is on
   * its way. What a box that is down has on its disk cannot be seen, so all must be up.
   */
  mayLose(agent: string): boolean {
    const states = new Map(this.agents.map((each) => [each, this.replica(each)]));
    let latest: ReplicaState | undefined;
    for (const state of states.values()) {
      if (state === undefined) return false;
      if (state.durable.epoch >= (latest?.durable.epoch ?? 0)) latest = state;
    }
    if (latest === undefined) return false;
    const { epoch, replicas } = latest.durable;
    const whole = replicas.filter((member) => {
      const durable = states.get(member.agent)?.durable;
      return member.agent !== agent && durable !== undefined && durable.epoch === epoch &&
        durable.incarnation === member.incarnation && durable.complete;
    });
    const isChanging = [...states.values()].some((state) =>
      state?.durable.log.some(({ command }) =>
        command.kind === "reconfigure" && command.epoch >= epoch
      )
    );
    return !isChanging && whole.length > replicas.length / 2;
  }
}
