// How a request is asked until it is answered: one at a time, of everyone behind a route, again and again. Whoever
// takes typed mail gets the request with its mark; the others, as GoOvid's agents, get a text, and there is no
// telling which text a text answers. So no text goes to an agent that may still answer those of an older request.

import type { AgentId } from "../../core/id.ts";
import type { Request } from "./protocol.ts";

/** How long an answer is awaited before the request is sent again; doubled each time, up to the maximum. */
export const retryMsMin = 200;
export const retryMsMax = 2000;

/**
 * How long after an older request's last text its answer may still come. One that comes later, or in another order
 * than it was asked for, may be taken for the answer to a younger request: nothing in GoOvid's texts can tell.
 */
export const lateMs = 1000;

/** The port at which both a kvs_client and a kvs_replica take text. */
export const requestPort = 1;

/** A request under way, and the texts that were not answered yet. */
export interface Caller {
  current: Request | undefined;
  /** How many requests there have been, the current one included. */
  serial: number;
  /** How long the next try waits. */
  retryMs: number;
  readonly texts: Map<AgentId, Texts>;
}

/** Texts of one request that one agent has not answered. */
interface Texts {
  readonly serial: number;
  readonly count: number;
  /** Those that are not answered by then count as lost. */
  readonly lateAt: number;
}

/** What a caller needs of its agent's context. */
export interface CallContext {
  readonly now: number;
  targets(route: string): readonly AgentId[];
  accepts(agent: AgentId, type: Request["type"]): boolean;
  sendTo(
    agent: AgentId,
    message: Request | { readonly type: "text"; readonly port: number; readonly text: string },
  ): void;
  setTimer(timer: "retry", ms: readonly [min: number, max: number]): void;
  clearTimer(timer: "retry"): void;
  note(event: string, detail: { readonly route: string }): void;
}

/** Where a caller's requests go, and how they are put as text. */
export interface Callee {
  readonly route: string;
  readonly wording: (request: Request) => string;
}

export function newCaller(): Caller {
  return { current: undefined, serial: 0, retryMs: retryMsMin, texts: new Map() };
}

/** Begins to ask; the one before must have been answered. */
export function call(caller: Caller, request: Request, callee: Callee, ctx: CallContext): void {
  caller.current = request;
  caller.serial++;
  caller.retryMs = retryMsMin;
  tryAgain(caller, callee, ctx);
}

/** Sends the current request, for the first time or again, and arms the timer of the next try. */
export function tryAgain(caller: Caller, callee: Callee, ctx: CallContext): void {
  if (caller.current === undefined) return;
  const targets = ctx.targets(callee.route);
  if (targets.length === 0) ctx.note("kvs.unrouted", { route: callee.route });
  for (const target of targets) sendCopy(caller, caller.current, target, callee, ctx);
  // Many clients that lost the same box must not all come back to it at once.
  ctx.setTimer("retry", [caller.retryMs, 1.5 * caller.retryMs]);
  caller.retryMs = Math.min(2 * caller.retryMs, retryMsMax);
}

/** Ends the current request: it was answered. */
export function finish(caller: Caller, ctx: CallContext): void {
  caller.current = undefined;
  ctx.clearTimer("retry");
}

/**
 * Takes a text from `from` as the answer to the oldest of the texts that it has not answered yet. Whether that was
 * one of the current request: if not, it comes late, and is to be ignored.
 */
export function takeText(
  caller: Caller,
  from: AgentId,
  callee: Callee,
  ctx: CallContext,
): boolean {
  const texts = caller.texts.get(from);
  if (texts === undefined) return false;
  if (texts.count > 1) caller.texts.set(from, { ...texts, count: texts.count - 1 });
  else caller.texts.delete(from);
  if (caller.current === undefined) return false;
  if (texts.serial === caller.serial) return true;
  // The last of the older ones: now the current request may be put to this agent.
  if (texts.count === 1) sendCopy(caller, caller.current, from, callee, ctx);
  return false;
}

function sendCopy(
  caller: Caller,
  request: Request,
  target: AgentId,
  { wording }: Callee,
  ctx: CallContext,
): void {
  if (ctx.accepts(target, request.type)) return ctx.sendTo(target, request);
  const { serial, texts } = caller;
  const before = texts.get(target);
  const same = before?.serial === serial;
  if (before !== undefined && !same && ctx.now < before.lateAt) return;
  const count = same ? before.count + 1 : 1;
  texts.set(target, { serial, count, lateAt: ctx.now + lateMs });
  ctx.sendTo(target, { type: "text", port: requestPort, text: wording(request) });
}
