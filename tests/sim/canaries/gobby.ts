// Gobby with one rule broken at a time: what the original gets wrong, and what comes to mind while one writes such a
// service. Each must be found out.

import { type GobbyRules, gobbyRules } from "../../../agents/gobby/rules.ts";
import type { GobbyOperation } from "../../../agents/gobby/machine_operation.ts";
import type { AnyMachine } from "../../../agents/machine/machine.ts";
import { paxosRules } from "../../../agents/paxos/rules.ts";
import { vrRules } from "../../../agents/vr/rules.ts";
import type { Json } from "../../../core/data.ts";
import type { GobbyParts } from "../../../sim/scenarios/gobby_grid.ts";
import { gobbyScenarioOf } from "../../../sim/scenarios/gobby.ts";
import type { Canary } from "./vr.ts";

const breaches: { readonly [name: string]: Partial<GobbyRules> } = {
  "a deposed master that answers": { mayAnswer: () => true },
  "a deposed master that is obeyed": { mayAnswer: () => true, isCurrent: () => true },
  "a client table that forgets the request": {
    remember: (clients, mark, result) =>
      gobbyRules.remember(clients, { ...mark, request: mark.request - 1 }, result),
  },
  "a watch that is lost with its server": { resumesFrom: () => null },
  "a watch that is resumed one late": { resumesFrom: (next) => next + 1 },
  "a watch that is resumed one early": {
    resumesFrom: (next) => Math.max(1, next - 1),
    isNews: (revision, next) => revision >= next - 1,
  },
  "a watch for one event that goes on": { endsWhenTold: () => false },
  "a clock as the fencing token": { tokenOf: (_token, now) => Math.floor(now) },
  "a session counted from the answer": { countedFrom: (_sentAt, answeredAt) => answeredAt },
  "a session that takes clocks for right": { countedMs: (ttlMs) => ttlMs },
  "a new master that gives sessions no time": { timeUnderNewMaster: () => 1 },
  "a lease read after the lease is over": { mayRead: () => true, isOfTerm: () => true },
  "a lease read from a copy that is behind": { includes: () => true },
  "an old read that understates its age": { lastedMs: () => 0 },
  "an old read counted from the answer": { freshSince: (_askedAt, answeredAt) => answeredAt },
  "an old read that takes clocks for right": { lastedMs: (ms) => Math.ceil(ms) },
};

/** A service that takes some operations for others. */
function mistaking(mistake: (operation: GobbyOperation) => GobbyOperation) {
  return (service: AnyMachine): AnyMachine => ({
    ...service,
    apply(state, operation) {
      const { calls, ...rest } = operation as Batch;
      if (calls === undefined) return service.apply(state, operation);
      const mistaken = calls.map((call) =>
        call.operation === undefined ? call : { ...call, operation: mistake(call.operation) }
      );
      return service.apply(state, { ...rest, calls: mistaken } as Json);
    },
  });
}

/** What servers ask of the service, as far as a canary cares. */
interface Batch {
  readonly calls?: readonly { readonly operation?: GobbyOperation }[];
}

/** Mistakes below the rules of Gobby's agents: in what is replicated, and in how that is done. */
const parts: { readonly [name: string]: GobbyParts } = {
  "a lock that everybody shares": {
    service: mistaking((operation) =>
      operation.kind === "acquire" && operation.key === "shared"
        ? { ...operation, mode: "shared" }
        : operation
    ),
  },
  "a release that misses its lock": {
    service: mistaking((operation) =>
      operation.kind === "release" ? { ...operation, token: operation.token + 1 } : operation
    ),
  },
  "two more servers that vote for the lease at once": { reseated: 2 },
  "a replaced disk that passes for the old one": {
    vr: { ...vrRules, firstIncarnation: () => 0 },
    paxos: { ...paxosRules, firstIncarnation: () => 0 },
  },
  "a reconfiguration without state transfer": { vr: { ...vrRules, isComplete: () => true } },
};

/** Every canary of Gobby. */
export const gobbyCanaries: readonly Canary[] = [
  ...Object.entries(breaches).map(([name, breach]) => ({
    name,
    scenario: gobbyScenarioOf({ rules: { ...gobbyRules, ...breach } }),
  })),
  ...Object.entries(parts).map(([name, part]) => ({ name, scenario: gobbyScenarioOf(part) })),
];
