// What a client asks of the master, one request at a time, each with a number so that it is carried out once however
// often it is sent.

import type { DeepReadonly, Json } from "../../core/data.ts";
import type { AgentId } from "../../core/id.ts";
import { quickCheck } from "../../core/quick_check.ts";
import { beginSession, endSession } from "./client_session.ts";
import {
  type Ask,
  asksMax,
  type ClientStep,
  type ClientWatch,
  type Request,
  seek,
  waitsMax,
} from "./client_state.ts";
import { closeWatch, openWatch } from "./client_watches.ts";
import type { GobbyEvent } from "./machine_event.ts";
import { type Gobby, type GobbyOperation, gobbyOperation } from "./machine_operation.ts";
import type { GobbyResult } from "./machine_result.ts";
import type { AskOutcome, ClientMessage } from "./protocol.ts";

type Outcome = DeepReadonly<AskOutcome>;

const isOperation = quickCheck(gobbyOperation);

/** After so many tries in vain the master is looked for. */
const triesMax = 2;

/** Why things fail whose session is over. */
const overWhy = "the session is over";

/** Asks for something, when its turn comes. */
export function ask(
  step: ClientStep,
  wanted: Omit<Ask, "number"> & { readonly deadlineMs?: number | undefined },
): void {
  const { state, ctx } = step;
  const { deadlineMs, ...rest } = wanted;
  const asked: Ask = { ...rest, number: ++state.asked };
  if (state.asks.length >= asksMax) {
    return answer(step, asked, failed(true, `${asksMax} things are waiting`));
  }
  state.asks.push(asked);
  // Who waits for a lock waits as long as it says, and then for the answer.
  const ms = deadlineMs ?? Math.ceil(ctx.attrs.deadlineMs + waitMsOf(asked.operation));
  ctx.setTimer("deadline", ms, String(asked.number));
}

function waitMsOf(operation: Json): number {
  if (typeof operation !== "object" || operation === null || !("waitMs" in operation)) return 0;
  const { waitMs } = operation;
  return typeof waitMs === "number" && waitMs > 0 && waitMs <= 86_400_000 ? waitMs : 0;
}

/** Begins with the next thing, unless one is under way. */
export function proceed(step: ClientStep): void {
  const { state } = step;
  while (state.request === undefined) {
    const [first] = state.asks;
    if (first === undefined) return;
    if (first.session && state.session.number === 0) {
      openSession(step, first);
      continue;
    }
    begin(step, first);
  }
}

function openSession({ state, ctx }: ClientStep, { number, user }: Ask): void {
  const { sessionTtlMs: ttlMs } = ctx.attrs;
  const operation = { kind: "openSession", client: ctx.self, ttlMs };
  if (user !== null) state.users.add(user);
  // It shares the deadline of the one that needs it.
  state.asks.unshift({ number, user: null, id: 0, operation, session: false });
}

function begin(step: ClientStep, first: Ask): void {
  const { state, ctx } = step;
  if (state.seat === 0) {
    state.request = { request: 0, operation: undefined, session: 0, sentAt: ctx.now };
    return transmit(step);
  }
  const session = first.session ? state.session.number : 0;
  const filled = first.session && typeof first.operation === "object"
    ? { ...first.operation, session }
    : first.operation;
  const error = isOperation(filled) ? undefined : gobbyOperation.safeParse(filled).error;
  if (error !== undefined) {
    const [issue] = error.issues;
    const why = `it is no operation: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`;
    return finish(step, failed(true, why));
  }
  const request = ++state.requests;
  state.request = { request, operation: filled as GobbyOperation, session, sentAt: ctx.now };
  transmit(step);
}

/** Sends what is being asked, or looks for whom to send it to. */
export function transmit(step: ClientStep): void {
  const { state, ctx } = step;
  const { request, master, name: client, seat } = state;
  if (request === undefined) return;
  if (master === undefined) seek(step);
  else if (request.operation === undefined) ctx.sendTo(master, { type: "open", client });
  else {
    const { request: number, operation } = request;
    ctx.sendTo(master, { type: "request", client, seat, request: number, operation });
  }
  const { retryMs, retryMsMax } = ctx.attrs;
  let ms = retryMs;
  for (let tries = state.tries; tries > 0 && ms < retryMsMax; tries--) ms = Math.ceil(1.5 * ms);
  ms = Math.min(ms, retryMsMax);
  ctx.setTimer("retry", [ms, 1.5 * ms]);
}

