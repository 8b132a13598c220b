// How each record changes what a replica keeps on disk, live and on replay alike.

import type { DeepReadonly } from "../../core/data.ts";
import { assert } from "../../core/error.ts";
import type { AnyMachine } from "../machine/machine.ts";
import { decodeApplication, execute } from "./execute.ts";
import type { Entry } from "./protocol.ts";
import type { VrRules } from "./rules.ts";
import { type Durable, entryAt, opNumber, type VrRecord } from "./state.ts";

/** Changes the durable state by a record. */
export function applyRecord(
  durable: Durable,
  record: DeepReadonly<VrRecord>,
  machine: AnyMachine,
  rules: VrRules,
): void {
  switch (record.kind) {
    case "start":
      durable.incarnation = record.incarnation;
      durable.starts++;
      return;
    case "log":
      durable.log.push(...record.entries);
      return;
    case "view":
      durable.lastNormal = rules.lastNormalAfterVote(durable.lastNormal, record.view);
      durable.view = record.view;
      return;
    case "normal":
      return becomeNormal(durable, record, rules);
    case "checkpoint":
      return takeCheckpoint(durable, record, machine, rules);
    case "epoch":
      durable.old = record.old;
      durable.replicas = record.replicas;
      durable.epoch = record.epoch;
      durable.epochOp = record.op;
      durable.epochView = record.view;
      durable.complete = record.complete;
      // Section 7.1.1: every epoch begins in view 0.
      durable.view = durable.lastNormal = 0;
  }
}

function becomeNormal(
  durable: Durable,
  { view, after, entries, checkpoint }: DeepReadonly<Extract<VrRecord, { kind: "normal" }>>,
  rules: VrRules,
): void {
  durable.view = durable.lastNormal = view;
  durable.complete = true;
  if (checkpoint === undefined) {
    durable.log = rules.cutLog(durable.log, durable.base, after) as Entry[];
  } else {
    assert(after === checkpoint.op, "a log that comes with a checkpoint begins after it");
    durable.checkpoint = {
      op: checkpoint.op,
      application: decodeApplication(checkpoint.text),
    };
    durable.base = checkpoint.op;
    durable.log = [];
  }
  durable.log.push(...entries);
}

/** Section 5.1: executes up to the checkpoint, and drops what of the log nobody is likely to ask for. */
function takeCheckpoint(
  durable: Durable,
  { op, keep }: Extract<VrRecord, { kind: "checkpoint" }>,
  machine: AnyMachine,
  rules: VrRules,
): void {
  const { application } = durable.checkpoint;
  for (let next = durable.checkpoint.op + 1; next <= op; next++) {
    const entry = entryAt(durable, next);
    assert(entry !== undefined, "what a checkpoint covers is in the log");
    execute(application, entry, next, machine, rules);
  }
  assert(op <= opNumber(durable), "a checkpoint does not reach beyond the log");
  durable.checkpoint = { op, application };
  const base = Math.max(durable.base, op - keep);
  durable.log = durable.log.slice(base - durable.base);
  durable.base = base;
}
