// Multi-Paxos with one rule broken at a time: the mistakes of a well-known implementation, those that the paper warns of,
// and those that come to mind while one writes it. Each must be found out.

import { bottom, compareBallots, isSameBallot } from "../../../agents/paxos/ballot.ts";
import { makePaxosMember } from "../../../agents/paxos/member.ts";
import { type PaxosRules, paxosRules } from "../../../agents/paxos/rules.ts";
import { paxosScenario, paxosScenarioOf } from "../../../sim/scenarios/paxos.ts";
import type { Canary } from "./vr.ts";

const breaches: { readonly [name: string]: Partial<PaxosRules> } = {
  "a quorum counted on a set that is still being filled": { pollSize: ({ asked }) => asked.size },
  "a quorum that is half": { quorum: (size) => Math.ceil(size / 2) },
  "decisions that are said once": {
    announcement: (decided, announced) => decided > announced ? decided : 0,
  },
  "a promise that is not on disk": { promiseRecord: () => undefined },
  "what was accepted is gone after a restart": { acceptedAtStart: () => new Map() },
  "a late answer of an earlier ballot taken for pre-emption": {
    isPreempted: (own, heard) => compareBallots(heard, own) !== 0 && heard.round > bottom.round,
  },
  "a refusal of an earlier ballot taken for consent to this one": {
    isConsent: (own, { ballot }) => isSameBallot(own, ballot),
  },
  "pvalues merged without regard to their ballots": { latest: (_known, found) => found },
  "pvalues of which the first stays": { latest: (known, found) => known ?? found },
  "an acceptor that accepts in any ballot": { mayAccept: () => true },
  "an acceptor that promises any ballot": { mayPromise: () => true },
  "a leader that does not wait for what is decided": { mayLead: () => true },
  "a reconfiguration that takes effect at once": { firstSlotAfter: (slot) => slot + 1 },
  "a window without an end": { isInWindow: () => true },
  "what was accepted in any ballot taken for decided": {
    isDecision: (accepted) => accepted !== undefined,
  },
  "decisions taken wherever they begin": { fitting: (_decided, { values }) => [...values] },
  "a restarted empty acceptor that votes": { firstIncarnation: () => 0 },
  "a lease read without the lease": { holdsLease: () => true },
  "sessions that forget the request": {
    remember: (sessions, mark, result) =>
      paxosRules.remember(sessions, { ...mark, request: mark.request - 1 }, result),
  },
};

/** Every canary of the protocol. */
export const paxosCanaries: readonly Canary[] = [
  ...Object.entries(breaches).map(([name, breach]) => ({
    name,
    scenario: paxosScenarioOf(makePaxosMember({ rules: { ...paxosRules, ...breach } })),
  })),
  { name: "answers before the sync", scenario: { ...paxosScenario, sendBeforeSync: true } },
];
