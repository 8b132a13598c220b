// What an operation costs the machine, on a store of 10,000 keys in 100 folders, with a full history. Run it by
// `deno bench -A agents/gobby/machine_bench.ts`.

import { encodeData } from "../../core/data.ts";
import { applyGobby } from "./machine.ts";
import { eventsSince } from "./machine_history.ts";
import { type GobbyState, initialState } from "./machine_state.ts";
import { indexWatch, newWatchIndex, watchersOf } from "./server_watch_index.ts";

const keys = 10_000;
const watchers = 1000;
const waiters = 1000;

const keyOf = (number: number) =>
  `folder-${String(number % 100).padStart(3, "0")}/key-${String(number).padStart(6, "0")}`;
const value = "v".repeat(100);

function fullState(): { readonly state: GobbyState; readonly session: number } {
  const state = initialState();
  applyGobby(state, { kind: "openSession", client: "bench", ttlMs: 10_000 });
  const session = state.revision;
  // Twice, so that the history is full, too; by large steps, so that keys do not come in order.
  for (let number = 0; number < 2 * keys; number++) {
    applyGobby(state, { kind: "put", key: keyOf((number * 7919) % keys), value });
  }
  return { state, session };
}

/** A bench of an operation that is carried out `batch` times in each run. */
function bench(name: string, batch: number, run: (state: GobbyState, turn: number) => void): void {
  const { state } = fullState();
  let turn = 0;
  Deno.bench(`${name}, ${batch} times`, () => {
    for (let index = 0; index < batch; index++) run(state, turn++);
  });
}

bench("get", 1000, (state, turn) => {
  applyGobby(state, { kind: "get", key: keyOf(turn % keys) });
});

bench("put over a value", 1000, (state, turn) => {
  applyGobby(state, { kind: "put", key: keyOf(turn % keys), value });
});

bench("put a new key and delete it", 1000, (state, turn) => {
  const key = `${keyOf(turn % keys)}/new`;
  applyGobby(state, { kind: "put", key, value });
  applyGobby(state, { kind: "delete", key });
});

bench("range of 100 by prefix", 100, (state, turn) => {
  const prefix = `folder-${String(turn % 100).padStart(3, "0")}/`;
  applyGobby(state, { kind: "range", range: { prefix }, limit: 100 });
});

bench("transaction of a comparison and three puts", 1000, (state, turn) => {
  const key = keyOf(turn % keys);
  applyGobby(state, {
    kind: "transaction",
    if: [{ target: "version", key, is: "greater", number: 0 }],
    then: [0, 1, 2].map((step) => ({
      kind: "put" as const,
      key: keyOf((turn + step) % keys),
      value,
    })),
    else: [],
  });
});

bench("lock, put under its token, release", 1000, (state, turn) => {
  const [session = 0] = state.sessions.keys();
  const lock = `lock-${turn % 100}`;
  const got = applyGobby(state, {
    kind: "acquire",
    session,
    key: lock,
    mode: "exclusive",
    waitMs: 0,
  });
  if (got.kind !== "acquired") throw new Error(`the lock is free, and yet: ${got.kind}`);
  const { token } = got;
  applyGobby(state, { kind: "put", key: keyOf(turn % keys), value, fence: { lock, token } });
  applyGobby(state, { kind: "release", key: lock, token });
});

{
  const { state } = fullState();
  const lock = "the lock";
  const acquire = (session: number) =>
    applyGobby(state, {
      kind: "acquire",
      session,
      key: lock,
      mode: "exclusive",
      waitMs: 60_000,
    });
  for (let number = 0; number <= waiters; number++) {
    applyGobby(state, { kind: "openSession", client: `waiter-${number}`, ttlMs: 10_000 });
    acquire(state.revision);
  }
  Deno.bench(`release to the first of ${waiters} and stand behind the last, 1000 times`, () => {
    for (let turn = 0; turn < 1000; turn++) {
      const [holder] = state.locks.get(lock)?.holders ?? [];
      if (holder === undefined) throw new Error("somebody holds the lock");
      applyGobby(state, { kind: "release", key: lock, token: holder[0] });
      acquire(holder[1].session);
    }
  });
}

{
  const { state } = fullState();
  Deno.bench(`put, then ${watchers} watchers of a folder each ask what is new`, () => {
    applyGobby(state, { kind: "put", key: keyOf(state.revision % keys), value });
    for (let watcher = 0; watcher < watchers; watcher++) {
      const prefix = `folder-${String(watcher % 100).padStart(3, "0")}/`;
      eventsSince(state, {
        target: { kind: "prefix", prefix },
        from: state.revision,
        limit: 100,
        lengthMax: 1_000_000,
      });
    }
  });
  Deno.bench("one watcher reads the whole history for its folder", () => {
    eventsSince(state, {
      target: { kind: "prefix", prefix: "folder-050/" },
      from: state.history.oldest,
      limit: 1000,
      lengthMax: 1_000_000,
    });
  });
  Deno.bench("write the whole state down", () => void encodeData(state));
}

{
  const { state } = fullState();
  Deno.bench("a session with 1000 ephemeral keys, from opening to expiry", () => {
    applyGobby(state, { kind: "openSession", client: "owner", ttlMs: 10_000 });
    const session = state.revision;
    for (let number = 0; number < 1000; number++) {
      applyGobby(state, { kind: "put", key: `${keyOf(number)}/mine`, value, session });
    }
    applyGobby(state, { kind: "expireSession", session, renewal: 0, term: 0 });
  });
}

{
  const index = newWatchIndex();
  for (let watcher = 0; watcher < watchers; watcher++) {
    indexWatch(index, `${watcher}`, { kind: "key", key: `other/${watcher}` });
    indexWatch(index, `${watcher} too`, { kind: "prefix", prefix: `other-${watcher}/` });
  }
  const event = { kind: "keyDeleted", revision: 1, key: keyOf(1), how: "deleted" } as const;
  Deno.bench(`find nobody to tell, of ${watchers} who watch something else, 1000 times`, () => {
    for (let turn = 0; turn < 1000; turn++) Array.from(watchersOf(index, event));
  });
}
