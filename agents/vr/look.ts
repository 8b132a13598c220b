// A look at a replica's own copy of the state, without the group. It shows what was true once: all that it shows was
// committed, since nothing else is ever executed, but how much has been committed since it cannot tell. Whoever looks
// must have other means to know that it is enough.

import type { Data } from "../../core/data.ts";
import { type AnyMachine, isOperation } from "../machine/machine.ts";
import type { Vr, VrProtocol } from "./protocol.ts";
import type { DirectMessage } from "../../core/agent.ts";

/** What a look works with: a replica of any protocol has it. */
export interface LookStep {
  readonly machine: AnyMachine;
  readonly application: { readonly state: Data };
  readonly ctx: { reply(message: DirectMessage<Pick<VrProtocol, "looked">>): void };
}

/** Carries out a read on what this replica has executed. */
export function onLook(
  { machine, application, ctx }: LookStep,
  { id, operation }: Vr<"look">,
): void {
  const isRead = isOperation(machine, operation) && machine.isRead(operation);
  const result = isRead ? machine.apply(application.state, operation) : null;
  ctx.reply({ type: "looked", id, result });
}
