// Gobby's client: it asks on behalf of agents and programs, finds the master and follows it, keeps a session alive, and
// tells at once when that is in doubt or lost.

import type { DeepReadonly } from "../../core/data.ts";
import { type AgentDefinition, defineAgent } from "../../core/define.ts";
import {
  ask,
  askAgain,
  cancel,
  failOf,
  onDeadline,
  onReply,
  proceed,
  retry,
  takeOwnEvents,
  transmit,
} from "./client_requests.ts";
import { endSession, greet, isOver, keepAlive, onKeptAlive, settle } from "./client_session.ts";
import { askNextServer, askStale, onStaleDeadline, onStaleReply } from "./client_stale.ts";
import {
  asksMax,
  clientAttrs,
  type ClientContext,
  type ClientState,
  type ClientStep,
  newClientState,
  seek,
  usersMax,
  userWatchesMax,
  waitsMax,
} from "./client_state.ts";
import {
  closeWatch,
  findWatch,
  onFollowing,
  openWatch,
  refresh,
  resume,
  takeNews,
} from "./client_watches.ts";
import { type ClientMessage, gobbyClientProtocol } from "./protocol.ts";
import { type GobbyRules, gobbyRules } from "./rules.ts";

// Two lives of a client draw alike with a chance of one in 4 * 10^15.
const lifeCount = 2 ** 52;

/**
 * Makes the type of agent that asks Gobby's servers on behalf of others.
 *
 * @param rules Default: the rules of the protocol. A test replaces one to see who notices.
 */
export function makeGobbyClient(rules: GobbyRules = gobbyRules): AgentDefinition {
  /** Does `act` at a client, and whatever is due before and after it. */
  function step(state: ClientState, ctx: ClientContext, act: (step: ClientStep) => void): void {
    const taken: ClientStep = { state, ctx, rules };
    if (isOver(state, ctx.now)) lose(taken);
    act(taken);
    if (isOver(state, ctx.now)) lose(taken);
    settle(taken);
    proceed(taken);
  }

  /** Takes what a server says; anybody else is not listened to. */
  function hear(state: ClientState, ctx: ClientContext, act: (step: ClientStep) => void): void {
    if (ctx.attrs.servers.includes(ctx.from)) step(state, ctx, act);
  }

  return defineAgent({
    type: "gobby_client",
    version: 1,
    doc: "Asks gobby_servers on behalf of others: finds the master, keeps a session, and watches.",
    attrs: clientAttrs,
    protocol: gobbyClientProtocol,
    timers: ["retry", "keepAlive", "session", "refresh", "deadline", "stale"],
    init: newClientState,
    start(state, ctx: ClientContext) {
      state.name = `${ctx.self}/${Math.floor(ctx.random() * lifeCount)}`;
      step(state, ctx, (taken) => {
        seek(taken);
        if (!ctx.attrs.opensSession) return;
        const operation = { kind: "getSession" };
        ask(taken, { user: null, id: 0, operation, session: true });
      });
    },
    on: {
      ask(state, { id, operation, session = false, maxAgeMs, deadlineMs }, ctx) {
        step(state, ctx, (taken) => {
          if (maxAgeMs !== undefined && !session) {
            return askStale(taken, { user: ctx.from, id, operation, maxAgeMs, deadlineMs });
          }
          if (session && state.users.size < usersMax) state.users.add(ctx.from);
          ask(taken, { user: ctx.from, id, operation, session, deadlineMs });
        });
      },
      cancel: (state, { id }, ctx) => step(state, ctx, (taken) => cancel(taken, ctx.from, id)),
      watch: (state, message, ctx) => step(state, ctx, (taken) => onWatch(taken, message)),
      unwatch(state, { id }, ctx) {
        step(state, ctx, (taken) => {
          const number = findWatch(taken, ctx.from, id);
          if (number !== undefined) closeWatch(taken, number);
        });
      },
      attend(state, _message, ctx) {
        if (state.users.size < usersMax) state.users.add(ctx.from);
        const { number, state: told } = state.session;
        if (number !== 0) ctx.reply({ type: "session", state: told, session: number });
      },
      master: (state, message, ctx) => hear(state, ctx, (taken) => onMaster(taken, message)),
      reply(state, message, ctx) {
        hear(state, ctx, (taken) => onReply(taken, message));
      },
      staleReply(state, message, ctx) {
        hear(state, ctx, (taken) => {
          if (message.client === state.name) onStaleReply(taken, message);
        });
      },
      keptAlive(state, message, ctx) {
        hear(state, ctx, (taken) => {
          if (message.client === state.name && onKeptAlive(taken, message)) lose(taken);
        });
      },
      following(state, message, ctx) {
        hear(state, ctx, (taken) => {
          if (message.client === state.name) onFollowing(taken, message);
        });
      },
      news(state, message, ctx) {
        hear(state, ctx, (taken) => {
          if (message.client === state.name) onNews(taken, message);
        });
      },
      followEnded(state, message, ctx) {
        hear(state, ctx, (taken) => {
          if (message.client === state.name) onFollowEnded(taken, message);
        });
      },
    },
    onTimer: {
      retry: (state, ctx) => step(state, ctx, retry),
      keepAlive: (state, ctx) => step(state, ctx, keepAlive),
      session: (state, ctx) => step(state, ctx, () => {}),
      refresh: (state, ctx) => step(state, ctx, refresh),
      stale: (state, ctx, key) => step(state, ctx, (taken) => askNextServer(taken, Number(key))),
      deadline(state, ctx, key) {
        step(state, ctx, (taken) => {
          if (!onStaleDeadline(taken, Number(key))) onDeadline(taken, Number(key));
        });
      },
    },
    check: checkClient,
  });
}

