// Nodes that compete for a lease, and people who let them acquire and release it: at most one owner at any true time,
// whatever goes wrong but clocks that jump.

import { leaseNode } from "../../agents/lease/node.ts";
import { leaseRules } from "../../agents/lease/rules.ts";
import type { AgentDefinition } from "../../core/define.ts";
import { randomInteger } from "../../core/random.ts";
import { type PlainAgent, plainGrid } from "../plain_grid.ts";
import {
  defineScenario,
  type Exposure,
  type Scenario,
  type Sizes,
  type Stage,
} from "../scenario.ts";
import type { WorldEvent } from "../world_event.ts";
import { LeaseStory, type LeaseTimes } from "./lease_story.ts";
import { LeaseWatch } from "./lease_watch.ts";

/** How wrong clocks may be, by the size `drift`. The most is far more than any clock is, so that it shows. */
const driftsPpm = [0, 10_000, 50_000, 100_000] as const;

const sizes = {
  nodes: [3, 7],
  /** How many want the lease from their start on. */
  contenders: [2, 7],
  lease: [20, 200],
  /** By how much the longest lease is longer than the lease. */
  spare: [0, 50],
  /** When the owner asks again, in hundredths of the lease: in some runs it is too late, and all compete each time. */
  renew: [20, 130],
  round: [10, 300],
  /** Longer than a round on links that nothing is wrong with: shorter, and rivals thwart each other again and again. */
  retry: [8, 30],
  requests: [0, 60],
  drift: [0, 3],
} as const;

type LeaseSizes = Sizes<keyof typeof sizes>;

/** The longest that mail takes in any weather. */
const latencyMsMax = 4000;

const boxOf = (agent: string) => `box_${agent}`;

function agentsOf({ nodes }: Pick<LeaseSizes, "nodes">): string[] {
  return Array.from({ length: nodes }, (_, index) => `n${index + 1}`);
}

function timesOf({ lease, spare, round, retry, drift }: LeaseSizes): LeaseTimes {
  return {
    leaseMs: lease,
    maxLeaseMs: lease + spare,
    roundMs: round,
    retryMs: retry,
    clockDriftPpm: driftsPpm[drift] ?? 0,
  };
}

function leaseGrid(sizes: LeaseSizes) {
  const nodes = agentsOf(sizes);
  const agents: Record<string, PlainAgent> = {};
  const renewMs = Math.ceil(sizes.lease * sizes.renew / 100);
  for (const [index, id] of nodes.entries()) {
    const attrs = { nodes, ...timesOf(sizes), renewMs, wants: index < sizes.contenders };
    agents[id] = { type: "lease_node", box: boxOf(id), attrs };
  }
  return plainGrid(agents);
}

function exposure(sizes: LeaseSizes): Exposure {
  const boxes = agentsOf(sizes).map(boxOf);
  return {
    quorum: { boxes, size: leaseRules.majority(boxes.length) },
    ambushes: [
      "lease.accepted",
      "lease.acquired",
      "lease.renewed",
      "lease.expired",
      "lease.released",
    ],
  };
}

/** People who let the owner release the lease, and some node acquire it: now and then the very same, at once. */
function typeRequests(
  { world, random, sizes, safetyMs }: Stage<keyof LeaseSizes>,
  watch: LeaseWatch,
): void {
  const agents = agentsOf(sizes);
  for (let request = 0; request < sizes.requests; request++) {
    const drawn = agents[randomInteger(random, 0, agents.length - 1)] ?? "n1";
    const atMs = randomInteger(random, 0, Math.floor(safetyMs));
    const pauseMs = randomInteger(random, 0, random() < 0.5 ? 5 : sizes.lease);
    const isOwner = random() < 0.8;
    world.at(atMs, () => {
      const agent = isOwner ? watch.owner(agents) ?? drawn : drawn;
      world.line(agent, "release");
      world.at(atMs + pauseMs, () => world.line(agent, "acquire"));
    });
  }
}

