// The faults of a run that have a beginning and an end, as data: so that a run can be repeated without some of them,
// and the story of a failure told by those that it needs.

import type { FaultKind } from "../core/config/fault_kinds.ts";
import type { Random } from "../core/random.ts";
import { randomInteger } from "../core/random.ts";
import { drawDelay } from "./chance.ts";
import { faultRandom, type Weather } from "./swarm.ts";
import { formatMs } from "./world_event.ts";

/** What happens at a step of a schedule. */
export type FaultAct =
  /** A crash, and a restart at the end of the step. */
  | { readonly kind: "kill" | "powerCut" | "lostDisk"; readonly box: string }
  /**
   * A crash of whichever box is the first, after the beginning of the step, to append a record, to sync, or to note
   * something; `delayUs` later. It restarts after as long as the step lasts. With `boxes` it is not crashed, but cut
   * off together with them.
   */
  | {
    readonly kind: "ambush";
    readonly at: string;
    readonly delayUs: number;
    readonly boxes?: readonly string[];
  }
  | { readonly kind: "fullDisk"; readonly box: string; readonly roomBytes: number }
  | { readonly kind: "pause"; readonly box: string }
  | {
    readonly kind: "slow";
    readonly box: string;
    readonly stepUs: number;
    readonly diskSlowness: number;
  }
  | { readonly kind: "partition"; readonly boxes: readonly string[] }
  /** `in`: these boxes are not reached by the others; `out`: they do not reach them. */
  | { readonly kind: "oneWay"; readonly boxes: readonly string[]; readonly way: "in" | "out" }
  | {
    readonly kind: "clog";
    readonly from: string;
    readonly to: string;
    readonly intervalUs: number;
  }
  | { readonly kind: "jump"; readonly box: string; readonly byUs: number };

/** A fault with a beginning and an end. */
export interface FaultStep {
  /** From 1, in the order of beginning. */
  readonly id: number;
  readonly atUs: number;
  readonly forUs: number;
  readonly act: FaultAct;
}

/** Where and when faults may happen. */
export interface FaultScene {
  readonly fromUs: number;
  readonly untilUs: number;
  readonly boxes: readonly string[];
  /** Those that may fail by themselves; default: all. */
  readonly victims: readonly string[];
  /** Whose disks may be lost, and how many of them in one run. */
  readonly disks: { readonly boxes: readonly string[]; readonly max: number };
  /** What boxes append, sync or note that is worth a crash: `append`, `sync`, or the name of a note. */
  readonly ambushes: readonly string[];
}

type Draw = (random: Random, scene: FaultScene) => FaultAct | undefined;

/** How many steps of one kind a run has, at most: some runs are stormy. */
const stepsMax = 5;
const stormyStepsMax = 20;

const drawActs: { readonly [K in FaultKind]?: Draw } = {
  clog(random, { boxes }) {
    const [from, to] = [pick(random, boxes), pick(random, boxes)];
    if (from === undefined || to === undefined || from === to) return undefined;
    return { kind: "clog", from, to, intervalUs: randomInteger(random, 500, 50_000) };
  },
  partition(random, { boxes }) {
    const some = pickSome(random, boxes);
    return some && { kind: "partition", boxes: some };
  },
  oneWay(random, { boxes }) {
    const some = pickSome(random, boxes);
    return some && { kind: "oneWay", boxes: some, way: random() < 0.5 ? "in" : "out" };
  },
  pause: (random, scene) => at(random, scene, (box) => ({ kind: "pause", box })),
  slow: (random, scene) =>
    at(random, scene, (box) => ({
      kind: "slow",
      box,
      stepUs: drawDelay(random, { minUs: 100, maxUs: 20_000, heavyTail: true }),
      diskSlowness: randomInteger(random, 1, 50),
    })),
  kill: (random, scene) => at(random, scene, (box) => ({ kind: "kill", box })),
  powerCut: (random, scene) => at(random, scene, (box) => ({ kind: "powerCut", box })),
  fullDisk: (random, scene) =>
    at(random, scene, (box) => ({
      kind: "fullDisk",
      box,
      roomBytes: random() < 0.5 ? 0 : randomInteger(random, 1, 1000),
    })),
  jump: (random, scene) =>
    at(random, scene, (box) => ({
      kind: "jump",
      box,
      byUs: drawDelay(random, { minUs: 1_000, maxUs: 10_000_000, heavyTail: true }),
    })),
  ambush(random, { ambushes, boxes: all }) {
    const at = pick(random, ambushes);
    if (at === undefined) return undefined;
    const delayUs = random() < 0.5 ? 0 : randomInteger(random, 1, 3_000);
    const boxes = random() < 0.5 ? pickSome(random, all) : undefined;
    return { kind: "ambush", at, delayUs, ...boxes === undefined ? {} : { boxes } };
  },
};

