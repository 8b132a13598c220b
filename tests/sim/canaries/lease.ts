// PaxosLease with one rule broken at a time: what the paper warns of, what is said about it since, and what comes to
// mind while one writes it. Each must be found out.

import { makeLeaseNode } from "../../../agents/lease/node.ts";
import { type LeaseRules, leaseRules } from "../../../agents/lease/rules.ts";
import { leaseScenarioOf } from "../../../sim/scenarios/lease.ts";
import type { Canary } from "./vr.ts";

const breaches: { readonly [name: string]: Partial<LeaseRules> } = {
  "a lease counted from its acceptance": { countedFrom: (_attempt, now) => now },
  "a renewal counted from its acceptance": {
    countedFrom: ({ askedAt, renews }, now) => renews ? now : askedAt,
  },
  "an acceptor that votes as soon as it has started": { firstVoteAt: (startedAt) => startedAt },
  "an owner that takes clocks for right": { countedMs: (leaseMs) => leaseMs },
  "an acceptor that forgets its promise": { promisedAfter: () => undefined },
  "an acceptor that replaces leases and forgets its promise": {
    promisedAfter: () => undefined,
    mayReplace: () => true,
  },
  "an acceptor that is always open, and replaces leases": {
    isOpen: () => true,
    mayReplace: () => true,
  },
  "a majority of answers, not of acceptors": {
    countAnswer: (answered, from) => [...answered, from],
  },
  "a majority that is half": { majority: (nodes) => Math.ceil(nodes / 2) },
  "a release that frees the lease of another": { isReleased: () => true },
  "a release that frees a later lease": {
    isReleased: (accepted, released) => accepted.node === released.node,
  },
  "an acceptor whose lease ends early": {
    isOver: ({ until }, now) => now >= until - 20,
  },
};

/**
 * Every canary of the lease.
 *
 * @param ownersOnly Whether nothing is judged but that there is one owner.
 */
export function leaseCanariesOf(ownersOnly: boolean): Canary[] {
  return Object.entries(breaches).map(([name, breach]) => ({
    name,
    scenario: leaseScenarioOf(makeLeaseNode({ ...leaseRules, ...breach }), ownersOnly),
  }));
}
