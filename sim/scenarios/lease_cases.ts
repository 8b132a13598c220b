// A lease of three, five and seven nodes in four cases that do not depend on what a seed draws: all is well, the owner
// is killed, it is killed and starts again, and the same while one in five messages is lost each way. Each has an exact
// verdict.

import { leaseNode } from "../../agents/lease/node.ts";
import { leaseRules } from "../../agents/lease/rules.ts";
import type { AgentDefinition } from "../../core/define.ts";
import { OvidError } from "../../core/error.ts";
import { type PlainAgent, plainGrid } from "../plain_grid.ts";
import { defineScenario, type Scenario, type Stage } from "../scenario.ts";
import { faultNames } from "../../core/config/fault_kinds.ts";
import { LeaseWatch } from "./lease_watch.ts";

const times = { leaseMs: 300, maxLeaseMs: 300, renewMs: 100, roundMs: 30, retryMs: 10 };

/**
 * How many rounds a takeover may take; a round is the longest attempt, once all nodes have had their turn to ask. With so
 * much lost most attempts come to nothing.
 */
const rounds = { lossless: 1, lossy: 20 } as const;

/** For how long nothing must change once there is an owner. */
const quietMs = 10 * times.leaseMs;

const boxOf = (agent: string) => `box_${agent}`;

interface Case {
  readonly doc: string;
  readonly kills: boolean;
  readonly restarts: boolean;
  /** The share of messages that is lost on each link. */
  readonly loss: number;
}

const cases: Readonly<Record<string, Case>> = {
  normal: { doc: "one gets the lease and keeps it", kills: false, restarts: false, loss: 0 },
  kill: {
    doc: "the owner is killed, and another one follows",
    kills: true,
    restarts: false,
    loss: 0,
  },
  restart: {
    doc: "the owner is killed, another one follows, and the first votes again",
    kills: true,
    restarts: true,
    loss: 0,
  },
  drop: {
    doc: "the same while a fifth of all messages is lost each way",
    kills: true,
    restarts: true,
    loss: 0.2,
  },
};

function nodesOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `n${index + 1}`);
}

function caseGrid(nodes: readonly string[]) {
  const agents: Record<string, PlainAgent> = {};
  for (const id of nodes) {
    agents[id] = { type: "lease_node", box: boxOf(id), attrs: { nodes: [...nodes], ...times } };
  }
  return plainGrid(agents);
}

/** What happens in a case, a line at a time, on the clock of the world. */
class Telling {
  readonly watch: LeaseWatch;
  ended = false;
  readonly #stage: Stage<"nodes">;
  readonly #case: Case;
  readonly #nodes: readonly string[];
  #killed: string | undefined;

  constructor(stage: Stage<"nodes">, told: Case) {
    const { world, count, violated, sizes } = stage;
    this.#stage = stage;
    this.#case = told;
    this.#nodes = nodesOf(sizes.nodes);
    const agents = new Map(this.#nodes.map((agent) => [boxOf(agent), agent]));
    this.watch = new LeaseWatch({ world, agents, count, violated, ownersOnly: false });
    this.#within(times.maxLeaseMs, "an owner", () => this.#owner !== undefined, () => {
      if (told.kills) this.#kill();
      else this.#rest(1);
    });
  }

  get #owner(): string | undefined {
    return this.watch.owner(this.#nodes);
  }

  #kill(): void {
    const { world } = this.#stage;
    this.#killed = this.#owner ?? "n1";
    const killed = this.#killed;
    world.crash(boxOf(killed), "written");
    this.#within(times.leaseMs, "a new owner", () => this.#owner !== undefined, () => {
      if (this.#owner === killed) this.#stage.violated("the killed one owns the lease");
      if (!this.#case.restarts) return this.#rest(2);
      world.start(boxOf(killed));
      // It sits out one maximum lease, and is asked again within the time between two renewals.
      this.#within(
        times.maxLeaseMs + times.renewMs,
        "the killed one to vote again",
        () => this.watch.takesPart(killed),
        () => this.#rest(2),
      );
    });
  }

  /** From now on all stays as it is: so many have owned the lease, and none loses it. */
  #rest(owners: number): void {
    const { world, violated } = this.#stage;
    const owner = this.#owner;
    world.at(world.now + quietMs, () => {
      // With losses an owner may fail to renew in time, and who is next is nobody's fault.
      if (this.#case.loss === 0 && this.watch.acquired !== owners) {
        violated(`the lease got an owner ${this.watch.acquired} times, want ${owners}`);
      }
      if (this.#case.loss === 0 && this.#owner !== owner) violated(`${owner} lost its lease`);
      if (this.watch.renewed < owners) violated("the lease was never renewed");
      this.ended = true;
    });
  }

  /** Goes on with `then` when `reached`, which must be within `ms` and a round, by clocks that are right. */
  #within(ms: number, what: string, reached: () => boolean, then: () => void): void {
    const { world } = this.#stage;
    const roundMs = times.roundMs + this.#nodes.length * times.retryMs;
    const boundMs = ms + roundMs * (this.#case.loss > 0 ? rounds.lossy : rounds.lossless);
    const endMs = world.now + boundMs;
    const look = () => {
      if (reached()) return then();
      if (world.now >= endMs) {
        throw new OvidError("sim.liveness", `Waited ${boundMs} virtual ms for ${what} in vain`);
      }
      world.at(world.now + 1, look);
    };
    look();
  }
}

/**
 * A case of the lease with so many nodes: `lease-3-drop` and the like.
 *
 * @param node A test gives one that is broken, to see whether it is found out.
 */
export function leaseCaseOf(nodes: number, name: string, node: AgentDefinition): Scenario {
  const told = cases[name];
  if (told === undefined) throw new RangeError(`There is no case ${name} of a lease`);
  return defineScenario({
    name: `lease-${nodes}-${name}`,
    doc: `A lease of ${nodes} nodes: ${told.doc}.`,
    sizes: { nodes: [nodes, nodes] },
    grid: (sizes) => caseGrid(nodesOf(sizes.nodes)),
    definitions: [node],
    // Only what the case names goes wrong.
    spares: told.loss > 0 ? faultNames.filter((kind) => kind !== "loss") : faultNames,
    ...told.loss > 0 ? { loss: told.loss } : {},
    exposure: () => ({
      quorum: { boxes: nodesOf(nodes).map(boxOf), size: leaseRules.majority(nodes) },
    }),
    safetyMs: [60_000, 60_000],
    play(stage) {
      const telling = new Telling(stage, told);
      return {
        committed: () => telling.watch.acquired,
        done: () => telling.ended,
        core: () => stage.world.grid.boxes,
      };
    },
    sometimes: ["note.lease.acquired", "note.lease.renewed", ...told.kills ? ["owner killed"] : []],
  });
}

/** Every case of a lease. */
export const leaseCases: readonly Scenario[] = [3, 5, 7].flatMap((nodes) =>
  Object.keys(cases).map((name) => leaseCaseOf(nodes, name, leaseNode))
);
