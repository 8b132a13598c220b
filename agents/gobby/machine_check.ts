// What holds of Gobby's state after every operation.

import { assert } from "../../core/error.ts";
import { lengthOf } from "./machine_history.ts";
import { costOf } from "./machine_keys.ts";
import type { GobbyLimits } from "./machine_limits.ts";
import { blockMax } from "./machine_order.ts";
import type { GobbyView } from "./machine_state.ts";

/** @throws {Error} if an invariant of the state is broken. It looks at everything: not for every step of a large one. */
export function checkGobby(state: GobbyView, limits: GobbyLimits): void {
  checkKeys(state, limits);
  checkLocks(state, limits);
  checkHistory(state, limits);
}

function checkKeys(state: GobbyView, limits: GobbyLimits): void {
  const keys = state.order.flat();
  assert(keys.length === state.entries.size, "the order has as many keys as there are entries");
  assert(state.order.every(({ length }) => length > 0 && length <= blockMax), "blocks are filled");
  let length = 0;
  let owned = 0;
  keys.forEach((key, index) => {
    const entry = state.entries.get(key);
    assert(entry !== undefined && entry.key === key, "the order has the keys of the entries");
    assert(index === 0 || (keys[index - 1] ?? "") < key, "keys stand in order");
    assert(entry.createRevision <= entry.modifyRevision, "what is put last is not put before");
    assert(entry.modifyRevision <= state.revision, "nothing was put at a revision to come");
    length += costOf(entry);
    if (entry.session === null) return;
    owned++;
    const owner = state.sessions.get(entry.session);
    assert(owner !== undefined, "an ephemeral key's session is alive");
    assert(owner.keys.has(key), "a session knows its ephemeral keys");
  });
  assert(length === state.storeLength, "the length of the store is that of its entries");
  assert(length <= limits.storeLength, "the store has its limit");
  assert(keys.length <= limits.keys, "there are not too many keys");
  let known = 0;
  for (const session of state.sessions.values()) {
    assert(session.keys.size <= limits.keysOfSession, "a session has not too many keys");
    known += session.keys.size;
  }
  assert(known === owned, "a session knows no keys but its own");
}

function checkLocks(state: GobbyView, limits: GobbyLimits): void {
  let claims = 0;
  for (const [key, { holders, queue, delay }] of state.locks) {
    assert(
      holders.size + queue.size > 0 || delay !== null,
      "a lock that nobody wants is forgotten",
    );
    assert(queue.size <= limits.waitersOfLock, "a queue has its limit");
    const modes = new Set([...holders.values()].map(({ mode }) => mode));
    assert(modes.size <= 1, "a lock is held in one mode");
    assert(!modes.has("exclusive") || holders.size === 1, "an exclusive holder is alone");
    const [first] = queue.values();
    const free = holders.size === 0 || (first?.mode === "shared" && modes.has("shared"));
    assert(first === undefined || delay !== null || !free, "the first to wait cannot be granted");
    const seen = new Set<number>();
    for (const numbers of [holders, queue]) {
      let latest = 0;
      for (const [number, { session }] of numbers) {
        assert(number > latest && number <= state.revision, "tokens and tickets grow");
        latest = number;
        assert(!seen.has(session), "a session claims a lock once");
        seen.add(session);
        const owner = state.sessions.get(session);
        assert(owner !== undefined, "every holder and waiter is a live session");
        assert(owner.claims.get(key) === number, "a session knows what it claims");
      }
    }
    claims += seen.size;
  }
  assert(state.locks.size <= limits.locks, "there are not too many locks");
  assert(claims === state.claims, "claims are counted");
  assert(claims <= limits.claims, "there are not too many claims");
  let known = 0;
  for (const [number, session] of state.sessions) {
    assert(number <= state.revision, "no session is of a revision to come");
    assert(session.claims.size <= limits.locksOfSession, "a session has not too many locks");
    known += session.claims.size;
  }
  assert(known === claims, "a session knows no claims but its own");
  assert(state.sessions.size <= limits.sessions, "there are not too many sessions");
}

function checkHistory({ history, revision }: GobbyView, limits: GobbyLimits): void {
  let latest = history.oldest - 1;
  let length = 0;
  for (const event of history.events) {
    const follows = event.revision === latest || event.revision === latest + 1;
    assert(follows && event.revision >= history.oldest, "revisions of events have no gap");
    latest = event.revision;
    length += lengthOf(event);
  }
  assert(latest === revision, "the history ends with the latest revision");
  assert(length === history.length, "the length of the history is that of its events");
  assert(history.events.length <= limits.historyEvents, "the history has its limit");
  assert(length <= limits.historyLength, "so has its length");
}
