// Canaries of the invariants: each breaks one on purpose.

import { assertThrows } from "@std/assert";
import { checkGobby } from "./machine_check.ts";
import type { GobbyState } from "./machine_state.ts";
import { Trial } from "./machine_test_support.ts";

/** A state with something of everything. */
function busy(): Trial {
  const trial = new Trial();
  const [a, b, c] = [trial.open(), trial.open(), trial.open()];
  trial.put("mine", "1", a);
  trial.put("other", "2");
  trial.lock(a, "l", { mode: "shared" });
  trial.lock(b, "l", { mode: "shared" });
  trial.wait(c, "l");
  trial.lock(c, "closed", { lockDelayMs: 10 });
  return trial;
}

const lockOf = (state: GobbyState, key = "l") => {
  const lock = state.locks.get(key);
  if (lock === undefined) throw new Error(`nobody wants ${key}`);
  return lock;
};

const broken: readonly (readonly [belief: string, broken: (state: GobbyState) => void])[] = [
  ["as many keys", (state) => void state.order.at(-1)?.pop()],
  ["in order", (state) => void state.order.at(-1)?.reverse()],
  ["keys of the entries", (state) => void state.order.at(-1)?.splice(0, 1, "different")],
  ["blocks are filled", (state) => void state.order.push([])],
  ["length of the store", (state) => void state.storeLength++],
  ["ephemeral key's session", (state) => void state.sessions.delete(1)],
  ["knows its ephemeral keys", (state) => void state.sessions.get(1)?.keys.clear()],
  ["no keys but its own", (state) => void state.sessions.get(1)?.keys.add("other")],
  ["in one mode", (state) => {
    lockOf(state).holders.set(7, { session: 2, mode: "exclusive", lockDelayMs: 0 });
  }],
  ["exclusive holder is alone", (state) => {
    for (const [token, holder] of lockOf(state).holders) {
      lockOf(state).holders.set(token, { ...holder, mode: "exclusive" });
    }
  }],
  ["cannot be granted", (state) => {
    for (const [ticket, waiter] of lockOf(state).queue) {
      lockOf(state).queue.set(ticket, { ...waiter, mode: "shared" });
    }
  }],
  ["is forgotten", (state) => {
    state.locks.set("idle", { holders: new Map(), queue: new Map(), delay: null });
  }],
  ["live session", (state) => {
    lockOf(state).holders.set(7, { session: 99, mode: "shared", lockDelayMs: 0 });
  }],
  ["claims a lock once", (state) => {
    lockOf(state).queue.set(9, { session: 1, mode: "shared", lockDelayMs: 0, waitMs: 1 });
  }],
  ["tokens and tickets grow", (state) => {
    const [first] = lockOf(state).holders;
    if (first === undefined) return;
    lockOf(state).holders.delete(first[0]);
    lockOf(state).holders.set(...first);
  }],
  ["what it claims", (state) => void state.sessions.get(3)?.claims.set("l", 99)],
  ["no claims but its own", (state) => void state.sessions.get(3)?.claims.set("m", 4)],
  ["claims are counted", (state) => void state.claims++],
  ["no gap", (state) => void state.history.events.splice(2, 1)],
  ["no gap", (state) => void state.history.oldest++],
  ["latest revision", (state) => void state.history.events.pop()],
  ["length of the history", (state) => void state.history.length++],
];

for (const [index, [belief, harm]] of broken.entries()) {
  Deno.test(`checkGobby() notices broken belief ${index + 1}, "${belief}"`, () => {
    const { state, limits } = busy();
    checkGobby(state, limits);
    harm(state);
    assertThrows(() => checkGobby(state, limits), Error, belief);
  });
}

Deno.test("checkGobby() notices what is beyond a limit", () => {
  const { state, limits } = busy();
  const tight = { keys: 1, storeLength: 10, keysOfSession: 0, claims: 3, waitersOfLock: 0 };
  const others = { locks: 1, locksOfSession: 1, sessions: 2, historyEvents: 7, historyLength: 9 };
  for (const [name, allowed] of Object.entries({ ...tight, ...others })) {
    assertThrows(() => checkGobby(state, { ...limits, [name]: allowed }), Error, "Broken belief");
  }
});