/** Lets clocks be wrong, in half of all runs as wrong as they may be, and counts when that matters most. */
function drift({ world, count, random }: Stage<keyof LeaseSizes>, ppmMax: number): void {
  const isAtBound = random() < 0.5;
  const drifts = new Map<string, number>();
  for (const box of world.grid.boxes) {
    const sign = random() < 0.5 ? 1 : -1;
    const ppm = sign * (isAtBound ? ppmMax : randomInteger(random, 0, ppmMax));
    world.driftClock(box, ppm);
    drifts.set(box, ppm);
  }
  world.observe((event) => {
    if (event.kind !== "note" || event.note.event !== "lease.acquired") return;
    const isSlow = ppmMax > 0 && drifts.get(event.box) === -ppmMax;
    if (isSlow && [...drifts.values()].includes(ppmMax)) count("drift at the bound");
  });
}

/**
 * Calls `arrived` once all mail has met its fate that is on its way now: it may be as late as it likes, and what is sent
 * after it on the same link comes after it.
 */
function awaitMail({ world }: Pick<Stage<keyof LeaseSizes>, "world">, arrived: () => void): void {
  const { sent, delivered, lost, cut, down, unsent } = world.mail;
  let left = sent - delivered - lost - cut - down - unsent;
  const nowUs = Math.round(1000 * world.now);
  const see = (event?: WorldEvent) => {
    if (event?.kind === "mail" && event.sentAtUs <= nowUs) left--;
    else if (event !== undefined) return;
    if (left !== 0) return;
    left = -1;
    // Mail that a crash took back keeps its link as long as it would have taken.
    if (unsent === 0) arrived();
    else world.at(Math.max(world.now, nowUs / 1000 + latencyMsMax), arrived);
  };
  world.observe(see);
  see();
}

/**
 * The scenario `lease`, with the node that it is about.
 *
 * @param node A test gives one that is broken, to see whether it is found out.
 * @param ownersOnly See `LeaseWatchOptions`.
 */
export function leaseScenarioOf(node: AgentDefinition, ownersOnly = false): Scenario {
  return defineScenario({
    name: "lease",
    doc: "PaxosLease: at most one owner at any true time, and a new one soon after one is killed.",
    sizes,
    grid: leaseGrid,
    definitions: [node],
    exposure,
    // The paper, like every lease, measures how long something lasts by clocks that only drift. An acceptor whose clock
    // jumps forward ends a lease that its owner counts on, and no bound on the drift covers that. How much clocks drift
    // is a size here, since the nodes are told of it.
    spares: ["jump", "drift"],
    play(stage) {
      const { world, sizes, count, violated } = stage;
      const agents = new Map(agentsOf(sizes).map((agent) => [boxOf(agent), agent]));
      const watch = new LeaseWatch({ world, agents, count, violated, ownersOnly });
      const times = timesOf(sizes);
      const story = new LeaseStory({ world, watch, times, nodes: agents.size, count, boxOf });
      drift(stage, times.clockDriftPpm);
      typeRequests(stage, watch);
      return {
        committed: () => watch.acquired,
        done: () => story.ended,
        healed(core) {
          // Who stands still for ever is gone, and so is the mail that waits for it.
          for (const box of agents.keys()) {
            if (!core.includes(box) && world.isUp(box) && world.isPaused(box)) world.crash(box);
          }
          const nodes = [...agents].filter(([box]) => core.includes(box)).map(([, agent]) => agent);
          // Boxes that start now send at this very moment, which cannot be told from what was sent before.
          world.at(world.now + 1.037, () => awaitMail(stage, () => story.tell(nodes)));
        },
      };
    },
    sometimes: [
      "note.lease.acquired",
      "note.lease.renewed",
      "note.lease.expired",
      "note.lease.released",
      "note.lease.preempted",
      "owner killed",
      "owner in the minority",
      "restarted acceptor sat out",
      "drift at the bound",
      "quorum.gone",
      "fault.kill",
      "fault.powerCut",
      "fault.ambush",
      "fault.partition",
      "fault.oneWay",
      "fault.pause",
      "fault.slow",
      "fault.clog",
      "fault.duplicate",
      "fault.reorder",
    ],
  });
}

/** The built-in scenario `lease`. */
export const leaseScenario: Scenario = leaseScenarioOf(leaseNode);
