// How an entry of the log is carried out. The same entry at the same place does the same on every replica.

import { decodeData, type DeepReadonly, encodeData, type Json } from "../../core/data.ts";
import type { AnyMachine } from "../machine/machine.ts";
import { open } from "../machine/sessions.ts";
import type { Entry, Outcome } from "./protocol.ts";
import type { VrRules } from "./rules.ts";
import type { Application } from "./state.ts";

/** Carries out the entry with op-number `op`. What came of it; undefined if nobody waits for that any more. */
export function execute(
  application: Application,
  entry: DeepReadonly<Entry>,
  op: number,
  machine: AnyMachine,
  rules: VrRules,
): Outcome | undefined {
  const { command } = entry;
  if (command.kind === "open") {
    return open(application.sessions, entry.client, entry.request, op);
  }
  const verdict = rules.judge(application.sessions, entry);
  switch (verdict.kind) {
    case "fresh": {
      const outcome = carryOut(application, command, machine);
      // An outcome is JSON, as its schema says.
      rules.remember(application.sessions, entry, outcome as Json);
      return outcome;
    }
    case "repeated":
      return verdict.result as Outcome;
    case "expired":
      return { kind: "expired" };
    case "stale":
      return undefined;
  }
}

function carryOut(
  application: Application,
  command: DeepReadonly<Exclude<Entry["command"], { kind: "open" }>>,
  machine: AnyMachine,
): Outcome {
  switch (command.kind) {
    case "apply":
      return { kind: "applied", result: machine.apply(application.state, command.operation) };
    case "checkEpoch":
      return { kind: "epoch", epoch: application.epoch };
    case "reconfigure":
      if (command.epoch !== application.epoch) {
        return { kind: "refused", why: staleEpoch(command.epoch, application.epoch) };
      }
      application.epoch++;
      return { kind: "epoch", epoch: application.epoch };
  }
}

/** Why a reconfiguration of an epoch that is over is refused. */
export function staleEpoch(found: number, wanted: number): string {
  return `the epoch is ${wanted}, and the reconfiguration is of epoch ${found}`;
}

/** A replicated state as text, to be sent to another replica. */
export function encodeApplication(application: DeepReadonly<Application>): string {
  return encodeData(application);
}

/** The replicated state that another replica has sent. */
export function decodeApplication(text: string): Application {
  return decodeData(text) as unknown as Application;
}
