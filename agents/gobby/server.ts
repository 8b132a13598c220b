// Gobby's server: of all servers the one that owns the lease is the master, and asks the group on behalf of clients. It
// keeps time, serves watches, and answers keep-alives; what must outlive it, the group has (service.ts).
//
// Two things keep a server that was master, and does not know that it is no more, from doing harm. It answers only while
// it owns the lease by its own clock, so that at any true time one server answers. And each batch names its term, so
// that the group refuses it once another master has begun, whatever any clock says.

import { type AgentDefinition, defineAgent } from "../../core/define.ts";
import { checkLease } from "../lease/invariants.ts";
import {
  acquire,
  advance,
  knownOwner,
  ownedLease,
  release,
  restMs,
  startLease,
  takeMessage,
} from "../lease/lease.ts";
import { leaseRules } from "../lease/rules.ts";
import type { LeaseStep } from "../lease/step.ts";
import { gobbyLimits } from "./machine_limits.ts";
import { type ServerMessage, serverProtocol } from "./protocol.ts";
import { type GobbyRules, gobbyRules } from "./rules.ts";
import { newClock, nextDue, prolong, putBack, sessionName, takeDue } from "./server_clock.ts";
import { askHowFar, onHowFar, onSoFar, onStaleLooked, onStaleRead } from "./server_fresh.ts";
import { onResult, onSilence, pump, wantLeader } from "./server_group.ts";
import { isLocal, look, onLooked, readByLog } from "./server_reads.ts";
import { forgetSeekers, noteSeeker } from "./server_seekers.ts";
import {
  batchCallsMax,
  evidenceMax,
  isMaster,
  newServerState,
  questionsMax,
  requestLengthMax,
  serverAttrs,
  type ServerContext,
  type ServerState,
  type ServerStep,
  type ServerTimer,
  speak,
  staleReadsMax,
  waitingMax,
  type WaitingRequest,
} from "./server_state.ts";
import { closeAll, onFollow, onUnfollow, sweep } from "./server_watches.ts";
import { isForClients } from "./service.ts";

// Whole numbers up to this are exact as JSON, with room for all questions of a life.
const askedMax = 2 ** 40;

/**
 * Makes the type of agent that is Gobby's master or waits to be it, together with others like it.
 *
 * @param rules Default: the rules of the protocol. A test replaces one to see who notices.
 */
