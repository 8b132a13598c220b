// What acceptors have reported to each scout, as the mail says it, and what its leader proposes on the strength of that:
// in each slot the value of the latest ballot. A wrong choice seldom does harm, since what was reported in earlier
// ballots has seldom been chosen; so it is looked at when it is made.

import type { Count } from "../injector.ts";
import { type Ballot, compareBallots } from "../../agents/paxos/ballot.ts";
import type { Paxos } from "../../agents/paxos/protocol.ts";
import type { PaxosState } from "../../agents/paxos/state.ts";

interface Reported {
  readonly ballot: Ballot;
  readonly value: string;
}

const nothing = JSON.stringify([]);

/** See the top of this file. */
export class PaxosReports {
  /** By configuration and ballot, then by slot. */
  readonly #reports = new Map<string, Map<number, Reported>>();
  readonly #count: Count;
  readonly #violated: (what: string) => never;

  constructor(count: Count, violated: (what: string) => never) {
    this.#count = count;
    this.#violated = violated;
  }

  /** A scout has got an answer. */
  heard({ epoch, ballot, pvalues }: Pick<Paxos<"p1b">, "epoch" | "ballot" | "pvalues">): void {
    const report = this.#reportOf(epoch, ballot);
    for (const { slot, ballot, value } of pvalues) {
      const found = { ballot, value: JSON.stringify(value) };
      const known = report.get(slot) ?? found;
      if (known.value !== found.value) this.#count("acceptors disagree");
      report.set(slot, latest(known, found));
    }
  }

  /** Section 2.4: a leader begins, whose own acceptor had accepted `own`. */
  judge(
    agent: string,
    { leader, decided, application }: PaxosState,
    own: ReadonlyMap<number, Reported>,
  ): void {
    if (leader === undefined || application === undefined) return;
    const report = new Map(this.#reportOf(application.configuration.epoch, leader.ballot));
    for (const [slot, accepted] of own) report.set(slot, latest(report.get(slot), accepted));
    for (let slot = decided + 1; slot <= leader.adoptedTop; slot++) {
      const value = leader.commanders.get(slot)?.value ?? leader.adopted.get(slot) ?? [];
      const proposed = JSON.stringify(value);
      const wanted = report.get(slot)?.value ?? nothing;
      if (proposed === wanted) continue;
      this.#violated(
        `${agent} proposes ${proposed} in slot ${slot}, where acceptors had ${wanted} of the latest ballot`,
      );
    }
  }

  #reportOf(epoch: number, ballot: Ballot): Map<number, Reported> {
    const key = `${epoch} ${ballot.round} ${ballot.leader}`;
    const report = this.#reports.get(key) ?? new Map<number, Reported>();
    this.#reports.set(key, report);
    return report;
  }
}

function latest(known: Reported | undefined, found: Reported): Reported {
  return known === undefined || compareBallots(found.ballot, known.ballot) > 0 ? found : known;
}
