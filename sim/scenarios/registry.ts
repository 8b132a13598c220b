// The scenarios that come with Ovid. Others are files that export one as their default.

import type { Scenario } from "../scenario.ts";
import { chatScenario } from "./chat.ts";
import { gobbyScenario } from "./gobby.ts";
import { gobbyCases } from "./gobby_cases.ts";
import { kvsScenario } from "./kvs.ts";
import { leaseScenario } from "./lease.ts";
import { leaseCases } from "./lease_cases.ts";
import { paxosCases } from "./paxos_cases.ts";
import { paxosScenario } from "./paxos.ts";
import { paxosChatroomScenario } from "./paxos_chatroom.ts";
import { vrScenario } from "./vr.ts";

/** The built-in scenarios by their names. */
export const builtInScenarios: ReadonlyMap<string, Scenario> = new Map(
  [
    ...[chatScenario, gobbyScenario, kvsScenario, leaseScenario],
    ...[paxosScenario, paxosChatroomScenario, vrScenario],
  ].map((scenario) => [scenario.name, scenario]),
);

/** Scenarios that are one exact case each, by their names. */
export const caseScenarios: ReadonlyMap<string, Scenario> = new Map(
  [...gobbyCases, ...leaseCases, ...paxosCases].map((scenario) => [scenario.name, scenario]),
);