export function makeGobbyServer(rules: GobbyRules = gobbyRules): AgentDefinition {
  /** Does `act` at a server, and whatever is due before and after it. */
  function step(state: ServerState, ctx: ServerContext, act: (step: ServerStep) => void): void {
    const lease = leaseOf(state, ctx);
    const taken: ServerStep = {
      state,
      ctx,
      rules,
      ownsLease: () => ownedLease(state.lease, ctx.now) !== undefined,
      rest(why) {
        ctx.note("gobby.rests", { why });
        release(lease);
        ctx.setTimer("rest", ctx.attrs.restMs);
      },
    };
    advance(lease);
    retire(taken);
    act(taken);
    advance(lease);
    retire(taken);
    serveTime(taken);
    look(taken);
    pump(taken);
    setTimer(ctx, "lease", restMs(lease));
    const hasRoom = state.phase === "serving" && state.due.size < batchCallsMax;
    const due = hasRoom ? nextDue(state.clock) : undefined;
    setTimer(ctx, "clock", due === undefined ? undefined : Math.max(0, due - ctx.now));
  }

  function onLease(
    state: ServerState,
    message: Parameters<typeof takeMessage>[2],
    ctx: ServerContext,
  ): void {
    step(state, ctx, () => takeMessage(leaseOf(state, ctx), ctx.from, message));
  }

  /** Lets the master do something, and tells others' clients who is. */
  function asMaster(state: ServerState, ctx: ServerContext, act: (step: ServerStep) => void): void {
    step(state, ctx, (taken) => isMaster(taken) ? act(taken) : tellMaster(taken));
  }

  return defineAgent({
    type: "gobby_server",
    version: 1,
    doc: "Serves Gobby's clients while it is the master, which at most one server is at any time.",
    attrs: serverAttrs,
    protocol: serverProtocol,
    timers: ["lease", "clock", "rest", "sweep", "fresh", "group"],
    init: newServerState,
    start(state, ctx: ServerContext) {
      // Results of an earlier life may still be on their way.
      state.asked = Math.floor(ctx.random() * askedMax);
      ctx.setTimer("sweep", ctx.attrs.watchMs);
      if (ctx.attrs.replica !== undefined) ctx.setTimer("fresh", ctx.attrs.freshMs);
      step(state, ctx, () => {
        startLease(leaseOf(state, ctx));
        acquire(leaseOf(state, ctx));
      });
    },
    on: {
      prepareRequest: onLease,
      prepareResponse: onLease,
      proposeRequest: onLease,
      proposeResponse: onLease,
      released: onLease,
      result(state, message, ctx) {
        if (ctx.from === ctx.attrs.group) step(state, ctx, (taken) => onResult(taken, message));
      },
      checkMaster: (state, _message, ctx) => step(state, ctx, tellMaster),
      open(state, { client }, ctx) {
        const request = { seat: 0, request: 0, operation: undefined, length: 0 };
        asMaster(state, ctx, (taken) => letWait(taken, client, request));
      },
      looked(state, message, ctx) {
        if (ctx.from !== ctx.attrs.replica) return;
        step(state, ctx, (taken) => {
          onLooked(taken, message);
          onStaleLooked(taken, message);
        });
      },
      howFar: (state, message, ctx) => step(state, ctx, (taken) => onHowFar(taken, message)),
      soFar: (state, message, ctx) => step(state, ctx, (taken) => onSoFar(taken, message)),
      staleRead: (state, message, ctx) => step(state, ctx, (taken) => onStaleRead(taken, message)),
      request(state, message, ctx) {
        step(state, ctx, (taken) => {
          const may = isLocal(taken, message.operation)
            ? rules.mayRead(isMaster(taken))
            : isMaster(taken);
          return may ? onRequest(taken, message) : tellMaster(taken);
        });
      },
      keepAlive(state, message, ctx) {
        asMaster(state, ctx, (taken) => onKeepAlive(taken, message));
      },
      follow: (state, message, ctx) => asMaster(state, ctx, (taken) => onFollow(taken, message)),
      unfollow: (state, message, ctx) => step(state, ctx, (taken) => onUnfollow(taken, message)),
    },
    onTimer: {
      lease: (state, ctx) => step(state, ctx, () => {}),
      clock: (state, ctx) => step(state, ctx, () => {}),
      rest: (state, ctx) => step(state, ctx, () => acquire(leaseOf(state, ctx))),
      group: (state, ctx) => step(state, ctx, onSilence),
      sweep(state, ctx) {
        step(state, ctx, (taken) => {
          sweep(taken);
          forgetSeekers(taken);
        });
        ctx.setTimer("sweep", ctx.attrs.watchMs);
      },
      fresh(state, ctx) {
        step(state, ctx, (taken) => {
          if (isMaster(taken)) wantLeader(taken);
          askHowFar(taken, knownOwner(leaseOf(state, ctx)).owner);
        });
        ctx.setTimer("fresh", ctx.attrs.freshMs);
      },
    },
    check(state) {
      checkLease(state.lease);
      checkServer(state);
    },
  });
}

/** The built-in `gobby_server`. */
export const gobbyServer: AgentDefinition = makeGobbyServer();

function setTimer(ctx: ServerContext, timer: ServerTimer, ms: number | undefined): void {
  if (ms === undefined) ctx.clearTimer(timer);
  else ctx.setTimer(timer, ms);
}

/** A server whose lease is over is no master any more, and forgets what it was as one. */
function retire({ state, ctx, rules, ownsLease }: ServerStep): void {
  if (state.phase === "none" || rules.mayAnswer(ownsLease())) return;
  ctx.note("gobby.retired", { term: state.term });
  // Whether their requests were carried out, the next master will know.
  for (const { from } of state.waiting.values()) {
    ctx.sendTo(from, { type: "master", mine: false, term: state.term, master: null });
  }
  state.phase = "none";
  state.underWay = undefined;
  ctx.clearTimer("group");
  state.leaderWantedAt = 0;
  state.failures = 0;
  state.behind = false;
  state.waiting.clear();
  state.reads.clear();
  state.look = undefined;
  state.renewals.clear();
  state.clock = newClock();
  state.due.clear();
  closeAll(state);
}

