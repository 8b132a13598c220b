// The key-value store's client: it asks the replicas on behalf of others, again and again until one answers.
// Several replicas may stand behind its route; the first answer wins.

import { z } from "zod";
import type { Context } from "../../core/agent.ts";
import { defineAgent } from "../../core/define.ts";
import type { AgentId, VirtualId } from "../../core/id.ts";
import { virtualIdAttr } from "../ids.ts";
import { call, type Callee, type Caller, finish, newCaller, takeText, tryAgain } from "./call.ts";
import {
  type Command,
  commandText,
  findCommandFault,
  type Outcome,
  outcomeText,
  parseCommand,
  parseReply,
} from "./command.ts";
import {
  isSameRequest,
  kvsProtocol,
  type Mark,
  markOf,
  nextSession,
  type Request,
} from "./protocol.ts";

/** How many requests may wait; those on top are dropped, and whoever awaits an answer asks again. */
export const asksMax = 1024;

/** Of how many origins the last answered put is remembered, for those who ask again. */
export const originsMax = 1024;

interface Ask {
  readonly from: AgentId;
  readonly command: Command;
  /** None if it came as text: then this agent is its origin, and its answer is a text. */
  readonly mark: Mark | undefined;
}

interface Client extends Caller {
  /** The first is the current one. */
  readonly asks: Ask[];
  /** The last put of each origin that was answered, oldest first. */
  readonly answered: Map<string, { readonly mark: Mark; readonly outcome: Outcome }>;
  /** How many requests of its own this session has had. */
  requests: number;
  readonly durable: { readonly session: number };
}

type ClientContext = Context<
  { readonly myid: VirtualId },
  typeof kvsProtocol,
  "1" | "2",
  "retry",
  { session: number },
  never
>;

export const kvsClient = defineAgent({
  type: "kvs_client",
  version: 1,
  doc: "Passes commands on to kvs_replicas until one answers, and the answer back to who asked.",
  attrs: z.strictObject({ myid: virtualIdAttr }),
  protocol: kvsProtocol,
  ports: {
    1: "put KEY VALUE or get KEY, from a tty; the answer goes to destination 1",
    2: "putok, getok VALUE or getbad, from a replica",
  },
  routes: ["1", "2"],
  timers: ["retry"],
  record: z.object({ session: z.int().positive() }),
  durable: () => ({ session: 0 }),
  apply(durable, record) {
    durable.session = record.session;
  },
  init: () => ({
    ...newCaller(),
    asks: [] as Ask[],
    answered: new Map<string, { readonly mark: Mark; readonly outcome: Outcome }>(),
    requests: 0,
  }),
  start(state, ctx) {
    ctx.append({ session: nextSession(state.durable.session, () => ctx.random()) });
  },
  on: {
    put: takeRequest,
    get: takeRequest,
    answer(state, { outcome, ...mark }, ctx) {
      if (state.current !== undefined && isSameRequest(mark, state.current)) {
        takeOutcome(state, outcome, ctx);
      }
    },
    text(state, { port, text }, ctx) {
      if (port === 1) takeText1(state, text, ctx);
      else if (port === 2) takeText2(state, text, ctx);
      else ctx.note("kvs.port", { from: ctx.from, port });
    },
  },
  onTimer: {
    retry(state, ctx) {
      tryAgain(state, replicas(ctx), ctx);
    },
  },
  check(state) {
    if (state.asks.length > asksMax) throw new Error(`${state.asks.length} requests wait`);
    if (state.answered.size > originsMax) throw new Error(`${state.answered.size} origins`);
    if ((state.current === undefined) !== (state.asks.length === 0)) {
      throw new Error("a request waits, and none is under way");
    }
  },
});

function replicas({ attrs }: ClientContext): Callee {
  return { route: "2", wording: (request) => `${attrs.myid} ${commandText(request)}` };
}

function takeRequest(state: Client, message: Request, ctx: ClientContext): void {
  const mark = markOf(message);
  const fault = findCommandFault(message);
  if (fault !== undefined) {
    return ctx.reply({ type: "answer", ...mark, outcome: { kind: "refused", why: fault } });
  }
  const last = state.answered.get(mark.origin);
  if (last !== undefined) {
    // Where the replica is one of GoOvid's, nobody else would know that it was executed.
    if (isSameRequest(last.mark, mark)) {
      return ctx.reply({ type: "answer", ...mark, outcome: last.outcome });
    }
    if (mark.session < last.mark.session) {
      const outcome = { kind: "outlived", session: last.mark.session } as const;
      return ctx.reply({ type: "answer", ...mark, outcome });
    }
    if (mark.session === last.mark.session && mark.request < last.mark.request) return;
  }
  if (state.asks.some((ask) => ask.mark !== undefined && isSameRequest(ask.mark, mark))) return;
  enqueue(state, { from: ctx.from, command: message, mark }, ctx);
}

function takeText1(state: Client, text: string, ctx: ClientContext): void {
  const command = parseCommand(text);
  const fault = command && findCommandFault(command);
  if (command === undefined) ctx.send("1", { type: "text", text: "Invalid command" });
  else if (fault !== undefined) ctx.send("1", { type: "text", text: `error: ${fault}` });
  else enqueue(state, { from: ctx.from, command, mark: undefined }, ctx);
}

function takeText2(state: Client, text: string, ctx: ClientContext): void {
  if (!takeText(state, ctx.from, replicas(ctx), ctx) || state.current === undefined) return;
  const outcome = parseReply(text, state.current.type);
  if (outcome !== undefined) takeOutcome(state, outcome, ctx);
}

function enqueue(state: Client, ask: Ask, ctx: ClientContext): void {
  if (state.asks.length === asksMax) return ctx.note("kvs.overflow", { from: ask.from });
  state.asks.push(ask);
  if (state.asks.length === 1) askReplicas(state, ctx);
}

function askReplicas(state: Client, ctx: ClientContext): void {
  const [ask] = state.asks;
  if (ask === undefined) return;
  const { session } = state.durable;
  const mark = ask.mark ?? { origin: ctx.self, session, request: ++state.requests };
  const { command } = ask;
  const request: Request = command.type === "put"
    ? { type: "put", ...mark, key: command.key, value: command.value }
    : { type: "get", ...mark, key: command.key };
  call(state, request, replicas(ctx), ctx);
}

function takeOutcome(state: Client, outcome: Outcome, ctx: ClientContext): void {
  const { current, asks } = state;
  const [ask] = asks;
  if (current === undefined || ask === undefined) return;
  if (ask.mark === undefined && outcome.kind === "outlived") {
    // This agent's disk is younger than the store's: a new session, above all that the store knows.
    ctx.append({ session: nextSession(outcome.session, () => ctx.random()) });
    return askReplicas(state, ctx);
  }
  finish(state, ctx);
  asks.shift();
  if (ask.mark === undefined) ctx.send("1", { type: "text", text: outcomeText(outcome) });
  else {
    if (current.type === "put" && outcome.kind !== "outlived") remember(state, ask.mark, outcome);
    ctx.sendTo(ask.from, { type: "answer", ...ask.mark, outcome });
  }
  askReplicas(state, ctx);
}

function remember(state: Client, mark: Mark, outcome: Outcome): void {
  const { answered } = state;
  answered.delete(mark.origin);
  answered.set(mark.origin, { mark, outcome });
  if (answered.size <= originsMax) return;
  const [oldest] = answered.keys();
  if (oldest !== undefined) answered.delete(oldest);
}
