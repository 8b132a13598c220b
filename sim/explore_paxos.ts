// The subject `paxos` of `ovid explore`: three members, one operation, and a second leader.

import { ballotSchema, compareBallots } from "../agents/paxos/ballot.ts";
import { paxosMember } from "../agents/paxos/member.ts";
import { type PaxosState, recordSchema } from "../agents/paxos/state.ts";
import { vrClient } from "../agents/vr/client.ts";
import type { AgentDefinition } from "../core/define.ts";
import type { Subject } from "./explore.ts";
import type { BoxStep } from "./explore_state.ts";
import { type PlainAgent, plainGrid } from "./plain_grid.ts";
import { vrAsker } from "./scenarios/vr_agents.ts";

/** What the judge of `paxos` remembers: what is on the disks, which a state of a box may have forgotten. */
export interface PaxosSeen {
  /** By slot and ballot: what was accepted, and by whom. */
  readonly accepted: Readonly<Record<string, { readonly value: string; readonly by: string }>>;
  /** By slot: what a quorum has accepted in one ballot. */
  readonly chosen: Readonly<Record<number, string>>;
}

const members = ["r1", "r2", "r3"];
const quorum = 2;

/**
 * The subject `paxos`: one operation of one client at three members. In each slot one value is chosen, nothing else is
 * decided, and what is answered was chosen.
 *
 * @param member A test gives one that is broken, to see whether it is found out.
 */
export function paxosSubjectOf(member: AgentDefinition): Subject<PaxosSeen> {
  const grid = (bootstrap: boolean) => {
    const agents: Record<string, PlainAgent> = {
      client: { type: "vr_client", box: "client", attrs: { replicas: members } },
      asker: { type: "vr_asker", box: "client", attrs: { client: "client" } },
    };
    const attrs = { replicas: members, machine: "counter", bootstrap };
    for (const id of members) agents[id] = { type: "paxos_member", box: id, attrs };
    return plainGrid(agents);
  };
  const call = { kind: "apply", operation: { kind: "add", amount: 1 } };
  return {
    name: "paxos",
    doc: "Three members with a counter, one operation of one client, one timer of any of them",
    grid: grid(true),
    laterGrid: grid(false),
    definitions: [member, vrClient, vrAsker],
    victims: members,
    lines: [["asker", JSON.stringify(call)]],
    bounds: { losses: 0, timers: 1, crashes: 0, depth: 100, states: 1_000_000 },
    seen: { accepted: {}, chosen: {} },
    judge,
  };
}

function judge(seen: PaxosSeen, step: BoxStep, violated: (what: string) => never): PaxosSeen {
  const accepted = { ...seen.accepted };
  const chosen = { ...seen.chosen };
  for (const { agent, record } of step.appends) {
    if (!members.includes(agent)) continue;
    const parsed = recordSchema.parse(JSON.parse(record));
    if (parsed.kind !== "accept") continue;
    const { slot, ballot, value } = parsed;
    const key = `slot ${slot}, ballot ${ballot.round} of ${ballot.leader}`;
    const text = JSON.stringify(value);
    const known = accepted[key] ?? { value: text, by: "" };
    if (known.value !== text) {
      violated(`${agent} accepts ${text} in ${key}, another ${known.value}`);
    }
    const by = [...new Set([...known.by.split(" "), agent])].filter((each) => each !== "").sort();
    accepted[key] = { value: text, by: by.join(" ") };
    if (by.length < quorum) continue;
    const other = chosen[slot] ??= text;
    if (other !== text) violated(`${key} chooses ${text}, and ${other} was chosen`);
  }
  for (const [agent, { state }] of step.to.agents) {
    if (!members.includes(agent) || !("durable" in state)) continue;
    // The agents of this box are of the types that the subject names.
    judgeMember(agent, state as unknown as PaxosState, chosen, violated);
  }
  const isAnswered = step.outputs.some(({ output }) => JSON.stringify(output).includes("applied"));
  if (isAnswered && !Object.values(chosen).some((value) => value.includes('"apply"'))) {
    violated("the client has an answer to an operation that nobody has chosen");
  }
  return { accepted, chosen };
}

function judgeMember(
  agent: string,
  { durable, decided, promised }: PaxosState,
  chosen: PaxosSeen["chosen"],
  violated: (what: string) => never,
): void {
  for (const [index, value] of durable.log.entries()) {
    const slot = durable.base + index + 1;
    const text = JSON.stringify(value);
    if (chosen[slot] === text) continue;
    violated(
      `${agent} takes ${text} for decided in slot ${slot}, where ${chosen[slot]} was chosen`,
    );
  }
  if (decided > Object.keys(chosen).length) violated(`${agent} takes slot ${decided} for decided`);
  if (compareBallots(ballotSchema.parse(durable.promise.ballot), promised) < 0) {
    violated(`${agent} has promised ballot ${promised.round}, which its disk does not know`);
  }
}

/** The built-in subject `paxos`. */
export const paxosSubject: Subject<PaxosSeen> = paxosSubjectOf(paxosMember);
