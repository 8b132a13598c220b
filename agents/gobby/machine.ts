// Gobby's machine: a store of keys with sessions, locks and a history of events, as Chubby, ZooKeeper, etcd and Consul
// have them. It is pure, and knows no time: who serves its clients times what must be timed (machine_deadlines.ts) and
// asks for what is due, by an operation like any other.

import { defineMachine } from "../machine/machine.ts";
import { eventsSince, forgetBefore, trimHistory } from "./machine_history.ts";
import { judge } from "./machine_judge.ts";
import { deleteRange, expireKey, get, range, write } from "./machine_keys.ts";
import { type GobbyLimits, gobbyLimits } from "./machine_limits.ts";
import { acquire, cancelWait, endLockDelay, getLock, release, withdraw } from "./machine_locks.ts";
import { type Gobby, type GobbyOperation, gobbyOperation } from "./machine_operation.ts";
import { type GobbyOutcome, type GobbyResult, gobbyResult } from "./machine_result.ts";
import {
  beginTerm,
  closeSession,
  expireSession,
  getSession,
  openSession,
  renewSession,
} from "./machine_sessions.ts";
import { type GobbyState, type GobbyView, initialState } from "./machine_state.ts";
import { onlyReads, transaction } from "./machine_transaction.ts";

/** Gobby's machine with limits of one's own. Every replica must have the same. */
export function makeGobby(limits: GobbyLimits) {
  return defineMachine<GobbyState, GobbyOperation, GobbyResult>({
    name: "gobby",
    doc: "Keys with revisions, sessions, locks with fencing tokens, transactions, and events.",
    operation: gobbyOperation,
    result: gobbyResult,
    initial: initialState,
    apply: (state, operation) => applyGobby(state, operation, limits),
    isRead,
    // No `key`: results tell the revision of the whole, so that no key concerns itself alone.
  });
}

/** Gobby's machine. A group keeps it as a part of gobby_service, see service.ts. */
export const gobby = makeGobby(gobbyLimits);

/** Carries out an operation, changing `state` in place. */
export function applyGobby(
  state: GobbyState,
  operation: GobbyOperation,
  limits: GobbyLimits = gobbyLimits,
): GobbyResult {
  const result = carryOut(state, operation, limits);
  trimHistory(state, limits);
  return result;
}

function carryOut(
  state: GobbyState,
  operation: GobbyOperation,
  limits: GobbyLimits,
): GobbyResult {
  switch (operation.kind) {
    case "get":
      return get(state, operation);
    case "range":
      return judge(limits, "answers", operation.limit) ??
        range(state, operation, { length: limits.answerLength });
    case "put":
    case "delete":
      return write(state, operation, limits);
    case "deleteRange":
      return deleteRange(state, operation, limits);
    case "transaction":
      return transaction(state, operation, limits);
    case "openSession":
      return openSession(state, operation, limits);
    case "renewSession":
      return renewSession(state, operation);
    case "closeSession":
      return closeSession(state, operation);
    case "getSession":
      return getSession(state, operation);
    case "acquire":
      return acquire(state, operation, limits);
    case "release":
      return release(state, operation);
    case "cancelWait":
      return cancelWait(state, operation);
    case "withdraw":
      return withdraw(state, operation);
    case "getLock":
      return getLock(state, operation, limits);
    case "events":
      return judge(limits, "answers", operation.limit) ??
        eventsSince(state, { ...operation, lengthMax: limits.answerLength });
    case "status":
      return status(state);
    case "beginTerm":
      return beginTerm(state, operation, limits);
    case "expireSession":
      return expireSession(state, operation);
    case "expireKey":
      return expireKey(state, operation);
    case "endLockDelay":
      return endLockDelay(state, operation);
    case "compact":
      return compact(state, operation);
  }
}

/** Whether an operation leaves every state as it is. */
export function isRead(operation: GobbyOperation): boolean {
  switch (operation.kind) {
    case "get":
    case "range":
    case "getSession":
    case "getLock":
    case "events":
    case "status":
      return true;
    case "transaction":
      return onlyReads(operation);
    default:
      return false;
  }
}

function compact(
  state: GobbyState,
  { revision: wanted }: Gobby<"compact">,
): GobbyOutcome<"compacted" | "refused"> {
  const { revision, history } = state;
  if (wanted > revision + 1) return { kind: "refused", why: "future", wanted, revision };
  forgetBefore(state, wanted);
  return { kind: "compacted", oldest: history.oldest };
}

function status({ revision, history, ...state }: GobbyView): GobbyOutcome<"status"> {
  return {
    kind: "status",
    revision,
    oldest: history.oldest,
    term: state.term,
    master: state.master,
    keys: state.entries.size,
    length: state.storeLength,
    sessions: state.sessions.size,
    locks: state.locks.size,
    claims: state.claims,
    events: history.events.length,
  };
}
