// What can be explored: small grids, and who judges them.

import { kvsClient } from "../agents/kvs/client.ts";
import { kvsReplica } from "../agents/kvs/replica.ts";
import { kvsTty } from "../agents/kvs/tty.ts";
import { vrClient } from "../agents/vr/client.ts";
import { vrReplica } from "../agents/vr/replica.ts";
import { vrRules } from "../agents/vr/rules.ts";
import type { ReplicaState } from "../agents/vr/state.ts";
import type { AgentDefinition } from "../core/define.ts";
import type { Subject } from "./explore.ts";
import type { BoxStep } from "./explore_state.ts";
import { paxosSubject } from "./explore_paxos.ts";
import { type PlainAgent, plainGrid } from "./plain_grid.ts";
import { vrAsker } from "./scenarios/vr_agents.ts";

/** What the judge of `vr` remembers. */
interface VrSeen {
  /** By op-number less 1: each entry as the first replica to commit it had it, and the view of that replica. */
  readonly committed: readonly { readonly entry: string; readonly view: number }[];
  /** The primary that began each view, and its log at that time. */
  readonly begun: Readonly<
    Record<number, { readonly agent: string; readonly log: readonly string[] }>
  >;
}

/**
 * The subject `vr`: one operation of one client at three replicas. All replicas commit the same, no view has two
 * primaries or begins without what was committed before it, and what is answered was committed.
 *
 * @param replica A test gives one that is broken, to see whether it is found out.
 */
export function vrSubjectOf(replica: AgentDefinition): Subject<VrSeen> {
  const replicas = ["r1", "r2", "r3"];
  const vrGrid = (bootstrap: boolean) => {
    const agents: Record<string, PlainAgent> = {
      client: { type: "vr_client", box: "client", attrs: { replicas } },
      asker: { type: "vr_asker", box: "client", attrs: { client: "client" } },
    };
    const attrs = { replicas, machine: "counter", bootstrap };
    for (const id of replicas) agents[id] = { type: "vr_replica", box: id, attrs };
    return plainGrid(agents);
  };
  const call = { kind: "apply", operation: { kind: "add", amount: 1 } };
  return {
    name: "vr",
    doc: "Three replicas of a counter, one operation of one client, one view change",
    grid: vrGrid(true),
    laterGrid: vrGrid(false),
    definitions: [replica, vrClient, vrAsker],
    victims: replicas,
    lines: [["asker", JSON.stringify(call)]],
    bounds: { losses: 0, timers: 1, crashes: 0, depth: 100, states: 1_000_000 },
    seen: { committed: [], begun: {} },
    judge: judgeVr,
  };
}

function judgeVr(seen: VrSeen, step: BoxStep, violated: (what: string) => never): VrSeen {
  const committed = [...seen.committed];
  const begun = { ...seen.begun };
  for (const [agent, { state }] of step.to.agents) {
    if (!("durable" in state) || !("commit" in state)) continue;
    // The agents of this box are of the types that the subject names: one with both is a replica.
    const { durable, commit, view, status } = state as ReplicaState;
    const log = durable.log.map((entry) => JSON.stringify(entry));
    for (const [index, entry] of log.slice(0, commit).entries()) {
      const known = committed[index] ??= { entry, view };
      if (known.entry === entry) continue;
      violated(`${agent} commits ${entry} as op ${index + 1}, which was ${known.entry}`);
    }
    if (status !== "normal" || vrRules.primaryOf(durable.replicas, view) !== agent) continue;
    const first = begun[view] ??= { agent, log };
    if (first.agent !== agent) {
      violated(`${agent} and ${first.agent} are both primary in view ${view}`);
    }
  }
  // Section 4.2: what was committed in an earlier view is in the log of every later one, whichever is seen first.
  for (const [view, { agent, log }] of Object.entries(begun)) {
    const lost = committed.findIndex((known, index) =>
      known.view < Number(view) && log[index] !== known.entry
    );
    if (lost < 0) continue;
    violated(`${agent} begins view ${view} without op ${lost + 1}, ${committed[lost]?.entry}`);
  }
  const isAnswered = step.outputs.some(({ output }) => JSON.stringify(output).includes("applied"));
  if (isAnswered && !committed.some(({ entry }) => JSON.parse(entry).command.kind === "apply")) {
    violated("the client has an answer to an operation that nobody has committed");
  }
  return { committed, begun };
}

/**
 * The subject `kvs`: one put at a store that crashes. It is executed at most once, and is on disk when it is answered.
 *
 * @param replica The store; a test gives one that is broken.
 */
export function kvsSubjectOf(replica: AgentDefinition): Subject<number> {
  return {
    name: "kvs",
    doc: "One durable store and one client, one put, one crash of either",
    grid: plainGrid({
      tty: { type: "kvs_tty", box: "client", routes: { "1": { client: 1 } } },
      client: {
        type: "kvs_client",
        box: "client",
        attrs: { myid: "id1" },
        routes: { "1": { tty: 1 }, "2": { store: 1 } },
      },
      store: { type: "kvs_replica", box: "store", routes: { id1: ["client"] } },
    }),
    definitions: [kvsTty, kvsClient, replica],
    victims: ["client", "store"],
    lines: [["tty", "put key value"]],
    bounds: { losses: 1, timers: 3, crashes: 1, depth: 100, states: 1_000_000 },
    seen: 0,
    judge(seen, { appends, outputs }, violated) {
      const puts = seen + appends.filter(({ agent }) => agent === "store").length;
      if (puts > 1) violated("the put was executed twice");
      const isAnswered = outputs.some(({ output }) => JSON.stringify(output).includes('"ok"'));
      if (isAnswered && puts === 0) violated("the put was answered, and is not on disk");
      return puts;
    },
  };
}

/** What can be explored, by its name. */
export const subjects: ReadonlyMap<string, Subject> = new Map<string, Subject>(
  [vrSubjectOf(vrReplica), paxosSubject, kvsSubjectOf(kvsReplica)].map((
    subject,
  ) => [subject.name, subject]),
);
