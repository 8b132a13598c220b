// Sessions: what a client's locks and ephemeral keys hang on. The machine knows how long a session may be silent; that
// it was, the master's clock says. Keep-alives are between client and master and never come here.

import { endClaim, settle } from "./machine_locks.ts";
import { record } from "./machine_history.ts";
import { judge } from "./machine_judge.ts";
import { remove } from "./machine_keys.ts";
import type { GobbyLimits } from "./machine_limits.ts";
import type { SessionEnd } from "./machine_event.ts";
import type { Gobby } from "./machine_operation.ts";
import type { GobbyOutcome, Refusal } from "./machine_result.ts";
import type { GobbyState, GobbyView } from "./machine_state.ts";

/** Opens a session. Its number is the revision, so that an expiry of an earlier one cannot hit it. */
export function openSession(
  state: GobbyState,
  { client, ttlMs }: Gobby<"openSession">,
  limits: GobbyLimits,
): GobbyOutcome<"session" | "refused"> {
  const refusal = judge(limits, "clientLength", client.length) ??
    judge(limits, "sessionTtlMsMin", ttlMs) ??
    judge(limits, "sessionTtlMs", ttlMs) ??
    judge(limits, "sessions", state.sessions.size + 1);
  if (refusal !== undefined) return refusal;
  const session = state.revision + 1;
  state.sessions.set(session, { client, ttlMs, renewal: 0, keys: new Set(), claims: new Map() });
  record(state, { kind: "sessionOpened", revision: session, session, client, ttlMs });
  return getSession(state, { kind: "getSession", session });
}

/** Gives a session a new renewal number. */
export function renewSession(
  state: GobbyState,
  { session }: Gobby<"renewSession">,
): GobbyOutcome<"session" | "refused"> {
  const known = state.sessions.get(session);
  if (known !== undefined) {
    const { ttlMs } = known;
    const revision = state.revision + 1;
    const renewal = ++known.renewal;
    record(state, { kind: "sessionRenewed", revision, session, renewal, ttlMs });
  }
  return getSession(state, { kind: "getSession", session });
}

/** What is known of a session. */
export function getSession(
  state: GobbyView,
  { session }: Gobby<"getSession">,
): GobbyOutcome<"session" | "refused"> {
  const known = state.sessions.get(session);
  if (known === undefined) return unknownSession(session);
  return {
    kind: "session",
    revision: state.revision,
    session,
    client: known.client,
    ttlMs: known.ttlMs,
    renewal: known.renewal,
    keys: known.keys.size,
    locks: known.claims.size,
  };
}

/** Ends a session in peace. */
export function closeSession(
  state: GobbyState,
  { session }: Gobby<"closeSession">,
): GobbyOutcome<"sessionEnded" | "refused"> {
  return endSession(state, session, "closed");
}

/**
 * Ends a session of which the master has not heard for its time. Not if it was renewed meanwhile. And not if there is a
 * new master meanwhile, since that has given every session its full time again, and may have told so to its client.
 */
export function expireSession(
  state: GobbyState,
  { session, renewal, term }: Gobby<"expireSession">,
): GobbyOutcome<"sessionEnded" | "refused"> {
  if (term !== state.term) {
    return { kind: "refused", why: "staleTerm", term: state.term, master: state.master };
  }
  const known = state.sessions.get(session);
  if (known !== undefined && known.renewal !== renewal) {
    return { kind: "refused", why: "renewed", session, renewal: known.renewal };
  }
  return endSession(state, session, "expired");
}

/** Begins the term of a new master. */
export function beginTerm(
  state: GobbyState,
  { master }: Gobby<"beginTerm">,
  limits: GobbyLimits,
): GobbyOutcome<"termBegun" | "refused"> {
  const refusal = judge(limits, "clientLength", master.length);
  if (refusal !== undefined) return refusal;
  const revision = state.revision + 1;
  const term = ++state.term;
  state.master = master;
  record(state, { kind: "termBegun", revision, term, master });
  return { kind: "termBegun", revision, term };
}

function unknownSession(session: number): Refusal {
  return { kind: "refused", why: "unknownSession", session };
}

/** Whatever hangs on the session ends at one revision; what others gain by it has later ones. */
function endSession(
  state: GobbyState,
  session: number,
  how: SessionEnd,
): GobbyOutcome<"sessionEnded" | "refused"> {
  const known = state.sessions.get(session);
  if (known === undefined) return unknownSession(session);
  const revision = state.revision + 1;
  const claims = [...known.claims];
  for (const key of [...known.keys]) remove(state, key, "sessionEnded", revision);
  for (const [key, claim] of claims) endClaim(state, key, claim, how, revision);
  state.sessions.delete(session);
  record(state, { kind: "sessionEnded", revision, session, how });
  for (const [key] of claims) settle(state, key);
  return { kind: "sessionEnded", revision };
}
