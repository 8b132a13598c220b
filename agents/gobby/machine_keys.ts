// Keys: reading them, and writing any number of them at once. A write is judged before anything changes; what passed
// the judgement cannot fail.

import { record } from "./machine_history.ts";
import { judge } from "./machine_judge.ts";
import { entryOverhead, type GobbyLimits } from "./machine_limits.ts";
import { isHeld } from "./machine_locks.ts";
import type { Fence, Gobby, TransactionStep } from "./machine_operation.ts";
import { countKeys, insertKey, keysIn, removeKey } from "./machine_order.ts";
import type { GobbyOutcome, Refusal } from "./machine_result.ts";
import type { GobbyState, GobbyView } from "./machine_state.ts";

/** A put or a delete, without its conditions. */
export type Write = Extract<TransactionStep, { kind: "put" | "delete" }>;

type Put = Extract<Write, { kind: "put" }>;

/** How a key came to its end. */
type DeletedHow = "deleted" | "expired" | "sessionEnded";

/** What an entry costs. */
export function costOf({ key, value }: { readonly key: string; readonly value: string }): number {
  return key.length + value.length + entryOverhead;
}

/** The entry of a key, or null. */
export function get(state: GobbyView, { key }: Gobby<"get">): GobbyOutcome<"entry"> {
  return { kind: "entry", revision: state.revision, entry: state.entries.get(key) ?? null };
}

/** How much may still be told in one answer. */
export interface Budget {
  length: number;
}

/** A page of the keys in a range, with their entries or without. */
export function range(
  state: GobbyView,
  { range, limit, after, keysOnly = false }: Gobby<"range">,
  budget: Budget,
): GobbyOutcome<"entries" | "keys"> {
  const { revision } = state;
  const { keys, total } = keysIn(state.order, range, limit, after);
  const count = after === undefined ? total : countKeys(state.order, range);
  const entries = [];
  for (const key of keys) {
    const entry = state.entries.get(key);
    if (entry === undefined) break;
    const cost = keysOnly ? key.length + entryOverhead : costOf(entry);
    // One at least, or a reader would never get on.
    if (entries.length > 0 && cost > budget.length) break;
    budget.length -= cost;
    entries.push(entry);
  }
  const more = entries.length < total;
  if (!keysOnly) return { kind: "entries", revision, entries, count, more };
  return { kind: "keys", revision, keys: keys.slice(0, entries.length), count, more };
}

/** A refusal if the lock is no longer held under the token that a write carries. */
export function judgeFence(state: GobbyView, fence: Fence | undefined): Refusal | undefined {
  if (fence === undefined || isHeld(state, fence)) return undefined;
  return { kind: "refused", why: "fenced", ...fence };
}

/** A put or a delete with its conditions. */
export function write(
  state: GobbyState,
  operation: Gobby<"put"> | Gobby<"delete">,
  limits: GobbyLimits,
): GobbyOutcome<"stored" | "deleted" | "refused"> {
  const { key, ifRevision } = operation;
  const found = state.entries.get(key)?.modifyRevision ?? 0;
  const refusal = judgeWrites(state, [operation], limits) ?? judgeFence(state, operation.fence);
  if (refusal !== undefined) return refusal;
  if (ifRevision !== undefined && ifRevision !== found) {
    return { kind: "refused", why: "revisionDiffers", key, wanted: ifRevision, found };
  }
  return carryOut(state, operation, state.revision + 1);
}

/** Deletes the first keys of a range, all at one revision. */
export function deleteRange(
  state: GobbyState,
  operation: Gobby<"deleteRange">,
  limits: GobbyLimits,
): GobbyOutcome<"deleted" | "refused"> {
  const refusal = judge(limits, "answers", operation.limit) ?? judgeFence(state, operation.fence);
  if (refusal !== undefined) return refusal;
  const { keys, total } = keysIn(state.order, operation.range, operation.limit);
  const revision = state.revision + 1;
  for (const key of keys) remove(state, key, "deleted", revision);
  return {
    kind: "deleted",
    revision: state.revision,
    count: keys.length,
    more: keys.length < total,
  };
}

/** Ends the time of a key, if it was not put again since. */
export function expireKey(
  state: GobbyState,
  { key, modifyRevision }: Gobby<"expireKey">,
): GobbyOutcome<"keyExpired" | "refused"> {
  const entry = state.entries.get(key);
  const found = entry?.modifyRevision ?? 0;
  // A key without a time is not the master's to expire, whatever it thinks.
  if (found !== modifyRevision || entry?.ttlMs === null) {
    return { kind: "refused", why: "revisionDiffers", key, wanted: modifyRevision, found };
  }
  remove(state, key, "expired", state.revision + 1);
  return { kind: "keyExpired", revision: state.revision };
}

