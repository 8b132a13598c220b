// Which refusals an operation deserves. A machine may answer any of them, and must answer one if there is any.

import type {
  Fence,
  Gobby,
  GobbyLimits,
  GobbyOperation,
  LimitName,
  Refusal,
  TransactionStep,
} from "../../../agents/gobby/machine_types.ts";
import {
  admits,
  claimOf,
  claimsOf,
  cost,
  find,
  isHeld,
  isTrue,
  sum,
  type Twin,
  type TwinSession,
} from "./twin.ts";

/** The refusals that an operation deserves. */
export function refusalsOf(twin: Twin, op: GobbyOperation, limits: GobbyLimits): Refusal[] {
  const judge = new Judge(twin, limits);
  switch (op.kind) {
    case "range":
      judge.limit("answers", op.limit);
      break;
    case "put":
    case "delete":
      judge.write(op);
      break;
    case "deleteRange":
      judge.limit("answers", op.limit);
      judge.fence(op.fence);
      break;
    case "transaction":
      judge.transaction(op);
      break;
    case "openSession":
      judge.limit("clientLength", op.client.length);
      judge.limit("sessionTtlMsMin", op.ttlMs);
      judge.limit("sessionTtlMs", op.ttlMs);
      judge.limit("sessions", twin.sessions.length + 1);
      break;
    case "renewSession":
    case "closeSession":
    case "getSession":
      judge.session(op.session);
      break;
    case "acquire":
      judge.acquire(op);
      break;
    case "release":
      if (isHeld(twin, { lock: op.key, token: op.token })) break;
      judge.refuse({ kind: "refused", why: "notHeld", key: op.key, token: op.token });
      break;
    case "cancelWait":
      if (claimsOf(twin, op.key, false).some(({ number }) => number === op.ticket)) break;
      judge.refuse({ kind: "refused", why: "notWaiting", key: op.key, ticket: op.ticket });
      break;
    case "withdraw":
      judge.session(op.session);
      if (claimOf(twin, op.key, op.session) !== undefined) break;
      judge.refuse({ kind: "refused", why: "notClaimed", key: op.key, session: op.session });
      break;
    case "events": {
      judge.limit("answers", op.limit);
      const { oldest } = twin;
      if (op.from >= oldest) break;
      judge.refuse({ kind: "refused", why: "compacted", from: op.from, oldest });
      break;
    }
    case "beginTerm":
      judge.limit("clientLength", op.master.length);
      judge.term(op.after);
      break;
    default:
      judge.master(op);
  }
  return judge.refusals;
}

class Judge {
  readonly refusals: Refusal[] = [];
  readonly #twin: Twin;
  readonly #limits: GobbyLimits;

  constructor(twin: Twin, limits: GobbyLimits) {
    this.#twin = twin;
    this.#limits = limits;
  }

  refuse(refusal: Refusal): void {
    this.refusals.push(refusal);
  }

  limit(limit: LimitName, found: number): void {
    const allowed = this.#limits[limit];
    const isBad = limit.endsWith("Min") ? found < allowed : found > allowed;
    if (isBad) this.refuse({ kind: "refused", why: "limit", limit, found, allowed });
  }

  session(session: number): TwinSession | undefined {
    const found = this.#twin.sessions.find((each) => each.session === session);
    if (found === undefined) this.refuse({ kind: "refused", why: "unknownSession", session });
    return found;
  }

  term(seen: number): void {
    const { term, master } = this.#twin;
    if (seen !== term) this.refuse({ kind: "refused", why: "staleTerm", term, master });
  }

