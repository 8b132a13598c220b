// The client of a group: it asks on behalf of programs and terminals, finds the primary, follows it through view
// changes and reconfigurations, and says of what failed whether it certainly did not happen.

import { z } from "zod";
import type { Context } from "../../core/agent.ts";
import type { DeepReadonly } from "../../core/data.ts";
import { type AgentDefinition, defineAgent } from "../../core/define.ts";
import type { AgentId } from "../../core/id.ts";
import { replicasAttr } from "./attrs.ts";
import {
  type GroupView,
  learnGroup,
  learnView,
  newGroupView,
  primaryOfView,
} from "./group_view.ts";
import {
  type Call,
  type CallOutcome,
  type Command,
  type Member,
  type Outcome,
  type Vr,
  type VrProtocol,
  vrProtocol,
} from "./protocol.ts";

/** How many calls may wait for their turn. */
export const callsMax = 1024;

const recordSchema = z.object({ incarnation: z.int().positive() });

const attrsSchema = z.strictObject({
  /** Whom to ask first: the founders of the group, or any of its replicas since. */
  replicas: replicasAttr,
  /** How long an answer is awaited before the request goes to all replicas; grows by half each time. */
  retryMs: z.int().min(1).max(60_000).default(60),
  retryMsMax: z.int().min(1).max(600_000).default(500),
  /** How long a call may take, the waiting for its turn not counted. */
  deadlineMs: z.int().min(1).max(3_600_000).default(10_000),
});

interface WaitingCall {
  readonly from: AgentId;
  readonly id: number;
  readonly call: DeepReadonly<Call>;
  readonly urgent: boolean;
}

type Request = DeepReadonly<Vr<"request">>;

interface Client {
  readonly group: GroupView;
  /** Calls that wait; the first is under way. */
  readonly calls: WaitingCall[];
  /** What the first call has come to: a request that awaits its reply, if any. */
  request: Request | undefined;
  /** The session that was opened, 0 for none. */
  session: number;
  /** The number of the latest request of the session. */
  requests: number;
  retryMs: number;
  /** Who has said which incarnation it is, for a call that is under way and needs to know. */
  readonly located: Map<AgentId, number>;
  /** From when on those who have not said are waited for no longer. */
  locatedAt: number;
  readonly durable: { readonly incarnation: number };
}

type ClientContext = Context<
  z.infer<typeof attrsSchema>,
  VrProtocol,
  never,
  "retry" | "deadline" | "locate",
  z.infer<typeof recordSchema>,
  never
>;

/** The rules of a client that need nothing but their arguments; a test may break one to see who notices. */
export type VrClientRules = typeof vrClientRules;

/** See {@linkcode VrClientRules}. */
export const vrClientRules = {
  /** Section 4.1: a reply is to this very request, whoever else has requests with the same number. */
  isAnswer(reply: Vr<"reply">, { client, session, request }: Request): boolean {
    return reply.client === client && reply.session === session && reply.request === request;
  },
};

