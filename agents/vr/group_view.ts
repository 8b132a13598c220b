// What a client believes of a group: who belongs to it, and who is its primary. Only later epochs and views change
// it, so that a replica that was left behind cannot mislead.

import type { DeepReadonly } from "../../core/data.ts";
import type { AgentId } from "../../core/id.ts";
import type { Member, Vr } from "./protocol.ts";
import { vrRules } from "./rules.ts";

/** See {@linkcode newGroupView}. */
export interface GroupView {
  epoch: number;
  view: number;
  /** The configuration of the epoch; empty until some replica has told. */
  members: readonly DeepReadonly<Member>[];
  /** Everybody worth asking: the configuration, and who was named at first. */
  known: readonly AgentId[];
  readonly named: readonly AgentId[];
}

/** What is believed at first: the replicas that were named are the group. */
export function newGroupView(named: readonly AgentId[]): GroupView {
  return { epoch: 0, view: 0, members: [], known: named, named };
}

/** Learns from a reply. Whether its sender should be asked who the group is. */
export function learnView(group: GroupView, { epoch, view }: Vr<"reply">): boolean {
  if (epoch !== group.epoch) return epoch > group.epoch;
  group.view = Math.max(group.view, view);
  return false;
}

/** Learns what a replica knows. Whether the primary is another than was believed. */
export function learnGroup(group: GroupView, message: Vr<"group">): boolean {
  const { epoch, view, replicas } = message;
  if (epoch < group.epoch) return false;
  const later = epoch > group.epoch || view > group.view;
  if (later) Object.assign(group, { epoch, view });
  if (later || group.members.length === 0) {
    group.members = replicas;
    group.known = [...new Set([...replicas.map(({ agent }) => agent), ...group.named])];
  }
  return later;
}

/** Who is the primary, as far as is known. */
export function primaryOfView({ members, named, view }: GroupView): AgentId {
  const group = members.length > 0 ? members : named.map((agent) => ({ agent, incarnation: 0 }));
  const primary = vrRules.primaryOf(group, view);
  if (primary === undefined) throw new Error("a group has replicas");
  return primary;
}
