// Locks: exclusive and shared, tried or waited for. Any key names one, whether or not it exists. They are advisory, as
// in Chubby (section 2.4 of its paper): what they protect is protected by their tokens.
//
// The queue is fair: nobody is granted a lock while somebody waits who came before, not even a shared one behind an
// exclusive one. Each grant is a revision of its own, which is its token, so that no two are the same and each is
// larger than all before, of whatever lock.

import { record } from "./machine_history.ts";
import { judge } from "./machine_judge.ts";
import type { GobbyLimits } from "./machine_limits.ts";
import type { Fence, Gobby, LockMode } from "./machine_operation.ts";
import type { GobbyOutcome, Refusal } from "./machine_result.ts";
import type { GobbyState, GobbyView, Holder, Lock, Session } from "./machine_state.ts";

type LockView = GobbyView["locks"] extends ReadonlyMap<string, infer View> ? View : never;

/** Whether the lock is held under the token. */
export function isHeld(state: GobbyView, { lock, token }: Fence): boolean {
  return state.locks.get(lock)?.holders.has(token) ?? false;
}

/** Whether the session holds the lock. */
export function holds(state: GobbyView, lock: string, session: number): boolean {
  const token = state.sessions.get(session)?.claims.get(lock);
  return token !== undefined && isHeld(state, { lock, token });
}

/** Gets the lock, or a place in its queue. A session that has either already gets the same again. */
export function acquire(
  state: GobbyState,
  operation: Gobby<"acquire">,
  limits: GobbyLimits,
): GobbyOutcome<"acquired" | "waiting" | "refused"> {
  const { session, key, mode, waitMs, lockDelayMs = 0 } = operation;
  const owner = state.sessions.get(session);
  if (owner === undefined) return { kind: "refused", why: "unknownSession", session };
  const lock = state.locks.get(key);
  const claim = owner.claims.get(key);
  if (lock !== undefined && claim !== undefined) return claimed(lock, key, claim, mode);
  const refusal = judgeAcquire(state, operation, owner, limits);
  if (refusal !== undefined) return refusal;
  const wanted: Lock = lock ?? { holders: new Map(), queue: new Map(), delay: null };
  const holder = { session, mode, lockDelayMs };
  if (wanted.queue.size === 0 && admits(wanted, mode)) {
    state.locks.set(key, wanted);
    state.claims++;
    return { kind: "acquired", token: grant(state, key, wanted, holder, null) };
  }
  if (waitMs === 0) return inTheWay(wanted, key);
  const full = judge(limits, "waitersOfLock", wanted.queue.size + 1);
  if (full !== undefined) return full;
  const ticket = state.revision + 1;
  const ahead = wanted.queue.size;
  wanted.queue.set(ticket, { ...holder, waitMs });
  owner.claims.set(key, ticket);
  state.claims++;
  record(state, { kind: "waitBegun", revision: ticket, key, session, ticket, mode, waitMs });
  return { kind: "waiting", ticket, ahead };
}

function judgeAcquire(
  state: GobbyView,
  { key, waitMs, lockDelayMs = 0 }: Gobby<"acquire">,
  owner: Session,
  limits: GobbyLimits,
): Refusal | undefined {
  return judge(limits, "keyLength", key.length) ??
    judge(limits, "waitMs", waitMs) ??
    judge(limits, "lockDelayMs", lockDelayMs) ??
    judge(limits, "locksOfSession", owner.claims.size + 1) ??
    judge(limits, "claims", state.claims + 1) ??
    judge(limits, "locks", state.locks.size + (state.locks.has(key) ? 0 : 1));
}

/** What a session is told that asks for what it has, or awaits. */
function claimed(
  lock: Lock,
  key: string,
  claim: number,
  mode: LockMode,
): GobbyOutcome<"acquired" | "waiting" | "refused"> {
  const holder = lock.holders.get(claim);
  const had = holder?.mode ?? lock.queue.get(claim)?.mode ?? mode;
  // To wait for oneself to let go would be to wait for ever.
  if (had !== mode) return { kind: "refused", why: "otherMode", key, mode: had };
  if (holder !== undefined) return { kind: "acquired", token: claim };
  return { kind: "waiting", ticket: claim, ahead: [...lock.queue.keys()].indexOf(claim) };
}

/** Why a lock that does not admit a session does not. */
function inTheWay(lock: Lock, key: string): Refusal {
  if (lock.delay !== null) return { kind: "refused", why: "delayed", key, ...lock.delay };
  const [first] = lock.holders;
  // Without a delay or a holder somebody who waits would have been granted the lock.
  const [token, { session, mode }] = first ?? [0, { session: 0, mode: "exclusive" }];
  return { kind: "refused", why: "held", key, session, token, mode };
}

/** Whether the lock could be granted in this mode to the one who came first. */
function admits(lock: LockView, mode: LockMode): boolean {
  if (lock.delay !== null) return false;
  const [first] = lock.holders.values();
  return first === undefined || (mode === "shared" && first.mode === "shared");
}

/** Grants the lock at a revision of its own: its token. */
function grant(
  state: GobbyState,
  key: string,
  lock: Lock,
  { session, mode, lockDelayMs }: Holder,
  ticket: number | null,
): number {
  const token = state.revision + 1;
  lock.holders.set(token, { session, mode, lockDelayMs });
  state.sessions.get(session)?.claims.set(key, token);
  record(state, { kind: "lockGranted", revision: token, key, session, token, mode, ticket });
  return token;
}