/** Makes the type of agent that asks a group of `vr_replica`s on behalf of others. */
export function makeVrClient(rules: VrClientRules = vrClientRules): AgentDefinition {
  return defineAgent({
    type: "vr_client",
    version: 1,
    doc:
      "Asks a group of vr_replicas on behalf of others: invoke is answered by a result, one at a time.",
    attrs: attrsSchema,
    protocol: vrProtocol,
    timers: ["retry", "deadline", "locate"],
    record: recordSchema,
    durable: () => ({ incarnation: 0 }),
    apply(durable, record) {
      durable.incarnation = record.incarnation;
    },
    init: (attrs) => ({
      group: newGroupView(attrs.replicas),
      calls: [] as WaitingCall[],
      request: undefined as Request | undefined,
      session: 0,
      requests: 0,
      retryMs: attrs.retryMs,
      located: new Map<AgentId, number>(),
      locatedAt: 0,
    }),
    start(state, ctx) {
      // Section 4.5: after a crash a client must not use a number again. The paper asks the replicas for the latest
      // one; a number of its own for every life, and with it a session of its own, does not depend on what is still
      // under way.
      ctx.append({ incarnation: state.durable.incarnation + 1 });
    },
    on: {
      invoke(state, { id, command, urgent = false }, ctx) {
        const waiting = { from: ctx.from, id, call: command, urgent };
        if (state.calls.length >= callsMax) {
          const why = `${callsMax} calls are waiting`;
          return answer(waiting, { kind: "failed", certain: true, why }, ctx);
        }
        state.calls.push(waiting);
        if (state.calls.length === 1) begin(state, ctx);
      },
      reply(state, message, ctx) {
        if (learnView(state.group, message)) ctx.reply({ type: "locate" });
        if (state.request !== undefined && rules.isAnswer(message, state.request)) {
          takeOutcome(state, message.outcome, ctx);
        }
      },
      group(state, message, ctx) {
        const news = learnGroup(state.group, message);
        const call = state.calls[0]?.call;
        if (state.request !== undefined) {
          if (news) ctx.sendTo(primaryOfView(state.group), state.request);
        } else if (call?.kind === "reconfigure") {
          if (call.replicas.includes(ctx.from)) state.located.set(ctx.from, message.incarnation);
          if (call.replicas.every((agent) => state.located.has(agent))) {
            reconfigure(state, call, ctx);
          }
        } else if (call?.kind === "members") {
          if (state.group.known.includes(ctx.from)) {
            state.located.set(ctx.from, message.incarnation);
          }
          if (state.group.known.every((agent) => state.located.has(agent))) {
            finish(state, membersOf(state), ctx);
          }
        }
      },
    },
    onTimer: {
      retry(state, ctx) {
        if (state.request === undefined) return;
        // Section 4.1: whoever does not get an answer asks all replicas.
        sendToAll(state, state.request, ctx);
        state.retryMs = Math.min(ctx.attrs.retryMsMax, Math.ceil(1.5 * state.retryMs));
        ctx.setTimer("retry", [state.retryMs, 1.5 * state.retryMs]);
      },
      locate(state, ctx) {
        const call = state.calls[0]?.call;
        if (state.request !== undefined) return;
        if (call?.kind === "reconfigure") reconfigure(state, call, ctx);
        else if (call?.kind === "members") {
          const isOver = ctx.now >= state.locatedAt && state.located.size > 0;
          if (isOver) finish(state, membersOf(state), ctx);
          else locate(state, [], ctx);
        }
      },
      deadline(state, ctx) {
        // While a session is being opened, the command itself was never sent.
        const certain = state.request === undefined || state.request.command.kind === "open";
        const why = `no answer within ${ctx.attrs.deadlineMs} ms`;
        finish(state, { kind: "failed", certain, why }, ctx);
      },
    },
    check(state) {
      if (state.calls.length > callsMax) throw new Error(`${state.calls.length} calls wait`);
      if (state.request !== undefined && state.calls.length === 0) {
        throw new Error("a request is under way that nobody has asked for");
      }
    },
  });
}

/** The built-in `vr_client`. */
export const vrClient: AgentDefinition = makeVrClient();

/** Begins the first of the calls that wait. */
function begin(state: Client, ctx: ClientContext): void {
  const call = state.calls[0]?.call;
  if (call === undefined) return;
  const { deadlineMs } = ctx.attrs;
  ctx.setTimer("deadline", deadlineMs);
  state.located.clear();
  if (call.kind === "reconfigure") {
    state.locatedAt = ctx.now + Math.floor(deadlineMs / 2);
    return locate(state, call.replicas, ctx);
  }
  if (call.kind === "members") {
    // Nothing hangs on who is left out, so that those who are down are not waited for as long.
    state.locatedAt = ctx.now + Math.floor(deadlineMs / 10);
    return locate(state, [], ctx);
  }
  proceed(state, call, ctx);
}

/** Sends a command, or first opens the session that it needs. */
function proceed(state: Client, command: DeepReadonly<Command>, ctx: ClientContext): void {
  if (state.session !== 0) {
    const request = ++state.requests;
    return send(state, { session: state.session, request, command }, ctx);
  }
  // The number tells this opening from those of earlier lives, whose answers may still be on their way.
  const { incarnation } = state.durable;
  send(state, { session: 0, request: incarnation, command: { kind: "open" } }, ctx);
}

