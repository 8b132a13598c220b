// What makes a command of a paxos_chatroom execute once. Its clients open no sessions: they number their requests from
// one start to the next, so that a number alone tells a new request from one that was sent again.

import type { DeepReadonly } from "../../core/data.ts";
import type { Sessions } from "../machine/sessions.ts";
import { type PaxosRules, paxosRules } from "../paxos/rules.ts";

/** How many clients a group has at most. */
export const clientsMax = 1000;

/** The rules of Multi-Paxos, less the sessions. */
export const chatroomRules: PaxosRules = {
  ...paxosRules,

  /** How a request stands to what its client has asked before. */
  judge(sessions: DeepReadonly<Sessions>, { client, request }) {
    const known = sessions.get(client);
    if (known === undefined || request > known.request) return { kind: "fresh" };
    if (request < known.request) return { kind: "stale" };
    return { kind: "repeated", result: known.result };
  },

  /** Notes down what came of a request. No client is ever forgotten: its requests could be executed again. */
  remember(sessions, { client, request }, result) {
    sessions.set(client, { incarnation: 0, session: 0, request, result });
  },
};
