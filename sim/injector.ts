// Carries out a schedule of faults on a world, heals it in the end, and counts what has really bitten: a fault that
// finds its box down, or a cut that nobody wanted to pass, proves nothing.

import { type Random, randomInteger } from "../core/random.ts";
import type { FaultAct, FaultStep } from "./fault_schedule.ts";
import { QuorumWatch } from "./quorum_watch.ts";
import type { World } from "./world.ts";
import type { WorldEvent } from "./world_event.ts";

/** A set of boxes of which so many must be up and connected. */
export interface Quorum {
  readonly boxes: readonly string[];
  readonly size: number;
}

/** Counts something that has happened. */
export type Count = (mark: string, by?: number) => void;

interface Ambush {
  readonly step: FaultStep;
  readonly act: Extract<FaultAct, { kind: "ambush" }>;
}

/** The hand behind the faults of a run. */
export class Injector {
  readonly #world: World;
  readonly #count: Count;
  readonly #victims: ReadonlySet<string>;
  /** How many steps under way cut each link, which is whole again when the last of them ends. */
  readonly #cuts = new Map<string, number>();
  /** The step for which a box is down, or stands still. */
  readonly #downFor = new Map<string, number>();
  readonly #pausedFor = new Map<string, number>();
  /** The partitions under way, and how much mail had been cut off before each. */
  readonly #partings = new Map<FaultStep, number>();
  #ambushes: Ambush[] = [];
  #over = false;
  /** Whether the disk of a box may be lost now. */
  mayLose: (box: string) => boolean = () => true;

