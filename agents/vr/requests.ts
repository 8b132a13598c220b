// What becomes of a client's request before it is in the log: sections 4.1 and 7.4.

import type { DeepReadonly } from "../../core/data.ts";
import type { AgentId } from "../../core/id.ts";
import { type AnyMachine, isOperation } from "../machine/machine.ts";
import type { Sessions } from "../machine/sessions.ts";
import { reply } from "./commit.ts";
import { mayRead } from "./lease.ts";
import { operationLengthMax, type Outcome, type Vr, waitingMax } from "./protocol.ts";
import type { VrRules } from "./rules.ts";
import { entryAt, opNumber } from "./state.ts";
import { applicationOf, isActingPrimary, primaryOf, stampOf, type Step } from "./step.ts";

/** A request from a client. */
export function onRequest(step: Step, message: Vr<"request">): void {
  const { state, ctx } = step;
  if (isReady(step)) return accept(step, ctx.from, message);
  if (state.status === "normal" && !isActingPrimary(step)) return redirect(step, ctx.from);
  if (state.status === "spare" || state.status === "replaced") return redirect(step, ctx.from);
  // Soon there will be a primary, and it may be this replica.
  if (state.held.size < waitingMax) state.held.set(message.client, { from: ctx.from, message });
}

/** Takes the requests that came while there was no primary, now that there may be one. */
export function takeHeld(step: Step): void {
  const { state } = step;
  if (state.held.size === 0) return;
  const { status } = state;
  if (!isReady(step) && (isActingPrimary(step) || isWaiting(status))) return;
  const held = [...state.held.values()];
  state.held.clear();
  for (const { from, message } of held) {
    if (!isActingPrimary(step)) redirect(step, from);
    else if (isReady(step)) accept(step, from, message);
    else state.held.set(message.client, { from, message });
  }
}

function isWaiting(status: Step["state"]["status"]): boolean {
  return status === "viewChange" || status === "recovering" || status === "transitioning";
}

/**
 * Whether this replica may judge requests: it is the primary, has executed all that its predecessors may have
 * answered, and no reconfiguration is under way, after which section 7.1 takes no more requests.
 */
function isReady(step: Step): boolean {
  const { state } = step;
  if (!isActingPrimary(step) || state.commit < state.viewOp) return false;
  const top = opNumber(state.durable);
  const latest = state.queue.at(-1)?.entry ??
    (top > state.commit ? entryAt(state.durable, top) : undefined);
  return latest?.command.kind !== "reconfigure";
}

/** Section 4.1, step 2. */
function accept(step: Step, from: AgentId, message: Vr<"request">): void {
  const { state, ctx, rules, machine } = step;
  const { client, session, request, command } = message;
  const length = JSON.stringify(command).length;
  const fault = findFault(step.machine, message.command, length);
  if (fault !== undefined) return reply(step, from, message, { kind: "refused", why: fault });
  if (command.kind === "apply" && mayRead(step, machine, command.operation)) {
    const result = machine.apply(applicationOf(step).state, command.operation);
    ctx.note("vr.lease_read");
    return reply(step, from, message, { kind: "applied", result });
  }
  const repeated = findAnswer(applicationOf(step).sessions, message, step.rules);
  if (repeated === "stale") return;
  if (repeated !== undefined) return reply(step, from, message, repeated);
  const pending = state.pending.get(client);
  // A client awaits one answer at a time; its next request comes again.
  if (pending !== undefined && (pending.session !== session || pending.request !== request)) return;
  if (pending === undefined && state.pending.size >= waitingMax) {
    return ctx.note("vr.overloaded", { client });
  }
  state.waiting.set(rules.replyKey(message), from);
  if (pending !== undefined) return;
  state.pending.set(client, { session, request });
  // Enough for the fields around the command; the message as a whole has been accepted by its schema.
  const overhead = 64 + client.length;
  const entry = { client, session, request, view: state.view, command };
  state.queue.push({ entry, length: length + overhead });
}

/** What came of a request that was executed before; `stale` if that is not known any more. */
export function findAnswer(
  sessions: DeepReadonly<Sessions>,
  message: Vr<"request">,
  { judge }: Pick<VrRules, "judge">,
): Outcome | "stale" | undefined {
  if (message.command.kind === "open") {
    const known = sessions.get(message.client);
    return known?.incarnation === message.request
      ? { kind: "opened", session: known.session }
      : undefined;
  }
  const verdict = judge(sessions, message);
  if (verdict.kind === "stale") return "stale";
  // An unknown session is for the log to refuse: whoever asks this may have been deposed, and not know it.
  return verdict.kind === "repeated" ? verdict.result as Outcome : undefined;
}

/** Why no replica would ever carry out a command. What may depend on the state is for the log to say. */
export function findFault(
  machine: AnyMachine,
  command: Vr<"request">["command"],
  length: number,
): string | undefined {
  if (length > operationLengthMax) {
    return `the operation has ${length} characters, want at most ${operationLengthMax}`;
  }
  if (command.kind === "apply" && !isOperation(machine, command.operation)) {
    return `the operation is not one of the machine ${machine.name}`;
  }
  if (command.kind === "reconfigure") {
    const agents = new Set(command.replicas.map(({ agent }) => agent));
    if (agents.size < command.replicas.length) return "a replica is named twice";
  }
}

/** Section 4.1: a backup tells the client who the primary is; section 7.4: and which replicas there are. */
export function redirect(step: Step, client: AgentId): void {
  const { replicas, incarnation } = step.state.durable;
  step.ctx.sendTo(client, {
    type: "group",
    ...stampOf(step),
    primary: primaryOf(step),
    replicas,
    incarnation,
  });
}
