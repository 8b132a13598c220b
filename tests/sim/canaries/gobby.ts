// Gobby with one rule broken at a time: what the original gets wrong, and what comes to mind while one writes such a
// service. Each must be found out.

import { type GobbyRules, gobbyRules } from "../../../agents/gobby/rules.ts";
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
  "a clock as the fencing token": { tokenOf: (_token, now) => Math.floor(now) },
  "a session counted from the answer": { countedFrom: (_sentAt, answeredAt) => answeredAt },
  "a session that takes clocks for right": { countedMs: (ttlMs) => ttlMs },
  "a new master that gives sessions no time": { timeUnderNewMaster: () => 1 },
  "a lease read after the lease is over": { mayRead: () => true },
  "a lease read from a copy that is behind": { includes: () => true },
  "an old read that understates its age": { lastedMs: () => 0 },
  "an old read counted from the answer": { freshSince: (_askedAt, answeredAt) => answeredAt },
  "an old read that takes clocks for right": { lastedMs: (ms) => Math.ceil(ms) },
};

/** Every canary of Gobby. */
export const gobbyCanaries: readonly Canary[] = Object.entries(breaches).map(([name, breach]) => ({
  name,
  scenario: gobbyScenarioOf({ ...gobbyRules, ...breach }),
}));