/** Whether writes may be carried out, all of them and at once. */
export function judgeWrites(
  state: GobbyView,
  writes: readonly Write[],
  limits: GobbyLimits,
): Refusal | undefined {
  let keys = state.entries.size;
  let length = state.storeLength;
  // Most writes are of one key and of no session: neither is made for them.
  const written = writes.length > 1 ? new Set<string>() : undefined;
  let owned: Map<number, number> | undefined;
  for (const each of writes) {
    const { key } = each;
    // One event a key and revision: its modify revision then names its value.
    if (written?.has(key)) return { kind: "refused", why: "writtenTwice", key };
    written?.add(key);
    const refusal = judge(limits, "keyLength", key.length) ??
      (each.kind === "put" ? judgePut(state, each, limits) : undefined);
    if (refusal !== undefined) return refusal;
    const found = state.entries.get(key);
    if (found !== undefined) {
      keys--;
      length -= costOf(found);
      if (found.session !== null) count(owned ??= new Map(), found.session, -1);
    }
    if (each.kind === "delete") continue;
    keys++;
    length += costOf(each);
    if (each.session !== undefined) count(owned ??= new Map(), each.session, 1);
  }
  const refusal = owned === undefined ? undefined : judgeOwned(state, owned, limits);
  return refusal ?? judge(limits, "keys", keys) ?? judge(limits, "storeLength", length);
}

function count(owned: Map<number, number>, session: number, more: number): void {
  owned.set(session, (owned.get(session) ?? 0) + more);
}

/** @param owned How many keys each session wins or loses. */
function judgeOwned(
  state: GobbyView,
  owned: ReadonlyMap<number, number>,
  limits: GobbyLimits,
): Refusal | undefined {
  for (const [session, more] of owned) {
    const keys = (state.sessions.get(session)?.keys.size ?? 0) + more;
    const refusal = judge(limits, "keysOfSession", keys);
    if (refusal !== undefined) return refusal;
  }
}

function judgePut(
  state: GobbyView,
  { value, session, ttlMs }: Put,
  limits: GobbyLimits,
): Refusal | undefined {
  const refusal = judge(limits, "valueLength", value.length);
  if (refusal !== undefined) return refusal;
  if (session !== undefined && !state.sessions.has(session)) {
    return { kind: "refused", why: "unknownSession", session };
  }
  if (ttlMs === undefined) return undefined;
  return judge(limits, "keyTtlMsMin", ttlMs) ?? judge(limits, "keyTtlMs", ttlMs);
}

/** Carries out a write that {@linkcode judgeWrites} has let pass, as a part of a revision. */
export function carryOut(
  state: GobbyState,
  operation: Write,
  revision: number,
): GobbyOutcome<"stored" | "deleted"> {
  if (operation.kind === "put") return put(state, operation, revision);
  const existed = remove(state, operation.key, "deleted", revision);
  return { kind: "deleted", revision: state.revision, count: existed ? 1 : 0, more: false };
}

function put(
  state: GobbyState,
  { key, value, session, ttlMs }: Put,
  revision: number,
): GobbyOutcome<"stored"> {
  const found = state.entries.get(key);
  if (found === undefined) insertKey(state.order, key);
  else {
    state.storeLength -= costOf(found);
    disown(state, key, found.session);
  }
  const entry = {
    key,
    value,
    createRevision: found?.createRevision ?? revision,
    modifyRevision: revision,
    version: (found?.version ?? 0) + 1,
    session: session ?? null,
    ttlMs: ttlMs ?? null,
  };
  state.entries.set(key, entry);
  state.storeLength += costOf(entry);
  if (session !== undefined) state.sessions.get(session)?.keys.add(key);
  record(state, { kind: "keyStored", revision, entry });
  return { kind: "stored", revision, version: entry.version };
}

/** Takes a key away; false if there is none. */
export function remove(
  state: GobbyState,
  key: string,
  how: DeletedHow,
  revision: number,
): boolean {
  const found = state.entries.get(key);
  if (found === undefined) return false;
  state.entries.delete(key);
  removeKey(state.order, key);
  state.storeLength -= costOf(found);
  disown(state, key, found.session);
  record(state, { kind: "keyDeleted", revision, key, how });
  return true;
}

function disown(state: GobbyState, key: string, session: number | null): void {
  if (session !== null) state.sessions.get(session)?.keys.delete(key);
}