/** Grants the lock to those in the queue whose turn it is, and forgets it if nobody is left. */
export function settle(state: GobbyState, key: string): void {
  const lock = state.locks.get(key);
  if (lock === undefined) return;
  for (const [ticket, waiter] of lock.queue) {
    if (!admits(lock, waiter.mode)) break;
    lock.queue.delete(ticket);
    grant(state, key, lock, waiter, ticket);
  }
  if (lock.holders.size + lock.queue.size === 0 && lock.delay === null) state.locks.delete(key);
}

/** Lets go of a lock. */
export function release(
  state: GobbyState,
  { key, token }: Gobby<"release">,
): GobbyOutcome<"released" | "refused"> {
  const revision = state.revision + 1;
  if (!endHold(state, key, token, "released", revision)) {
    return { kind: "refused", why: "notHeld", key, token };
  }
  settle(state, key);
  return { kind: "released", revision };
}

/** Leaves the queue of a lock. */
export function cancelWait(
  state: GobbyState,
  { key, ticket }: Gobby<"cancelWait">,
): GobbyOutcome<"waitCancelled" | "refused"> {
  const revision = state.revision + 1;
  if (!endWait(state, key, ticket, "cancelled", revision)) {
    return { kind: "refused", why: "notWaiting", key, ticket };
  }
  // Those who stood behind may stand before a lock that admits them.
  settle(state, key);
  return { kind: "waitCancelled", revision };
}

/** Takes an acquire back, whatever has come of it. Who asked need not know its token or ticket. */
export function withdraw(
  state: GobbyState,
  { session, key }: Gobby<"withdraw">,
): GobbyOutcome<"released" | "waitCancelled" | "refused"> {
  const owner = state.sessions.get(session);
  if (owner === undefined) return { kind: "refused", why: "unknownSession", session };
  const claim = owner.claims.get(key);
  if (claim === undefined) return { kind: "refused", why: "notClaimed", key, session };
  return isHeld(state, { lock: key, token: claim })
    ? release(state, { kind: "release", key, token: claim })
    : cancelWait(state, { kind: "cancelWait", key, ticket: claim });
}

/** Opens the lock again after its delay, if it is still that delay. */
export function endLockDelay(
  state: GobbyState,
  { key, token }: Gobby<"endLockDelay">,
): GobbyOutcome<"lockDelayEnded" | "refused"> {
  const lock = state.locks.get(key);
  if (lock?.delay?.token !== token) return { kind: "refused", why: "notDelayed", key, token };
  const revision = state.revision + 1;
  lock.delay = null;
  record(state, { kind: "lockDelayEnded", revision, key, token });
  settle(state, key);
  return { kind: "lockDelayEnded", revision };
}

/** Ends a session's holding of a lock, or its waiting for it. The lock is to be settled afterwards. */
export function endClaim(
  state: GobbyState,
  key: string,
  claim: number,
  how: "closed" | "expired",
  revision: number,
): void {
  if (endHold(state, key, claim, how, revision)) return;
  endWait(state, key, claim, how, revision);
}

function endHold(
  state: GobbyState,
  key: string,
  token: number,
  how: "released" | "closed" | "expired",
  revision: number,
): boolean {
  const lock = state.locks.get(key);
  const holder = lock?.holders.get(token);
  if (lock === undefined || holder === undefined) return false;
  const { session, lockDelayMs } = holder;
  lock.holders.delete(token);
  state.sessions.get(session)?.claims.delete(key);
  state.claims--;
  record(state, { kind: "lockReleased", revision, key, session, token, how });
  if (how === "expired" && lockDelayMs > 0) {
    // Of two shared holders that expired, the later one's delay replaces the earlier one's, but is no shorter.
    const delayMs = Math.max(lockDelayMs, lock.delay?.delayMs ?? 0);
    lock.delay = { token, delayMs };
    record(state, { kind: "lockDelayBegun", revision, key, token, delayMs });
  }
  return true;
}

function endWait(
  state: GobbyState,
  key: string,
  ticket: number,
  how: "cancelled" | "closed" | "expired",
  revision: number,
): boolean {
  const lock = state.locks.get(key);
  const waiter = lock?.queue.get(ticket);
  if (lock === undefined || waiter === undefined) return false;
  const { session } = waiter;
  lock.queue.delete(ticket);
  state.sessions.get(session)?.claims.delete(key);
  state.claims--;
  record(state, { kind: "waitEnded", revision, key, session, ticket, how });
  return true;
}

/** Who holds a lock, and who waits for it. */
export function getLock(
  state: GobbyView,
  { key }: Gobby<"getLock">,
  limits: GobbyLimits,
): GobbyOutcome<"lock"> {
  const { holders, queue, delay } = state.locks.get(key) ?? nobody;
  return {
    kind: "lock",
    revision: state.revision,
    holders: firstOf(holders, limits.answers)
      .map(([token, { session, mode }]) => ({ session, token, mode })),
    waiters: firstOf(queue, limits.answers)
      .map(([ticket, { session, mode }]) => ({ session, ticket, mode })),
    holderCount: holders.size,
    waiterCount: queue.size,
    delay: delay === null ? null : { ...delay },
  };
}

const nobody: LockView = { holders: new Map(), queue: new Map(), delay: null };

function firstOf<K, V>(map: ReadonlyMap<K, V>, entriesMax: number): [K, V][] {
  const first: [K, V][] = [];
  for (const entry of map) {
    if (first.length >= entriesMax) break;
    first.push(entry);
  }
  return first;
}
