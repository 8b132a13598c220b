// What holds between any two steps of a member, whatever happens to it and around it.

import { assert } from "../../core/error.ts";
import { sessionsMax } from "../machine/sessions.ts";
import { replicasMax, waitingMax } from "../vr/protocol.ts";
import { compareBallots, isSameBallot } from "./ballot.ts";
import { windowMax } from "./protocol.ts";
import { logEnd, type PaxosState } from "./state.ts";

/** @throws {Error} if an invariant of {@linkcode PaxosState} is broken. */
export function checkMember(state: PaxosState): void {
  const { durable, application, leader, decided } = state;
  assert(logEnd(durable) <= decided, "what is in the log is known to be decided");
  assert(durable.base <= durable.checkpoint.slot, "the log begins no later than the checkpoint");
  assert(durable.checkpoint.slot <= logEnd(durable), "what a checkpoint holds was in the log");
  assert(state.executed === decided, "what is decided is carried out at once");
  assert(durable.accepted.size <= windowMax, "no more slots are under way than any window has");
  for (const [slot, { ballot }] of durable.accepted) {
    assert(slot > logEnd(durable), "what is in the log is kept there alone");
    assert(compareBallots(ballot, durable.promise.ballot) <= 0, "nobody accepts but as promised");
  }
  assert(compareBallots(state.promised, state.ballot) <= 0, "what was promised was heard of");
  assert((application?.sessions.size ?? 0) <= sessionsMax, "the sessions have their limit");
  assert(state.pending.size <= waitingMax + windowMax, "not too many requests are under way");
  assert(state.waiting.size <= state.pending.size, "who waits, waits for something");
  assert(state.held.size <= waitingMax, "not too many requests are held");
  if (application !== undefined) {
    const { members, start } = application.configuration;
    const agents = new Set(members.map(({ agent }) => agent));
    assert(members.length <= replicasMax, "a group is not too large");
    assert(agents.size === members.length, "no agent stands in a configuration twice");
    assert(start <= decided + 1, "a configuration begins when all slots before are decided");
  }
  if (leader === undefined) return assert(state.queue.length === 0, "only a leader has a queue");
  assert(isSameBallot(leader.ballot, state.ballot), "who leads has heard of no later ballot");
  if (leader.scout !== undefined) return;
  assert(isSameBallot(leader.ballot, state.promised), "who leads has promised its own ballot");
  for (const slot of leader.commanders.keys()) {
    assert(slot > decided && slot < leader.next, "a commander ends with its slot");
  }
}
