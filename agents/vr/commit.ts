// What follows from knowing that operations are committed: they are executed, answered, and in time checkpointed.

import { assert } from "../../core/error.ts";
import type { AgentId } from "../../core/id.ts";
import { enterEpoch } from "./epoch.ts";
import { execute } from "./execute.ts";
import type { Outcome, Vr } from "./protocol.ts";
import { entryAt, opNumber } from "./state.ts";
import { applicationOf, stampOf, type Step } from "./step.ts";

/** Section 4.1, steps 5 and 7: executes all operations up to `op` that the log holds, in their order. */
export function commitTo(step: Step, op: number): void {
  const { state, ctx, machine, rules } = step;
  const { durable } = state;
  const application = applicationOf(step);
  const last = Math.min(op, opNumber(durable));
  while (state.commit < last) {
    const entry = entryAt(durable, state.commit + 1);
    assert(entry !== undefined, "what is not executed is in the log");
    const next = ++state.commit;
    const { epoch } = application;
    const outcome = execute(application, entry, next, machine, rules);
    const { client, session, request, command } = entry;
    state.pending.delete(client);
    const key = rules.replyKey(entry);
    const waiting = state.waiting.get(key);
    state.waiting.delete(key);
    if (waiting !== undefined && outcome !== undefined) {
      reply(step, waiting, { client, session, request }, outcome);
    }
    // Replaying an older epoch on the way into a later one changes nothing any more.
    const ends = application.epoch > epoch && application.epoch === durable.epoch + 1;
    if (ends && command.kind === "reconfigure") enterEpoch(step, next, entry, command);
  }
  if (state.commit - durable.checkpoint.op >= ctx.attrs.checkpointOperations) checkpoint(step);
}

/** Section 5.1: a copy of the state now and then, so that the log need not be kept for ever. */
function checkpoint({ state, ctx }: Step): void {
  const { base } = state.durable;
  ctx.append({ kind: "checkpoint", op: state.commit, keep: ctx.attrs.keepOperations });
  ctx.note("vr.checkpoint", { op: state.commit });
  if (state.durable.base === base) return;
  ctx.note("vr.truncated", { base: state.durable.base });
  // Whoever is still getting an older checkpoint would find that the log does not go on from there.
  if ((state.checkpointText?.op ?? 0) < state.durable.base) state.checkpointText = undefined;
}

/** Tells a client what came of its request. */
export function reply(
  step: Step,
  to: AgentId,
  { client, session, request }: Pick<Vr<"request">, "client" | "session" | "request">,
  outcome: Outcome,
): void {
  step.ctx.sendTo(to, {
    type: "reply",
    client,
    session,
    request,
    ...stampOf(step),
    outcome,
  });
}