/** The built-in `gobby_client`. */
export const gobbyClient: AgentDefinition = makeGobbyClient();

function lose(step: ClientStep): void {
  const { number } = step.state.session;
  endSession(step, "lost");
  failOf(step, number);
}

function onMaster(step: ClientStep, { mine, master }: ClientMessage<"master">): void {
  const { state, ctx } = step;
  if (!mine) {
    if (state.master !== ctx.from) return;
    state.master = undefined;
    // Whom it takes for the master may not serve yet.
    if (master !== null) ctx.sendTo(master, { type: "checkMaster" });
    return;
  }
  if (state.master === ctx.from) return;
  state.master = ctx.from;
  state.tries = 0;
  transmit(step);
  greet(step);
  resume(step);
}

function onWatch(step: ClientStep, message: ClientMessage<"watch">): void {
  const { state, ctx } = step;
  const { id, target, from = null, oneShot = false } = message;
  const known = findWatch(step, ctx.from, id);
  if (known !== undefined) closeWatch(step, known);
  if (state.watches.size - state.waits.size >= userWatchesMax) {
    const end = { why: "limit" as const, limit: "watchesOfClient" };
    return ctx.reply({ type: "watchEnded", id, end });
  }
  openWatch(step, { user: ctx.from, id, target, oneShot, next: from });
  if (from !== null) ctx.reply({ type: "watching", id, from });
  if (state.master === undefined) seek(step);
}

function onNews(step: ClientStep, message: ClientMessage<"news">): void {
  const taken = takeNews(step, message);
  if (taken === undefined || taken.events.length === 0) return;
  const { watch, events } = taken;
  if (watch.user === null) return takeOwnEvents(step, watch, events);
  const { user, id, next } = watch;
  step.ctx.sendTo(user, { type: "events", id, next: next ?? 0, events });
  if (!step.rules.endsWhenTold(watch.oneShot)) return;
  step.ctx.sendTo(user, { type: "watchEnded", id, end: { why: "told" } });
  closeWatch(step, message.watch);
}

function onFollowEnded(
  step: ClientStep,
  { watch: number, end }: ClientMessage<"followEnded">,
): void {
  const { state, ctx } = step;
  const watch = state.watches.get(number);
  if (watch === undefined) return;
  // It may have got further since, at another master.
  if (end.why === "compacted" && (watch.next ?? 0) >= end.oldest) return;
  state.watches.delete(number);
  if (watch.user === null) askAgain(step, watch);
  else ctx.sendTo(watch.user, { type: "watchEnded", id: watch.id, end });
}

function checkClient(state: DeepReadonly<ClientState>): void {
  // One more, since a session is opened for what needs it; and every lock that was awaited may be taken back.
  if (state.asks.length > asksMax + 1 + waitsMax) {
    throw new Error(`${state.asks.length} things are asked`);
  }
  if (state.stale.size > asksMax) throw new Error(`${state.stale.size} old reads are asked`);
  if (state.waits.size > waitsMax) throw new Error(`${state.waits.size} locks are awaited`);
  if (state.request !== undefined && state.asks.length === 0) {
    throw new Error("a request is under way that nobody has asked for");
  }
}
