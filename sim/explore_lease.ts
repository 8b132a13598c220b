// The subject `lease` of `ovid explore`: three nodes, two of which want the lease, in every order of messages, timers and
// crashes, with clocks that are as wrong as they may be.

import type { LeaseState } from "../agents/lease/state.ts";
import type { AgentDefinition } from "../core/define.ts";
import type { Subject } from "./explore.ts";
import { reachedUs } from "./explore_clock.ts";
import type { BoxStep } from "./explore_state.ts";
import { type PlainAgent, plainGrid } from "./plain_grid.ts";

/** When each node that believes to own the lease will believe it no more, in microseconds of true time. */
type LeaseSeen = Readonly<Record<string, number>>;

const clockDriftPpm = 100_000;

const attrs = {
  nodes: ["n1", "n2", "n3"],
  leaseMs: 100,
  maxLeaseMs: 100,
  // Nobody asks for it again, and no attempt is given up: what is explored is the end of a lease.
  renewMs: 1000,
  roundMs: 300,
  retryMs: 10,
  clockDriftPpm,
  wants: false,
};

/** The first to ask has a slow clock, and those who vote and wait have fast ones: so leases overlap if they ever do. */
const drifts: ReadonlyMap<string, number> = new Map([
  ["n1", -clockDriftPpm],
  ["n2", clockDriftPpm],
  ["n3", clockDriftPpm],
]);

/**
 * The subject `lease`: at most one owner at any true time.
 *
 * @param node A test gives one that is broken, to see whether it is found out.
 */
export function leaseSubjectOf(node: AgentDefinition): Subject<LeaseSeen> {
  const agents: Record<string, PlainAgent> = {};
  for (const id of attrs.nodes) agents[id] = { type: "lease_node", box: id, attrs };
  return {
    name: "lease",
    doc: "Three nodes, two of which want the lease, one clock slow and two fast",
    grid: plainGrid(agents),
    definitions: [node],
    drifts,
    // All have sat out a maximum lease by then, also the one whose clock is slow.
    typedAtMs: 120,
    victims: attrs.nodes,
    lines: [["n1", "acquire"], ["n2", "acquire"]],
    bounds: { losses: 0, timers: 1, crashes: 1, depth: 100, states: 1_000_000 },
    seen: {},
    judge: judgeLease,
  };
}

function judgeLease(
  seen: LeaseSeen,
  { to: { agents, box, now, up } }: BoxStep,
  violated: (what: string) => never,
): LeaseSeen {
  const driftPpm = drifts.get(box) ?? 0;
  const nowUs = reachedUs(now, driftPpm);
  const owners: Record<string, number> = {};
  for (const [agent, endUs] of Object.entries(seen)) {
    // What a crash does is no step in time, and who is over is forgotten, so that more states are equal.
    if (agent !== box && (!up || endUs > nowUs)) owners[agent] = endUs;
  }
  for (const [agent, { state }] of agents) {
    // Every agent of this grid is a lease_node.
    const { proposer: { owned } } = (state as { readonly lease: LeaseState }).lease;
    const endUs = owned === undefined ? 0 : reachedUs(owned.until, driftPpm);
    if (endUs <= nowUs) continue;
    const [other] = Object.keys(owners);
    if (other !== undefined) violated(`${agent} owns the lease while ${other} does`);
    owners[agent] = endUs;
  }
  return owners;
}