/** Nobody has answered. */
export function retry(step: ClientStep): void {
  const { state } = step;
  if (state.request === undefined) return;
  state.tries++;
  // The first time it may be that something was lost; but if the master is gone, the others shall know who looks for one.
  if (state.tries >= triesMax) state.master = undefined;
  else if (state.master !== undefined) seek(step);
  transmit(step);
}

/** Takes the answer to a request. */
export function onReply(
  step: ClientStep,
  { client, request: number, outcome }: ClientMessage<"reply">,
): void {
  const { state } = step;
  const { request } = state;
  if (request === undefined || client !== state.name || number !== request.request) return;
  state.tries = 0;
  switch (outcome.kind) {
    case "opened":
      state.seat = outcome.seat;
      state.request = undefined;
      return;
    case "done":
      return takeDone(step, request, outcome.result);
    case "tooLong":
      return finish(step, failed(false, `it was done, but has ${outcome.length} characters`));
    case "refused":
      return finish(step, failed(true, outcome.why));
    case "stale":
      return finish(step, failed(false, "a later request was carried out"));
    case "expired":
      // So many others have come since that nobody knows this client any more.
      state.seat = 0;
      return finish(step, failed(false, "the client was forgotten"));
  }
}

function takeDone(
  step: ClientStep,
  { operation, session, sentAt }: Request,
  result: DeepReadonly<GobbyResult>,
): void {
  const { state, ctx, rules } = step;
  const [first] = state.asks;
  if (first?.user === null && operation?.kind === "openSession" && result.kind === "session") {
    beginSession(step, { number: result.session, ttlMs: result.ttlMs, sentAt });
  }
  if (operation?.kind === "closeSession" && result.kind === "sessionEnded" && session !== 0) {
    // First what it says, then that it is so.
    finish(step, done(result));
    if (state.session.number !== 0) endSession(step, "closed");
    return failOf(step, session);
  }
  if (operation?.kind === "acquire" && result.kind === "waiting") {
    return wait(step, operation, result.ticket);
  }
  if (result.kind !== "acquired") return finish(step, done(result));
  finish(step, done({ ...result, token: rules.tokenOf(result.token, ctx.now) }));
}

/** Lets the first thing asked wait for its lock, while others have their turn. */
function wait(
  step: ClientStep,
  { key, session }: DeepReadonly<Gobby<"acquire">>,
  ticket: number,
): void {
  const { state } = step;
  if (state.waits.size >= waitsMax || state.waits.has(ticket)) {
    return finish(step, failed(false, `it waits for the lock, as ${state.waits.size} others do`));
  }
  const asked = state.asks.shift();
  state.request = undefined;
  if (asked === undefined) return;
  const target = { kind: "key" as const, key, only: "locks" as const };
  const own = { user: null, id: ticket, target, oneShot: false, next: ticket + 1 };
  const watch = openWatch(step, own);
  state.waits.set(ticket, { ask: asked, key, session, ticket, watch });
}

/** Takes what the client itself watches: what becomes of a lock that is awaited. */
export function takeOwnEvents(
  step: ClientStep,
  { id: ticket }: ClientWatch,
  events: readonly GobbyEvent[],
): void {
  const { state, ctx, rules } = step;
  for (const event of events) {
    if (!state.waits.has(ticket)) return;
    if (event.kind === "lockGranted" && event.ticket === ticket) {
      const token = rules.tokenOf(event.token, ctx.now);
      endWait(step, ticket, done({ kind: "acquired", token }));
    } else if (event.kind === "waitEnded" && event.ticket === ticket) {
      const { revision } = event;
      const outcome = event.how === "cancelled"
        ? done({ kind: "waitCancelled", revision })
        : failed(false, overWhy);
      endWait(step, ticket, outcome);
    }
  }
}

/** What the client itself watches is no longer kept: it asks what has become of the lock. */
export function askAgain(step: ClientStep, { id: ticket }: ClientWatch): void {
  const { state, ctx } = step;
  const waiting = state.waits.get(ticket);
  if (waiting === undefined) return;
  state.waits.delete(ticket);
  const { ask: { operation, ...asked } } = waiting;
  if (typeof operation !== "object") return;
  // Who still waits is told so, and who has got the lock gets it again.
  ctx.clearTimer("deadline", String(asked.number));
  ask(step, { ...asked, operation: { ...operation, waitMs: 0 } });
}

