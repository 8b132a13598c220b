// The replicas that keep Gobby's data: how they are shown, and how one change makes another group of them.

import type { GobbyClient } from "../client/gobby.ts";
import type { GroupMembers, GroupReplica, InvokeOptions } from "../client/group_client.ts";
import { UsageError } from "./command.ts";

/** The group in a few lines, a replica each. */
export function showMembers({ epoch, primary, replicas }: GroupMembers): string {
  const width = Math.max(...replicas.map(({ id }) => id.length));
  const lines = replicas.map((replica) =>
    `${replica.id.padEnd(width)}  ${describe(replica, replica.id === primary)}`
  );
  return [`epoch ${epoch}`, ...lines, ...hintFor(replicas)].join("\n");
}

// What most people see who forgot --new: nobody is left who could take anybody in.
function hintFor(replicas: readonly GroupReplica[]): string[] {
  const members = replicas.filter(({ isMember }) => isMember);
  const lost = members.filter(({ state }) => state === "lost");
  if (2 * lost.length < members.length) return [];
  return [
    "No majority has its disk, and so nobody can be taken in. If the group has never run, delete the data of all",
    "boxes, and start them with --new.",
  ];
}

function describe({ id, isMember, state }: GroupReplica, leads: boolean): string {
  const silent = state === "silent" ? ", does not answer" : "";
  if (!isMember) return `spare${silent}`;
  if (state === "lost") return `member, but has lost its disk: members add ${id} takes it in again`;
  return `member${leads && state === "present" ? ", leads" : silent}`;
}

/** How long a change that was made may take to be seen, in looks and in milliseconds between them. */
const looksMax = 100;
const lookMs = 50;

/**
 * Changes the group by one replica, and gives the new one.
 *
 * @throws {UsageError} if there is no such change.
 * @throws {Error} if the group that it makes could not go on.
 */
export async function changeMembers(
  gobby: GobbyClient,
  change: string,
  replicas: readonly string[],
  options: InvokeOptions,
): Promise<GroupMembers> {
  requireChange(change, replicas);
  let members = await gobby.members(options);
  const { epoch } = members;
  const begun = await gobby.reconfigure(changedGroup(members, change, replicas), {
    ...options,
    epoch,
  });
  // Under Multi-Paxos the new group begins some slots later.
  for (let look = 0; members.epoch < begun && look < looksMax; look++) {
    await new Promise((resolve) => setTimeout(resolve, lookMs));
    members = await gobby.members(options);
  }
  return members;
}

/** How many replicas each change names. */
const changes: ReadonlyMap<string, number> = new Map([["add", 1], ["remove", 1], ["replace", 2]]);

function requireChange(change: string, replicas: readonly string[]): void {
  const wanted = changes.get(change);
  if (wanted === undefined) {
    throw new UsageError(`Unknown change ${change}, want one of ${[...changes.keys()].join(", ")}`);
  }
  if (replicas.length !== wanted) {
    throw new UsageError(
      `Cannot ${change} ${replicas.length} replicas, want members ${change} ${
        wanted === 1 ? "R" : "OLD NEW"
      }`,
    );
  }
}

/**
 * The group that a change makes of another.
 *
 * @throws {Error} if it makes none, or one that could not go on.
 */
export function changedGroup(
  { replicas }: Pick<GroupMembers, "replicas">,
  change: string,
  [first = "", second = ""]: readonly string[],
): string[] {
  const group = replicas.filter(({ isMember }) => isMember).map(({ id }) => id);
  const [leaves, joins] = change === "replace"
    ? [first, second]
    : change === "add"
    ? [undefined, first]
    : [first, undefined];
  if (leaves !== undefined && !group.includes(leaves)) throw new Error(`${leaves} is no member`);
  if (joins !== undefined) requireJoining(replicas, joins, leaves);
  const changed = leaves === undefined
    ? group
    : group.flatMap((id) => id !== leaves ? [id] : joins === undefined ? [] : [joins]);
  const next = [...new Set([...changed, ...joins === undefined ? [] : [joins]])];
  // A group of which no majority is there does nothing, and cannot be changed again either.
  const there = next.filter((id) =>
    id === joins || replicas.some((each) => each.id === id && each.state === "present")
  );
  if (2 * there.length > next.length) return next;
  throw new Error(`${there.length} of ${next.length} would be there, want more than half`);
}

function requireJoining(
  replicas: readonly GroupReplica[],
  id: string,
  leaves: string | undefined,
): void {
  const replica = replicas.find((each) => each.id === id);
  if (replica === undefined) {
    const known = replicas.map((each) => each.id).join(", ");
    throw new Error(`there is no replica ${id}, want one of ${known}`);
  }
  if (replica.state === "silent") throw new Error(`${id} does not answer`);
  const isNeeded = !replica.isMember || replica.state === "lost";
  if (!isNeeded || (replica.isMember && leaves !== undefined && leaves !== id)) {
    throw new Error(`${id} is a member already`);
  }
}
