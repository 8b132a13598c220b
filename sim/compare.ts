// Protocols side by side: the same grid but for one word, the same clients and the same faults, and what each makes of it.

import type { AgentDefinition } from "../core/define.ts";
import { paxosMember } from "../agents/paxos/member.ts";
import { vrClient } from "../agents/vr/client.ts";
import { vrReplica } from "../agents/vr/replica.ts";
import type { Call } from "./history.ts";
import { counterModel, kvModel } from "./linearizable_model.ts";
import { type PlainAgent, plainGrid } from "./plain_grid.ts";
import { runScenario, type Verdict } from "./run.ts";
import { defineScenario, type Scenario } from "./scenario.ts";
import { Asker, boxOf, groupSizes } from "./scenarios/group.ts";
import { vrAsker } from "./scenarios/vr_agents.ts";
import { World } from "./world.ts";

/** What can be compared, by the names of the scenarios. */
export const comparable: ReadonlyMap<string, AgentDefinition> = new Map([
  ["paxos", paxosMember],
  ["vr", vrReplica],
]);

/** What came of a run, and of a single operation when nothing goes wrong. */
export interface Comparison {
  readonly verdict: Verdict;
  readonly answered: number;
  /** Messages that were sent, also those that were lost. */
  readonly messages: number;
  /** How many messages, and how many syncs, come one after the other between asking and the answer, all being well. */
  readonly delays: number;
  readonly syncs: number;
  /** The longest time in which somebody waited and nobody was answered, and all such times above 100 ms. */
  readonly longestMs: number;
  readonly withoutMs: number;
}

const sizes = {
  ...groupSizes,
  replicas: [3, 5],
  spares: [0, 0],
  clients: [2, 10],
  requests: [20, 60],
  reconfigurations: [0, 0],
  lease: [0, 0],
} as const;

function gridOf(type: string, replicas: number, clients: number, machine: string) {
  const ids = Array.from({ length: replicas }, (_, index) => `r${index + 1}`);
  const agents: Record<string, PlainAgent> = {};
  const attrs = { replicas: ids, machine, bootstrap: true };
  for (const id of ids) agents[id] = { type, box: boxOf(id), attrs };
  for (let number = 1; number <= clients; number++) {
    const box = boxOf(`c${number}`);
    agents[`c${number}_client`] = { type: "vr_client", box, attrs: { replicas: ids } };
    agents[`c${number}`] = { type: "vr_asker", box, attrs: { client: `c${number}_client` } };
  }
  return plainGrid(agents);
}

function scenarioOf(name: string, definition: AgentDefinition): Scenario {
  return defineScenario({
    name,
    doc: "A group that keeps its members and their disks.",
    sizes,
    grid: ({ replicas, clients, machine }) =>
      gridOf(definition.type, replicas, clients, machine === 0 ? "kv" : "counter"),
    definitions: [definition, vrClient, vrAsker],
    exposure({ replicas }) {
      const boxes = Array.from({ length: replicas }, (_, index) => boxOf(`r${index + 1}`));
      return { victims: boxes, quorum: { boxes, size: Math.floor(replicas / 2) + 1 } };
    },
    calmMs: 60,
    safetyMs: [2000, 4000],
    livenessMs: 120_000,
    play(stage) {
      const askers = Array.from(
        { length: stage.sizes.clients },
        (_, index) => new Asker(`c${index + 1}`, stage),
      );
      let over = false;
      return {
        committed: () => askers.reduce((sum, { committed }) => sum + committed, 0),
        done: () => over && askers.every(({ typist }) => typist.done),
        core: () => stage.world.grid.boxes,
        healed() {
          over = true;
          for (const asker of askers) asker.askMore();
        },
        model: stage.sizes.machine === 0 ? kvModel : counterModel,
      };
    },
  });
}

/** Runs a protocol under the faults of a seed. The same seed has the same faults for each. */
export function compare(name: string, definition: AgentDefinition, seed: bigint): Comparison {
  let messages = 0;
  let calls: readonly Call[] = [];
  const { verdict } = runScenario(scenarioOf(name, definition), seed, {
    observer(event) {
      if (event.kind === "mail" && event.fate !== "unsent") messages++;
    },
    history: (all) => calls = all,
  });
  const times = timesWithoutService(calls);
  return {
    verdict,
    answered: calls.filter(({ returnUs }) => returnUs !== undefined).length,
    messages,
    delays: latencyMs(definition, 1000, 0),
    syncs: latencyMs(definition, 0, 1000),
    longestMs: Math.round(Math.max(0, ...times)),
    withoutMs: Math.round(times.filter((ms) => ms > 100).reduce((sum, ms) => sum + ms, 0)),
  };
}

/** All times in which somebody waited and nobody was answered, one for each answer. */
export function timesWithoutService(calls: readonly Call[]): number[] {
  const answered = calls.flatMap(({ invokeUs, returnUs }) =>
    returnUs === undefined ? [] : [{ invokeUs, returnUs }]
  ).sort((a, b) => b.returnUs - a.returnUs);
  const times: number[] = [];
  let askedUs = Infinity;
  for (const [index, { invokeUs, returnUs }] of answered.entries()) {
    // Of all that are answered now or later, who has waited longest?
    askedUs = Math.min(askedUs, invokeUs);
    const before = answered[index + 1]?.returnUs ?? 0;
    times.push(Math.max(0, returnUs - Math.max(before, askedUs)) / 1000);
  }
  return times;
}

/** How long one operation takes three members, when messages and syncs take so long and everything else no time. */
function latencyMs(definition: AgentDefinition, messageUs: number, syncUs: number): number {
  const world = new World({
    grid: gridOf(definition.type, 3, 1, "counter"),
    definitions: [definition, vrClient, vrAsker],
    seed: 1n,
    network: { latency: { minUs: messageUs, maxUs: messageUs } },
    disk: { sync: { minUs: syncUs, maxUs: syncUs } },
  });
  world.start();
  world.runUntil(() => world.now >= 100, { withinMs: 1000 });
  let tookMs = 0;
  // The first opens a session, and finds out who leads.
  for (let count = 1; count <= 2; count++) {
    const sinceMs = world.now;
    const operation = { kind: "add", amount: 1 };
    world.line("c1", JSON.stringify({ kind: "apply", operation }));
    world.runUntil(() => world.printed("c1").length === count, { withinMs: 10_000 });
    tookMs = world.now - sinceMs;
  }
  return Math.round(tookMs);
}
