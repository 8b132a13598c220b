// What holds between any two steps of a replica, whatever happens to it and around it.

import { assert } from "../../core/error.ts";
import { sessionsMax } from "../machine/sessions.ts";
import { replicasMax, waitingMax } from "./protocol.ts";
import { opNumber, type ReplicaState } from "./state.ts";

/** @throws {Error} if an invariant of {@linkcode ReplicaState} is broken. */
export function checkReplica(state: ReplicaState): void {
  const { durable } = state;
  const { application, op: checkpointed } = durable.checkpoint;
  assert(durable.replicas.length <= replicasMax, "a group is not too large");
  const agents = new Set(durable.replicas.map(({ agent }) => agent));
  assert(agents.size === durable.replicas.length, "no agent stands in a configuration twice");
  assert(durable.lastNormal <= durable.view, "no view was normal that was not voted for");
  assert(durable.view <= state.view, "the view-number never falls below what the disk has");
  assert(durable.base <= checkpointed, "the log begins no later than the checkpoint");
  assert(checkpointed <= state.commit, "what a checkpoint holds is committed");
  assert(state.commit <= opNumber(durable), "what is committed is in the log");
  assert(application.sessions.size <= sessionsMax, "the client table has its limit");
  assert((state.application?.sessions.size ?? 0) <= sessionsMax, "so has the copy in use");
  assert(state.pending.size <= waitingMax, "not too many requests are under way");
  assert(state.waiting.size <= state.pending.size, "who waits, waits for something");
  assert(state.held.size <= waitingMax, "not too many requests are held");
  assert(!state.pausing || state.queue.length > 0, "a PREPARE that waits has something to carry");
  if (state.status === "normal") {
    assert(durable.complete, "who takes part has what the epoch before has committed");
    assert(durable.lastNormal === state.view, "who takes part in a view has its log");
  }
  if (state.status === "transitioning") {
    assert(!durable.complete, "who has the log of the epoch before takes part in this one");
    assert(state.transfer !== undefined, "who lacks a log is asking for it");
  }
  // Those of the epoch before may be of any view; the later ones were given their place in views of this one.
  if (!durable.complete) return;
  if (durable.epochOp >= opNumber(durable)) return;
  const latest = durable.log.at(-1)?.view ?? 0;
  assert(latest <= state.view, "no entry is of a view to come");
  if (durable.epochOp + 1 >= opNumber(durable)) return;
  assert((durable.log.at(-2)?.view ?? 0) <= latest, "views grow along the log");
}
