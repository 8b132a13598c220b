// The key-value store, broken on purpose: one canary for each thing that the simulator claims to see.

import { kvsReplica } from "../../../agents/kvs/replica.ts";
import type { AgentDefinition } from "../../../core/define.ts";
import type { Verdict } from "../../../sim/run.ts";
import type { Scenario } from "../../../sim/scenario.ts";
import { kvsScenario, kvsScenarioOf } from "../../../sim/scenarios/kvs.ts";

/** A mistake, a scenario that has it, and how it ends. */
export interface KvsCanary {
  readonly name: string;
  readonly scenario: Scenario;
  readonly verdict: Verdict;
}

type Handler = AgentDefinition["on"][string];

function withHandler(name: "put" | "get", wrap: (handler: Handler) => Handler): AgentDefinition {
  const handler = kvsReplica.on[name];
  if (handler === undefined) throw new Error(`kvs_replica takes ${name}`);
  return { ...kvsReplica, on: { ...kvsReplica.on, [name]: wrap(handler) } };
}

const forgetful: AgentDefinition = {
  ...kvsReplica,
  apply(durable, record) {
    kvsReplica.apply?.(durable, record);
    Reflect.get(Object(durable), "lastPuts").clear();
  },
};

/** Answers each get with what it answered the time before. */
const stale = withHandler("get", (handler) => (state, message, ctx) => {
  const { outcomes } = Object(state);
  const reply = (answer: { readonly outcome: unknown }) => {
    const before = outcomes?.get(Reflect.get(Object(message), "key")) ?? answer.outcome;
    const kept: Map<unknown, unknown> = outcomes ?? new Map();
    Reflect.set(state, "outcomes", kept.set(Reflect.get(Object(message), "key"), answer.outcome));
    Object(ctx).reply({ ...answer, outcome: before });
  };
  return handler(state, message, { reply });
});

const deaf = withHandler("put", () => () => {});

const watching = withHandler("put", (handler) => (state, message, ctx) => {
  Object(ctx).note("clock", { ms: performance.now() });
  return handler(state, message, ctx);
});

const faulty = withHandler("get", () => () => {
  throw new Error("it had enough");
});

/** Every canary of the store. */
export const kvsCanaries: readonly KvsCanary[] = [
  {
    name: "a store that forgets what it executed",
    scenario: kvsScenarioOf(forgetful),
    verdict: "safety",
  },
  {
    name: "a store that answers with old values",
    scenario: kvsScenarioOf(stale),
    verdict: "safety",
  },
  { name: "a store that never answers a put", scenario: kvsScenarioOf(deaf), verdict: "liveness" },
  { name: "a store whose handler throws", scenario: kvsScenarioOf(faulty), verdict: "safety" },
  {
    name: "a store that looks at the clock",
    scenario: kvsScenarioOf(watching),
    verdict: "determinism",
  },
  {
    name: "a box that answers before it syncs",
    scenario: { ...kvsScenario, sendBeforeSync: true },
    verdict: "safety",
  },
];