function endWait(step: ClientStep, ticket: number, outcome: Outcome): void {
  const waiting = step.state.waits.get(ticket);
  if (waiting === undefined) return;
  step.state.waits.delete(ticket);
  closeWatch(step, waiting.watch);
  answer(step, waiting.ask, outcome);
}

/** The time of something asked is over. */
export function onDeadline(step: ClientStep, number: number): void {
  giveUp(step, "there was no answer in time", (asked) => asked.number === number);
}

/** Who asked for something does not want it any more. */
export function cancel(step: ClientStep, user: AgentId, id: number): void {
  const { request, asks } = step.state;
  const why = "nobody wants it any more";
  const isIts = (asked: Ask) => asked.user === user && asked.id === id;
  // What is under way and cannot be taken back goes on: it would be no less done if nobody heard of it.
  const goesOn = request?.operation !== undefined && request.operation.kind !== "acquire";
  giveUp(step, why, (asked) => isIts(asked) && !(goesOn && asked === asks[0]));
}

/** Fails what was asked, and takes locks back that are asked for or awaited. */
function giveUp(step: ClientStep, why: string, isMeant: (asked: Ask) => boolean): void {
  const { state, ctx } = step;
  for (const { ask: asked, ticket, key, session } of [...state.waits.values()]) {
    if (!isMeant(asked)) continue;
    endWait(step, ticket, failed(false, why));
    withdraw(step, key, session);
  }
  for (const asked of state.asks.filter(isMeant)) {
    const request = asked === state.asks[0] ? state.request : undefined;
    // What has no number yet was never sent.
    const certain = request === undefined || request.request === 0;
    if (asked === state.asks[0]) {
      state.request = undefined;
      ctx.clearTimer("retry");
    }
    state.asks.splice(state.asks.indexOf(asked), 1);
    answer(step, asked, failed(certain, why));
    const operation = request?.operation;
    if (operation?.kind === "acquire") withdraw(step, operation.key, operation.session);
  }
}

/**
 * Takes an acquire back, in one message and before anything else that waits: nobody who asks for the lock next finds
 * what came of this one. It has a later number, so that an acquire that is still on its way is refused as stale.
 */
function withdraw(step: ClientStep, key: string, session: number): void {
  const { state, ctx } = step;
  const number = ++state.asked;
  const operation = { kind: "withdraw", session, key };
  // Behind what is under way.
  const place = state.request === undefined ? 0 : 1;
  state.asks.splice(place, 0, { number, user: null, id: 0, operation, session: false });
  ctx.setTimer("deadline", ctx.attrs.deadlineMs, String(number));
}

/** Fails all that hangs on a session that is over. */
export function failOf(step: ClientStep, session: number): void {
  const { state } = step;
  for (const ticket of [...state.waits.keys()]) endWait(step, ticket, failed(false, overWhy));
  if (state.request?.session === session) finish(step, failed(false, overWhy));
}

/** Ends the first thing asked. */
function finish(step: ClientStep, outcome: Outcome): void {
  const { state, ctx, rules } = step;
  const { asks, request } = state;
  const asked = asks.shift();
  state.request = undefined;
  ctx.clearTimer("retry");
  if (asked === undefined) return;
  if (asked.saysAge && request !== undefined && outcome.kind === "done") {
    // The master answered with what was true at some moment since it was asked.
    const ageMs = rules.lastedMs(ctx.now - request.sentAt, ctx.attrs.clockDriftPpm);
    answer(step, asked, { ...outcome, ageMs });
  } else answer(step, asked, outcome);
  // Without a session, what needs one fails as well: it shared the deadline.
  const [next] = state.asks;
  const refused = outcome.kind === "failed" || outcome.result.kind === "refused";
  if (asked.user === null && next?.session && next.number === asked.number && refused) {
    state.asks.shift();
    answer(step, next, outcome);
  }
}

/** Tells whoever has asked what came of it. */
export function answer(
  { state, ctx }: ClientStep,
  { user, id, number }: Ask,
  outcome: Outcome,
): void {
  const isShared = state.asks.some((each) => each.number === number);
  if (!isShared) ctx.clearTimer("deadline", String(number));
  if (user !== null) ctx.sendTo(user, { type: "answer", id, outcome });
}

function done(result: DeepReadonly<GobbyResult>): Outcome {
  return { kind: "done", result };
}

/** Nothing came of it. */
export function failed(certain: boolean, why: string): Outcome {
  return { kind: "failed", certain, why };
}