function send(
  state: Client,
  request: Pick<Request, "session" | "request" | "command">,
  ctx: ClientContext,
): void {
  state.request = { type: "request", client: ctx.self, ...request };
  state.retryMs = ctx.attrs.retryMs;
  if (state.calls[0]?.urgent === true) sendToAll(state, state.request, ctx);
  else ctx.sendTo(primaryOfView(state.group), state.request);
  ctx.setTimer("retry", [state.retryMs, 1.5 * state.retryMs]);
}

function sendToAll({ group }: Client, request: Request, ctx: ClientContext): void {
  for (const agent of group.known) ctx.sendTo(agent, request);
}

function takeOutcome(state: Client, outcome: DeepReadonly<Outcome>, ctx: ClientContext): void {
  switch (outcome.kind) {
    case "opened":
      state.session = outcome.session;
      state.requests = 0;
      return resume(state, ctx);
    case "outlived":
      // The group knows a later life of this client than its disk does.
      ctx.append({ incarnation: outcome.incarnation + 1 });
      return resume(state, ctx);
    case "expired": {
      state.session = 0;
      const why = "the session was forgotten by the group";
      return finish(state, { kind: "failed", certain: false, why }, ctx);
    }
    case "refused":
      return finish(state, { kind: "failed", certain: true, why: outcome.why }, ctx);
    case "applied":
      return finish(state, { kind: "applied", result: outcome.result }, ctx);
    case "epoch":
      return finish(state, { kind: "epoch", epoch: outcome.epoch }, ctx);
  }
}

/** Goes on with the first call, now that a session is open or may be opened. */
function resume(state: Client, ctx: ClientContext): void {
  const call = state.calls[0]?.call;
  if (call === undefined) return;
  state.request = undefined;
  if (call.kind === "reconfigure") reconfigure(state, call, ctx);
  else if (call.kind !== "members") proceed(state, call, ctx);
}

/** Asks the replicas to be which incarnations they are, and the others which epoch it is. */
function locate(state: Client, replicas: readonly AgentId[], ctx: ClientContext): void {
  for (const agent of new Set([...replicas, ...state.group.known])) {
    ctx.sendTo(agent, { type: "locate" });
  }
  ctx.setTimer("locate", state.retryMs);
}

/** Sends a reconfiguration, if enough is known of the replicas that the group is to have. */
function reconfigure(
  state: Client,
  { replicas, epoch }: Extract<DeepReadonly<Call>, { kind: "reconfigure" }>,
  ctx: ClientContext,
): void {
  if (epoch !== undefined && state.group.epoch > epoch) {
    const why = `the epoch is ${state.group.epoch}, and the reconfiguration is for epoch ${epoch}`;
    return finish(state, { kind: "failed", certain: true, why }, ctx);
  }
  const members: Member[] = [];
  for (const agent of replicas) {
    const incarnation = state.located.get(agent) ?? presumedIncarnation(state, agent, ctx);
    if (incarnation === undefined) return locate(state, replicas, ctx);
    members.push({ agent, incarnation });
  }
  ctx.clearTimer("locate");
  const now = epoch ?? state.group.epoch;
  proceed(state, { kind: "reconfigure", epoch: now, replicas: members }, ctx);
}

/** What those who have answered know of the group. */
function membersOf({ group, located }: Client): CallOutcome {
  const present = Array.from(located, ([agent, incarnation]) => ({ agent, incarnation }));
  const primary = primaryOfView(group);
  return { kind: "members", epoch: group.epoch, primary, members: [...group.members], present };
}

/**
 * A replica that is down stays what the group takes it for. But one that has lost its disk must not be named as what
 * it was before, so there is much time to say so.
 */
function presumedIncarnation(
  { group, locatedAt }: Client,
  agent: AgentId,
  { now }: ClientContext,
): number | undefined {
  if (now < locatedAt) return undefined;
  return group.members.find((member) => member.agent === agent)?.incarnation;
}

/** Ends the first call, and begins the next. */
function finish(state: Client, outcome: CallOutcome, ctx: ClientContext): void {
  const waiting = state.calls.shift();
  state.request = undefined;
  ctx.clearTimer("retry");
  ctx.clearTimer("deadline");
  ctx.clearTimer("locate");
  if (waiting !== undefined) answer(waiting, outcome, ctx);
  begin(state, ctx);
}

function answer({ from, id }: WaitingCall, outcome: CallOutcome, ctx: ClientContext): void {
  ctx.sendTo(from, { type: "result", id, outcome });
}
