// How what was decided in a slot is carried out. The same value in the same slot does the same on every member.

import { decodeData, type DeepReadonly, encodeData, type Json } from "../../core/data.ts";
import type { AnyMachine } from "../machine/machine.ts";
import { open } from "../machine/sessions.ts";
import type { Outcome } from "../vr/protocol.ts";
import { inOrder } from "./ballot.ts";
import type { Entry, Value } from "./protocol.ts";
import type { PaxosRules } from "./rules.ts";
import type { Application } from "./state.ts";

/** What came of each command in a slot; undefined if nobody waits for it any more. */
export type Outcomes = readonly (Outcome | undefined)[];

/** Carries out the commands of a slot. If it is the last slot of its configuration, the next one begins. */
export function execute(
  application: Application,
  slot: number,
  value: DeepReadonly<Value>,
  machine: AnyMachine,
  rules: PaxosRules,
): Outcomes {
  const outcomes = value.map((entry) => {
    application.operations++;
    return carryOut(application, slot, entry, machine, rules);
  });
  if (value.length === 0) application.operations++;
  const { next, configuration } = application;
  if (next !== null && next.start === slot + 1) {
    application.old = configuration.members;
    application.configuration = next;
    application.next = null;
  }
  return outcomes;
}

function carryOut(
  application: Application,
  slot: number,
  entry: DeepReadonly<Entry>,
  machine: AnyMachine,
  rules: PaxosRules,
): Outcome | undefined {
  const { sessions } = application;
  if (entry.command.kind === "open") {
    return open(sessions, entry.client, entry.request, application.operations);
  }
  const verdict = rules.judge(sessions, entry);
  switch (verdict.kind) {
    case "fresh": {
      const outcome = apply(application, slot, entry.command, machine, rules);
      // An outcome is JSON, as its schema says.
      rules.remember(sessions, entry, outcome as Json);
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

function apply(
  application: Application,
  slot: number,
  command: DeepReadonly<Exclude<Entry["command"], { kind: "open" }>>,
  machine: AnyMachine,
  rules: PaxosRules,
): Outcome {
  const { epoch } = application.configuration;
  switch (command.kind) {
    case "apply":
      return { kind: "applied", result: machine.apply(application.state, command.operation) };
    case "checkEpoch":
      return { kind: "epoch", epoch };
    case "reconfigure": {
      if (command.epoch !== epoch) {
        return {
          kind: "refused",
          why: `the epoch is ${epoch}, and the reconfiguration is of epoch ${command.epoch}`,
        };
      }
      if (application.next !== null) {
        return { kind: "refused", why: "another reconfiguration is under way" };
      }
      application.next = {
        epoch: epoch + 1,
        members: inOrder(command.replicas),
        start: rules.firstSlotAfter(slot, application.window),
      };
      return { kind: "epoch", epoch: epoch + 1 };
    }
  }
}

/** A replicated state as text, to be sent to another member. */
export function encodeApplication(application: DeepReadonly<Application>): string {
  return encodeData(application);
}

/** The replicated state that another member has sent. */
export function decodeApplication(text: string): Application {
  return decodeData(text) as unknown as Application;
}