/** The lease of a server. */
function leaseOf(state: ServerState, ctx: ServerContext): LeaseStep {
  const { attrs } = ctx;
  const renewMs = attrs.renewMs ?? Math.ceil(attrs.leaseMs / 3);
  const options = { ...attrs, nodes: attrs.servers, renewMs };
  return { state: state.lease, ctx, options, rules: leaseRules };
}

function tellMaster(step: ServerStep): void {
  const { ctx, state: { term } } = step;
  const { owner } = knownOwner(leaseOf(step.state, ctx));
  const mine = isMaster(step);
  if (!mine) noteSeeker(step, ctx.from);
  ctx.reply({ type: "master", mine, term, master: mine || owner !== ctx.self ? owner : null });
}

function onRequest(step: ServerStep, message: ServerMessage<"request">): void {
  const { client, request, seat, operation } = message;
  const length = JSON.stringify(operation).length;
  const refuse = (why: string) => {
    const outcome = { kind: "refused" as const, why };
    speak(step, step.ctx.from, { type: "reply", client, request, outcome });
  };
  if (length > requestLengthMax) {
    return refuse(`the operation has ${length} characters, want at most ${requestLengthMax}`);
  }
  if (!isForClients(operation)) return refuse(`${operation.kind} is for the master alone`);
  letWait(step, client, { request, seat, operation, length });
}

type Request = Omit<WaitingRequest, "from" | "byLog">;

/** Lets a request wait for the next batch. A client has one at a time; a later one is in the place of an earlier one. */
function letWait(step: ServerStep, client: string, request: Request): void {
  const { state, ctx } = step;
  const known = state.waiting.get(client);
  if (known === undefined && state.waiting.size >= waitingMax) {
    const outcome = { kind: "refused" as const, why: `${waitingMax} requests are waiting` };
    return speak(step, ctx.from, { type: "reply", client, request: request.request, outcome });
  }
  if (known !== undefined && known.request > request.request) return;
  const isRepeated = known?.request === request.request;
  const byLog = !isLocal(step, request.operation);
  state.waiting.set(client, { ...request, from: ctx.from, byLog });
  if (byLog) state.reads.delete(client);
  else if (isRepeated) readByLog(state, client);
  else state.reads.add(client);
}

function onKeepAlive(step: ServerStep, message: ServerMessage<"keepAlive">): void {
  const { state, ctx, rules } = step;
  const { client, session, number } = message;
  // What it has missed may be that the session has begun, or has ended.
  if (state.behind) return;
  const name = sessionName(session);
  const timed = state.clock.timed.get(name);
  const answer = { type: "keptAlive" as const, client, session, number };
  if (timed === undefined) return speak(step, ctx.from, { ...answer, ended: true });
  if (!rules.mayProlong(timed.askedFor)) {
    state.renewals.set(session, { from: ctx.from, client, number });
    return;
  }
  prolong(timed, ctx.now);
  if (state.due.delete(name)) putBack(state.clock, name);
  speak(step, ctx.from, { ...answer, ended: false });
}

/** Lets what is due wait for the next batch. */
function serveTime({ state, ctx }: ServerStep): void {
  if (state.phase !== "serving") return;
  const room = batchCallsMax - state.due.size;
  for (const name of takeDue(state.clock, ctx.now, room)) state.due.add(name);
}

function checkServer(state: ServerState): void {
  const sizes = [
    [state.waiting.size, waitingMax],
    [state.seekers.size, waitingMax],
    [state.reads.size, state.waiting.size],
    [state.staleReads.size, staleReadsMax],
    [state.questions.size, questionsMax],
    [state.evidence.length, evidenceMax],
    [state.due.size, batchCallsMax],
    [state.watches.size, gobbyLimits.watches],
    [state.late.size, state.watches.size],
  ] as const;
  for (const [size, most] of sizes) {
    if (size > most) throw new Error(`a server keeps ${size} of something, want at most ${most}`);
  }
}
