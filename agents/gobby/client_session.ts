// A client's session: it is kept alive, and counted by the client's own clock, so that the client knows before any
// master acts that it is over.

import { type ClientState, type ClientStep, seek, tellUsers } from "./client_state.ts";
import type { ClientMessage } from "./protocol.ts";

/** How many keep-alives that were not answered are remembered. */
const keepAlivesMax = 16;

/** A session has begun, by a request that was sent first at `sentAt`. */
export function beginSession(
  step: ClientStep,
  { number, ttlMs, sentAt }: { number: number; ttlMs: number; sentAt: number },
): void {
  const { state: { session }, ctx, rules } = step;
  session.number = number;
  session.ttlMs = ttlMs;
  session.until = rules.countedFrom(sentAt, ctx.now) + countedMs(step);
  session.keepAlives.clear();
  session.state = "safe";
  tellUsers(step, number, "safe");
  ctx.setTimer("keepAlive", Math.max(1, Math.floor(ttlMs / 3) - (ctx.now - sentAt)));
}

/** The session is over. */
export function endSession(step: ClientStep, how: "lost" | "closed"): void {
  const { state: { session }, ctx } = step;
  const { number } = session;
  session.number = 0;
  session.keepAlives.clear();
  ctx.clearTimer("keepAlive");
  ctx.clearTimer("session");
  ctx.note(how === "lost" ? "gobby.session_lost" : "gobby.session_closed", { session: number });
  tellUsers(step, number, how);
}

/** Whether the session is over by now. */
export function isOver({ session }: ClientState, now: number): boolean {
  return session.number !== 0 && now >= session.until;
}

/** Tells whether the session is in doubt, and arms the timer for when that changes. */
export function settle(step: ClientStep): void {
  const { state: { session }, ctx } = step;
  if (session.number === 0) return;
  // By then two keep-alives were not answered.
  const doubtAt = session.until - Math.floor(countedMs(step) / 3);
  const state = ctx.now >= doubtAt ? "jeopardy" : "safe";
  if (state !== session.state) {
    session.state = state;
    ctx.note(`gobby.session_${state}`, { session: session.number });
    tellUsers(step, session.number, state);
  }
  ctx.setTimer("session", Math.max(0, (state === "safe" ? doubtAt : session.until) - ctx.now));
}

/** Says that the client is alive. */
export function keepAlive(step: ClientStep): void {
  const { state, ctx } = step;
  const { session, name: client } = state;
  if (session.number === 0) return;
  // The one before was not answered: whoever should have is the master no more, or something was lost.
  if (session.keepAlives.size > 0) {
    state.master = undefined;
    seek(step);
  } else if (state.master === undefined) seek(step);
  else send(step, client);
  const ms = Math.max(1, Math.floor(session.ttlMs / 3));
  ctx.setTimer("keepAlive", session.keepAlives.size > 0 ? Math.min(ms, ctx.attrs.retryMsMax) : ms);
}

/** There is a master again: it is told at once what the last one may not have heard. */
export function greet(step: ClientStep): void {
  if (step.state.session.number !== 0) send(step, step.state.name);
}

function send({ state: { session, master }, ctx }: ClientStep, client: string): void {
  if (master === undefined) return;
  const number = ++session.latest;
  session.keepAlives.set(number, ctx.now);
  for (const old of session.keepAlives.keys()) {
    if (session.keepAlives.size <= keepAlivesMax) break;
    session.keepAlives.delete(old);
  }
  ctx.sendTo(master, { type: "keepAlive", client, session: session.number, number });
}

/** Takes what the master says to a keep-alive. Gives whether the session is over. */
export function onKeptAlive(step: ClientStep, message: ClientMessage<"keptAlive">): boolean {
  const { state: { session }, ctx, rules } = step;
  if (message.session !== session.number) return false;
  if (message.ended) return true;
  const sentAt = session.keepAlives.get(message.number);
  if (sentAt === undefined) return false;
  session.keepAlives.clear();
  const until = rules.countedFrom(sentAt, ctx.now) + countedMs(step);
  session.until = Math.max(session.until, until);
  ctx.setTimer("keepAlive", Math.max(1, Math.floor(session.ttlMs / 3) - (ctx.now - sentAt)));
  return false;
}

function countedMs({ state: { session }, ctx, rules }: ClientStep): number {
  return rules.countedMs(session.ttlMs, ctx.attrs.clockDriftPpm);
}