  fence(fence: Fence | undefined): void {
    if (fence === undefined || isHeld(this.#twin, fence)) return;
    this.refuse({ kind: "refused", why: "fenced", ...fence });
  }

  revision(key: string, wanted: number): void {
    const found = find(this.#twin, key)?.modifyRevision ?? 0;
    if (wanted === found) return;
    this.refuse({ kind: "refused", why: "revisionDiffers", key, wanted, found });
  }

  write(op: Gobby<"put"> | Gobby<"delete">): void {
    this.writes([op]);
    this.fence(op.fence);
    if (op.ifRevision !== undefined) this.revision(op.key, op.ifRevision);
  }

  transaction(op: Gobby<"transaction">): void {
    this.limit("transactionSteps", op.if.length + op.then.length + op.else.length);
    this.fence(op.fence);
    const branch = op.if.every((each) => isTrue(this.#twin, each)) ? op.then : op.else;
    for (const step of branch) if (step.kind === "range") this.limit("answers", step.limit);
    this.writes(branch);
  }

  writes(steps: readonly TransactionStep[]): void {
    const writes = steps.flatMap((step) =>
      step.kind === "put" || step.kind === "delete" ? step : []
    );
    const keys = writes.map(({ key }) => key);
    keys.forEach((key, index) => {
      this.limit("keyLength", key.length);
      if (keys.indexOf(key) < index) this.refuse({ kind: "refused", why: "writtenTwice", key });
    });
    const puts = writes.flatMap((write) => write.kind === "put" ? write : []);
    for (const { value, session, ttlMs } of puts) {
      this.limit("valueLength", value.length);
      if (session !== undefined) this.session(session);
      if (ttlMs !== undefined) this.limit("keyTtlMsMin", ttlMs);
      if (ttlMs !== undefined) this.limit("keyTtlMs", ttlMs);
    }
    const after = [...this.#twin.entries.filter(({ key }) => !keys.includes(key)), ...puts];
    this.limit("keys", after.length);
    this.limit("storeLength", sum(after.map(cost)));
    for (const { session } of puts) {
      if (session === undefined) continue;
      this.limit("keysOfSession", after.filter((each) => each.session === session).length);
    }
  }

  acquire({ key, session, mode, waitMs, lockDelayMs = 0 }: Gobby<"acquire">): void {
    if (this.session(session) === undefined) return;
    const { claims, delays } = this.#twin;
    const mine = claimOf(this.#twin, key, session);
    if (mine !== undefined) {
      if (mine.mode === mode) return;
      this.refuse({ kind: "refused", why: "otherMode", key, mode: mine.mode });
      return;
    }
    this.limit("keyLength", key.length);
    this.limit("waitMs", waitMs);
    this.limit("lockDelayMs", lockDelayMs);
    this.limit("claims", claims.length + 1);
    this.limit("locksOfSession", claims.filter((each) => each.session === session).length + 1);
    this.limit("locks", new Set([...claims, ...delays, { key }].map((each) => each.key)).size);
    const waiters = claimsOf(this.#twin, key, false);
    if (waiters.length === 0 && admits(this.#twin, key, mode)) return;
    if (waitMs > 0) this.limit("waitersOfLock", waiters.length + 1);
    else this.#tried(key);
  }

  /** A lock that cannot be had at once. */
  #tried(key: string): void {
    const delay = this.#twin.delays.find((each) => each.key === key);
    const [first] = claimsOf(this.#twin, key, true);
    if (delay !== undefined) this.refuse({ kind: "refused", why: "delayed", ...delay });
    else if (first !== undefined) {
      const { session, number: token, mode } = first;
      this.refuse({ kind: "refused", why: "held", key, session, token, mode });
    }
  }

  master(op: GobbyOperation): void {
    const { revision, delays } = this.#twin;
    if (op.kind === "expireSession") {
      this.term(op.term);
      const { session } = op;
      const renewal = this.session(session)?.renewal ?? op.renewal;
      if (renewal === op.renewal) return;
      this.refuse({ kind: "refused", why: "renewed", session, renewal });
    }
    if (op.kind === "expireKey") {
      // A key without a time is refused as one with another revision.
      if (find(this.#twin, op.key)?.ttlMs !== null) this.revision(op.key, op.modifyRevision);
      else {
        const { key, modifyRevision: wanted } = op;
        const found = find(this.#twin, key)?.modifyRevision ?? 0;
        this.refuse({ kind: "refused", why: "revisionDiffers", key, wanted, found });
      }
    }
    if (op.kind === "endLockDelay") {
      if (delays.some(({ key, token }) => key === op.key && token === op.token)) return;
      this.refuse({ kind: "refused", why: "notDelayed", key: op.key, token: op.token });
    }
    if (op.kind === "compact" && op.revision > revision + 1) {
      this.refuse({ kind: "refused", why: "future", wanted: op.revision, revision });
    }
  }
}