/** The schedule that a seed makes of its weather, in the order of time. */
export function drawSchedule(seed: bigint, weather: Weather, scene: FaultScene): FaultStep[] {
  const steps: Omit<FaultStep, "id">[] = [];
  const lengthUs = scene.untilUs - scene.fromUs;
  for (const kind of weather.faults) {
    const random = faultRandom(seed, kind);
    const draw = drawActs[kind];
    const most = random() < 0.25 ? stormyStepsMax : stepsMax;
    const count = draw === undefined ? 0 : randomInteger(random, 1, most);
    for (let step = 0; step < count; step++) {
      const act = draw?.(random, scene);
      if (act !== undefined) steps.push(timed(random, scene, lengthUs, act));
    }
    if (kind === "lostDisk") {
      for (const box of drawLosses(random, scene)) {
        steps.push(timed(random, scene, lengthUs, { kind, box }));
      }
    }
  }
  steps.sort((a, b) => a.atUs - b.atUs);
  return steps.map((step, index) => ({ id: index + 1, ...step }));
}

function timed(
  random: Random,
  { fromUs, untilUs }: FaultScene,
  lengthUs: number,
  act: FaultAct,
): Omit<FaultStep, "id"> {
  return {
    atUs: randomInteger(random, fromUs, untilUs),
    forUs: drawLength(random, lengthUs),
    act,
  };
}

/** Mostly far shorter than the safety phase, or about as long as time-outs are, or anything. */
function drawLength(random: Random, lengthUs: number): number {
  const [minUs, maxUs] = [1_000, Math.max(1_000, lengthUs)];
  switch (randomInteger(random, 0, 2)) {
    case 0:
      return drawDelay(random, { minUs, maxUs, heavyTail: true });
    case 1:
      return randomInteger(random, minUs, Math.max(minUs, Math.floor(lengthUs / 8)));
    default:
      return randomInteger(random, minUs, maxUs);
  }
}

function drawLosses(random: Random, { disks }: FaultScene): string[] {
  const left = [...disks.boxes];
  const lost: string[] = [];
  for (let count = disks.max > 0 ? randomInteger(random, 1, disks.max) : 0; count > 0; count--) {
    lost.push(...left.splice(randomInteger(random, 0, left.length - 1), 1));
  }
  return lost;
}

function at(
  random: Random,
  { victims }: FaultScene,
  act: (box: string) => FaultAct,
): FaultAct | undefined {
  const box = pick(random, victims);
  return box === undefined ? undefined : act(box);
}

function pick(random: Random, among: readonly string[]): string | undefined {
  return among[randomInteger(random, 0, among.length - 1)];
}

/** Some boxes and not all, each number of them as likely as any other. */
function pickSome(random: Random, boxes: readonly string[]): string[] | undefined {
  if (boxes.length < 2) return undefined;
  const left = [...boxes];
  const some: string[] = [];
  for (let count = randomInteger(random, 1, boxes.length - 1); count > 0; count--) {
    some.push(...left.splice(randomInteger(random, 0, left.length - 1), 1));
  }
  return some.sort();
}

/** A step as a line. */
export function formatStep({ id, atUs, forUs, act }: FaultStep): string {
  return `${String(id).padStart(3)}  ${formatMs(atUs).padStart(10)} ms  ${describeAct(act)}${
    act.kind === "jump" ? "" : `, for ${formatMs(forUs)} ms`
  }`;
}

function describeAct(act: FaultAct): string {
  switch (act.kind) {
    case "kill":
      return `${act.box} is killed`;
    case "powerCut":
      return `${act.box} loses its power`;
    case "lostDisk":
      return `${act.box} loses its disk`;
    case "ambush":
      return `the next box at "${act.at}" ${
        act.boxes === undefined
          ? "loses its power"
          : `is cut off from all but ${act.boxes.join(", ")}`
      } ${act.delayUs} us later`;
    case "fullDisk":
      return `the disk of ${act.box} has room for ${act.roomBytes} bytes`;
    case "pause":
      return `${act.box} stands still`;
    case "slow":
      return `${act.box} takes ${act.stepUs} us a step`;
    case "partition":
      return `${act.boxes.join(", ")} cut off from the others`;
    case "oneWay":
      return act.way === "in"
        ? `${act.boxes.join(", ")} not reached by the others`
        : `the others not reached by ${act.boxes.join(", ")}`;
    case "clog":
      return `the link ${act.from} -> ${act.to} takes ${act.intervalUs} us a message`;
    case "jump":
      return `the clock of ${act.box} jumps by ${formatMs(act.byUs)} ms`;
  }
}
