// Viewstamped Replication with one rule broken at a time: the mistakes of a well-known implementation, those that the
// paper warns of, and those that come to mind while one writes it. Each must be found out.

import { makeVrClient, vrClientRules } from "../../../agents/vr/client.ts";
import { makeVrReplica } from "../../../agents/vr/replica.ts";
import { type VrRules, vrRules } from "../../../agents/vr/rules.ts";
import type { Scenario } from "../../../sim/scenario.ts";
import { vrScenario, vrScenarioOf } from "../../../sim/scenarios/vr.ts";

/** A mistake, and a scenario that has it. */
export interface Canary {
  readonly name: string;
  readonly scenario: Scenario;
}

const breaches: { readonly [name: string]: Partial<VrRules> } = {
  "a client table that forgets the request": {
    remember: (sessions, mark, result) =>
      vrRules.remember(sessions, { ...mark, request: mark.request - 1 }, result),
  },
  "a log of the view that was voted for last": { lastNormalAfterVote: (_lastNormal, view) => view },
  "a log chosen by its length alone": {
    chooseLog(votes) {
      return [...votes].sort(([, a], [, b]) => b.op - a.op)[0]?.[0];
    },
  },
  "a log cut one entry too late": {
    cutLog: (log, base, after) => log.slice(0, Math.max(0, after - base + 1)),
  },
  "a log cut one entry too early": {
    cutLog: (log, base, after) => log.slice(0, Math.max(0, after - base - 1)),
  },
  "state asked for in a view that is over": { requestedView: (_view, lastNormal) => lastNormal },
  "entries taken wherever they begin": { fitting: (_op, { entries }) => [...entries] },
  "a quorum that is half": { quorum: (size) => Math.ceil(size / 2) },
  "a vote that is not on disk": { voteRecord: () => undefined },
  "a recovered view that forgets the own vote": {
    recoveredView: (_own, answers) => Math.max(0, ...answers),
  },
  "a commit without a quorum": { committedOp: (held) => Math.max(...held) },
  "a client table lost in a view change": { sessionsAfterViewChange: () => new Map() },
  "a lease read without the lease": { holdsLease: () => true },
  "a reconfiguration without state transfer": { isComplete: () => true },
  "a replaced disk that passes for the old one": { firstIncarnation: () => 0 },
};

/** Every canary of the protocol. */
export const vrCanaries: readonly Canary[] = [
  ...Object.entries(breaches).map(([name, breach]) => ({
    name,
    scenario: vrScenarioOf(makeVrReplica({ rules: { ...vrRules, ...breach } })),
  })),
  {
    // The client is part of the mistake: one that looks at more than the number asks again, and is answered.
    name: "a reply to whoever has the same number",
    scenario: vrScenarioOf(
      makeVrReplica({ rules: { ...vrRules, replyKey: ({ request }) => String(request) } }),
      makeVrClient({
        ...vrClientRules,
        isAnswer: (reply, { request }) => reply.request === request,
      }),
    ),
  },
  { name: "replies before the sync", scenario: { ...vrScenario, sendBeforeSync: true } },
];
