// What a lease owes once the faults are over, one thing after the other, each within a bound: an owner; another one
// when it is killed; the part of the one that was killed, when it has started again; another one when it is released.

import { pauseMsMax } from "../../agents/lease/proposer.ts";
import { leaseRules } from "../../agents/lease/rules.ts";
import { OvidError } from "../../core/error.ts";
import type { Count } from "../injector.ts";
import type { World } from "../world.ts";
import type { LeaseWatch } from "./lease_watch.ts";

/** The times of a lease, in milliseconds of the nodes' clocks, and by how much those may be wrong. */
export interface LeaseTimes {
  readonly leaseMs: number;
  readonly maxLeaseMs: number;
  readonly roundMs: number;
  readonly retryMs: number;
  readonly clockDriftPpm: number;
}

/** What is told to whom. */
export interface LeaseStoryOptions {
  readonly world: World;
  readonly watch: LeaseWatch;
  readonly times: LeaseTimes;
  readonly nodes: number;
  readonly count: Count;
  readonly boxOf: (agent: string) => string;
}

interface Chapter {
  readonly what: string;
  readonly withinMs: number;
  /** Whether it has come to its end. */
  readonly ended: () => boolean;
  readonly begin?: () => void;
}

/**
 * How many rounds may go by until somebody wins who is not hindered by a lease. A round is the longest attempt, once all
 * nodes have had their turn to ask. One is enough where nodes begin in peace, as the exact cases show; after the faults
 * they may begin in each other's way, and part by chance alone.
 */
const roundsMax = 2;

/** See the top of this file. */
export class LeaseStory {
  readonly #options: LeaseStoryOptions;
  #chapters: Chapter[] = [];
  #chapter: Chapter | undefined;
  #begun = false;
  /** Whether all is told. */
  ended = false;

  constructor(options: LeaseStoryOptions) {
    this.#options = options;
  }

  /** In how much true time clocks as slow as they may be have shown `ms`, rounds included in which anybody may win. */
  boundMs(ms: number): number {
    const { times: { roundMs, retryMs, clockDriftPpm }, nodes } = this.#options;
    return (ms + roundsMax * (roundMs + nodes * retryMs)) / (1 - clockDriftPpm / 1_000_000);
  }

  /** Begins the story, among these nodes. */
  tell(agents: readonly string[]): void {
    this.#chapters = this.#write(agents);
    this.#next();
    this.#options.world.observe(() => this.#look());
  }

  #write(agents: readonly string[]): Chapter[] {
    const { world, watch, times: { leaseMs, maxLeaseMs, retryMs }, nodes, boxOf, count } =
      this.#options;
    const isSpare = agents.length > leaseRules.majority(nodes);
    let first: string | undefined;
    const successor = () => {
      const owner = watch.owner(agents);
      return owner !== undefined && owner !== first;
    };
    return [
      {
        what: "an owner",
        // The faults may have left some in the longest pause after having been thwarted.
        withinMs: this.boundMs(maxLeaseMs + pauseMsMax(retryMs)),
        begin: () => {
          for (const agent of agents) world.line(agent, "acquire");
        },
        ended: () => watch.owner(agents) !== undefined,
      },
      {
        what: "a new owner after the old one was killed",
        // A majority that needs the one that was killed has to wait until it votes again.
        withinMs: this.boundMs(isSpare ? leaseMs : maxLeaseMs),
        begin: () => {
          first = watch.owner(agents);
          if (first === undefined) return;
          const box = boxOf(first);
          world.crash(box, "written");
          // Its acceptor has forgotten all, and its proposer is another one.
          if (!isSpare) world.at(world.now + 1, () => world.start(box));
        },
        ended: () => isSpare ? successor() : watch.owner(agents) !== undefined,
      },
      {
        what: "the one that was killed to vote again",
        // The owner asks for its renewal within a lease, and it may lose its lease in the meantime.
        withinMs: this.boundMs(maxLeaseMs + 2 * leaseMs),
        begin: () => {
          if (isSpare && first !== undefined) world.start(boxOf(first));
        },
        ended: () => first === undefined || watch.takesPart(first),
      },
      {
        what: "a new owner after the old one has released the lease",
        withinMs: this.boundMs(0),
        begin: () => {
          first = watch.owner(agents);
          // The one that has started again does not know that it is wanted to want the lease.
          for (const agent of agents) world.line(agent, "acquire");
          if (first !== undefined) world.line(first, "release");
        },
        ended: () => successor(),
      },
    ].map((chapter) => ({
      ...chapter,
      ended: () => {
        if (!chapter.ended()) return false;
        count(`told: ${chapter.what}`);
        return true;
      },
    }));
  }

  #next(): void {
    const { world } = this.#options;
    const chapter = this.#chapters.shift();
    this.#chapter = chapter;
    if (chapter === undefined) {
      this.ended = true;
      return;
    }
    this.#begun = false;
    // In an event of its own, since this one may be in the middle of a step.
    world.at(world.now, () => {
      this.#begun = true;
      chapter.begin?.();
    });
    world.at(world.now + chapter.withinMs, () => {
      if (this.#chapter !== chapter) return;
      throw new OvidError(
        "sim.liveness",
        `Waited ${chapter.withinMs} virtual ms for ${chapter.what} in vain`,
      );
    });
  }

  #look(): void {
    if (this.#begun && this.#chapter?.ended()) this.#next();
  }
}
