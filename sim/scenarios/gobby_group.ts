// The group below Gobby in its scenario: who is watched of it, by which protocol it is kept, and who changes it.

import { drawCore } from "../injector.ts";
import type { Random } from "../../core/random.ts";
import type { Stage } from "../scenario.ts";
import { makeAdministrator } from "./administrator.ts";
import { boxOf, namesOf } from "./gobby_grid.ts";
import { PaxosWatch } from "./paxos_watch.ts";
import { VrWatch } from "./vr_watch.ts";

/** Which boxes such a group has. */
export interface GroupSizes {
  /** 3 founders, or 5. */
  readonly wide: number;
  readonly spares: number;
  /** 0 for Viewstamped Replication, 1 for Multi-Paxos. */
  readonly engine: number;
  readonly reconfigurations: number;
}

/** A group of one decides in memory, which a crash takes back: what happened could not be told. */
const membersMin = 2;

/** The boxes of the founders, and how many of them a quorum has. */
export function foundersOf({ wide }: Pick<GroupSizes, "wide">): { boxes: string[]; size: number } {
  const boxes = namesOf("s", 3 + 2 * wide).map(boxOf);
  return { boxes, size: Math.floor(boxes.length / 2) + 1 };
}

/** See the top of this file. */
export class GobbyGroup {
  readonly replicas: readonly string[];
  readonly #stage: Stage<keyof GroupSizes>;
  readonly #watch: VrWatch | PaxosWatch;
  readonly #administrator: ReturnType<typeof makeAdministrator>;
  #lost = 0;
  #core: readonly string[];

  constructor(stage: Stage<keyof GroupSizes>) {
    const { world, random, sizes, count, violated } = this.#stage = stage;
    const founders = foundersOf(sizes).boxes.length;
    const replicas = this.replicas = namesOf("r", founders + sizes.spares);
    const boxes = new Map(replicas.map((replica) => [replica, boxOfReplica(replica)]));
    const Watch = sizes.engine === 0 ? VrWatch : PaxosWatch;
    this.#watch = new Watch(world, boxes, count, violated);
    this.#core = world.grid.boxes;
    this.#administrator = makeAdministrator({
      world,
      random,
      count,
      replicas,
      boxOf: boxOfReplica,
      changes: sizes.reconfigurations,
      least: membersMin,
    });
    const spares = new Set(namesOf("s", replicas.length).slice(founders));
    world.observe((event) => {
      if (event.kind !== "note" || event.note.event !== "gobby.serves") return;
      if (spares.has(event.note.agent ?? "")) count("served by the box of a spare");
    });
  }

  /** Whether nobody is about to change it. */
  get done(): boolean {
    return this.#administrator.typist.done;
  }

  /** Whether the disk of a box may be lost without a loss of what the group has promised to keep. */
  mayLose(box: string): boolean {
    // A reconfiguration may be about to name the replica as what it was.
    if (this.#administrator.typist.waits) return false;
    const replica = this.replicas.find((each) => boxOfReplica(each) === box);
    if (replica === undefined || !this.#watch.mayLose(replica)) return false;
    this.#lost++;
    return true;
  }

  /** Which boxes are healed: in a group that has changed, the founders are not who is needed. */
  core(random: Random): readonly string[] {
    const { world, sizes } = this.#stage;
    const { boxes } = world.grid;
    if (this.#administrator.asked() > 0 || this.#lost > 0) return boxes;
    return drawCore(random, boxes, foundersOf(sizes));
  }

  /** The faults are over for these. */
  healed(core: readonly string[]): void {
    this.#core = core;
    // A new group might need those that stay away for ever.
    if (core.length < this.#stage.world.grid.boxes.length) this.#administrator.retire();
  }

  /** Whether all members that are there know the same. */
  get agrees(): boolean {
    return this.#watch.agree(this.#members());
  }

  /** Fails unless they have made the same of it. */
  conclude(): void {
    const { world, sizes, count } = this.#stage;
    const members = this.#members();
    this.#watch.requireEqual(members);
    const founders = namesOf("r", foundersOf(sizes).boxes.length);
    // Founders are the first of their incarnations, and stay so until their disks are gone.
    const isOther = (replica: string) => {
      const durable = Reflect.get(Object(world.inspect(replica)?.state), "durable");
      return Reflect.get(Object(durable), "incarnation") !== 0;
    };
    if (founders.some((replica) => members.includes(replica) && isOther(replica))) {
      count("taken in again after a lost disk");
    }
  }

  #members(): readonly string[] {
    return this.#watch.members().filter((replica) => this.#core.includes(boxOfReplica(replica)));
  }
}

/** Each replica is on the box of a server. */
function boxOfReplica(replica: string): string {
  return boxOf(replica.replace(/^r/, "s"));
}