  /** @param victims The boxes that may fail by themselves. */
  constructor(world: World, victims: readonly string[], quorum: Quorum | undefined, count: Count) {
    this.#world = world;
    this.#victims = new Set(victims);
    this.#count = count;
    world.observe((event) => this.#see(event));
    if (quorum !== undefined) {
      const watch = new QuorumWatch(quorum, () => count("quorum.gone"));
      world.observe((event) => watch.see(event));
    }
  }

  /** Lets each step begin and end in its time; those of boxes that the world does not have are left out. */
  plan(steps: readonly FaultStep[]): void {
    for (const step of steps) {
      if (boxesOf(step.act).every((box) => this.#has(box))) {
        this.#at(step.atUs, () => this.#begin(step));
      }
    }
  }

  #has(box: string): boolean {
    return this.#world.grid.boxes.some((each) => each === box);
  }

  #at(us: number, act: () => void): void {
    this.#world.at(Math.max(us / 1000, this.#world.now), () => {
      if (!this.#over) act();
    });
  }

  #end(step: FaultStep, undo: () => void): void {
    this.#at(1000 * this.#world.now + step.forUs, undo);
  }

  #begin(step: FaultStep): void {
    const { act } = step;
    switch (act.kind) {
      case "kill":
      case "powerCut":
      case "lostDisk":
        return this.#crash(step, act.kind, act.box);
      case "ambush":
        this.#ambushes.push({ step, act });
        return;
      case "fullDisk":
        this.#world.limitDisk(act.box, act.roomBytes);
        return this.#end(step, () => {
          this.#world.limitDisk(act.box, Infinity);
          if (!this.#downFor.has(act.box)) this.#restart(act.box);
        });
      case "pause":
        return this.#pause(step, act.box);
      case "slow":
        this.#count("fault.slow");
        this.#world.slow(act.box, act.stepUs / 1000, act.diskSlowness);
        return this.#end(step, () => this.#world.slow(act.box, 0));
      case "partition":
        return this.#part(step, act.boxes);
      case "oneWay":
        return this.#part(step, act.boxes, act.way);
      case "clog":
        this.#count("fault.clog");
        this.#world.clog(act.from, act.to, act.intervalUs / 1000);
        return this.#end(step, () => this.#world.clog(act.from, act.to, 0));
      case "jump":
        this.#count("fault.jump");
        return this.#world.jumpClock(act.box, act.byUs / 1000);
    }
  }

  #crash(step: FaultStep, kind: "kill" | "powerCut" | "lostDisk" | "ambush", box: string): void {
    if (!this.#world.isUp(box) || (kind === "lostDisk" && !this.mayLose(box))) return;
    this.#count(`fault.${kind}`);
    this.#world.crash(box, kind === "kill" ? "written" : "synced");
    if (kind === "lostDisk") this.#world.loseDisk(box);
    this.#downFor.set(box, step.id);
    this.#end(step, () => {
      if (this.#downFor.get(box) === step.id) this.#restart(box);
    });
  }

  #restart(box: string): void {
    this.#downFor.delete(box);
    if (!this.#world.isUp(box)) this.#world.start(box);
  }

  #pause(step: FaultStep, box: string): void {
    if (!this.#world.isUp(box) || this.#world.isPaused(box)) return;
    this.#count("fault.pause");
    this.#world.pause(box);
    this.#pausedFor.set(box, step.id);
    this.#end(step, () => {
      // A crash in between has ended the pause, and another may have begun.
      if (this.#pausedFor.get(box) === step.id && this.#world.isPaused(box)) {
        this.#world.resume(box);
      }
    });
  }

  #part(step: FaultStep, inside: readonly string[], way: "both" | "in" | "out" = "both"): void {
    const outside = this.#world.grid.boxes.filter((box) => !inside.includes(box));
    const links: [string, string][] = [];
    for (const a of inside) {
      for (const b of outside) {
        if (way !== "in") links.push([a, b]);
        if (way !== "out") links.push([b, a]);
      }
    }
    this.#partings.set(step, this.#world.mail.cut);
    for (const [from, to] of links) this.#cut(from, to, 1);
    this.#end(step, () => {
      this.#countParting(step);
      for (const [from, to] of links) this.#cut(from, to, -1);
    });
  }

  /** A cut that nobody wanted to pass does not count. */
  #countParting(step: FaultStep): void {
    const before = this.#partings.get(step) ?? Infinity;
    if (this.#world.mail.cut > before) {
      this.#count(step.act.kind === "ambush" ? "fault.ambush.cut" : `fault.${step.act.kind}`);
    }
    this.#partings.delete(step);
  }

  #cut(from: string, to: string, by: number): void {
    const key = `${from} ${to}`;
    const count = (this.#cuts.get(key) ?? 0) + by;
    this.#cuts.set(key, count);
    if (count > 0) this.#world.cut(from, to, { oneWay: true });
    else this.#world.heal(from, to, { oneWay: true });
  }

  #see(event: WorldEvent): void {
    if (event.kind === "crash" && event.why === "its disk is full") this.#count("fault.fullDisk");
    if (this.#ambushes.length === 0 || this.#over) return;
    const name = event.kind === "note" ? event.note.event : event.kind;
    const index = this.#ambushes.findIndex(({ act }) => act.at === name);
    const ambush = this.#ambushes[index];
    if (ambush === undefined || !("box" in event) || !this.#victims.has(event.box)) return;
    this.#ambushes.splice(index, 1);
    const { box } = event;
    const atUs = Math.round(1000 * this.#world.now) + ambush.act.delayUs;
    const { step, act: { boxes } } = ambush;
    this.#at(atUs, () => {
      if (boxes === undefined) this.#crash(step, "ambush", box);
      else this.#part(step, [...new Set([box, ...boxes.filter((each) => this.#has(each))])]);
    });
  }

  /** Ends all faults among `core`. The others are cut off from it for ever, or stay down or still. */
  heal(core: readonly string[]): void {
    this.#over = true;
    for (const step of [...this.#partings.keys()]) this.#countParting(step);
    const world = this.#world;
    for (const a of core) {
      for (const b of core) {
        if (a === b) continue;
        world.heal(a, b, { oneWay: true });
        world.clog(a, b, 0);
        world.calm(a, b);
      }
    }
    for (const box of world.grid.boxes) {
      if (!core.includes(box)) { for (const other of core) world.cut(box, other); }
    }
    for (const box of core) {
      world.limitDisk(box, Infinity);
      world.slow(box, 0);
      if (!world.isUp(box)) world.start(box);
      else if (world.isPaused(box)) world.resume(box);
    }
  }
}

/** A random set of boxes that holds a quorum, and every box that is not one of its voters. */
export function drawCore(
  random: Random,
  boxes: readonly string[],
  quorum: Quorum | undefined,
): string[] {
  if (quorum === undefined) return [...boxes];
  const voters = quorum.boxes.filter((box) => boxes.includes(box));
  for (let spared = randomInteger(random, 0, voters.length - quorum.size); spared > 0; spared--) {
    voters.splice(randomInteger(random, 0, voters.length - 1), 1);
  }
  return boxes.filter((box) => voters.includes(box) || !quorum.boxes.includes(box));
}

function boxesOf(act: FaultAct): readonly string[] {
  if (act.kind === "clog") return [act.from, act.to];
  if (act.kind === "partition" || act.kind === "oneWay") return act.boxes;
  return act.kind === "ambush" ? [] : [act.box];
}
