// The paxos_chatroom with mistakes of GoOvid's, and of our own; each must be found out.

import { makePaxosReplica } from "../../../agents/paxos_chatroom/replica.ts";
import { chatroomRules } from "../../../agents/paxos_chatroom/rules.ts";
import type { PaxosRules } from "../../../agents/paxos/rules.ts";
import {
  paxosChatroomScenario,
  paxosChatroomScenarioOf,
} from "../../../sim/scenarios/paxos_chatroom.ts";
import type { Canary } from "./vr.ts";

const breaches: { readonly [name: string]: Partial<PaxosRules> } = {
  "a quorum counted on a set that is still being filled": { pollSize: ({ asked }) => asked.size },
  "decisions that are sent once": {
    announcement: (decided, announced) => decided > announced ? decided : 0,
  },
  "an acceptor whose state is gone after a restart": {
    promiseRecord: () => undefined,
    acceptedAtStart: () => new Map(),
  },
  "a request that is executed as often as it is decided": { judge: () => ({ kind: "fresh" }) },
  "a request that passes for executed": {
    judge: (sessions, mark) =>
      mark.request % 7 === 6 ? { kind: "stale" } : chatroomRules.judge(sessions, mark),
  },
};

/** Every canary of the grid. */
export const paxosChatroomCanaries: readonly Canary[] = [
  ...Object.entries(breaches).map(([name, breach]) => ({
    name,
    scenario: paxosChatroomScenarioOf(makePaxosReplica({ ...chatroomRules, ...breach })),
  })),
  {
    name: "commands told before the sync",
    scenario: { ...paxosChatroomScenario, sendBeforeSync: true },
  },
];
